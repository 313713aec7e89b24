//! A compiled schema: immutable, shared by all threads.

use std::sync::Arc;

use rowstorm_schema::Schema;

use crate::compile::{Custom, compile};
use crate::{Fill, TablePlan};

/// What a plan is compiled with, besides the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOptions {
    /// The seed of all values.
    pub seed: u64,
    /// What `gen: now` says: microseconds since 1970-01-01T00:00:00Z.
    pub epoch_us: i64,
    /// Rows of all tables together, shared out as their `preload`s (alike where there is none); `None` leaves each
    /// table its `preload`, and a table without one open-ended.
    pub rows: Option<u64>,
}

impl Default for PlanOptions {
    /// Seed 42, 2026-01-01T00:00:00Z, each table its own `preload`.
    fn default() -> Self {
        PlanOptions { seed: 42, epoch_us: 1_767_225_600_000_000, rows: None }
    }
}

/// A schema, a seed and a number of rows, ready to be filled from.
#[derive(Debug, Clone)]
pub struct Plan {
    tables: Arc<[Arc<TablePlan>]>,
    fingerprint: u64,
    options: PlanOptions,
    /// Kept so that a plan can be compiled anew with another's fill.
    schema: Arc<Schema>,
    customs: Vec<Custom>,
}

/// Why a schema cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A table that is not there was asked for.
    #[error("there is no table `{name}`; there are: {}", tables.join(", "))]
    NoSuchTable {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        tables: Vec<String>,
    },
    /// The schema holds something that cannot be generated.
    #[error("{place}: {problem}")]
    Invalid {
        /// Where: `tables.cpu.columns.host`.
        place: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl Plan {
    /// Compiles a schema. Tables come out parents first.
    ///
    /// # Errors
    /// [`PlanError::Invalid`] for what `Schema::parse` would have refused, and for rows that do not fit a range.
    pub fn new(schema: &Schema, options: PlanOptions) -> Result<Plan, PlanError> {
        Plan::compile(Arc::new(schema.clone()), options, Vec::new())
    }

    /// The same plan with a rule of your own for one column, instead of its generator. The fill makes plain values of
    /// the column's type; templates and foreign keys that read the column see the new values. The fingerprint moves,
    /// but it cannot know your code: change the rule, and the same fingerprint stands for other data.
    ///
    /// ```
    /// use rowstorm_gen::{Fill, Plan, PlanOptions, Rows, Stream, Values, schema};
    ///
    /// #[derive(Debug)]
    /// struct Squares;
    ///
    /// impl Fill for Squares {
    ///     fn fill(&self, _: Stream, rows: Rows<'_>, out: &mut Values) {
    ///         rows.map_into(out.ints(), |row| (row * row) as i64);
    ///     }
    /// }
    ///
    /// let text = "version: 1\ntables: { t: { columns: { n: { type: bigint, gen: sequence } } } }";
    /// let schema = schema::Schema::parse(text, schema::Format::Yaml, "t.yaml")?;
    /// let plan = Plan::new(&schema, PlanOptions::default())?.with_fill("t", "n", Squares)?;
    /// assert_eq!(plan.table("t")?.rows(7..8)[0]["n"], 49);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such table or column, or the fill does not make the column's kind of values.
    pub fn with_fill(
        mut self,
        table: &str,
        column: &str,
        fill: impl Fill + 'static,
    ) -> Result<Plan, PlanError> {
        self.table(table)?;
        self.customs.retain(|custom| custom.table != table || custom.column != column);
        self.customs.push(Custom {
            table: table.to_owned(),
            column: column.to_owned(),
            fill: Arc::new(fill),
        });
        Plan::compile(self.schema, self.options, self.customs)
    }

    fn compile(
        schema: Arc<Schema>,
        options: PlanOptions,
        customs: Vec<Custom>,
    ) -> Result<Plan, PlanError> {
        let (tables, fingerprint) = compile(&schema, &options, &customs)?;
        Ok(Plan { tables, fingerprint, options, schema, customs })
    }

    /// The tables, parents before the tables that refer to them.
    pub fn tables(&self) -> &[Arc<TablePlan>] {
        &self.tables
    }

    /// One table by name.
    ///
    /// # Errors
    /// [`PlanError::NoSuchTable`] with the names that there are.
    pub fn table(&self, name: &str) -> Result<&Arc<TablePlan>, PlanError> {
        self.tables.iter().find(|table| *table.name == *name).ok_or_else(|| {
            PlanError::NoSuchTable {
                name: name.to_owned(),
                tables: self.tables.iter().map(|table| table.name.to_string()).collect(),
            }
        })
    }

    /// A hash of the data that this plan makes: schema, seed, row counts that values hang on, and generator version.
    /// Equal fingerprints, equal data (but for `gen: now`, which the epoch sets).
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The document.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether a column has a fill of another's own.
    pub(crate) fn is_custom(&self, table: &str, column: &str) -> bool {
        self.customs.iter().any(|custom| custom.table == table && custom.column == column)
    }

    /// What the plan was compiled with.
    pub fn options(&self) -> &PlanOptions {
        &self.options
    }
}
