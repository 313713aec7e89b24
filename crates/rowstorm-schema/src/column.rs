//! A column: its type, its generator and its nulls.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DataType, Generator};

/// One column (or one field of an object).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The logical type, mapped to each database's own (`ddl` overrides the mapping).
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The rule that makes the values: exactly one generator.
    #[serde(rename = "gen")]
    pub generator: Generator,
    /// The share of rows that are null, 0 to 1. A column without nulls is declared NOT NULL.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nulls: f64,
    /// A unique constraint; the generator must be one that cannot repeat.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// Whether a value is drawn for every row, or once for each series.
    #[serde(default, skip_serializing_if = "Per::is_row")]
    pub per: Per,
    /// The unit of the values, for people ("°C").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The column's type in one database's own words: `{postgres: smallint}`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub ddl: IndexMap<String, String>,
}

/// How often a column draws: once a row, or once a series (a host's region does not change).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// A value for every row.
    #[default]
    Row,
    /// A value for every series; needs the table's `series`.
    Series,
}

impl Per {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    fn is_row(&self) -> bool {
        *self == Per::Row
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(ratio: &f64) -> bool {
    *ratio == 0.0
}
