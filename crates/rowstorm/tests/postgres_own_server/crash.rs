//! PostgreSQL is killed in mid-run and started again: what the run says must be what the database holds.

use rowstorm::{Ending, Error, Finished, Format, Run, Schema};

use crate::server::Server;

const ROWS: u64 = 200_000;

/// Runs, kills the server once a third of the rows are in, starts it again, and lets the run end.
async fn crash(server: &mut Server, yaml: &str) -> Result<Finished, Error> {
    let all = rowstorm::runner::MaxErrors::Percent(100.0);
    let run = Run::new(Schema::parse(yaml, Format::Yaml, "crash.yaml")?)
        .rows(ROWS)
        .batch(1_000)
        .in_flight(4)
        .to(&server.url())?
        .options(|options| {
            options.max_errors = all;
            // Slow enough for the crash to come before the end, on a busy machine too.
            options.rate = Some(40_000.0);
        })
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

pub(crate) async fn a_killed_server_loses_and_doubles_no_row_of_a_table_with_a_key()
-> Result<(), Error> {
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

pub(crate) async fn a_killed_server_leaves_a_table_without_a_key_honestly_unknown()
-> Result<(), Error> {
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
