//! Values as pipelines write them, read as what they were.

use rowstorm_gen::Value;
use rowstorm_gen::schema::{DataType, Encoding};
use rowstorm_sink::text;
use serde_json::Value as Json;

use super::map::Found;

/// A value by its encoding and its column's type. What cannot be read so comes as it is, so that a comparison shows it.
pub(super) fn decode(found: Found<'_>, encoding: Encoding, data_type: DataType) -> Value {
    let value = found.value();
    if matches!(value, Value::Null) {
        return value;
    }
    let read = match (encoding, data_type) {
        (Encoding::Same, _) => same(found, data_type),
        (Encoding::Text, _) => written(&value, data_type),
        (Encoding::Base64, DataType::Decimal { scale, .. }) => {
            base64(&value).and_then(|bytes| decimal(&bytes, scale))
        }
        (Encoding::Base64, _) => base64(&value).map(Value::Bytes),
        (Encoding::Scaled, _) => scaled(&value),
        (Encoding::Double, DataType::Decimal { scale, .. }) => {
            float(&value).map(|float| rounded(float, scale))
        }
        (Encoding::Double, _) => float(&value).map(Value::Float),
        (Encoding::Days, _) => instant(&value, 86_400_000_000),
        (Encoding::Seconds, _) => instant(&value, 1_000_000),
        (Encoding::Millis, _) => instant(&value, 1_000),
        (Encoding::Micros, _) => instant(&value, 1),
        (Encoding::Nanos, _) => {
            whole(&value).map(|nanos| Value::Timestamp(nanos.div_euclid(1_000)))
        }
    };
    read.unwrap_or(value)
}

/// What a document makes of a type: its own kind, or text.
fn same(found: Found<'_>, data_type: DataType) -> Option<Value> {
    let Found::Part(part) = found else { return None };
    match (part, data_type) {
        (_, DataType::Json | DataType::Object | DataType::Array) => {
            Some(Value::Json(part.to_string()))
        }
        (Json::Number(number), DataType::Decimal { scale, .. }) => {
            text::decimal(&number.to_string(), scale)
        }
        (Json::Number(number), DataType::Float { .. }) => number.as_f64().map(Value::Float),
        (Json::String(text), _) => written(&Value::Text(text.clone()), data_type),
        (_, _) => None,
    }
}

fn written(value: &Value, data_type: DataType) -> Option<Value> {
    let Value::Text(written) = value else { return None };
    match data_type {
        DataType::Bytes => hex(written).map(Value::Bytes),
        _ => Some(text::value(written.clone(), data_type)),
    }
}

fn scaled(value: &Value) -> Option<Value> {
    let Value::Json(document) = value else { return None };
    let document: Json = serde_json::from_str(document).ok()?;
    let scale = u8::try_from(document.get("scale")?.as_u64()?).ok()?;
    let digits = Value::Text(document.get("value")?.as_str()?.to_owned());
    decimal(&base64(&digits)?, scale)
}

/// Digits as a big-endian number in two's complement.
fn decimal(bytes: &[u8], scale: u8) -> Option<Value> {
    let first = *bytes.first()?;
    if bytes.len() > 16 {
        return None;
    }
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    let unscaled = bytes.iter().fold(sign, |digits: i128, byte| digits << 8 | i128::from(*byte));
    Some(Value::Decimal { unscaled, scale })
}

fn rounded(float: f64, scale: u8) -> Value {
    let unscaled = (float * 10_f64.powi(i32::from(scale))).round() as i128;
    Value::Decimal { unscaled, scale }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        Value::Int(value) => Some(*value as f64),
        _ => None,
    }
}

fn instant(value: &Value, unit_us: i64) -> Option<Value> {
    whole(value)?.checked_mul(unit_us).map(Value::Timestamp)
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(*value as i64),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Bytes out of base64 (RFC 4648, with padding or without); bytes that were kept as bytes are those.
fn base64(value: &Value) -> Option<Vec<u8>> {
    let text = match value {
        Value::Bytes(bytes) => return Some(bytes.clone()),
        Value::Text(text) => text.trim_end_matches('='),
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.bytes() {
        let digit = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, held) = (bits << 6 | u32::from(digit), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x").unwrap_or(text);
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(|pair| byte(pair).filter(|_| pair.len() == 2)).collect()
}

#[cfg(test)]
mod tests {
    use rowstorm_gen::schema::IntWidth;

    use super::*;

    #[test]
    fn what_pipelines_write_is_read_as_what_it_was() {
        let price = DataType::Decimal { precision: 12, scale: 2 };
        let text = |text: &str| Value::Text(text.to_owned());
        let of = |unscaled, scale| Value::Decimal { unscaled, scale };
        for (value, encoding, data_type, read) in [
            // Kafka Connect's own example of a decimal: 123.45 is 0x3039.
            (text("MDk="), Encoding::Base64, price, of(12_345, 2)),
            (text("/w=="), Encoding::Base64, price, of(-1, 2)),
            (text("AP8="), Encoding::Base64, price, of(255, 2)),
            (Value::Bytes(vec![0xCF, 0xC7]), Encoding::Base64, price, of(-12_345, 2)),
            (text("AAEC"), Encoding::Base64, DataType::Bytes, Value::Bytes(vec![0, 1, 2])),
            (text("00ff"), Encoding::Text, DataType::Bytes, Value::Bytes(vec![0, 255])),
            (text("-0.05"), Encoding::Text, price, of(-5, 2)),
            (text("7"), Encoding::Text, DataType::Int(IntWidth::Int), Value::Int(7)),
            (
                Value::Json(r#"{"scale":4,"value":"MDk="}"#.into()),
                Encoding::Scaled,
                price,
                of(12_345, 4),
            ),
            (Value::Float(0.1 + 0.2), Encoding::Double, price, of(30, 2)),
            (
                Value::Int(19_723),
                Encoding::Days,
                DataType::Timestamp,
                Value::Timestamp(1_704_067_200_000_000),
            ),
            (Value::Int(-1), Encoding::Millis, DataType::Timestamp, Value::Timestamp(-1_000)),
            (
                Value::Float(1_500.0),
                Encoding::Millis,
                DataType::Timestamp,
                Value::Timestamp(1_500_000),
            ),
            (Value::Int(1_999), Encoding::Nanos, DataType::Timestamp, Value::Timestamp(1)),
            (text("12"), Encoding::Micros, DataType::Timestamp, Value::Timestamp(12)),
            (Value::Null, Encoding::Base64, price, Value::Null),
            // What is nothing of the kind is left for the comparison to show.
            (text("?"), Encoding::Base64, price, text("?")),
            (Value::Bool(true), Encoding::Millis, DataType::Timestamp, Value::Bool(true)),
        ] {
            assert_eq!(
                decode(Found::Own(&value), encoding, data_type),
                read,
                "{value} {encoding:?}"
            );
        }
    }

    #[test]
    fn parts_of_documents_are_read_by_their_columns_types() {
        let part = |json: &str, data_type| {
            let part: Json = serde_json::from_str(json).unwrap();
            decode(Found::Part(&part), Encoding::Same, data_type)
        };
        let price = DataType::Decimal { precision: 12, scale: 2 };
        assert_eq!(part("12.5", price), Value::Decimal { unscaled: 1_250, scale: 2 });
        assert_eq!(part("\"12.5\"", price), Value::Decimal { unscaled: 1_250, scale: 2 });
        assert_eq!(part("3", DataType::Float { double: true }), Value::Float(3.0));
        assert_eq!(
            part("\"1970-01-01T00:00:01Z\"", DataType::Timestamp),
            Value::Timestamp(1_000_000)
        );
        assert_eq!(part("{\"a\":1}", DataType::Json), Value::Json("{\"a\":1}".into()));
        assert_eq!(part("true", DataType::Bool), Value::Bool(true));
    }
}
