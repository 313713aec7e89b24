//! What is done once in the middle of changes: a table is emptied, or a statement of the user's own.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Words;

/// Something that is done once, between changes. Exactly one of `truncate` and `statement` says what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEvent {
    /// After so many changes and reads, all streams and earlier runs together, as `--changes` counts them.
    pub after: OpCount,
    /// Empty this table: one that the mix only inserts into, and that none refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncate: Option<String>,
    /// Send this statement as it stands: it has no parameters, and braces are braces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Words>,
}

/// A number of changes and reads: `100000`, or `100000 changes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpCount(pub u64);

impl Serialize for OpCount {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for OpCount {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct OpCountVisitor;

        impl de::Visitor<'_> for OpCountVisitor {
            type Value = OpCount;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a number of changes like `100000 changes`")
            }

            fn visit_u64<E>(self, number: u64) -> Result<OpCount, E> {
                Ok(OpCount(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OpCount, E> {
                let wrong = de::Unexpected::Signed(number);
                u64::try_from(number).map(OpCount).map_err(|_| E::invalid_value(wrong, &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OpCount, E> {
                let number = text.trim().strip_suffix("changes").unwrap_or(text).trim();
                let wrong = de::Unexpected::Str(text);
                number.parse().map(OpCount).map_err(|_| E::invalid_value(wrong, &self))
            }
        }

        source.deserialize_any(OpCountVisitor)
    }
}

impl JsonSchema for OpCount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OpCount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of changes and reads, all streams together.",
            "oneOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "pattern": "^[1-9][0-9]*( *changes)?$" },
            ],
            "examples": ["100000 changes"],
        })
    }
}
