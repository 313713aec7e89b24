//! PostgreSQL stands still, or takes fewer connections, in mid-run: every row arrives, and the record tells the story.

use std::time::Duration;

use rowstorm::runner::{Live, Setting};
use rowstorm::{Ending, Error, Finished, Format, Run, RunOptions, Schema};
use tokio::task::JoinHandle;

use crate::server::Server;

const ROWS: u64 = 200_000;
/// Rows per second: slow enough for what is done in mid-run to be done before its end, on a busy machine too.
const RATE: f64 = 20_000.0;

const YAML: &str = "
version: 1
tables:
  t:
    key: [id]
    columns:
      id: { type: bigint, gen: sequence }
      n:  { type: int, gen: { uniform: [0, 1000000] } }
";

/// A run, and what is seen of it.
struct Running {
    live: Live,
    handle: JoinHandle<Result<Finished, Error>>,
}

impl Running {
    /// Waits until so many rows are in.
    async fn reach(&mut self, rows: u64) {
        while self.accepted() < rows {
            let ended = self.handle.is_finished();
            assert!(!ended, "it ended too early: {:?}", (&mut self.handle).await);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn accepted(&self) -> u64 {
        self.live.snapshot().rows.accepted
    }
}

/// Runs to the end; `meanwhile` is called once a third of the rows are in.
async fn load(
    url: &str,
    change: impl FnOnce(&mut RunOptions),
    meanwhile: impl AsyncFnOnce(&mut Running),
) -> Result<Finished, Error> {
    let schema = Schema::parse(YAML, Format::Yaml, "refusing.yaml")?;
    let run = Run::new(schema).rows(ROWS).to(url)?.options(change).build()?;
    let live = run.live();
    let mut running = Running { live, handle: tokio::spawn(async { Ok(run.go().await?) }) };
    running.reach(ROWS / 3).await;
    meanwhile(&mut running).await;
    running.handle.await.expect("the run does not panic")
}

fn assert_every_row_is_there(done: &Finished) {
    let rows = &done.record.rows;
    assert!(matches!(done.ending, Ending::Done), "{:?} {:?}", done.ending, done.record.failure);
    assert_eq!((rows.planned, rows.rejected, rows.unknown), (ROWS, 0, 0));
    assert_eq!((rows.accepted + rows.confirmed, rows.audited), (ROWS, Some(ROWS)));
}

pub(crate) async fn a_server_that_stands_still_for_seconds_loses_no_row() -> Result<(), Error> {
    let server = Server::start();
    let auto = |options: &mut RunOptions| {
        (options.batch, options.in_flight) = (Setting::Auto, Setting::Auto);
        options.rate = Some(RATE);
    };
    let done = load(&server.url(), auto, async |_| {
        server.signal("-STOP");
        tokio::time::sleep(Duration::from_secs(3)).await;
        server.signal("-CONT");
    })
    .await?;
    assert_every_row_is_there(&done);
    // The batches that were under way waited, and nobody gave them up.
    assert!(done.record.latency_ms.max > 2_500.0, "{:?}", done.record.latency_ms);
    assert_eq!(done.record.retries, 0);
    Ok(())
}

pub(crate) async fn a_server_that_takes_fewer_connections_in_mid_run_loses_no_row()
-> Result<(), Error> {
    let server = Server::start();
    // The owner of a server is not bound by limits.
    server.say("CREATE ROLE loader LOGIN PASSWORD 'secret'");
    server.say("GRANT ALL ON SCHEMA public TO loader");
    let four = |options: &mut RunOptions| {
        (options.batch, options.in_flight) = (Setting::Fixed(500), Setting::Fixed(4));
        options.rate = Some(RATE);
        // Nobody waits so long for a connection of his own while the others get on.
        options.reconnect = Duration::from_secs(5);
        options.retry = 20;
    };
    let url = server.url().replace("postgres:secret", "loader:secret");
    let done = load(&url, four, async |running| {
        server.say("ALTER ROLE loader CONNECTION LIMIT 2");
        server
            .say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'loader'");
        let before = running.accepted();
        running.reach(before + ROWS / 10).await;
        server.say("ALTER ROLE loader CONNECTION LIMIT -1");
    })
    .await?;
    assert_every_row_is_there(&done);
    let refused = done.record.errors.iter().find(|error| error.class.contains("53300"));
    assert!(refused.is_some(), "{:?}", done.record.errors);
    Ok(())
}
