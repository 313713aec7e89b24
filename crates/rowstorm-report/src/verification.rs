//! What `verify` found: a table's rows against those that the schema and the record say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::Latency;

/// The version of the format that this crate writes.
pub const VERIFICATION_VERSION: u32 = 1;

/// One comparison of a database with what was written, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// The version of this format: 1.
    pub verification_version: u32,
    /// The version of Rowstorm that compared.
    pub rowstorm: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// The record or the schema file that says what must be there.
    pub expected: String,
    /// The database that was looked at, without user and password.
    pub at: String,
    /// The data's fingerprint, 16 hex digits.
    pub fingerprint: String,
    /// The seed.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Whether everything that was compared is as it must be.
    pub verified: bool,
    /// Each table.
    pub tables: Vec<VerifiedTable>,
    /// The rows that are not as they must be: the first ones, by table.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub findings_left_out: u64,
    /// What following a copy has shown, if it was followed. All else is of the last look.
    pub followed: Option<Followed>,
}

/// What was found of one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedTable {
    /// Its name.
    pub table: String,
    /// Rows that must be there.
    pub expected: u64,
    /// Rows that are there, by the database's own count; `None` if it was not asked.
    pub counted: Option<u64>,
    /// What the database's own counts, sums and extremes contradict.
    pub contradictions: Vec<Contradiction>,
    /// Rows that were compared, value by value; `None` if the database was only asked for counts and sums.
    pub compared: Option<u64>,
    /// One key in this many was compared; 1 is every row.
    pub one_in: u64,
    /// Rows that are not as they must be, by kind.
    pub rows: Wrongs,
    /// Rows of others: another shard's, or those that stood there before.
    pub others: u64,
    /// Missing rows that the run knows of: the database refused them, or their answer was lost.
    pub known_missing: u64,
    /// What was compared how, and what was left out.
    pub notes: Vec<String>,
}

/// Rows by what is wrong with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wrongs {
    /// Not there.
    pub missing: u64,
    /// With values of an earlier op.
    pub stale: u64,
    /// Of a key that is not to be there, or with values that were rolled back.
    pub phantom: u64,
    /// With values that nobody wrote.
    pub wrong: u64,
    /// There more often than once.
    pub duplicate: u64,
}

/// A count or a sum that is another than it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contradiction {
    /// `rows`, `distinct keys`, `sum(id)`, `min(id)`, `max(id)`.
    pub what: String,
    /// What it must be.
    pub expected: String,
    /// What the database says.
    pub found: String,
}

/// One row that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The table.
    pub table: String,
    /// What is wrong.
    pub kind: FindingKind,
    /// The key; without one, all columns.
    pub key: Vec<Cell>,
    /// More, in words: which op.
    pub why: String,
    /// The columns that differ.
    pub columns: Vec<Difference>,
    /// The op that is not to be seen here and must be: of a row that is missing, stale, or should have gone.
    pub lost: Option<LostOp>,
}

/// An op, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LostOp {
    /// The stream.
    pub stream: u32,
    /// The op's number in it, from 0.
    pub op: u64,
}

/// What following a copy while a run goes on has shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Followed {
    /// Each look at the copy.
    pub looks: Vec<Look>,
    /// Changes whose way from commit to copy was timed.
    pub seen: u64,
    /// From a change's commit to the end of the first look that found it, in milliseconds: too long by a look at most.
    pub freshness_ms: Latency,
    /// By how many rows the backlog grew in a second while the run went on.
    pub backlog_per_second: f64,
    /// Seconds from the run's end to the look that found nothing lacking; `None` if there was none.
    pub drained_after_s: Option<f64>,
}

/// One look at a copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// When it ended, in seconds since the first one began.
    pub at_s: f64,
    /// Ops that were done when it began.
    pub done: u64,
    /// Rows that lacked an op: the backlog.
    pub backlog: u64,
    /// How long ago the oldest op that was lacking had been done, in seconds.
    pub oldest_s: f64,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// It is not there.
    Missing,
    /// It has values of an earlier op.
    Stale,
    /// Its key is not to be there, or its values were rolled back.
    Phantom,
    /// It has values that nobody wrote.
    Wrong,
    /// It is there more often than once.
    Duplicate,
}

/// A column and its value; `None` is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// The column.
    pub column: String,
    /// Its value as text.
    pub value: Option<String>,
}

/// A column that is another than it must be; `None` is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The column.
    pub column: String,
    /// What it must be.
    pub expected: Option<String>,
    /// What it is.
    pub found: Option<String>,
}

impl Verification {
    /// The comparison as JSON text, indented, with a line break at its end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("it has string keys only, and writing to memory does not fail");
        text.push('\n');
        text
    }
}

impl Finding {
    /// The finding as a line of JSON, with its line break.
    pub fn to_json_line(&self) -> String {
        let mut text = serde_json::to_string(self)
            .expect("it has string keys only, and writing to memory does not fail");
        text.push('\n');
        text
    }
}

impl Wrongs {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.missing + self.stale + self.phantom + self.wrong + self.duplicate
    }

    /// Counts some rows of a kind.
    pub fn add(&mut self, kind: FindingKind, rows: u64) {
        match kind {
            FindingKind::Missing => self.missing += rows,
            FindingKind::Stale => self.stale += rows,
            FindingKind::Phantom => self.phantom += rows,
            FindingKind::Wrong => self.wrong += rows,
            FindingKind::Duplicate => self.duplicate += rows,
        }
    }
}

impl FindingKind {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            FindingKind::Missing => "missing",
            FindingKind::Stale => "stale",
            FindingKind::Phantom => "phantom",
            FindingKind::Wrong => "wrong",
            FindingKind::Duplicate => "duplicate",
        }
    }
}

impl VerifiedTable {
    /// Whether nothing contradicts what must be there. Rows that the run knows to be missing may be.
    pub fn is_as_expected(&self) -> bool {
        let beyond = self.rows.missing.saturating_sub(self.known_missing);
        self.contradictions.is_empty() && beyond == 0 && self.rows.total() == self.rows.missing
    }
}
