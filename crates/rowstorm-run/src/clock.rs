//! The clock of the load: zero before it, frozen after it. Preparation, late indexes and counting do not run on it.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    start: Option<Instant>,
    end: Option<Instant>,
}

impl Clock {
    pub(crate) fn start(&mut self) {
        self.start = Some(Instant::now());
    }

    pub(crate) fn end(&mut self) {
        self.end = Some(Instant::now());
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match (self.start, self.end) {
            (Some(start), Some(end)) => end - start,
            (Some(start), None) => start.elapsed(),
            (None, _) => Duration::ZERO,
        }
    }

    /// The instant that lies so long after the start.
    pub(crate) fn at(&self, since_start: Duration) -> Instant {
        self.start.unwrap_or_else(Instant::now) + since_start
    }
}
