//! Lengths of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, text_or_number};

const EXPECTED: &str = "a length of time with its unit, like `500ms`, `10s` or `1h30m`";

/// A length of time: `500ms`, `10s`, `1h30m`, `1d` (24 hours). Whole microseconds, not negative.
///
/// ```
/// use rowstorm_schema::Span;
/// use std::time::Duration;
///
/// let span: Span = "1h30m".parse()?;
/// assert_eq!(span.0, Duration::from_secs(5400));
/// assert_eq!(span.to_string(), "1h30m");
/// assert_eq!("1d".parse(), Ok(Span(Duration::from_hours(24))));
/// assert!("10".parse::<Span>().is_err(), "a length of time says its unit");
/// # Ok::<(), rowstorm_schema::ParseUnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let wrong = || ParseUnitError { text: text.to_owned(), expected: EXPECTED };
        if text == "0" {
            return Ok(Span(Duration::ZERO));
        }
        let calendar: jiff::Span = text.parse().map_err(|_| wrong())?;
        // A day is 24 hours here; months and years have no length.
        let days = jiff::SpanRelativeTo::days_are_24_hours();
        let signed = calendar.to_duration(days).map_err(|_| wrong())?;
        let span = Duration::try_from(signed).map_err(|_| wrong())?;
        if span.subsec_nanos() % 1_000 != 0 {
            return Err(wrong());
        }
        Ok(Span(span))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let parts = [
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (u64::from(self.0.subsec_millis()), "ms"),
            (u64::from(self.0.subsec_micros() % 1_000), "us"),
        ];
        if self.0.is_zero() {
            return out.write_str("0s");
        }
        parts
            .iter()
            .filter(|(amount, _)| *amount > 0)
            .try_for_each(|(amount, unit)| write!(out, "{amount}{unit}"))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "description": "A length of time with its unit: 500ms, 10s, 1h30m, 1d.",
            "pattern": r"^[0-9].*[a-zA-Zµ]$",
            "maximum": 0,
            "minimum": 0,
            "examples": ["500ms", "10s", "1h30m"],
        })
    }
}

/// How often progress is reported: `1s`, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not at all.
    Off,
    /// Once in this long.
    Every(Span),
}

impl FromStr for Progress {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        if text == "off" {
            return Ok(Progress::Off);
        }
        match text.parse::<Span>() {
            Ok(span) if !span.0.is_zero() => Ok(Progress::Every(span)),
            Ok(_) | Err(_) => Err(ParseUnitError {
                text: text.to_owned(),
                expected: "`off`, or a span like `1s`",
            }),
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Off => out.write_str("off"),
            Progress::Every(span) => span.fmt(out),
        }
    }
}

impl Serialize for Progress {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Progress {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, "`off`, or a span like `1s`")
    }
}

impl JsonSchema for Progress {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Progress".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "How often progress is reported: a span like 1s, or off.",
            "pattern": r"^(off|[0-9].*[a-zA-Zµ])$",
            "examples": ["1s", "off"],
        })
    }
}
