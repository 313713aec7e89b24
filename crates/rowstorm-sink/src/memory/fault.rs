//! What can go wrong, by value: the same plan of faults gives the same run.

use std::time::Duration;

use super::{lost, too_large};
use crate::{Delivery, SinkError, SinkErrorKind};

/// A fault to stage. Writes and writers count from 1, over all tables; a transaction of changes is a write, a changer is a writer.
///
/// The number of a changed row is its key's first column less 1, as a `sequence` numbers rows; of another key, its place in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// These writes answer [`SinkErrorKind::Busy`]; nothing arrives.
    Busy {
        /// Which.
        writes: Writes,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// Every write of more bytes answers [`SinkErrorKind::TooLarge`].
    TooLarge {
        /// The most that is taken.
        bytes_max: u64,
    },
    /// These writes end in [`SinkErrorKind::Lost`], and the writer is of no more use.
    Lost {
        /// Which.
        writes: Writes,
        /// What arrived, and what the writer knows of it.
        arrived: Arrived,
    },
    /// These writes answer [`SinkErrorKind::Fatal`].
    Fatal {
        /// Which.
        writes: Writes,
    },
    /// These writes answer with every row refused, as a full disk does.
    RefuseAll {
        /// Which.
        writes: Writes,
    },
    /// These writes are never answered; nothing arrives.
    Hang {
        /// Which.
        writes: Writes,
    },
    /// Row numbers `every − 1`, `2 × every − 1`, … are refused, in whatever payload they come.
    RefuseRows {
        /// The distance.
        every: u64,
    },
    /// Row numbers `every − 1`, `2 × every − 1`, … are answered as accepted and not kept: a database that lies.
    ForgetRows {
        /// The distance.
        every: u64,
    },
    /// These writers cannot be opened: [`SinkErrorKind::Lost`] with [`Delivery::None`].
    NoConnection {
        /// Which writers.
        writers: Writes,
    },
    /// These writers find a server with too many connections: [`SinkErrorKind::Busy`].
    NoRoom {
        /// Which writers.
        writers: Writes,
    },
}

/// Which writes (or writers), counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Only this one.
    Nth(u64),
    /// Each whose number this divides.
    Every(u64),
    /// The first so many.
    First(u64),
    /// This one and all after it.
    From(u64),
    /// The first of these to the last of them.
    Between(u64, u64),
}

/// What of a lost write arrived, and what its writer can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// Nothing, and the writer knows: [`Delivery::None`].
    Nothing,
    /// Nothing, but the writer cannot know: [`Delivery::InDoubt`].
    NothingInDoubt,
    /// Everything, but the writer cannot know: [`Delivery::InDoubt`].
    EverythingInDoubt,
}

/// How a fault answers a write.
pub(super) enum Verdict {
    Error(SinkError),
    ErrorAfter(SinkError),
    Refuse { class: &'static str, sample: &'static str },
    Silence,
}

impl Writes {
    fn hits(self, number: u64) -> bool {
        match self {
            Writes::Nth(n) => number == n,
            Writes::Every(n) => number.is_multiple_of(n),
            Writes::First(n) => number <= n,
            Writes::From(n) => number >= n,
            Writes::Between(first, last) => (first..=last).contains(&number),
        }
    }
}

impl Fault {
    /// What this fault makes of a write of so many bytes; `None` if it leaves it alone.
    pub(super) fn verdict(&self, write: u64, bytes: u64) -> Option<Verdict> {
        let error = |kind, class: &str| {
            Verdict::Error(SinkError::new(kind, class, format!("staged at write {write}")))
        };
        match self {
            Fault::Busy { writes, retry_after } => writes
                .hits(write)
                .then(|| error(SinkErrorKind::Busy { retry_after: *retry_after }, "busy")),
            Fault::TooLarge { bytes_max } => {
                (bytes > *bytes_max).then(|| Verdict::Error(too_large(bytes)))
            }
            Fault::Lost { writes, arrived } => writes.hits(write).then(|| match arrived {
                Arrived::Nothing => Verdict::Error(lost(Delivery::None, "lost before it was sent")),
                Arrived::NothingInDoubt => Verdict::Error(lost(Delivery::InDoubt, "no answer")),
                Arrived::EverythingInDoubt => {
                    Verdict::ErrorAfter(lost(Delivery::InDoubt, "no answer"))
                }
            }),
            Fault::Fatal { writes } => {
                writes.hits(write).then(|| error(SinkErrorKind::Fatal, "fatal"))
            }
            Fault::RefuseAll { writes } => writes
                .hits(write)
                .then_some(Verdict::Refuse { class: "disk_full", sample: "no space left" }),
            Fault::Hang { writes } => writes.hits(write).then_some(Verdict::Silence),
            Fault::RefuseRows { .. }
            | Fault::ForgetRows { .. }
            | Fault::NoConnection { .. }
            | Fault::NoRoom { .. } => None,
        }
    }

    pub(super) fn refuses_row(&self, row: u64) -> bool {
        matches!(self, Fault::RefuseRows { every } if (row + 1).is_multiple_of(*every))
    }

    pub(super) fn forgets_row(&self, row: u64) -> bool {
        matches!(self, Fault::ForgetRows { every } if (row + 1).is_multiple_of(*every))
    }

    /// Why this writer cannot be opened; `None` if it can.
    pub(super) fn refuses_writer(&self, writer: u64) -> Option<SinkError> {
        match self {
            Fault::NoConnection { writers } if writers.hits(writer) => {
                Some(lost(Delivery::None, "the connection was refused"))
            }
            Fault::NoRoom { writers } if writers.hits(writer) => {
                let kind = SinkErrorKind::Busy { retry_after: None };
                Some(SinkError::new(kind, "no room", "too many connections"))
            }
            _ => None,
        }
    }
}
