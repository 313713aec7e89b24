//! Settings of a run: the `run:` block, `profiles:`, `ROWSTORM_*` and flags share this one type.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::units::{optional_number, optional_text};
use crate::{AutoOr, ByteSize, Objective, Progress, Rate, Shard, Span, Stages, Tolerance};

/// Settings of a run; each absent one is left to the layer below.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSettings {
    /// Rows to write, all tables together, shared out as their `preload`s.
    #[serde(deserialize_with = "optional_number", skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Stop after this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Span>,
    /// Leave this much of the start out of the statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Span>,
    /// Rows per second, all shards together; where the document has `changes`, of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Changes: rates one after another, each for a time, in place of one rate and a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
    /// Changes to make, all shards together; 0 only loads.
    #[serde(deserialize_with = "optional_number", skip_serializing_if = "Option::is_none")]
    pub changes: Option<u64>,
    /// What is done with changes that are due while the target is behind: `queue` (sent late) or `drop` (counted).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// Rows per batch: a number, `auto`, or `auto:freeze`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<AutoOr>,
    /// Batches in flight at once: connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<AutoOr>,
    /// Changes: transactions of a given size that a connection sends without waiting for the answers between, at most. As many as the
    /// database gains by unless said; 1 waits for each.
    #[serde(deserialize_with = "optional_number", skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<u32>,
    /// What `auto` looks for: `throughput`, `knee`, or `p99 < 50ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// The most bytes of payload in memory at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes_in_flight: Option<ByteSize>,
    /// When secondary indexes are made: `before`, `after` the load, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexes: Option<IndexTime>,
    /// The seed of all values.
    #[serde(deserialize_with = "optional_number", skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What `gen: now` says, RFC 3339; the run's start unless said.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// Write part i of n, from `1/n` to `n/n`; `auto` reads a Kubernetes Indexed Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Rejected rows that are still a success: a number, or a share (`0.1%`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_errors: Option<Tolerance>,
    /// Attempts after the first for a batch that was not taken.
    #[serde(deserialize_with = "optional_number", skip_serializing_if = "Option::is_none")]
    pub retry: Option<u32>,
    /// How long the server may take for one batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// What is done with a table that is there: `create`, `append`, `recreate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_mode: Option<TableMode>,
    /// How often progress is reported, or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Conditions on the record; one that breaks makes the exit code 99: `rows_per_second > 200000`.
    #[serde(deserialize_with = "one_or_more", skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<String>>,
    /// Where the run record goes; `./<schema>-<time>.run.json` unless said.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Where the HTML report goes; none is written unless said.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The address that serves `/metrics`, `/healthz` and `/readyz`; not served unless said.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// Print the run record to standard output, and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<bool>,
    /// Print errors only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<bool>,
    /// Print every decision of the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbose: Option<bool>,
}

/// What is done with rows that are due while the target is behind its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// They are sent late; their wait counts as response time.
    Queue,
    /// They are left out, and counted as skipped.
    Drop,
}

/// When secondary indexes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexTime {
    /// With the table.
    Before,
    /// After the load, timed apart.
    After,
    /// Not at all.
    None,
}

/// What is done with a table that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableMode {
    /// Make it; fail if it has rows.
    Create,
    /// Write into it as it is.
    Append,
    /// Drop it and make it anew.
    Recreate,
}

/// A list, or one text on its own: an environment variable holds one condition.
fn one_or_more<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Option::<OneOrMore>::deserialize(source)?.map(|list| list.0))
}

struct OneOrMore(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(OneOrMoreVisitor)
    }
}

struct OneOrMoreVisitor;

impl<'de> de::Visitor<'de> for OneOrMoreVisitor {
    type Value = OneOrMore;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of conditions like `rows_per_second > 200000`")
    }

    fn visit_str<E>(self, text: &str) -> Result<OneOrMore, E> {
        Ok(OneOrMore(vec![text.to_owned()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, items: A) -> Result<OneOrMore, A::Error> {
        Vec::deserialize(de::value::SeqAccessDeserializer::new(items)).map(OneOrMore)
    }
}
