//! The document's root and its tables.

use std::str::FromStr;

use indexmap::IndexMap;
use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::text_or_number;
use crate::{
    Changes, Column, CratedbOptions, MongodbOptions, MysqlOptions, ParseUnitError, PostgresOptions,
    RunSettings, SqliteOptions,
};

/// A whole schema document: what `rowstorm check FILE` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The version of the file format: always 1.
    pub version: u32,
    /// The tables by name, in the order in which they are written to.
    pub tables: IndexMap<String, Table>,
    /// Inserts, updates and deletes at a rate, after the tables are loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// Settings of a run; flags and `ROWSTORM_*` win over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunSettings>,
    /// Named sets of settings, laid over `run` by `--profile NAME`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub profiles: IndexMap<String, RunSettings>,
}

/// One table (or collection): its columns, key, indexes and what only one database knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The columns of the primary key; without one, a lost answer leaves rows `unknown`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Rows to load; `--rows` wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preload: Option<u64>,
    /// Makes the table a set of time series: row = tick × count + entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// The columns by name, in the order of the table.
    pub columns: IndexMap<String, Column>,
    /// Secondary indexes, made before or after the load (`--indexes`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// What only PostgreSQL knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresOptions>,
    /// What only MySQL and MariaDB know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mysql: Option<MysqlOptions>,
    /// What only MongoDB knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mongodb: Option<MongodbOptions>,
    /// What only CrateDB knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cratedb: Option<CratedbOptions>,
    /// What only SQLite knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<SqliteOptions>,
}

/// A set of time series: every entity (sensor, host) has one row per tick.
///
/// Row `r` belongs to entity `r % count` at tick `r / count`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// How many entities there are.
    pub count: u64,
    /// The number of the first entity (1 unless said); shards of other tools start elsewhere.
    #[serde(default = "one")]
    pub start: u64,
    /// Integer columns made from the entity's number, outermost first: `plant: 100` counts 0..100 over and over,
    /// after every inner level has run through; `id` is the entity's own number. They stand before `columns`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub levels: IndexMap<String, Level>,
}

/// One level of a series' hierarchy: a size, or `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// This many values, 0-based.
    Size(u64),
    /// The entity's own number.
    Id,
}

const LEVEL: &str = "a level: how many values it has (from 1), or `id`";

impl FromStr for Level {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        match text.parse() {
            _ if text == "id" => Ok(Level::Id),
            Ok(size @ 1..) => Ok(Level::Size(size)),
            Ok(0) | Err(_) => Err(ParseUnitError { text: text.to_owned(), expected: LEVEL }),
        }
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Level::Size(size) => out.serialize_u64(*size),
            Level::Id => out.serialize_str("id"),
        }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, LEVEL)
    }
}

impl JsonSchema for Level {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({
            "type": ["integer", "string"],
            "description": "How many values the level has, or id: the entity's own number.",
            "pattern": "^id$",
            "minimum": 1,
            "examples": [100, "id"],
        })
    }
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The indexed columns, in order.
    pub on: Vec<String>,
    /// Whether equal values are refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
}

fn one() -> u64 {
    1
}
