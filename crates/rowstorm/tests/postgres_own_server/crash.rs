//! PostgreSQL is killed in mid-run and started again: what the run says must be what the database holds.
//!
//! The server is one of the test's own: one that was given by URL, or runs in a container, is not ours to kill. Where no
//! PostgreSQL is installed, the cases show as ignored, by name; in CI (`CI` is set) they fail there if `ROWSTORM_REQUIRE`
//! names postgres.

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use rowstorm::{Ending, Error, Finished, Format, Run, Schema};
use support::Server;

const ROWS: u64 = 200_000;

fn main() -> ExitCode {
    let ignored = !Server::can_start() && !required();
    let trial = |name: &str, case: fn() -> Result<(), Failed>| {
        Trial::test(name, case).with_kind("postgres").with_ignored_flag(ignored)
    };
    let trials = vec![
        trial("a_killed_server_loses_and_doubles_no_row_of_a_table_with_a_key", || {
            on_a_runtime(keyed())
        }),
        trial("a_killed_server_leaves_a_table_without_a_key_honestly_unknown", || {
            on_a_runtime(keyless())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn required() -> bool {
    let named = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let set = |value: String| !value.is_empty() && value != "false";
    std::env::var("CI").is_ok_and(set) && named.split(',').any(|name| name.trim() == "postgres")
}

fn on_a_runtime(case: impl Future<Output = Result<(), Error>>) -> Result<(), Failed> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    Ok(runtime.worker_threads(2).enable_all().build()?.block_on(case)?)
}

/// Runs, kills the server once a third of the rows are in, starts it again, and lets the run end.
async fn crash(server: &mut Server, yaml: &str) -> Result<Finished, Error> {
    let all = rowstorm::runner::MaxErrors::Percent(100.0);
    let run = Run::new(Schema::parse(yaml, Format::Yaml, "crash.yaml")?)
        .rows(ROWS)
        .batch(1_000)
        .in_flight(4)
        .to(&server.url())?
        .options(|options| options.max_errors = all)
        .build()?;
    let live = run.live();
    let running = tokio::spawn(run.go());
    while live.snapshot().rows.accepted < ROWS / 3 {
        assert!(!running.is_finished(), "the run ended before the crash: {:?}", running.await);
        tokio::task::yield_now().await;
    }
    server.kill();
    server.go();
    Ok(running.await.expect("the run does not panic")?)
}

async fn keyed() -> Result<(), Error> {
    let mut server = Server::start();
    let yaml = "
version: 1
tables:
  keyed:
    key: [id]
    columns:
      id: { type: bigint, gen: sequence }
      n:  { type: int, gen: { uniform: [0, 1000000] } }
";
    let done = crash(&mut server, yaml).await?;
    let rows = &done.record.rows;
    assert!(matches!(done.ending, Ending::Done), "{:?} {:?}", done.ending, done.record.failure);
    assert_eq!((rows.planned, rows.rejected, rows.unknown), (ROWS, 0, 0));
    assert_eq!(rows.accepted + rows.confirmed, ROWS);
    assert_eq!(rows.audited, Some(ROWS));
    assert!(done.record.retries > 0, "the crash was not noticed");
    Ok(())
}

async fn keyless() -> Result<(), Error> {
    let mut server = Server::start();
    let yaml = "
version: 1
tables:
  keyless:
    columns:
      n: { type: int, gen: { uniform: [0, 1000000] } }
";
    let done = crash(&mut server, yaml).await?;
    let rows = &done.record.rows;
    assert_eq!(rows.accepted + rows.confirmed + rows.rejected + rows.unknown, rows.planned);
    assert_eq!(rows.planned, ROWS);
    let audited = rows.audited.expect("the server is up again");
    let arrived = rows.accepted..=rows.accepted + rows.unknown;
    assert!(arrived.contains(&audited), "{audited} of {arrived:?}");
    Ok(())
}
