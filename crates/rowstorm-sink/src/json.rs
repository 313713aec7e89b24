//! Values as JSON, for wires that nest and for databases that keep documents.

use rowstorm_gen::{Values, text};

use crate::Buffer;
use crate::rows::{Item, code, utf8};

/// Appends one value as JSON: numbers exact to the last digit, instants as RFC 3339, bytes in hexadecimal.
/// JSON has no NaN and no infinity: they are null.
pub fn write(item: Item<'_>, out: &mut Buffer) {
    let Item { data, index, series } = item;
    if data.is_null(index) {
        return out.put(b"null");
    }
    match &data.values {
        Values::Bool(values) => out.put(if values[index] { b"true" } else { b"false" }),
        Values::Int(values) => out.put(itoa::Buffer::new().format(values[index]).as_bytes()),
        Values::Float(values) => float(values[index], out),
        Values::Decimal { unscaled, scale } => {
            out.put(text::decimal(unscaled[index], *scale).as_bytes());
        }
        Values::Text(values) => string(utf8(values, index), out),
        Values::Bytes(values) => {
            out.put(b"\"");
            hex(values.get(index), out);
            out.put(b"\"");
        }
        Values::Timestamp(values) => quoted(text::timestamp(values[index]).as_bytes(), out),
        Values::Uuid(values) => quoted(text::uuid(&values[index]).as_bytes(), out),
        Values::Json(values) => out.put(values.get(index)),
        Values::Dictionary { codes, entries } => {
            write(Item { data: entries, index: code(codes, index, series) as usize, series }, out);
        }
        Values::Object(fields) => {
            out.put(b"{");
            for (place, (name, field)) in fields.iter().enumerate() {
                if place > 0 {
                    out.put(b",");
                }
                string(name, out);
                out.put(b":");
                write(Item { data: field, index, series }, out);
            }
            out.put(b"}");
        }
        Values::Array { offsets, items } => {
            out.put(b"[");
            for index in offsets[index]..offsets[index + 1] {
                if index > offsets[item.index] {
                    out.put(b",");
                }
                write(Item { data: items, index: index as usize, series }, out);
            }
            out.put(b"]");
        }
    }
}

/// Appends a JSON string, escaped.
pub fn string(value: &str, out: &mut Buffer) {
    serde_json::to_writer(&mut *out, value).expect("writing a string to memory cannot fail");
}

/// Appends a float with the fewest digits that read back as the same number.
pub fn float(value: f64, out: &mut Buffer) {
    if value.is_finite() {
        out.put(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.put(b"null");
    }
}

/// Appends lower-case hexadecimal digits.
pub fn hex(bytes: &[u8], out: &mut Buffer) {
    for byte in bytes {
        out.put_array([text::HEX[usize::from(byte >> 4)], text::HEX[usize::from(byte & 15)]]);
    }
}

fn quoted(text: &[u8], out: &mut Buffer) {
    out.put(b"\"");
    out.put(text);
    out.put(b"\"");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rowstorm_gen::{Bitmap, Codes, ColumnData, Strings};

    use super::*;

    fn check(values: Values, wanted: &[&str]) {
        let data = ColumnData { values, valid: None };
        for (index, wanted) in wanted.iter().enumerate() {
            let mut out = Buffer::default();
            write(Item { data: &data, index, series: &[] }, &mut out);
            assert_eq!(std::str::from_utf8(out.as_slice()).unwrap(), *wanted);
            serde_json::from_slice::<serde_json::Value>(out.as_slice()).expect("valid JSON");
        }
    }

    fn strings(items: &[&str]) -> Strings {
        let mut strings = Strings::default();
        for item in items {
            strings.push(item.as_bytes());
        }
        strings
    }

    #[test]
    fn every_kind_is_valid_json() {
        check(Values::Bool(vec![true, false]), &["true", "false"]);
        check(Values::Int(vec![i64::MIN, 7]), &["-9223372036854775808", "7"]);
        check(Values::Float(vec![0.1, 1e300, f64::NAN, -0.0]), &["0.1", "1e+300", "null", "-0.0"]);
        check(Values::Decimal { unscaled: vec![-5], scale: 2 }, &["-0.05"]);
        check(Values::Text(strings(&["a\"b\\\n\u{1}é"])), &["\"a\\\"b\\\\\\n\\u0001é\""]);
        check(Values::Bytes(strings(&["\0ÿ"])), &["\"00c3bf\""]);
        check(Values::Timestamp(vec![0]), &["\"1970-01-01T00:00:00.000000Z\""]);
        check(Values::Json(strings(&["[1]"])), &["[1]"]);
    }

    #[test]
    fn objects_and_arrays_nest() {
        let mut valid = Bitmap::default();
        valid.push(true);
        valid.push(false);
        let items = ColumnData { values: Values::Int(vec![1, 2]), valid: Some(valid) };
        let tags = ColumnData { values: Values::Text(strings(&["x", "y"])), valid: None };
        let dictionary =
            Values::Dictionary { codes: Codes::Own(vec![1, 0]), entries: Arc::new(tags) };
        let fields = vec![
            (Arc::from("a"), ColumnData { values: dictionary, valid: None }),
            (
                Arc::from("b"),
                ColumnData {
                    values: Values::Array { offsets: vec![0, 2, 2], items: Box::new(items) },
                    valid: None,
                },
            ),
        ];
        check(Values::Object(fields), &[r#"{"a":"y","b":[1,null]}"#, r#"{"a":"x","b":[]}"#]);
    }
}
