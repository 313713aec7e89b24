//! What only one database knows, under its name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `postgres:` of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresOptions {
    /// The schema to make the table in; the connection's own unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// No write-ahead log for this table: fast, and empty after a crash of the server.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unlogged: bool,
    /// Make a TimescaleDB hypertable: the database needs the extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypertable: Option<HypertableOptions>,
}

/// A TimescaleDB hypertable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HypertableOptions {
    /// The timestamp column that rows are parted by. A key, and every unique column or index, must have it in it.
    pub time: String,
    /// The time that one chunk holds; the server's default (7 days) unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<crate::Span>,
}

/// `sqlite:` of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SqliteOptions {
    /// Store rows in the primary key's tree: `WITHOUT ROWID`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_rowid: bool,
    /// Strict types: `STRICT`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// `mysql:` of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MysqlOptions {
    /// The storage engine, which needs transactions; the server's default unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// How rows get in: `load`, `insert`, or `auto` (`load` where the server allows it).
    #[serde(skip_serializing_if = "MysqlMethod::is_auto")]
    pub method: MysqlMethod,
}

/// How rows get into MySQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MysqlMethod {
    /// `LOAD DATA LOCAL` where the server's `local_infile` is on, else multi-row INSERT.
    #[default]
    Auto,
    /// `LOAD DATA LOCAL`.
    Load,
    /// Multi-row INSERT.
    Insert,
}

impl MysqlMethod {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    fn is_auto(&self) -> bool {
        *self == MysqlMethod::Auto
    }
}

/// `mongodb:` of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MongodbOptions {
    /// Make a time-series collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeseries: Option<TimeseriesOptions>,
    /// No validator: the server checks neither nulls nor lengths, and is the faster for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unchecked: bool,
}

/// A MongoDB time-series collection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeseriesOptions {
    /// The timestamp column.
    pub time: String,
    /// The column that names the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<String>,
}

/// `cratedb:` of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CratedbOptions {
    /// The number of shards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// The number of replicas, or a range (`0-1`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<crate::Literal>,
    /// One partition for each `hour`, `day`, `week`, `month` or `year` of the table's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<String>,
    /// Whether unknown fields of objects are added, refused or kept: `dynamic`, `strict`, `ignored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_policy: Option<String>,
}
