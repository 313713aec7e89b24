//! Realistic rows into real databases, fast, and proof that every row arrived.
//!
//! A [`Schema`] describes tables. With a seed it compiles to a [`Plan`], from which any cell can be computed without a
//! database. A [`Run`] writes the plan into a [`Target`], counts there, and answers with a [`RunRecord`].
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), rowstorm::Error> {
//! let schema = rowstorm::Schema::parse(
//!     "version: 1\ntables: { t: { columns: { n: { type: int, gen: { uniform: [0, 9] } } } } }",
//!     rowstorm::Format::Yaml,
//!     "t.yaml",
//! )?;
//! let done = rowstorm::Run::new(schema).rows(5_000).to("memory:")?.go().await?;
//! assert_eq!(done.record.rows.accepted, 5_000);
//! assert_eq!(done.record.rows.audited, Some(5_000));
//! # Ok(()) }
//! ```

mod error;
mod run;
mod target;

pub use error::Error;
pub use run::Run;
pub use target::{Credentials, Secret, Target, TargetError};

pub use rowstorm_control as control;
pub use rowstorm_gen as generate;
pub use rowstorm_report as report;
pub use rowstorm_run as runner;
pub use rowstorm_schema as schema;
pub use rowstorm_sink as sink;

pub use rowstorm_gen::{Fill, Plan, PlanOptions, TablePlan};
pub use rowstorm_report::RunRecord;
pub use rowstorm_run::{Ending, Finished, RunOptions, Setting};
pub use rowstorm_schema::{Format, Schema};
pub use rowstorm_sink::{BoxSink, PrepareMode, Sink};
