//! What the changes of a run are asked to do, besides the plan and the sink.

use std::path::PathBuf;
use std::time::Duration;

pub use rowstorm_gen::schema::{Arrivals, Late};

use super::journal::Progress;
use crate::Setting;

/// The settings of a run's changes.
#[derive(Debug, Clone)]
pub struct ChangeOptions {
    /// The schedule, stage after stage.
    pub stages: Vec<Stage>,
    /// How ops are spread over a stage with a rate.
    pub arrivals: Arrivals,
    /// What is done with ops that are late.
    pub late: Late,
    /// Ops of all shards together, shared out over the streams; what an earlier run did is among them. `None` leaves the end to the
    /// stages.
    pub amount: Option<u64>,
    /// The most ops of one batch, where a transaction is a batch.
    pub batch: Setting,
    /// Transactions in flight at once: connections.
    pub in_flight: Setting,
    /// Transactions of a given size that a lane sends without waiting for the answers between, at most, where there is no schedule. `None`
    /// is as many as the database [gains by](rowstorm_sink::ChangeLimits::pipeline); 1 waits for each.
    pub pipeline: Option<u32>,
    /// Leave this much of the start out of latencies and rates.
    pub warmup: Duration,
    /// Where the state is kept, op by op, so that a run that was killed can go on.
    pub journal: Option<PathBuf>,
    /// What was done before.
    pub resume: Resume,
    /// For the record: the one that has it.
    pub resumed_record: String,
    /// Whether the server's own log of changes is read, too, and compared with what was acknowledged. Not for one shard of several: the log has
    /// the others' changes.
    pub cdc: bool,
}

/// One part of a schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Rows changed per second, all shards together; `None` is as fast as it goes.
    pub rate: Option<f64>,
    /// How long it lasts; `None` is until the amount is done, or a stream ends. Only the last one may.
    pub length: Option<Duration>,
}

/// Where a run goes on.
#[derive(Debug, Clone, Default)]
pub enum Resume {
    /// Nothing was done.
    #[default]
    Anew,
    /// The load was begun, and how far it came is not known: its rows are written once more, and those that stand are confirmed.
    Load,
    /// The load is there, and so many ops of each stream.
    Changes(Progress),
}

impl Default for ChangeOptions {
    /// As fast as it goes, until a stream ends.
    fn default() -> Self {
        ChangeOptions {
            stages: vec![Stage { rate: None, length: None }],
            arrivals: Arrivals::Constant,
            late: Late::Queue,
            amount: None,
            batch: Setting::Auto,
            in_flight: Setting::Auto,
            pipeline: None,
            warmup: Duration::ZERO,
            journal: None,
            resume: Resume::Anew,
            resumed_record: String::new(),
            cdc: false,
        }
    }
}

impl ChangeOptions {
    /// # Errors
    /// What cannot be done, and what could.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some((last, others)) = self.stages.split_last() else {
            return Err("a schedule has one stage at least".to_owned());
        };
        if others.iter().any(|stage| stage.length.is_none()) {
            return Err("only the last stage may go on without an end".to_owned());
        }
        let bad = |stage: &Stage| stage.rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0);
        if others.iter().chain([last]).any(bad) {
            return Err("the rate must be above zero".to_owned());
        }
        if self.batch == Setting::Fixed(0) || self.in_flight == Setting::Fixed(0) {
            return Err("batch and in-flight are at least 1, or `auto`".to_owned());
        }
        if self.pipeline == Some(0) {
            return Err("a pipeline holds one transaction at least".to_owned());
        }
        Ok(())
    }

    /// Whether there is anything to do: an amount of 0 is the load alone.
    pub(crate) fn is_empty(&self) -> bool {
        self.amount == Some(0)
    }
}
