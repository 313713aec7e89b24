//! Values that a database tells as text, read as their column's type: what [`Scan`](crate::Scan) needs where the wire has no
//! types.

use rowstorm_gen::Value;
use rowstorm_gen::schema::DataType;

/// A text as its column's type says; a text that is none of that type's stays a text, so that a comparison shows it.
///
/// ```
/// use rowstorm_gen::Value;
/// use rowstorm_gen::schema::DataType;
/// use rowstorm_sink::text;
///
/// let decimal = DataType::Decimal { precision: 10, scale: 2 };
/// assert_eq!(text::value("-1.5".to_owned(), decimal), Value::Decimal { unscaled: -150, scale: 2 });
/// assert_eq!(text::value("many".to_owned(), decimal), Value::Text("many".to_owned()));
/// ```
pub fn value(text: String, data_type: DataType) -> Value {
    let read = match data_type {
        DataType::Bool => match text.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        DataType::Int(_) => text.parse().ok().map(Value::Int),
        DataType::Float { .. } => text.parse().ok().map(Value::Float),
        DataType::Decimal { scale, .. } => decimal(&text, scale),
        DataType::Timestamp => instant(&text).map(Value::Timestamp),
        DataType::Uuid => uuid(&text).map(Value::Uuid),
        DataType::Json | DataType::Object | DataType::Array => return Value::Json(text),
        DataType::Text { .. } | DataType::Bytes => None,
    };
    read.unwrap_or(Value::Text(text))
}

/// A decimal with `scale` digits behind its point, more if it has more, perhaps with an exponent (`-1.5E-7`); `None` if it is
/// none, or has more than 38 digits.
pub fn decimal(text: &str, scale: u8) -> Option<Value> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let is_number =
        whole.bytes().next_back().is_some_and(is_digit) && fraction.bytes().all(is_digit);
    let unscaled: i128 = format!("{whole}{fraction}").parse().ok().filter(|_| is_number)?;
    let exponent =
        exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    scaled(unscaled, exponent, scale)
}

/// `unscaled × 10^exponent` with `scale` digits behind its point, more if it has more.
pub fn scaled(mut unscaled: i128, mut exponent: i32, scale: u8) -> Option<Value> {
    let wanted = -i32::from(scale);
    while exponent > wanted && unscaled != 0 {
        unscaled = unscaled.checked_mul(10)?;
        exponent -= 1;
    }
    while exponent < wanted && unscaled % 10 == 0 {
        unscaled /= 10;
        exponent += 1;
    }
    let exponent = exponent.min(wanted);
    Some(Value::Decimal { unscaled, scale: u8::try_from(-exponent).ok()? })
}

/// The microseconds since 1970-01-01T00:00:00Z of `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, perhaps a fraction of up to six
/// digits, perhaps `Z` or `+00:00`; `None` if it is none.
///
/// ```
/// use rowstorm_sink::text::instant;
/// assert_eq!(instant("1969-12-31T23:59:59.999999Z"), Some(-1));
/// assert_eq!(instant("2026-01-01 00:00:00"), Some(1_767_225_600_000_000));
/// assert_eq!(instant("soon"), None);
/// ```
pub fn instant(text: &str) -> Option<i64> {
    let text = ["Z", "+00:00", "+00"].iter().find_map(|utc| text.strip_suffix(utc)).unwrap_or(text);
    let (date, time) = text.split_once(['T', ' '])?;
    let (year, date) = date.split_at_checked(date.len().checked_sub("-MM-DD".len())?)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let (month, day) = date.strip_prefix('-')?.split_once('-')?;
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let micros: i64 = format!("{fraction:0<6}").parse().ok().filter(|_| fraction.len() <= 6)?;
    let days = days(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let seconds = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
    parts.next().is_none().then(|| seconds.checked_mul(1_000_000)?.checked_add(micros))?
}

/// A UUID of 32 hexadecimal digits, with or without hyphens; `None` if it is none.
pub fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.split('-').collect();
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
    Some(number.to_be_bytes())
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `days_from_civil`).
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    /// Days from 0000-03-01, where the calendar's cycle of 400 years begins for who counts days, to 1970-01-01.
    const DAYS_BEFORE: i64 = 719_468;
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_BEFORE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_back_as_they_are_written() {
        for micros in [
            -62_135_596_800_000_000,
            -1,
            0,
            1,
            951_782_400_000_000,
            4_107_542_399_999_999,
            253_402_300_799_999_999,
        ] {
            let text = rowstorm_gen::text::timestamp(micros);
            assert_eq!(instant(text.as_str()), Some(micros), "{text}");
        }
        assert_eq!(instant("2026-03-01 12:00:00.5+00"), Some(1_772_366_400_500_000));
        for wrong in
            ["", "2026-03-01", "2026-03-01T12:00", "2026-03-01T12:00:00.1234567", "x-01-01T0:0:0"]
        {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn decimals_stay_exact() {
        for (text, unscaled, scale) in [
            ("12.50", 1250, 2),
            ("-0.5", -50, 2),
            ("7", 700, 2),
            ("1.2345", 12345, 4),
            ("1.2000", 120, 2),
            ("1E-10", 1, 10),
            ("-1.5E+2", -15_000, 2),
            ("0E-10", 0, 2),
            ("0e9", 0, 2),
        ] {
            assert_eq!(decimal(text, 2), Some(Value::Decimal { unscaled, scale }), "{text}");
        }
        for wrong in ["abc", "1.-5", "", "1ex", "1E+99"] {
            assert_eq!(decimal(wrong, 2), None, "{wrong}");
        }
    }

    #[test]
    fn uuids_are_told_from_other_digits() {
        assert_eq!(uuid("00112233-4455-6677-8899-aabbccddeeff").map(|uuid| uuid[15]), Some(0xff));
        assert_eq!(uuid("00112233"), None);
    }
}
