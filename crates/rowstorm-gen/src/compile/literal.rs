//! Values of the document, read by the column's type.

use rowstorm_schema::{DataType, Literal, parse_instant};
use serde_json::Value;

use crate::{Strings, Values};

/// Values of one type.
///
/// # Errors
/// What is wrong with the first that does not fit.
pub(super) fn values(literals: &[Literal], data_type: DataType) -> Result<Values, String> {
    let mut out = Values::default();
    // The first misfit stops the reading, and is named.
    macro_rules! read {
        ($buffer:expr, $read:expr) => {{
            let (buffer, read) = ($buffer, $read);
            for literal in literals {
                let Some(value) = read(literal) else {
                    return Err(format!("`{literal}` is not a value of `{data_type}`"));
                };
                buffer.push(value);
            }
        }};
    }
    let strings = |out: &mut Strings, read: fn(&Literal) -> Option<String>| {
        literals.iter().try_for_each(|literal| match read(literal) {
            Some(text) => {
                out.push(text.as_bytes());
                Ok(())
            }
            None => Err(format!("`{literal}` is not a value of `{data_type}`")),
        })
    };
    match data_type {
        DataType::Bool => read!(out.bools(), boolean),
        DataType::Int(width) => {
            let (low, high) = width.bounds();
            let within = |number: &i64| (low..=high).contains(number);
            read!(out.ints(), |literal| integer(literal).filter(within));
        }
        DataType::Float { double: true } => read!(out.floats(), float),
        DataType::Float { double: false } => {
            read!(out.floats(), |literal| float(literal).map(|number| f64::from(number as f32)));
        }
        DataType::Decimal { precision, scale } => {
            read!(out.decimals(scale), |literal| decimal(literal, precision, scale));
        }
        DataType::Text { .. } => strings(out.texts(), scalar)?,
        DataType::Bytes => strings(out.byte_strings(), scalar)?,
        DataType::Timestamp => read!(out.timestamps(), instant),
        DataType::Uuid => read!(out.uuids(), uuid),
        DataType::Json => strings(out.documents(), |literal| Some(document(literal)))?,
        DataType::Object | DataType::Array => {
            return Err(format!("`{data_type}` has no values of its own; make it `json`"));
        }
    }
    Ok(out)
}

fn boolean(literal: &Literal) -> Option<bool> {
    match literal {
        Literal::Bool(value) => Some(*value),
        Literal::Text(text) => text.parse().ok(),
        Literal::Null | Literal::Int(_) | Literal::Float(_) | Literal::Json(_) => None,
    }
}

/// A whole number of 64 bits.
pub(crate) fn integer(literal: &Literal) -> Option<i64> {
    match literal {
        Literal::Int(number) => Some(*number),
        Literal::Text(text) => text.parse().ok(),
        Literal::Null | Literal::Bool(_) | Literal::Float(_) | Literal::Json(_) => None,
    }
}

/// A finite number.
pub(super) fn float(literal: &Literal) -> Option<f64> {
    let number: f64 = match literal {
        Literal::Int(number) => *number as f64,
        Literal::Float(number) => *number,
        Literal::Text(text) => text.parse().ok()?,
        Literal::Null | Literal::Bool(_) | Literal::Json(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// A decimal in units of its last digit, within `precision` digits.
pub(super) fn decimal(literal: &Literal, precision: u8, scale: u8) -> Option<i128> {
    let text = match literal {
        Literal::Int(_) | Literal::Float(_) | Literal::Text(_) => literal.to_string(),
        Literal::Null | Literal::Bool(_) | Literal::Json(_) => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = fraction.trim_end_matches('0');
    if digits.len() > usize::from(scale) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{whole}{digits:0<width$}", width = usize::from(scale));
    let unscaled: i128 = padded.parse().ok()?;
    (unscaled.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(unscaled)
}

/// An instant in microseconds.
pub(super) fn instant(literal: &Literal) -> Option<i64> {
    match literal {
        Literal::Text(text) => parse_instant(text).ok(),
        Literal::Null
        | Literal::Bool(_)
        | Literal::Int(_)
        | Literal::Float(_)
        | Literal::Json(_) => None,
    }
}

fn scalar(literal: &Literal) -> Option<String> {
    match literal {
        Literal::Bool(_) | Literal::Int(_) | Literal::Float(_) | Literal::Text(_) => {
            Some(literal.to_string())
        }
        Literal::Null | Literal::Json(_) => None,
    }
}

fn uuid(literal: &Literal) -> Option<[u8; 16]> {
    let Literal::Text(text) = literal else { return None };
    let digits = text.replace('-', "");
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

/// A JSON document: text that is one stands as it is, other text becomes a JSON string.
fn document(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) if serde_json::from_str::<Value>(text).is_ok() => text.clone(),
        Literal::Text(text) => Value::from(text.as_str()).to_string(),
        Literal::Null => Value::Null.to_string(),
        Literal::Bool(value) => Value::from(*value).to_string(),
        Literal::Int(value) => Value::from(*value).to_string(),
        Literal::Float(value) => Value::from(*value).to_string(),
        Literal::Json(value) => {
            // By name, whatever order another crate's `preserve_order` would keep.
            let mut value = value.clone();
            value.sort_all_objects();
            value.to_string()
        }
    }
}
