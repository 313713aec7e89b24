//! What a controller sees, and what it decides.

use std::fmt;
use std::time::Duration;

use crate::Reason;

/// Decides batch size and concurrency from what it sees.
pub trait Controller: Send + fmt::Debug {
    /// The decision in force.
    fn decision(&self) -> &Decision;

    /// Takes in one finished batch; the answer is the decision from now on.
    ///
    /// Promises: the same observations give the same decisions; no allocation; bounds are kept.
    fn observe(&mut self, seen: &Observation) -> &Decision;

    /// Takes in the server's own counters, where it has any: some refuse in silence and try again by themselves.
    fn count(&mut self, _: &Counters) -> &Decision {
        self.decision()
    }

    /// Explores no more, for good: what is kept now is in force, and only a server that refuses it changes it.
    fn freeze(&mut self) -> &Decision {
        self.decision()
    }

    /// A reason of the last observation that another overtook at once: the verdict on a trial, where the next trial began
    /// in the same moment. Who tells the story of a run wants both.
    fn overtaken(&self) -> Option<Reason> {
        None
    }

    /// The setting that it holds for the best so far; what is in force can be a trial.
    fn kept(&self) -> Point {
        let decision = self.decision();
        Point { batch_rows: decision.batch_rows, in_flight: decision.in_flight }
    }

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
    /// Explores no more.
    Frozen,
}

impl State {
    /// The word in metrics and records.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pinned => "pinned",
            State::Exploring => "exploring",
            State::Settled => "settled",
            State::Frozen => "frozen",
        }
    }
}

/// A setting of both coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Rows per batch.
    pub batch_rows: u32,
    /// Batches in flight at once.
    pub in_flight: u32,
}

impl Point {
    /// Rows in flight: what memory and the server's queues hold.
    pub fn footprint(self) -> f64 {
        f64::from(self.batch_rows) * f64::from(self.in_flight)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} rows × {}", self.batch_rows, self.in_flight)
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

/// What the server itself has counted since some moment before the run; only differences are looked at.
///
/// CrateDB tries refused writes again inside: its clients see latency, and only `sys.nodes` shows the refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// When they were read, since the run's start.
    pub at: Duration,
    /// Requests that were worked on.
    pub requests: u64,
    /// Requests that were refused by a part of the server, whoever tried them again.
    pub rejected: u64,
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

/// What a controller must keep within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most rows of a batch: the least of the table's, the server's and what its bind parameters or packet allow.
    pub rows_max: u32,
    /// The most batches in flight.
    pub in_flight_max: u32,
    /// The most payload bytes in flight.
    pub bytes_max: u64,
}
