//! What the database itself counts.

/// Which rows to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The whole table.
    #[default]
    Table,
    /// Rows whose integer column lies between two values, both included: a shard's own rows by its sequence.
    Between {
        /// The column, as a place in the table's columns.
        column: usize,
        /// The lowest value.
        low: i64,
        /// The highest value.
        high: i64,
    },
}

/// Counts and sums, computed by the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many rows.
    pub rows: u64,
    /// How many different keys; `None` without a key.
    pub distinct_keys: Option<u64>,
    /// One entry for each integer column, in the table's order.
    pub columns: Vec<ColumnAudit>,
}

/// Sums and extremes of one integer column; nulls do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnAudit {
    /// The column's name.
    pub name: String,
    /// The sum; `None` of no values.
    pub sum: Option<i128>,
    /// The smallest.
    pub min: Option<i64>,
    /// The largest.
    pub max: Option<i64>,
}
