//! SIGINT and SIGTERM: the first drains the run, so that its record is written; the second ends the process at once.

use std::sync::Arc;
use std::sync::OnceLock;

use crate::console;
use crate::exit::{Exit, Failure, Result};

/// The first signal that came, if one did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals(Arc<OnceLock<Exit>>);

impl Signals {
    /// Listens from now on; `drain` is called at the first signal.
    pub(crate) fn listen(drain: impl Fn() + Send + 'static) -> Result<Signals> {
        let signals = Signals::default();
        let first = signals.clone();
        let mut source = Source::new()?;
        tokio::spawn(async move {
            let exit = source.next().await;
            let _ = first.0.set(exit);
            console::talk(
                "stopping: batches in flight are finished and the record is written; again to abort",
            );
            drain();
            let exit = source.next().await;
            std::process::exit(i32::from(exit.code()));
        });
        Ok(signals)
    }

    /// How the process ends because of a signal.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.0.get().copied()
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> Result<Source> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind).map_err(|cause| Failure::new(Exit::Internal, format!("signals: {cause}")))
        };
        Ok(Source {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn new() -> Result<Source> {
        Ok(Source)
    }

    async fn next(&mut self) -> Exit {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Exit::Interrupted
    }
}
