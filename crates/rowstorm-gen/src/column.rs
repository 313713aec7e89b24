//! A compiled column: what it is called and stored as, and the rule that fills it.

use std::sync::Arc;

use rowstorm_schema::DataType;

use crate::ColumnData;
use crate::rule::Rule;

/// One column of a [`TablePlan`](crate::TablePlan).
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// The column's name.
    pub name: Arc<str>,
    /// The logical type.
    pub data_type: DataType,
    /// The share of nulls; 0 declares NOT NULL.
    pub nulls: f64,
    /// Whether the column has a unique constraint of its own.
    pub unique: bool,
    /// How batches store it.
    pub storage: Storage,
    /// The column's type in one database's own words, by the database's name.
    pub ddl: Vec<(String, String)>,
    pub(crate) rule: Rule,
}

/// How a batch stores a column: known when the plan is made, so that encoders can encode entries ahead.
#[derive(Debug, Clone)]
pub enum Storage {
    /// A value for each row.
    Plain,
    /// Codes of the column's own into these entries.
    Dictionary(Arc<ColumnData>),
    /// The batch's series codes into these entries: entry = entity. Nulls are drawn once for each entity, too: they
    /// stand in the entries' `valid`, and the batch's column has no `valid` of its own.
    Series(Arc<ColumnData>),
}

impl ColumnPlan {
    /// Whether the column can hold nulls.
    pub fn nullable(&self) -> bool {
        self.nulls > 0.0
    }
}
