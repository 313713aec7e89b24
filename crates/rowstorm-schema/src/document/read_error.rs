//! Why a part of a document is not what it should be, in plain words instead of serde's.

use std::fmt;

use serde::de;

use super::{Mark, Place};
use crate::suggest;

/// Why a node is not what it should be.
#[derive(Debug)]
pub(crate) struct ReadError {
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The innermost place that failed, and where it stands.
    pub(super) stands: Option<(Place, Mark)>,
}

impl ReadError {
    pub(super) fn new(message: String, help: Option<String>) -> Self {
        ReadError { message, help, stands: None }
    }

    pub(super) fn at(mut self, place: &Place, at: Mark) -> Self {
        self.stands.get_or_insert_with(|| (place.clone(), at));
        self
    }
}

impl std::error::Error for ReadError {}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ReadError::new(message.to_string(), None)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = expected.to_string();
        let help = match (&found, expected.as_str()) {
            (de::Unexpected::Unsigned(number), "a string") => {
                Some(format!("quote it: \"{number}\""))
            }
            (de::Unexpected::Signed(number), "a string") => Some(format!("quote it: \"{number}\"")),
            (de::Unexpected::Float(number), "a string") => Some(format!("quote it: \"{number}\"")),
            (de::Unexpected::Bool(value), "a string") => Some(format!("quote it: \"{value}\"")),
            (de::Unexpected::Str(text), _) if is_number_with_separators(text) => {
                Some(format!("write {}", text.replace('_', "")))
            }
            _ => None,
        };
        let message = format!("expected {}, found {}", plain_words(&expected), describe(&found));
        ReadError::new(message, help)
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        let expected = expected.to_string().replace("an array of length", "a list of");
        ReadError::new(format!("expected {expected}, found {length}"), None)
    }

    fn unknown_variant(word: &str, expected: &'static [&'static str]) -> Self {
        let what = match expected {
            [.., "walk"] => "generator",
            ["bool", ..] => "type",
            _ => "word",
        };
        ReadError::new(
            format!("unknown {what} `{word}`"),
            suggest::help(word, expected.iter().copied()),
        )
    }

    fn unknown_field(key: &str, expected: &'static [&'static str]) -> Self {
        ReadError::new(format!("unknown key `{key}`"), suggest::help(key, expected.iter().copied()))
    }

    fn missing_field(key: &'static str) -> Self {
        ReadError::new(format!("`{key}` is missing"), None)
    }

    fn duplicate_field(key: &'static str) -> Self {
        ReadError::new(format!("`{key}` is here twice"), None)
    }
}

/// The words that serde and its derives use, in ours.
fn plain_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a nonzero u32" => "a whole number from 1",
        "f32" | "f64" => "a number",
        "a string" | "string" => "text",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "a map",
        other if other.starts_with("an array of length") => "a list",
        other => other,
    }
}

fn describe(found: &de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Bool(value) => format!("`{value}`"),
        de::Unexpected::Unsigned(number) => format!("`{number}`"),
        de::Unexpected::Signed(number) => format!("`{number}`"),
        de::Unexpected::Float(number) => format!("`{number}`"),
        de::Unexpected::Str(text) => format!("the text `{text}`"),
        de::Unexpected::Unit | de::Unexpected::Option => "nothing".to_owned(),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

fn is_number_with_separators(text: &str) -> bool {
    text.contains('_') && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_digit())
}
