//! Whether a value of the document fits a type.

use crate::{DataType, Literal, parse_instant};

/// What is wrong with `literal` as a value of `data_type`, if anything.
pub(super) fn misfit(literal: &Literal, data_type: DataType) -> Option<String> {
    let wrong = |what: &str| Some(format!("`{literal}` is not {what}"));
    match (data_type, literal) {
        (DataType::Json, _)
        | (DataType::Bool, Literal::Bool(_))
        | (DataType::Bytes, Literal::Text(_)) => None,
        (_, Literal::Null) => {
            Some("null is no value; write the share of nulls as `nulls`".to_owned())
        }
        (_, Literal::Json(_)) => wrong("a single value"),
        (DataType::Bool, Literal::Text(text)) if text == "true" || text == "false" => None,
        (DataType::Bool, _) => wrong("`true` or `false`"),
        (DataType::Int(_) | DataType::Float { .. } | DataType::Decimal { .. }, _) => {
            number_misfit(literal, data_type)
        }
        (DataType::Text { max }, Literal::Text(_) | Literal::Int(_)) => {
            let length = literal.to_string().chars().count();
            let too_long = max.filter(|max| length > *max as usize)?;
            Some(format!("`{literal}` has {length} characters, more than {too_long}"))
        }
        (DataType::Text { .. } | DataType::Bytes, Literal::Float(_)) => {
            Some(format!("`{literal}` is a number, not text; put it in quotes, as it should stand"))
        }
        (DataType::Text { .. }, _) => {
            Some(format!("`{literal}` is not text; quote it: \"{literal}\""))
        }
        (DataType::Bytes, _) => Some(format!("`{literal}` is not text; quote it: \"{literal}\"")),
        (DataType::Timestamp, Literal::Text(text)) => {
            parse_instant(text).err().map(|error| error.to_string())
        }
        (DataType::Timestamp, _) => wrong("an instant like `2026-01-01T00:00:00Z`"),
        (DataType::Uuid, Literal::Text(text)) if is_uuid(text) => None,
        (DataType::Uuid, _) => wrong("a UUID like `67e55044-10b1-426f-9247-bb680e5fe0c8`"),
        (DataType::Object | DataType::Array, _) => wrong("an object or an array"),
    }
}

fn number_misfit(literal: &Literal, data_type: DataType) -> Option<String> {
    match data_type {
        DataType::Int(width) => {
            let (low, high) = width.bounds();
            match integer(literal) {
                Some(number) if (low..=high).contains(&number) => None,
                Some(number) => {
                    Some(format!("{number} does not fit `{data_type}`: {low} to {high}"))
                }
                None => Some(format!("`{literal}` is not a whole number of 64 bits")),
            }
        }
        DataType::Decimal { precision, scale } => match decimal(literal, scale) {
            None => Some(format!(
                "`{literal}` is not a number with at most {scale} digits after the point"
            )),
            Some(units) if units.unsigned_abs() < 10_u128.pow(u32::from(precision)) => None,
            Some(_) => Some(format!("`{literal}` does not fit `{data_type}`")),
        },
        _ => match float(literal) {
            Some(_) => None,
            None => Some(format!("`{literal}` is not a number")),
        },
    }
}

fn integer(literal: &Literal) -> Option<i64> {
    match literal {
        Literal::Int(number) => Some(*number),
        Literal::Text(text) => text.parse().ok(),
        Literal::Null | Literal::Bool(_) | Literal::Float(_) | Literal::Json(_) => None,
    }
}

fn float(literal: &Literal) -> Option<f64> {
    let number = match literal {
        Literal::Int(number) => *number as f64,
        Literal::Float(number) => *number,
        Literal::Text(text) => text.parse().ok()?,
        Literal::Null | Literal::Bool(_) | Literal::Json(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// A decimal in units of its last digit: `12.5` with scale 2 is 1250. Digits beyond the scale are no decimal.
fn decimal(literal: &Literal, scale: u8) -> Option<i128> {
    let text = match literal {
        Literal::Int(_) | Literal::Float(_) | Literal::Text(_) => literal.to_string(),
        Literal::Null | Literal::Bool(_) | Literal::Json(_) => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = fraction.trim_end_matches('0');
    let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if digits.len() > usize::from(scale) || !is_number {
        return None;
    }
    format!("{whole}{digits:0<width$}", width = usize::from(scale)).parse().ok()
}

/// How `low` and `high` stand to each other as values of `data_type`; `None` if one of them is no such value.
pub(super) fn order(
    low: &Literal,
    high: &Literal,
    data_type: DataType,
) -> Option<std::cmp::Ordering> {
    match data_type {
        DataType::Int(_) => Some(integer(low)?.cmp(&integer(high)?)),
        DataType::Float { .. } => float(low)?.partial_cmp(&float(high)?),
        DataType::Decimal { scale, .. } => Some(decimal(low, scale)?.cmp(&decimal(high, scale)?)),
        DataType::Timestamp => {
            let (Literal::Text(low), Literal::Text(high)) = (low, high) else { return None };
            Some(parse_instant(low).ok()?.cmp(&parse_instant(high).ok()?))
        }
        DataType::Bool
        | DataType::Text { .. }
        | DataType::Bytes
        | DataType::Uuid
        | DataType::Json
        | DataType::Object
        | DataType::Array => None,
    }
}

/// How many integers there are from `low` to `high`, both included.
pub(super) fn integers_between(low: &Literal, high: &Literal) -> Option<u64> {
    let distance = i128::from(integer(high)?) - i128::from(integer(low)?) + 1;
    Some(u64::try_from(distance).unwrap_or(u64::MAX))
}

fn is_uuid(text: &str) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| {
            if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}
