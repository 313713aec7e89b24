//! What a controller sees, and what it decides.

use std::fmt;
use std::time::Duration;

/// Decides batch size and concurrency from what it sees.
pub trait Controller: Send + fmt::Debug {
    /// The decision in force.
    fn decision(&self) -> &Decision;

    /// Takes in one finished batch; the answer is the decision from now on.
    ///
    /// Promises: the same observations give the same decisions; no allocation; bounds are kept.
    fn observe(&mut self, seen: &Observation) -> &Decision;

    /// Where it stands: for the live line, metrics and the record.
    fn state(&self) -> State;
}

/// Where a controller stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is tuned.
    Pinned,
    /// Trying settings.
    Exploring,
    /// Found its setting and watches.
    Settled,
}

impl State {
    /// The word in metrics and records.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pinned => "pinned",
            State::Exploring => "exploring",
            State::Settled => "settled",
        }
    }
}

/// One finished batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// When it finished, since the run's start.
    pub at: Duration,
    /// From sending to the answer.
    pub latency: Duration,
    /// Rows of the batch.
    pub rows: u32,
    /// Bytes of the payload.
    pub bytes: u64,
    /// Batches in flight when it finished, itself included.
    pub in_flight: u32,
    /// The number of the decision under which it was sent.
    pub decision: u64,
    /// How it ended.
    pub verdict: Verdict,
}

/// How a batch ended. Only [`Verdict::Done`] is a sample of speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The rows are there.
    Done,
    /// The server was busy.
    Busy,
    /// The payload was too large.
    TooLarge,
    /// The connection was lost, or rows were refused: nothing can be learnt of speed.
    Failed,
}

/// What is in force from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Counts up with every change.
    pub number: u64,
    /// Rows per batch.
    pub batch_rows: u32,
    /// Batches in flight at once.
    pub in_flight: u32,
    /// Wait this long before the next batch starts.
    pub pause: Duration,
    /// Why, in words that can be matched on.
    pub reason: Reason,
}

/// Why a decision was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// The first setting.
    Start,
    /// Both settings are given.
    Pinned,
    /// Trying more rows per batch.
    TryBatch {
        /// Rows per second of the setting before.
        from: f64,
    },
    /// Trying more batches in flight.
    TryInFlight {
        /// Rows per second of the setting before.
        from: f64,
    },
    /// The trial was not faster; back to the smaller footprint.
    Back {
        /// Rows per second of the trial.
        tried: f64,
        /// Rows per second of what is kept.
        kept: f64,
    },
    /// The trial was faster than it can be: what is kept is measured again.
    Again {
        /// Rows per second of the trial.
        tried: f64,
        /// Rows per second of what is kept, as measured before.
        kept: f64,
    },
    /// The server was busy.
    Busy,
    /// The server found the payload too large.
    TooLarge,
    /// Nothing tried was better.
    Settled {
        /// Rows per second.
        rate: f64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Start => out.write_str("start"),
            Reason::Pinned => out.write_str("pinned"),
            Reason::TryBatch { from } => write!(out, "trying larger batches from {from:.0} rows/s"),
            Reason::TryInFlight { from } => {
                write!(out, "trying more in flight from {from:.0} rows/s")
            }
            Reason::Back { tried, kept } => {
                write!(out, "back: tried {tried:.0}, keeping {kept:.0} rows/s")
            }
            Reason::Again { tried, kept } => {
                write!(out, "measuring again: {tried:.0} rows/s cannot come from {kept:.0}")
            }
            Reason::Busy => out.write_str("server busy: backing off"),
            Reason::TooLarge => out.write_str("payload too large: halving"),
            Reason::Settled { rate } => write!(out, "settled at {rate:.0} rows/s"),
        }
    }
}

/// What a controller must keep within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most rows of a batch.
    pub rows_max: u32,
    /// The most batches in flight.
    pub in_flight_max: u32,
    /// The most payload bytes in flight.
    pub bytes_max: u64,
}
