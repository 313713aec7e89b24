//! Binary values, read: the other direction of [`encode`](crate::encode).

use rowstorm_gen::Value;
use rowstorm_schema::DataType;

use crate::encode::EPOCH_US;

/// How a stored column's values come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Bytea,
    Timestamp,
    Uuid,
    Json,
    Jsonb,
    /// As the server shows it.
    Shown,
}

impl Form {
    /// By the function that reads the stored type (`pg_type.typreceive`).
    pub(super) fn of(reader: &str) -> Form {
        match reader.rsplit('.').next().unwrap_or_default() {
            "boolrecv" => Form::Bool,
            "int2recv" => Form::Int2,
            "int4recv" => Form::Int4,
            "int8recv" => Form::Int8,
            "float4recv" => Form::Float4,
            "float8recv" => Form::Float8,
            "numeric_recv" => Form::Numeric,
            "textrecv" | "varcharrecv" => Form::Text,
            "bytearecv" => Form::Bytea,
            "timestamptz_recv" | "timestamp_recv" => Form::Timestamp,
            "uuid_recv" => Form::Uuid,
            "json_recv" => Form::Json,
            "jsonb_recv" => Form::Jsonb,
            _ => Form::Shown,
        }
    }

    /// A value; `None` if these are no bytes of one.
    pub(super) fn read(self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            Form::Bool => Value::Bool(bytes.first()? != &0),
            Form::Int2 => Value::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Form::Int4 => Value::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Form::Int8 => Value::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
            Form::Float4 => Value::Float(f32::from_be_bytes(bytes.try_into().ok()?).into()),
            Form::Float8 => Value::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
            Form::Numeric => numeric(bytes)?,
            Form::Text | Form::Shown => Value::Text(text(bytes)?),
            Form::Bytea => Value::Bytes(bytes.to_vec()),
            Form::Timestamp => match i64::from_be_bytes(bytes.try_into().ok()?) {
                i64::MAX => Value::Text("infinity".to_owned()),
                i64::MIN => Value::Text("-infinity".to_owned()),
                micros => Value::Timestamp(micros.checked_add(EPOCH_US)?),
            },
            Form::Uuid => Value::Uuid(bytes.try_into().ok()?),
            Form::Json => Value::Json(text(bytes)?),
            Form::Jsonb => match bytes.split_first()? {
                (1, document) => Value::Json(text(document)?),
                (_, _) => return None,
            },
        })
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// Digits in base 10,000 (`numeric_send` in the server's `utils/adt/numeric.c`); what is no number, or has more digits than a
/// decimal, comes as text.
fn numeric(bytes: &[u8]) -> Option<Value> {
    let words: Vec<u16> =
        bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let [_, weight, sign, scale, groups @ ..] = &words[..] else { return None };
    let (weight, scale) = (i32::from(weight.cast_signed()), i32::from(*scale));
    match sign {
        0 | 0x4000 => {}
        0xD000 => return Some(Value::Text("Infinity".to_owned())),
        0xF000 => return Some(Value::Text("-Infinity".to_owned())),
        _ => return Some(Value::Text("NaN".to_owned())),
    }
    let unscaled = groups.iter().zip(0..).try_fold(0_i128, |sum, (group, place)| {
        // A group stands for `group × 10,000^(weight − place)`, and the last digit for `10^−scale`.
        let power = 4 * (weight - place) + scale;
        let group = i128::from(*group);
        let part = match u32::try_from(power) {
            Ok(power) => group.checked_mul(10_i128.checked_pow(power)?)?,
            // Digits behind the scale are zeros.
            Err(_) => group / 10_i128.checked_pow(power.unsigned_abs())?,
        };
        sum.checked_add(part)
    });
    let Some((unscaled, scale)) = unscaled.zip(u8::try_from(scale).ok()) else {
        return Some(Value::Text("more digits than a decimal has".to_owned()));
    };
    Some(Value::Decimal { unscaled: if *sign == 0 { unscaled } else { -unscaled }, scale })
}

/// The value as one of the declared type, where nothing is lost by it; else as it is.
pub(super) fn declared(value: Value, data_type: DataType) -> Value {
    match (data_type, value) {
        (DataType::Decimal { scale, .. }, Value::Decimal { unscaled, scale: stored }) => {
            rescaled(unscaled, stored, scale)
        }
        (DataType::Decimal { scale, .. }, Value::Int(value)) => rescaled(value.into(), 0, scale),
        (DataType::Int(_), Value::Decimal { unscaled, scale }) => {
            match rescaled(unscaled, scale, 0) {
                Value::Decimal { unscaled, scale: 0 } if i64::try_from(unscaled).is_ok() => {
                    Value::Int(unscaled as i64)
                }
                other => other,
            }
        }
        (DataType::Json | DataType::Object | DataType::Array, Value::Text(text)) => {
            Value::Json(text)
        }
        (DataType::Text { .. }, Value::Json(text)) => Value::Text(text),
        (DataType::Uuid, Value::Text(text)) => uuid(&text).map_or(Value::Text(text), Value::Uuid),
        (_, value) => value,
    }
}

fn rescaled(unscaled: i128, from: u8, to: u8) -> Value {
    let power = 10_i128.checked_pow(u32::from(from.abs_diff(to)));
    let exact = power.and_then(|power| {
        if from <= to {
            unscaled.checked_mul(power)
        } else {
            (unscaled % power == 0).then_some(unscaled / power)
        }
    });
    match exact {
        Some(unscaled) => Value::Decimal { unscaled, scale: to },
        None => Value::Decimal { unscaled, scale: from },
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    let fits = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    fits.then(|| u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use rowstorm_schema::IntWidth;

    use super::*;

    #[test]
    fn a_decimal_takes_the_declared_scale_where_nothing_is_lost() {
        let decimal = |unscaled, scale| Value::Decimal { unscaled, scale };
        let to = DataType::Decimal { precision: 10, scale: 2 };
        for (stored, read) in [
            (decimal(1230, 3), decimal(123, 2)),
            (decimal(12, 1), decimal(120, 2)),
            (decimal(1234, 3), decimal(1234, 3)),
            (Value::Int(7), decimal(700, 2)),
        ] {
            assert_eq!(declared(stored, to), read);
        }
        assert_eq!(declared(decimal(700, 2), DataType::Int(IntWidth::Big)), Value::Int(7));
        assert_eq!(declared(decimal(701, 2), DataType::Int(IntWidth::Big)), decimal(701, 2));
    }

    #[test]
    fn a_uuid_that_is_kept_as_text_is_one() {
        let text = "00112233-4455-6677-8899-aabbccddeeff";
        let uuid = Value::Uuid(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes());
        assert_eq!(declared(Value::Text(text.to_owned()), DataType::Uuid), uuid);
        let other = Value::Text("+0112233-4455-6677-8899-aabbccddeeff".to_owned());
        assert_eq!(declared(other.clone(), DataType::Uuid), other);
    }
}
