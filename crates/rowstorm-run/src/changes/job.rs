//! Some ops of one stream, to be done in one transaction.

use std::ops::Range;
use std::time::Duration;

use rowstorm_sink::Attempt;
use tokio::time::Instant;

/// What a lane is to do next.
#[derive(Debug)]
pub(crate) enum Take {
    /// These ops.
    Job(Job),
    /// Small transactions of different streams, sent together.
    Several(Vec<Job>),
    /// This event; an earlier run may have done it.
    Event { number: usize, was_begun: bool },
    /// Ask again then.
    At(Instant),
    /// Ask again when something has changed.
    Wait,
    /// There is work for fewer lanes: ask again when something has changed, which for this lane may be never.
    Park,
    /// There is nothing left for any lane.
    Done,
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Counts up over the run.
    pub(crate) number: u64,
    pub(crate) stream: u32,
    pub(crate) ops: Range<u64>,
    pub(crate) due: Due,
    /// The stage that its places are in.
    pub(crate) stage: usize,
    /// Attempts that failed so far.
    pub(crate) attempts: u32,
    /// Whether it may be committed already.
    pub(crate) attempt: Attempt,
    /// The number of the controller's decision under which it was handed out, and the pause that goes with it.
    pub(crate) decision: u64,
    pub(crate) pause: Duration,
    /// Whether the same lane has the ops behind these in hand, too: the stream is not free after them.
    pub(crate) more: bool,
}

/// When ops were meant to start, since the first of all.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// There is no schedule: when they were handed out.
    Free(Duration),
    /// All at once: a transaction of a given size takes the places of its ops, and starts at the first.
    Together(Duration),
    /// Each at its own time.
    Each(Vec<Duration>),
}

impl Job {
    pub(crate) fn len(&self) -> u64 {
        self.ops.end - self.ops.start
    }

    /// When an op was meant to start.
    pub(crate) fn due_of(&self, op: u64) -> Duration {
        match &self.due {
            Due::Free(due) | Due::Together(due) => *due,
            // A job that was halved has kept its own.
            Due::Each(dues) => dues[(op - self.ops.start) as usize],
        }
    }

    /// When its first op was meant to start.
    pub(crate) fn first_due(&self) -> Duration {
        self.due_of(self.ops.start)
    }

    pub(crate) fn is_paced(&self) -> bool {
        match self.due {
            Due::Free(_) => false,
            Due::Together(_) | Due::Each(_) => true,
        }
    }

    /// The first and the second half. A job of one op cannot be halved.
    pub(crate) fn halve(self) -> [Job; 2] {
        assert!(self.len() > 1, "one op has no half");
        let half = self.len() / 2;
        let middle = self.ops.start + half;
        let (first, second) = match self.due.clone() {
            Due::Each(mut dues) => {
                let rest = dues.split_off(half as usize);
                (Due::Each(dues), Due::Each(rest))
            }
            together => (together.clone(), together),
        };
        let part = |ops, due, more| Job { ops, due, more, ..self.clone() };
        [part(self.ops.start..middle, first, true), part(middle..self.ops.end, second, self.more)]
    }
}
