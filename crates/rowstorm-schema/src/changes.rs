//! The `changes:` block: inserts, updates and deletes at a rate.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{ParseUnitError, Rate};

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

impl Change {
    /// What the change does; `None` unless exactly one of `insert`, `update` and `delete` is there.
    pub fn kind(&self) -> Option<ChangeKind<'_>> {
        match (&self.insert, &self.update, &self.delete) {
            (Some(table), None, None) => Some(ChangeKind::Insert(table)),
            (None, Some(table), None) => Some(ChangeKind::Update(table)),
            (None, None, Some(table)) => Some(ChangeKind::Delete(table)),
            (_, _, _) => None,
        }
    }
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

/// What one COMMIT holds: `batch`, `row`, `{rows: n}` or `n rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transaction {
    /// A whole batch.
    Batch,
    /// One row.
    Row,
    /// This many rows.
    Rows(u32),
}

const TRANSACTION: &str = "`batch`, `row`, or a number of rows like `100 rows`";

impl FromStr for Transaction {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let rows = || text.strip_suffix("rows")?.trim_end().parse::<u32>().ok();
        match text {
            "batch" => Ok(Transaction::Batch),
            "row" => Ok(Transaction::Row),
            _ => match rows() {
                Some(rows @ 1..) => Ok(Transaction::Rows(rows)),
                Some(0) | None => {
                    Err(ParseUnitError { text: text.to_owned(), expected: TRANSACTION })
                }
            },
        }
    }
}

impl<'de> Deserialize<'de> for Transaction {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct TransactionVisitor;

        impl<'de> de::Visitor<'de> for TransactionVisitor {
            type Value = Transaction;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(TRANSACTION)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Transaction, E> {
                text.trim().parse().map_err(E::custom)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, entries: A) -> Result<Transaction, A::Error> {
                let RowsPerCommit { rows } =
                    RowsPerCommit::deserialize(de::value::MapAccessDeserializer::new(entries))?;
                Ok(Transaction::Rows(rows.get()))
            }
        }

        source.deserialize_any(TransactionVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsPerCommit {
    rows: NonZeroU32,
}

impl JsonSchema for Transaction {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Transaction".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What one COMMIT holds: batch, row, or a number of rows.",
            "oneOf": [
                { "type": "string", "pattern": "^(batch|row|[1-9][0-9]* *rows)$" },
                {
                    "type": "object",
                    "properties": { "rows": { "type": "integer", "minimum": 1 } },
                    "required": ["rows"],
                    "additionalProperties": false,
                },
            ],
            "examples": ["batch", "row", "100 rows"],
        })
    }
}
