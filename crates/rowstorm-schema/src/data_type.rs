//! The logical types, written as one word: `bigint`, `decimal(10,2)`, `varchar(36)`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

/// A logical type. Closed on purpose: a new one must break every sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// `bool`
    Bool,
    /// `smallint`, `int`, `bigint`: signed, 2, 4 and 8 bytes.
    Int(IntWidth),
    /// `real` (4 bytes) is false, `float` (8 bytes, IEEE 754) is true.
    Float {
        /// Whether the value keeps 8 bytes.
        double: bool,
    },
    /// `decimal(precision, scale)`, at most 38 digits.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// `text`, or `varchar(n)` with at most n characters.
    Text {
        /// The longest value in characters, if bounded.
        max: Option<u32>,
    },
    /// `bytes`
    Bytes,
    /// `timestamp`: an instant in UTC, microseconds.
    Timestamp,
    /// `uuid`
    Uuid,
    /// `json`: any JSON document.
    Json,
    /// `object`: named fields, given by the `object` generator.
    Object,
    /// `array`: values of one type, given by the `array` generator.
    Array,
}

/// The width of an integer column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntWidth {
    /// 2 bytes, `smallint`.
    Small,
    /// 4 bytes, `int`.
    Int,
    /// 8 bytes, `bigint`.
    Big,
}

impl IntWidth {
    /// The smallest and the largest value.
    ///
    /// ```
    /// assert_eq!(rowstorm_schema::IntWidth::Small.bounds(), (-32_768, 32_767));
    /// ```
    pub fn bounds(self) -> (i64, i64) {
        match self {
            IntWidth::Small => (i64::from(i16::MIN), i64::from(i16::MAX)),
            IntWidth::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
            IntWidth::Big => (i64::MIN, i64::MAX),
        }
    }
}

/// Why a word is not a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown type `{word}`; expected one of: {}", DataType::WORDS.join(", "))]
pub struct ParseDataTypeError {
    /// The word that was given.
    pub word: String,
}

impl DataType {
    /// The words of the file format.
    pub const WORDS: &[&str] = &[
        "bool",
        "smallint",
        "int",
        "bigint",
        "real",
        "float",
        "decimal(p,s)",
        "text",
        "varchar(n)",
        "bytes",
        "timestamp",
        "uuid",
        "json",
        "object",
        "array",
    ];

    /// The same without their arguments.
    const NAMES: &[&str] = &[
        "bool",
        "smallint",
        "int",
        "bigint",
        "real",
        "float",
        "decimal",
        "text",
        "varchar",
        "bytes",
        "timestamp",
        "uuid",
        "json",
        "object",
        "array",
    ];
}

impl FromStr for DataType {
    type Err = ParseDataTypeError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseDataTypeError { word: word.to_owned() };
        let (name, arguments) = match word.split_once('(') {
            Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(')').ok_or_else(unknown)?)),
            None => (word.trim(), None),
        };
        let numbers = arguments
            .map(|list| {
                list.split(',').map(|n| n.trim().parse::<u32>()).collect::<Result<Vec<_>, _>>()
            })
            .transpose()
            .map_err(|_| unknown())?;
        Ok(match (name, numbers.as_deref()) {
            ("bool", None) => DataType::Bool,
            ("smallint", None) => DataType::Int(IntWidth::Small),
            ("int", None) => DataType::Int(IntWidth::Int),
            ("bigint", None) => DataType::Int(IntWidth::Big),
            ("real", None) => DataType::Float { double: false },
            ("float", None) => DataType::Float { double: true },
            ("decimal", Some(&[precision @ 1..=38, scale])) if scale <= precision => {
                DataType::Decimal { precision: precision as u8, scale: scale as u8 }
            }
            ("text", None) => DataType::Text { max: None },
            ("varchar", Some(&[max])) if max >= 1 => DataType::Text { max: Some(max) },
            ("bytes", None) => DataType::Bytes,
            ("timestamp", None) => DataType::Timestamp,
            ("uuid", None) => DataType::Uuid,
            ("json", None) => DataType::Json,
            ("object", None) => DataType::Object,
            ("array", None) => DataType::Array,
            _ => return Err(unknown()),
        })
    }
}

impl Serialize for DataType {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DataType {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let word = String::deserialize(source)?;
        word.parse().map_err(|_| match word.split_once('(').map_or(word.as_str(), |(name, _)| name) {
            "decimal" => D::Error::custom(format_args!(
                "`{word}` is no decimal; write `decimal(10,2)`: 1 to 38 digits, so many of them after the point"
            )),
            "varchar" => D::Error::custom(format_args!(
                "`{word}` is no varchar; write `varchar(36)`: the most characters, from 1"
            )),
            name => D::Error::unknown_variant(name, DataType::NAMES),
        })
    }
}

impl JsonSchema for DataType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DataType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A logical type.",
            "anyOf": [
                {
                    "enum": [
                        "bool", "smallint", "int", "bigint", "real", "float", "text", "bytes",
                        "timestamp", "uuid", "json", "object", "array",
                    ],
                },
                {
                    "type": "string",
                    "pattern": r"^(decimal\( *[0-9]+ *, *[0-9]+ *\)|varchar\( *[1-9][0-9]* *\))$",
                    "examples": ["decimal(10,2)", "varchar(36)"],
                },
            ],
        })
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Bool => out.write_str("bool"),
            DataType::Int(IntWidth::Small) => out.write_str("smallint"),
            DataType::Int(IntWidth::Int) => out.write_str("int"),
            DataType::Int(IntWidth::Big) => out.write_str("bigint"),
            DataType::Float { double: false } => out.write_str("real"),
            DataType::Float { double: true } => out.write_str("float"),
            DataType::Decimal { precision, scale } => write!(out, "decimal({precision},{scale})"),
            DataType::Text { max: None } => out.write_str("text"),
            DataType::Text { max: Some(max) } => write!(out, "varchar({max})"),
            DataType::Bytes => out.write_str("bytes"),
            DataType::Timestamp => out.write_str("timestamp"),
            DataType::Uuid => out.write_str("uuid"),
            DataType::Json => out.write_str("json"),
            DataType::Object => out.write_str("object"),
            DataType::Array => out.write_str("array"),
        }
    }
}
