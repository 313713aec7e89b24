//! A part of a run.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, text_or_number};

const EXPECTED: &str = "a part, from `1/n` to `n/n`, or `auto`";

/// Which part of the rows is written: `2/4`, or `auto`.
///
/// ```
/// use rowstorm_schema::Shard;
///
/// assert_eq!("2/4".parse(), Ok(Shard::Part { index: 2, of: 4 }));
/// assert!("5/4".parse::<Shard>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shard {
    /// Read from the environment of a Kubernetes Indexed Job.
    Auto,
    /// Part `index` (from 1) of `of`.
    Part {
        /// Which one, from 1.
        index: u32,
        /// How many there are.
        of: u32,
    },
}

impl FromStr for Shard {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let part = || {
            let (index, of) = text.split_once('/')?;
            let (index, of) = (index.trim().parse().ok()?, of.trim().parse().ok()?);
            (1 <= index && index <= of).then_some(Shard::Part { index, of })
        };
        if text == "auto" {
            return Ok(Shard::Auto);
        }
        part().ok_or_else(|| ParseUnitError { text: text.to_owned(), expected: EXPECTED })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shard::Auto => out.write_str("auto"),
            Shard::Part { index, of } => write!(out, "{index}/{of}"),
        }
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for Shard {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Shard".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The part of the rows to write, from 1/n to n/n, or auto.",
            "pattern": "^(auto|[1-9][0-9]*/[1-9][0-9]*)$",
            "examples": ["1/4", "auto"],
        })
    }
}
