//! A number, or `auto`.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, text_or_number};

const EXPECTED: &str = "`auto`, `auto:freeze`, or a whole number from 1";
const FREEZE: &str = "auto:freeze";

/// A number, or `auto`: found by the controller. With `auto:freeze` it explores until it has settled, and no longer.
///
/// ```
/// use rowstorm_schema::AutoOr;
///
/// assert_eq!("500".parse(), Ok(AutoOr::Fixed(500)));
/// assert_eq!("auto".parse(), Ok(AutoOr::Auto));
/// assert_eq!("auto:freeze".parse(), Ok(AutoOr::AutoFreeze));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoOr {
    /// The controller finds it.
    Auto,
    /// The controller finds it, and holds it once it has settled.
    AutoFreeze,
    /// Held at this number.
    Fixed(u32),
}

impl FromStr for AutoOr {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        match text.parse::<u32>() {
            _ if text == "auto" => Ok(AutoOr::Auto),
            _ if text == FREEZE => Ok(AutoOr::AutoFreeze),
            Ok(number @ 1..) => Ok(AutoOr::Fixed(number)),
            Ok(0) | Err(_) => Err(ParseUnitError { text: text.to_owned(), expected: EXPECTED }),
        }
    }
}

impl fmt::Display for AutoOr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AutoOr::Auto => out.write_str("auto"),
            AutoOr::AutoFreeze => out.write_str(FREEZE),
            AutoOr::Fixed(number) => number.fmt(out),
        }
    }
}

impl Serialize for AutoOr {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            AutoOr::Auto | AutoOr::AutoFreeze => out.collect_str(self),
            AutoOr::Fixed(number) => out.serialize_u32(*number),
        }
    }
}

impl<'de> Deserialize<'de> for AutoOr {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for AutoOr {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AutoOr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "description": "A whole number; auto: found by the controller; auto:freeze: found, then held.",
            "pattern": "^auto(:freeze)?$",
            "minimum": 1,
            "maximum": u32::MAX,
            "examples": ["auto", "auto:freeze", 1000],
        })
    }
}
