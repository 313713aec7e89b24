//! How many rejected rows are still a success.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, text_or_number};

const EXPECTED: &str = "a number of rows, or a share like `0.1%`";

/// Rejected rows that are still a success: `0`, `100`, `0.1%`.
///
/// ```
/// use rowstorm_schema::Tolerance;
///
/// let tolerance: Tolerance = "0.1%".parse()?;
/// assert_eq!(tolerance.rows_of(1_000_000), 1_000);
/// # Ok::<(), rowstorm_schema::ParseUnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// This many rows.
    Rows(u64),
    /// This share of the planned rows, in percent.
    Percent(f64),
}

impl Default for Tolerance {
    /// None.
    fn default() -> Self {
        Tolerance::Rows(0)
    }
}

impl Tolerance {
    /// The rows that may be rejected out of `planned`, rounded down.
    pub fn rows_of(self, planned: u64) -> u64 {
        match self {
            Tolerance::Rows(rows) => rows,
            Tolerance::Percent(percent) => (planned as f64 * percent / 100.0) as u64,
        }
    }
}

impl FromStr for Tolerance {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let wrong = || ParseUnitError { text: text.to_owned(), expected: EXPECTED };
        let Some(percent) = text.strip_suffix('%') else {
            return text.parse().map(Tolerance::Rows).map_err(|_| wrong());
        };
        match percent.trim().parse::<f64>() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Tolerance::Percent(percent)),
            Ok(_) | Err(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tolerance::Rows(rows) => rows.fmt(out),
            Tolerance::Percent(percent) => write!(out, "{percent}%"),
        }
    }
}

impl Serialize for Tolerance {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Tolerance::Rows(rows) => out.serialize_u64(*rows),
            Tolerance::Percent(_) => out.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Tolerance {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for Tolerance {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tolerance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "description": "A number of rows, or a share like 0.1%.",
            "pattern": r"^[0-9.]+ *%$",
            "minimum": 0,
            "examples": [0, "0.1%"],
        })
    }
}
