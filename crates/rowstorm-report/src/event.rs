//! What became of the events among a run's changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One event: what was done once, while all streams stood still.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventRecord {
    /// The ops of all streams that were to be done before it.
    pub after: u64,
    /// `truncate` or `statement`.
    pub kind: String,
    /// What was sent.
    pub words: String,
    /// What became of it.
    pub outcome: EventOutcome,
    /// When it was sent, in seconds since the first op; `None` if this run did not send it.
    pub at_s: Option<f64>,
    /// How long it took, all attempts together.
    pub seconds: f64,
    /// Attempts that failed.
    pub attempts: u32,
    /// How many rows it touched, where the database says so.
    pub rows: Option<u64>,
    /// The database's words, where it did not simply do it.
    pub message: Option<String>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventOutcome {
    /// The database did it.
    Done,
    /// An earlier run did it.
    DoneBefore,
    /// It was sent twice, since the first answer was lost, and refused the second time: the first may have done it.
    RefusedAgain,
    /// The database refused it, and the run ended.
    Refused,
    /// It was sent, and nobody can tell: a run that resumes sends it once more.
    InDoubt,
    /// The run ended before.
    #[default]
    NotReached,
}

impl EventOutcome {
    /// Whether ops behind it were done, or may be.
    ///
    /// ```
    /// use rowstorm_report::EventOutcome;
    ///
    /// assert!(EventOutcome::DoneBefore.is_over() && !EventOutcome::InDoubt.is_over());
    /// ```
    pub fn is_over(self) -> bool {
        match self {
            EventOutcome::Done | EventOutcome::DoneBefore | EventOutcome::RefusedAgain => true,
            EventOutcome::Refused | EventOutcome::InDoubt | EventOutcome::NotReached => false,
        }
    }

    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            EventOutcome::Done => "done",
            EventOutcome::DoneBefore => "done by an earlier run",
            EventOutcome::RefusedAgain => "in doubt, refused when it was sent once more",
            EventOutcome::Refused => "refused",
            EventOutcome::InDoubt => "in doubt",
            EventOutcome::NotReached => "not reached",
        }
    }
}
