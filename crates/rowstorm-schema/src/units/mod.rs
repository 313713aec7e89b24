//! Values with a unit, written out: `500ms`, `256MiB`, `10000/s`, `auto`.
//!
//! Each is parsed from text by `FromStr`, and prints itself in the same words. Flags, environment variables and
//! documents all go through that one door: a number in the document is read as its text.

mod auto;
mod bytes;
mod objective;
mod rate;
mod shard;
mod span;
mod stages;
mod tolerance;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de;

pub use auto::AutoOr;
pub use bytes::ByteSize;
pub use objective::Objective;
pub use rate::Rate;
pub use shard::Shard;
pub use span::{Progress, Span};
pub use stages::Stages;
pub use tolerance::Tolerance;

/// Why a text is not a value with a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseUnitError {
    /// What was given.
    pub text: String,
    /// What would be right, with an example.
    pub expected: &'static str,
}

/// Reads text, or a number as its text: an environment variable may arrive as either.
pub(crate) fn text_or_number<'de, D, T>(source: D, expected: &'static str) -> Result<T, D::Error>
where
    D: de::Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    source.deserialize_any(TextOrNumber { expected, result: PhantomData })
}

struct TextOrNumber<T> {
    expected: &'static str,
    result: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for TextOrNumber<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.trim().parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// `Option<T>` of a whole number for settings: a number, or its text.
pub(crate) fn optional_number<'de, D, T>(source: D) -> Result<Option<T>, D::Error>
where
    D: de::Deserializer<'de>,
    T: FromStr,
{
    let number: Option<Whole<T>> = de::Deserialize::deserialize(source)?;
    Ok(number.map(|whole| whole.0))
}

/// `Option<String>` for settings that are text: a port alone (`8000`) arrives as a number.
pub(crate) fn optional_text<'de, D>(source: D) -> Result<Option<String>, D::Error>
where
    D: de::Deserializer<'de>,
{
    let text: Option<Text> = de::Deserialize::deserialize(source)?;
    Ok(text.map(|text| text.0))
}

struct Text(String);

impl<'de> de::Deserialize<'de> for Text {
    fn deserialize<D: de::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, "text").map(Text)
    }
}

struct Whole<T>(T);

impl<T: FromStr> FromStr for Whole<T> {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        text.parse().map(Whole).map_err(|_| ParseUnitError {
            text: text.to_owned(),
            expected: "a whole number from 0, or too large",
        })
    }
}

impl<'de, T: FromStr> de::Deserialize<'de> for Whole<T> {
    fn deserialize<D: de::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, "a whole number from 0")
    }
}
