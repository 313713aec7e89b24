//! The `changes:` block: inserts, updates, deletes and reads at a rate.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{ChangeEvent, ParseUnitError, Rate, Span, TimeRange, Words};

/// Changes at a rate, after the tables are loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Rows changed per second, all shards together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How changes are spread over time (`constant` unless said): evenly, or with the gaps of independent users (`poisson`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Arrivals>,
    /// The kinds of change and their weights.
    pub mix: Vec<Change>,
    /// What is done once each, in order, while all streams stand still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ChangeEvent>,
    /// What one COMMIT holds: `batch`, `row`, or `{rows: n}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// The share of transactions that are done once with other values, rolled back, and then done (0 unless said): a value of
    /// theirs that shows anywhere is an error.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rollback: f64,
    /// Transactions that are held open before they are committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldSpec>,
    /// How many streams the rows are split into (64 unless said): no more batches are in flight at once, and another
    /// number makes other changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<u32>,
}

/// The streams of a document that does not say: more than connections help, few enough that each has rows.
const STREAMS: u32 = 64;

impl Changes {
    /// How many streams the rows are split into.
    pub fn streams(&self) -> u32 {
        self.streams.unwrap_or(STREAMS)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

/// Transactions that are held open, as those of an application that thinks before it commits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldSpec {
    /// This share of transactions, from 0 to 1.
    pub share: f64,
    /// How long each is held.
    pub time: Span,
}

/// How changes are spread over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Evenly.
    #[default]
    Constant,
    /// With exponential gaps, as those of many independent users; a function of the seed.
    Poisson,
}

/// One kind of change. Exactly one of `insert`, `update`, `delete`, `rekey` and `read` names its table.
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
    /// Give rows of this table another key, and leave the rest as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rekey: Option<String>,
    /// Read rows of this table: by their key, unless `range` or `statement` is there, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// Read the rows of a range of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<TimeRange>,
    /// Read by a statement of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Words>,
    /// The columns that an update sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// How an update or a read picks its row (`uniform` unless said); a delete and a rekey take the `oldest`, or go through
    /// the rows in a shuffled order (`uniform`).
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
    /// Give rows of this table another key.
    Rekey(&'a str),
    /// Read from this table.
    Read(&'a str),
}

impl Change {
    /// What the change does; `None` unless exactly one of `insert`, `update`, `delete`, `rekey` and `read` is there.
    pub fn kind(&self) -> Option<ChangeKind<'_>> {
        let mut kinds = [
            self.insert.as_deref().map(ChangeKind::Insert),
            self.update.as_deref().map(ChangeKind::Update),
            self.delete.as_deref().map(ChangeKind::Delete),
            self.rekey.as_deref().map(ChangeKind::Rekey),
            self.read.as_deref().map(ChangeKind::Read),
        ]
        .into_iter()
        .flatten();
        kinds.next().filter(|_| kinds.next().is_none())
    }
}

/// How a live row is picked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// All alike.
    Uniform,
    /// By age, the youngest most often: the `n`th youngest with weight 1/n.
    Latest,
    /// By age, the oldest most often; a delete takes the very oldest.
    Oldest,
    /// By Zipf's law with this exponent; the hot rows are spread over all, and stay hot while they live.
    Zipf(f64),
    /// This share of rows takes 80 % of the picks; they are spread over all, and stay hot while they live.
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
