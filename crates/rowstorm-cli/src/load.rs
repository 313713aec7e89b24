//! One run, driven: signals, progress and metrics around the runner.

use std::future::Future;
use std::net::SocketAddr;

use rowstorm::runner::{Finished, Run, RunError};
use rowstorm::schema::Progress;
use rowstorm::{BoxSink, Plan, RunOptions};

use crate::console;
use crate::exit::{Exit, Failure, Result};
use crate::exporter::Exporter;
use crate::progress::Reporter;
use crate::signals::Signals;

/// How a run is watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    pub(crate) progress: Progress,
    /// Whether every decision of the controller is said.
    pub(crate) verbose: bool,
    /// Whether more than errors is said.
    pub(crate) talks: bool,
    pub(crate) metrics: Option<SocketAddr>,
}

/// What a run left behind, and the signal that ended it, if one did.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) finished: Finished,
    pub(crate) signal: Option<Exit>,
}

/// Runs to the end. Whatever goes wrong after the first row is in the record.
pub(crate) fn load(plan: Plan, sink: BoxSink, options: RunOptions, watch: Watch) -> Result<Loaded> {
    marked(plan, sink, options, watch, || Ok(()))
}

/// The same; `prepared` is called when the tables are ready, before the first row.
pub(crate) fn marked(
    plan: Plan,
    sink: BoxSink,
    options: RunOptions,
    watch: Watch,
    prepared: impl FnOnce() -> Result<()>,
) -> Result<Loaded> {
    block_on(drive(plan, sink, options, watch, prepared))?
}

async fn drive(
    plan: Plan,
    sink: BoxSink,
    options: RunOptions,
    watch: Watch,
    prepared: impl FnOnce() -> Result<()>,
) -> Result<Loaded> {
    let exporter = match watch.metrics {
        Some(address) => Some(Exporter::start(address).await?),
        None => None,
    };
    if let Some(exporter) = exporter.as_ref().filter(|_| watch.talks) {
        console::talk(&format!("metrics  http://{}/metrics", exporter.address));
    }
    let target = options.target.clone();
    let run = Run::new(plan, sink, options);
    let stop = run.stop();
    let signals = Signals::listen(move || stop.now())?;
    let reporter = Reporter::start(run.live(), watch.progress, watch.verbose);
    set_ready(exporter.as_ref(), true);
    let finished = match run.prepare().await {
        Ok(ready) => match prepared() {
            Ok(()) => Ok(ready.go().await),
            Err(failure) => Err(failure),
        },
        Err(error) => Err(not_begun(&error, &target)),
    };
    set_ready(exporter.as_ref(), false);
    reporter.stop().await;
    Ok(Loaded { finished: finished?, signal: signals.exit() })
}

fn set_ready(exporter: Option<&Exporter>, ready: bool) {
    if let Some(exporter) = exporter {
        exporter.set_ready(ready);
    }
}

fn not_begun(error: &RunError, target: &str) -> Failure {
    match error {
        RunError::Options(why) => Failure::usage(why.clone()),
        RunError::Target(why) => Failure::target(format!("{target}: {}", with_causes(why))),
    }
}

/// An error with what the driver said, unless it says the same.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        // Drivers put a few words in front of what the server said.
        let said = words.split_once(": ").map_or(words.as_str(), |(_, said)| said);
        if !text.contains(said) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::new(Exit::Internal, format!("cannot start threads: {cause}")))?;
    let done = runtime.block_on(future);
    // To drop it is to take its tasks apart in any order, and a driver's task that still runs may panic over another that is gone (that of
    // MongoDB does, in its pool). The process ends soon, and they end with it.
    std::mem::forget(runtime);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use rowstorm::sink::SinkError;

    use super::*;

    #[test]
    fn what_the_server_said_is_said_once() {
        let said = |message: &str, cause: &str| {
            with_causes(&SinkError::fatal("x", message).because(std::io::Error::other(cause)))
        };
        assert_eq!(said("no such table", "error returned: no such table"), "no such table");
        assert_eq!(said("cannot connect", "reset by peer"), "cannot connect: reset by peer");
    }
}
