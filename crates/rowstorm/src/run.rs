//! The builder that people embed.

use std::time::Duration;

use rowstorm_gen::{Plan, PlanOptions};
use rowstorm_run::{Finished, RunOptions, Setting};
use rowstorm_schema::Schema;
use rowstorm_sink::{BoxSink, PrepareMode, Sink};

use crate::{Credentials, Error, Target};

/// One run, described step by step.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), rowstorm::Error> {
/// let schema = rowstorm::Schema::parse(
///     "version: 1\ntables: { t: { key: [id], columns: { id: { type: bigint, gen: sequence } } } }",
///     rowstorm::Format::Yaml,
///     "t.yaml",
/// )?;
/// let run = rowstorm::Run::new(schema).seed(7).rows(1_000).to("memory:")?;
/// let plan = run.plan()?;
/// let done = run.go().await?;
/// done.assert_every_row_arrived();
/// assert_eq!(done.record.rows.audited, Some(1_000));
/// assert_eq!(plan.table("t")?.rows(0..1)[0]["id"].to_string(), "1");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Run {
    schema: Schema,
    plan: PlanOptions,
    options: RunOptions,
    sink: Option<BoxSink>,
    target: Option<(Target, Credentials)>,
}

impl Run {
    /// A run of a schema: seed 42, each table its `preload`, one million rows where there is none; nowhere yet.
    pub fn new(schema: Schema) -> Run {
        let (plan, options) = (PlanOptions::default(), RunOptions::default());
        Run { schema, plan, options, sink: None, target: None }
    }

    /// The seed of all values.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Run {
        self.plan.seed = seed;
        self
    }

    /// Rows of all tables together, shared out as their `preload`s.
    #[must_use]
    pub fn rows(mut self, rows: u64) -> Run {
        self.plan.rows = Some(rows);
        self
    }

    /// What `gen: now` says, in microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn epoch_us(mut self, epoch_us: i64) -> Run {
        self.plan.epoch_us = epoch_us;
        self
    }

    /// Writes to a target, given as a URL.
    ///
    /// # Errors
    /// [`Error::Target`] if it is none, [`Error::Sink`] if the driver does not take it.
    pub fn to(self, target: &str) -> Result<Run, Error> {
        self.to_target(&Target::parse(target)?, &Credentials::default())
    }

    /// Writes to a parsed target.
    ///
    /// # Errors
    /// [`Error::Sink`] if the driver does not take it.
    pub fn to_target(mut self, target: &Target, who: &Credentials) -> Result<Run, Error> {
        self.options.target = target.to_string();
        self.sink = Some(target.open(who).map_err(Error::Sink)?);
        self.target = Some((target.clone(), who.clone()));
        Ok(self)
    }

    /// Writes to a sink of one's own.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink) -> Run {
        self.sink = Some(BoxSink::new(sink));
        self.target = None;
        self
    }

    /// Rows per batch, held; found by the controller unless said.
    #[must_use]
    pub fn batch(mut self, rows: u32) -> Run {
        self.options.batch = Setting::Fixed(rows);
        self
    }

    /// Batches in flight, held; found by the controller unless said.
    #[must_use]
    pub fn in_flight(mut self, batches: u32) -> Run {
        self.options.in_flight = Setting::Fixed(batches);
        self
    }

    /// Stops after this long.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Run {
        self.options.duration = Some(duration);
        self
    }

    /// What is done with a table that is there.
    #[must_use]
    pub fn table_mode(mut self, mode: PrepareMode) -> Run {
        self.options.mode = mode;
        self
    }

    /// Every other setting.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut RunOptions)) -> Run {
        change(&mut self.options);
        self
    }

    /// The plan: expected values without a database.
    ///
    /// # Errors
    /// [`Error::Plan`] if the schema cannot be compiled.
    pub fn plan(&self) -> Result<Plan, Error> {
        let mut options = self.plan.clone();
        let bounded = self.options.duration.is_some()
            || self.schema.tables.values().all(|table| table.preload.is_some());
        if options.rows.is_none() && !bounded {
            options.rows =
                Some(self.schema.run.as_ref().and_then(|run| run.rows).unwrap_or(1_000_000));
        }
        Ok(Plan::new(&self.schema, options)?)
    }

    /// The run, ready to go: to stop it or watch it from elsewhere.
    ///
    /// # Errors
    /// [`Error::Plan`], [`Error::NoTarget`] if it goes nowhere, or [`Error::Sink`].
    pub fn build(self) -> Result<rowstorm_run::Run, Error> {
        let plan = self.plan()?;
        let sink = match (self.options.shard, self.target) {
            (Some(shard), Some((target, who))) => {
                target.for_part(shard.index, shard.count).open(&who).map_err(Error::Sink)?
            }
            (_, _) => self.sink.ok_or(Error::NoTarget)?,
        };
        Ok(rowstorm_run::Run::new(plan, sink, self.options))
    }

    /// Runs, counts, and answers with the record.
    ///
    /// # Errors
    /// As [`Run::build`]; [`Error::Run`] if nothing could begin. What goes wrong later is in the record.
    pub async fn go(self) -> Result<Finished, Error> {
        Ok(self.build()?.go().await?)
    }
}
