//! The `changes:` block: inserts, updates and deletes at a rate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Rate;

/// Changes at a rate, after the tables are loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Rows changed per second, all shards together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The kinds of change and their weights.
    pub mix: Vec<Change>,
    /// What one COMMIT holds: `batch`, `row`, or `{rows: n}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
}

/// One kind of change. Exactly one of `insert`, `update` and `delete` names its table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Insert into this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insert: Option<String>,
    /// Update this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// Delete from this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<String>,
    /// The columns that an update sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// How an update or a delete picks its row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick: Option<Pick>,
    /// How often, in relation to the others.
    pub weight: f64,
}

/// What a change does, with its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind<'a> {
    /// Insert into this table.
    Insert(&'a str),
    /// Update this table.
    Update(&'a str),
    /// Delete from this table.
    Delete(&'a str),
}

/// How a live row is picked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// All alike.
    Uniform,
    /// The youngest most often.
    Latest,
    /// The oldest first.
    Oldest,
    /// By Zipf's law with this exponent.
    Zipf(f64),
    /// This share of rows takes 80 % of the picks.
    Hotspot(f64),
}

/// What one COMMIT holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transaction {
    /// A whole batch.
    Batch,
    /// One row.
    Row,
    /// This many rows.
    Rows(u32),
}
