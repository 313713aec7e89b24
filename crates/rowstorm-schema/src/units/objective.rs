//! What the controller looks for.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, Span, text_or_number};

const EXPECTED: &str =
    "`throughput`, `knee`, or a limit of the 99th percentile of batch latencies like `p99 < 50ms`";

/// What `auto` looks for: `throughput`, `knee`, or `p99 < 50ms`.
///
/// ```
/// use rowstorm_schema::{Objective, Span};
/// use std::time::Duration;
///
/// assert_eq!("throughput".parse(), Ok(Objective::Throughput));
/// let limit: Objective = "p99<50ms".parse()?;
/// assert_eq!(limit, Objective::P99Below(Span(Duration::from_millis(50))));
/// assert_eq!(limit.to_string(), "p99 < 50ms");
/// assert!("p99 < 50".parse::<Objective>().is_err(), "a length of time says its unit");
/// # Ok::<(), rowstorm_schema::ParseUnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Objective {
    /// Rows per second; of settings that are equally fast, the one with the fewest rows in flight.
    #[default]
    Throughput,
    /// The smallest setting beyond which doubling it gains less than a tenth.
    Knee,
    /// Rows per second, as long as 99 of 100 batches are answered within this time.
    P99Below(Span),
}

impl FromStr for Objective {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let wrong = || ParseUnitError { text: text.to_owned(), expected: EXPECTED };
        match text {
            "throughput" => return Ok(Objective::Throughput),
            "knee" => return Ok(Objective::Knee),
            _ => {}
        }
        let (name, limit) = text.split_once('<').ok_or_else(wrong)?;
        let limit: Span = limit.trim().parse().map_err(|_| wrong())?;
        if name.trim() != "p99" || limit.0.is_zero() {
            return Err(wrong());
        }
        Ok(Objective::P99Below(limit))
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objective::Throughput => out.write_str("throughput"),
            Objective::Knee => out.write_str("knee"),
            Objective::P99Below(limit) => write!(out, "p99 < {limit}"),
        }
    }
}

impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Objective {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for Objective {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Objective".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "What the controller looks for: throughput, knee, or a limit like p99 < 50ms.",
            "pattern": "^(throughput|knee|p99 *<.*[a-zA-Zµ])$",
            "examples": ["throughput", "knee", "p99 < 50ms"],
        })
    }
}
