//! Rows per second.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, text_or_number};

const EXPECTED: &str = "a rate, like `10000/s` or `max`";

/// Rows per second: `10000/s`, or `max`. A bare number is per second, too.
///
/// ```
/// use rowstorm_schema::Rate;
///
/// assert_eq!("10000/s".parse(), Ok(Rate::PerSecond(10_000.0)));
/// assert_eq!("600/min".parse(), Ok(Rate::PerSecond(10.0)));
/// assert_eq!(Rate::Max.to_string(), "max");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// As fast as it goes.
    Max,
    /// This many rows each second, all shards together.
    PerSecond(f64),
}

impl FromStr for Rate {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let wrong = || ParseUnitError { text: text.to_owned(), expected: EXPECTED };
        if text == "max" {
            return Ok(Rate::Max);
        }
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit.trim() {
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.trim().parse().map_err(|_| wrong())?;
        if !number.is_finite() || number <= 0.0 {
            return Err(wrong());
        }
        Ok(Rate::PerSecond(number / seconds))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Max => out.write_str("max"),
            Rate::PerSecond(rows) => write!(out, "{rows}/s"),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "description": "Rows per second: 10000/s, or max.",
            "pattern": r"^(max|[0-9.]+ */ *(s|m|min|h))$",
            "exclusiveMinimum": 0,
            "examples": ["10000/s", "max"],
        })
    }
}
