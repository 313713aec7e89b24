//! The generators: one rule per column. Externally tagged, so that an error keeps its place in the file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Choices, Column, DataType, Literal, Span, StatesSpec};

/// The rule that makes a column's values. Written `gen: sequence` or `gen: { uniform: [0, 100] }`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = crate::json_schema::generator_forms)]
pub enum Generator {
    /// `start`, `start + step`, …: never repeats.
    Sequence(SequenceSpec),
    /// Every value from low to high alike (integers, decimals: both ends included; floats, timestamps: high is not).
    Uniform([Literal; 2]),
    /// The normal distribution.
    Normal(NormalSpec),
    /// The log-normal distribution.
    LogNormal(LogNormalSpec),
    /// The exponential distribution with this mean.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// Ranks 1 to n, rank k with weight 1/k^exponent.
    Zipf(ZipfSpec),
    /// One of these values, alike or by weight.
    OneOf(Choices),
    /// Text with the row's other columns: `"{first_name}.{id}@example.org"`; `{0..99}` draws a number,
    /// `{row}` is the row's number from 0, `{series}` the entity's; `{{` and `}}` are braces. In a field of an object,
    /// too, the names are the table's columns.
    Template(String),
    /// States that updates walk through: a loaded or inserted row has one to start with, and every update that sets the
    /// column takes it one move on.
    States(StatesSpec),
    /// Characters of a given length and entropy.
    Text(TextSpec),
    /// Realistic words out of a list.
    Fake(Fake),
    /// Instants: `start + tick × step`, with jitter.
    Clock(ClockSpec),
    /// The run's start (its `epoch`), the same for every row: the record states it.
    Now,
    /// Always this value.
    Constant(Literal),
    /// Random UUIDs (version 4): never repeat.
    UuidV4,
    /// Time-ordered UUIDs (version 7): never repeat.
    UuidV7(Uuid7Spec),
    /// A value of another table's column: a foreign key, recomputed and not looked up.
    Ref(RefSpec),
    /// Named fields, each with its type and generator; they may be objects and arrays themselves.
    Object(IndexMap<String, Column>),
    /// Values of one type, between `min` and `max` of them.
    Array(Box<ArraySpec>),
    /// A stationary random walk around a mean, for sensors.
    Walk(WalkSpec),
}

/// See [`Generator::Sequence`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SequenceSpec {
    /// The first value.
    pub start: i64,
    /// The distance to the next; not 0.
    pub step: i64,
}

impl Default for SequenceSpec {
    fn default() -> Self {
        SequenceSpec { start: 1, step: 1 }
    }
}

/// See [`Generator::Normal`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalSpec {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub stdev: f64,
    /// Values below are set to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Values above are set to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// See [`Generator::LogNormal`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogNormalSpec {
    /// The median: exp(mu).
    pub median: f64,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
    /// Values below are set to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Values above are set to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// See [`Generator::Zipf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZipfSpec {
    /// How many ranks.
    pub n: u64,
    /// The exponent, above 0; 1 is Zipf's law.
    pub exponent: f64,
}

/// See [`Generator::Text`]. Give `bytes`, or `min` and `max`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextSpec {
    /// The length of every value, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u32>,
    /// The shortest value, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The longest value, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The share of characters that are random, 0 to 1 (1 unless said): how little the text compresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy: Option<f64>,
    /// The characters to draw from; letters and digits unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<String>,
}

/// The word lists of `fake`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fake {
    /// "Maria"
    FirstName,
    /// "Keller"
    LastName,
    /// "Maria Keller"
    Name,
    /// "maria.keller@example.org"
    Email,
    /// "maria_keller"
    Username,
    /// "Keller and Sons"
    Company,
    /// "Port Arlo"
    City,
    /// "Norway"
    Country,
    /// "NO"
    CountryCode,
    /// "12 Mill Road"
    Street,
    /// "90210"
    PostalCode,
    /// "+1-555-0134"
    Phone,
    /// "Senior Engineer"
    JobTitle,
    /// "lorem"
    Word,
    /// Several words.
    Sentence,
}

/// See [`Generator::Clock`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockSpec {
    /// The first instant, RFC 3339; 2026-01-01T00:00:00Z unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The distance between two ticks.
    pub step: Span,
    /// Up to this much is added to each instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Span>,
}

/// See [`Generator::UuidV7`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uuid7Spec {
    /// The first instant, RFC 3339; 2026-01-01T00:00:00Z unless said. Row r is r milliseconds later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

/// See [`Generator::Ref`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefSpec {
    /// The parent table.
    pub table: String,
    /// The parent's column; its key unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Which parents are picked more often; all alike unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<Skew>,
}

/// How unevenly parents are picked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Skew {
    /// All alike.
    Uniform,
    /// By Zipf's law with this exponent; the hot parents are spread over the table.
    Zipf(f64),
}

/// See [`Generator::Array`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArraySpec {
    /// The values' type.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The values' generator.
    #[serde(rename = "gen")]
    pub generator: Generator,
    /// The share of items that are null.
    #[serde(default)]
    pub nulls: f64,
    /// The fewest items.
    #[serde(default)]
    pub min: u32,
    /// The most items.
    pub max: u32,
}

/// See [`Generator::Walk`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WalkSpec {
    /// The value it returns to.
    pub mean: f64,
    /// The standard deviation around the mean.
    pub stdev: f64,
    /// The typical change from one tick to the next; stdev / 10 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// No value is below, faults aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// No value is above, faults aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Readings outside the bounds, as broken sensors send them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultsSpec>,
}

/// Faulty readings of a walk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultsSpec {
    /// The share of readings that are faulty, 0 to 1.
    pub rate: f64,
    /// The mean number of faulty readings in a row, at least 1.
    pub length: f64,
}
