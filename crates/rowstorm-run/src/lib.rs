//! The runner: tasks, clocks, retries, accounting, telemetry. The only crate that spawns tasks or reads clocks.
//!
//! A [`Run`] hands out ranges of rows (jobs) to lanes. A lane is one task with one connection: it takes a job, makes
//! the payload, sends it and books what became of every row. Control (desk, controller: a few numbers per batch, one
//! short lock) is kept apart from data (fill, encode, send: no lock). Nothing is buffered for safety, because a job is
//! only a range and can be made again.
//!
//! What holds for every run, however it ends: `accepted + confirmed + rejected + unknown == planned`; payload bytes in
//! flight stay within the budget; a write that was begun is never cancelled.
//!
//! ```
//! use rowstorm_gen::schema::{Format, Schema};
//! use rowstorm_gen::{Plan, PlanOptions};
//! use rowstorm_run::{Ending, Run, RunOptions};
//! use rowstorm_sink::{BoxSink, Memory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let yaml = "version: 1\ntables: { t: { key: [id], columns: { id: { type: bigint, gen: sequence } } } }";
//! let schema = Schema::parse(yaml, Format::Yaml, "t.yaml")?;
//! let plan = Plan::new(&schema, PlanOptions { rows: Some(5_000), ..PlanOptions::default() })?;
//! let run = Run::new(plan, BoxSink::new(Memory::new()), RunOptions::default());
//! let finished = run.go().await?;
//! assert!(matches!(finished.ending, Ending::Done));
//! assert_eq!(finished.record.rows.audited, Some(5_000));
//! # Ok(())
//! # }
//! ```

mod backoff;
mod books;
mod budget;
mod changes;
mod clock;
mod crew;
mod decisions;
mod desk;
mod finish;
mod job;
pub mod journal;
mod lane;
mod live;
mod maker;
mod metrics;
mod open;
mod options;
mod prepare;
mod pressure;
mod probe;
mod ranges;
mod record;
mod run;
mod stats;
mod usage;
pub mod verify;
mod work;

pub use changes::{
    Arrivals, ChangeOptions, ChangesSnapshot, EventMarks, Late, Progress, Resume, Stage,
};
pub use journal::{Entry, Journal};
pub use live::{Live, Phase, Snapshot};
pub use metrics::{METRIC_NAMES, describe};
pub use options::{MaxErrors, Objective, RunError, RunOptions, Setting, Shard, Until};
pub use rowstorm_sink::{IndexTime, PrepareMode};
pub use run::{Ending, Finished, Prepared, Run, Stop};
