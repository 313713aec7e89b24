//! A range of rows to write. Nothing else is kept for a retry: the range can be made again.

use std::ops::Range;
use std::time::Duration;

use rowstorm_sink::Attempt;

#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Counts up over the run.
    pub(crate) number: u64,
    pub(crate) rows: Range<u64>,
    /// The decision under which it is sent.
    pub(crate) decision: u64,
    /// When it was meant to start, since the start of the load; `None` without a schedule.
    pub(crate) due: Option<Duration>,
    /// Attempts that failed so far.
    pub(crate) attempts: u32,
    /// How often it was halved.
    pub(crate) halved: u32,
    /// How many rows it had before that.
    pub(crate) whole: u64,
    /// Whether its rows may be there already.
    pub(crate) doubt: Attempt,
    /// The bytes that its payload is thought to have.
    pub(crate) bytes: u64,
}

impl Job {
    pub(crate) fn len(&self) -> u64 {
        self.rows.end - self.rows.start
    }

    /// The first and the second half. A job of one row cannot be halved.
    pub(crate) fn halve(self) -> [Job; 2] {
        assert!(self.len() > 1, "one row has no half");
        let middle = self.rows.start + self.len() / 2;
        let half = |rows| Job {
            rows,
            halved: self.halved + 1,
            bytes: self.bytes.div_ceil(2),
            ..self.clone()
        };
        [half(self.rows.start..middle), half(middle..self.rows.end)]
    }
}
