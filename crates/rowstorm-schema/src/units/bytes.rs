//! Numbers of bytes.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, text_or_number};

const EXPECTED: &str = "a number of bytes, like `256MiB`, `1KB` or `1024`";

/// Powers of 1000 and of 1024; those that print first stand first.
const UNITS: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A number of bytes: `1024`, `256MiB`, `1KB`.
///
/// ```
/// use rowstorm_schema::ByteSize;
///
/// assert_eq!("256MiB".parse(), Ok(ByteSize(256 * 1024 * 1024)));
/// assert_eq!("1KB".parse(), Ok(ByteSize(1000)));
/// assert_eq!(ByteSize(1536).to_string(), "1536");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let wrong = || ParseUnitError { text: text.to_owned(), expected: EXPECTED };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = unit.trim_start();
        if unit.is_empty() {
            return Ok(ByteSize(number));
        }
        UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .and_then(|(_, factor)| number.checked_mul(*factor))
            .map(ByteSize)
            .ok_or_else(wrong)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS
            .iter()
            .find(|(_, factor)| *factor > 1 && self.0 >= *factor && self.0.is_multiple_of(*factor));
        match whole {
            Some((name, factor)) => write!(out, "{}{name}", self.0 / factor),
            None => write!(out, "{}", self.0),
        }
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for ByteSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "description": "A number of bytes: 256MiB, 1KB, 1024.",
            "pattern": r"^[0-9]+ *([KMGTkmgt]?[iI]?[bB])?$",
            "minimum": 0,
            "examples": ["256MiB", "1KB", 1024],
        })
    }
}
