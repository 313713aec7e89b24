//! A compiled schema: immutable, shared by all threads.

use std::ops::Range;
use std::sync::Arc;

use rowstorm_schema::{Schema, Table};

use crate::{Batch, ColumnPlan};

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
    pub(crate) tables: Arc<[Arc<TablePlan>]>,
    pub(crate) fingerprint: u64,
    pub(crate) options: PlanOptions,
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
    pub fn new(_schema: &Schema, _options: PlanOptions) -> Result<Plan, PlanError> {
        unimplemented!("compiled in the next commit")
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

    /// What the plan was compiled with.
    pub fn options(&self) -> &PlanOptions {
        &self.options
    }
}

/// One table of a [`Plan`].
#[derive(Debug)]
pub struct TablePlan {
    /// The table's name.
    pub name: Arc<str>,
    /// The columns, a series' levels first.
    pub columns: Vec<ColumnPlan>,
    /// The key's columns, as places in `columns`; empty without a key.
    pub key: Vec<usize>,
    /// Rows to write; `None` is open-ended.
    pub rows: Option<u64>,
    /// The number of entities, where the table has series; else 0.
    pub series: u64,
    /// The table's part of the document: indexes and what only one database knows.
    pub spec: Table,
}

impl TablePlan {
    /// Fills `batch` with a range of rows, at most [`BATCH_ROWS_MAX`](crate::BATCH_ROWS_MAX).
    ///
    /// # Panics
    /// If the range is longer.
    pub fn fill(&self, _rows: Range<u64>, _batch: &mut Batch) {
        unimplemented!("filled in the next commit")
    }
}
