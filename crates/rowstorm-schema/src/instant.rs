//! Instants: RFC 3339 text to microseconds.

/// Why a text is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an instant; write RFC 3339, like `2026-01-01T00:00:00Z`")]
pub struct ParseInstantError {
    /// What was given.
    pub text: String,
}

/// The instant of RFC 3339 text, in microseconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// If the text is something else, lacks its offset from UTC, or says parts of a microsecond.
///
/// ```
/// use rowstorm_schema::parse_instant;
///
/// assert_eq!(parse_instant("1970-01-01T00:00:01.5Z"), Ok(1_500_000));
/// assert_eq!(parse_instant("1970-01-01T01:00:00+01:00"), Ok(0));
/// assert!(parse_instant("1970-01-01").is_err());
/// ```
pub fn parse_instant(text: &str) -> Result<i64, ParseInstantError> {
    match text.parse::<jiff::Timestamp>() {
        Ok(instant) if instant.subsec_nanosecond() % 1_000 == 0 => Ok(instant.as_microsecond()),
        Ok(_) | Err(_) => Err(ParseInstantError { text: text.to_owned() }),
    }
}
