//! What a run is asked to do, besides the plan and the sink.

use std::time::Duration;

use rowstorm_sink::{IndexTime, PrepareMode, SinkError};

pub use rowstorm_gen::schema::AutoOr as Setting;
pub use rowstorm_gen::schema::Objective;
pub use rowstorm_gen::schema::Tolerance as MaxErrors;
pub use rowstorm_report::Shard;

use crate::{ChangeOptions, Journal, Resume};

/// What ends the load of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// Its rows, or the duration.
    #[default]
    Amount,
    /// The controller, when it has settled and looked around once more; rows and duration are limits.
    Settled,
}

/// The settings of one run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Rows per batch.
    pub batch: Setting,
    /// Batches in flight at once: connections.
    pub in_flight: Setting,
    /// What the controller looks for, where a setting is not given.
    pub objective: Objective,
    /// What ends it, besides its amount of rows.
    pub until: Until,
    /// Load only this table.
    pub table: Option<String>,
    /// Where what the controllers see and decide is written down; only in memory, for tests and analysis.
    pub journal: Option<Journal>,
    /// What comes after the load; `None` leaves the document's `changes:` out.
    pub changes: Option<ChangeOptions>,
    /// Stop handing out rows of the load after this long.
    pub duration: Option<Duration>,
    /// Leave this much of the start out of latencies and of the rate.
    pub warmup: Duration,
    /// Rows per second, all shards together; `None` is as fast as it goes.
    pub rate: Option<f64>,
    /// The budget of payload bytes in memory: it is never exceeded.
    pub bytes_in_flight_max: u64,
    /// What is done with tables that are there.
    pub mode: PrepareMode,
    /// When secondary indexes are made.
    pub indexes: IndexTime,
    /// Rejected (and lost) rows that are still a success.
    pub max_errors: MaxErrors,
    /// Attempts after the first for a payload that was not taken.
    pub retry: u32,
    /// How long the server may take for one batch. Its own limit should be this; the runner gives up a little later.
    pub timeout: Duration,
    /// How long a lane tries to get its connection back.
    pub reconnect: Duration,
    /// The part to write, if others write the rest.
    pub shard: Option<Shard>,
    /// The target for the record, without user and password.
    pub target: String,
    /// The schema's name for the record.
    pub schema_name: String,
    /// The start for the record, RFC 3339.
    pub started_at: String,
    /// What `gen: now` says, for the record, RFC 3339.
    pub epoch: String,
    /// How long generation alone is measured before the start, all tables together.
    pub probe: Duration,
}

impl Default for RunOptions {
    /// Everything is found (`auto`), nothing is paced, no rejected row is forgiven, tables must be empty.
    fn default() -> Self {
        RunOptions {
            batch: Setting::Auto,
            in_flight: Setting::Auto,
            objective: Objective::Throughput,
            until: Until::Amount,
            table: None,
            journal: None,
            changes: None,
            duration: None,
            warmup: Duration::ZERO,
            rate: None,
            bytes_in_flight_max: 256 << 20,
            mode: PrepareMode::Create,
            indexes: IndexTime::After,
            max_errors: MaxErrors::Rows(0),
            retry: 5,
            timeout: Duration::from_secs(30),
            reconnect: Duration::from_mins(1),
            shard: None,
            target: String::new(),
            schema_name: String::new(),
            started_at: String::new(),
            epoch: String::new(),
            probe: Duration::from_millis(50),
        }
    }
}

impl RunOptions {
    /// # Errors
    /// What cannot be done, and what could.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        let wrong = |text: &str| Err(RunError::Options(text.to_owned()));
        if self.rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            return wrong("the rate must be above zero");
        }
        if self.batch == Setting::Fixed(0) || self.in_flight == Setting::Fixed(0) {
            return wrong("batch and in-flight are at least 1, or `auto`");
        }
        if self.bytes_in_flight_max == 0 {
            return wrong("the budget of bytes in flight must be above zero");
        }
        let Some(shard) = self.shard else { return Ok(()) };
        if shard.count > 1 && self.to_change().is_some() && !self.is_loaded() {
            return wrong(
                "a shard's changes need the rows of all shards: load them once with `--changes 0 -o load.json`, \
                 then start all shards with `--resume load.json`",
            );
        }
        if shard.index == 0 || shard.index > shard.count {
            return wrong("a shard is i/n with i from 1 to n");
        }
        if shard.count > 1 && self.to_change().is_some_and(|changes| changes.cdc) {
            return wrong(
                "the server's log has the changes of all shards, and a shard's record only its own: leave --cdc out, or \
                 --shard",
            );
        }
        if shard.count > 1 && self.mode == PrepareMode::Recreate {
            return wrong(
                "a shard cannot recreate the table: it would drop the rows of the other shards; \
                 drop it once, then start all shards with `create`",
            );
        }
        Ok(())
    }

    /// Rows per second of this shard.
    pub(crate) fn own_rate(&self) -> Option<f64> {
        self.rate.map(|rate| self.shard.map_or(rate, |shard| rate / f64::from(shard.count)))
    }

    /// Whether the controller explores no more once it has settled. Both settings are found together: one word is enough.
    pub(crate) fn freezes(&self) -> bool {
        [self.batch, self.in_flight].contains(&Setting::AutoFreeze)
    }

    /// The changes, if there is anything to change.
    pub(crate) fn to_change(&self) -> Option<&ChangeOptions> {
        self.changes.as_ref().filter(|changes| !changes.is_empty())
    }

    /// Whether the rows of the beginning are there already, and only changes follow.
    pub(crate) fn is_loaded(&self) -> bool {
        let resumes = matches!(self.resume(), Resume::Changes(_));
        let appends = self.mode == PrepareMode::Append && matches!(self.resume(), Resume::Anew);
        self.to_change().is_some() && (resumes || appends)
    }

    /// Where an earlier run is gone on with.
    pub fn resume(&self) -> &Resume {
        self.changes.as_ref().map_or(&Resume::Anew, |changes| &changes.resume)
    }

    /// Whether other shards write into the same tables.
    pub(crate) fn is_part(&self) -> bool {
        self.shard.is_some_and(|shard| shard.count > 1)
    }
}

/// Why a run did not start: nothing was written. After the first row a run always ends with a record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target could not be reached, or a table could not be made ready.
    #[error(transparent)]
    Target(#[from] SinkError),
    /// The settings contradict each other.
    #[error("{0}")]
    Options(String),
}
