//! Values as BSON: the bytes of an element behind its name.

use rowstorm_gen::{ColumnData, Values, text};
use rowstorm_sink::Buffer;
use rowstorm_sink::rows::{Item, code, utf8};

use crate::json;
use crate::wire::{Field, Wire, c_string, tag};

const BINARY_GENERIC: u8 = 0;
const BINARY_UUID: u8 = 4;

/// Appends an element: its type, its name (which ends in a zero byte), its value.
pub(crate) fn element(name: &[u8], item: Item<'_>, wire: &Wire, out: &mut Buffer) {
    let at = out.len();
    out.put_array([0]);
    out.put(name);
    let tag = value(item, wire, out);
    out.as_mut_slice()[at] = tag;
}

/// Appends a value; its type's byte.
fn value(item: Item<'_>, wire: &Wire, out: &mut Buffer) -> u8 {
    let Item { data, index, series } = item;
    if data.is_null(index) {
        return tag::NULL;
    }
    match &data.values {
        Values::Bool(values) => {
            out.put_array([u8::from(values[index])]);
            tag::BOOL
        }
        Values::Int(values) => integer(values[index], wire, out),
        Values::Float(values) => {
            out.put_array(float(values[index], wire));
            tag::DOUBLE
        }
        Values::Decimal { unscaled, scale } => decimal(unscaled[index], *scale, wire, out),
        Values::Text(values) => string(utf8(values, index), out),
        Values::Bytes(values) => binary(BINARY_GENERIC, values.get(index), out),
        Values::Timestamp(values) => instant(values[index], wire, out),
        Values::Uuid(values) => binary(BINARY_UUID, &values[index], out),
        Values::Json(values) => json::write(utf8(values, index), out),
        Values::Dictionary { codes, entries } => {
            let index = code(codes, index, series) as usize;
            value(Item { data: entries, index, series }, wire, out)
        }
        Values::Object(fields) => {
            object(fields, item, wire, out);
            tag::DOCUMENT
        }
        Values::Array { offsets, items } => {
            let range = offsets[index] as usize..offsets[index + 1] as usize;
            let inner = match wire {
                Wire::Array(inner) => inner,
                _ => &Wire::Json,
            };
            let start = open(out);
            let mut digits = itoa::Buffer::new();
            for (place, index) in range.enumerate() {
                let at = out.len();
                out.put_array([0]);
                out.put(digits.format(place).as_bytes());
                out.put_array([0]);
                let tag = value(Item { data: items, index, series }, inner, out);
                out.as_mut_slice()[at] = tag;
            }
            close(start, out);
            tag::ARRAY
        }
    }
}

fn object(
    fields: &[(std::sync::Arc<str>, ColumnData)],
    item: Item<'_>,
    wire: &Wire,
    out: &mut Buffer,
) {
    let known: &[Field] = match wire {
        Wire::Document(known) => known,
        _ => &[],
    };
    let start = open(out);
    for (place, (name, data)) in fields.iter().enumerate() {
        let item = Item { data, ..item };
        match known.get(place) {
            Some(field) if field.name.split_last().is_some_and(|(_, f)| f == name.as_bytes()) => {
                element(&field.name, item, &field.wire, out);
            }
            // A fill of somebody's own, with other fields than the schema's.
            Some(_) | None => element(&c_string(name), item, &Wire::Json, out),
        }
    }
    close(start, out);
}

/// Opens a document or an array; where it starts.
#[inline]
pub(crate) fn open(out: &mut Buffer) -> usize {
    let start = out.len();
    out.put_array([0; 4]);
    start
}

/// Closes a document or an array: its end, and its length at its start.
#[inline]
pub(crate) fn close(start: usize, out: &mut Buffer) {
    out.put_array([0]);
    let length = (out.len() - start) as i32;
    out.as_mut_slice()[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn integer(value: i64, wire: &Wire, out: &mut Buffer) -> u8 {
    match i32::try_from(value) {
        Ok(small) if *wire == Wire::Int32 => {
            out.put_array(small.to_le_bytes());
            tag::INT32
        }
        Ok(_) | Err(_) => {
            out.put_array(value.to_le_bytes());
            tag::INT64
        }
    }
}

/// A float's eight bytes.
#[inline]
pub(crate) fn float(value: f64, wire: &Wire) -> [u8; 8] {
    let value = if *wire == Wire::Single { f64::from(value as f32) } else { value };
    value.to_le_bytes()
}

/// Appends a decimal.
pub(crate) fn decimal(unscaled: i128, scale: u8, wire: &Wire, out: &mut Buffer) -> u8 {
    match decimal128(unscaled, scale) {
        Some(bytes) if *wire != Wire::DecimalText => {
            out.put_array(bytes);
            tag::DECIMAL
        }
        Some(_) | None => string(text::decimal(unscaled, scale).as_str(), out),
    }
}

/// The largest coefficient: 34 nines.
const COEFFICIENT_MAX: u128 = 10_u128.pow(34) - 1;
/// What the stored exponent is larger by.
const EXPONENT_BIAS: u64 = 6176;

/// IEEE 754-2008 `decimal128` with a binary coefficient: sign, 14 bits of exponent, 113 bits of coefficient.
fn decimal128(unscaled: i128, scale: u8) -> Option<[u8; 16]> {
    let coefficient = unscaled.unsigned_abs();
    if coefficient > COEFFICIENT_MAX {
        return None;
    }
    let sign = u64::from(unscaled < 0) << 63;
    let high = sign | (EXPONENT_BIAS - u64::from(scale)) << 49 | (coefficient >> 64) as u64;
    Some((u128::from(high) << 64 | coefficient & u128::from(u64::MAX)).to_le_bytes())
}

/// Coefficient and exponent of a `decimal128`; `None` for what is no number. A coefficient of more than 34 digits counts as 0,
/// as the standard says.
pub(crate) fn decimal_parts(bytes: [u8; 16]) -> Option<(i128, i32)> {
    let bits = u128::from_le_bytes(bytes);
    let high = (bits >> 64) as u64;
    // Two set bits behind the sign: a coefficient that is too large, or no number.
    if high >> 61 & 3 == 3 {
        return (high >> 59 & 15 != 15).then_some((0, 0));
    }
    let exponent = (high >> 49 & 0x3fff) as i32 - EXPONENT_BIAS as i32;
    let coefficient = bits & ((1 << 113) - 1);
    let coefficient = if coefficient > COEFFICIENT_MAX { 0 } else { coefficient as i128 };
    Some((if high >> 63 == 1 { -coefficient } else { coefficient }, exponent))
}

/// Appends a string.
#[inline]
pub(crate) fn string(value: &str, out: &mut Buffer) -> u8 {
    out.put_array((value.len() as u32 + 1).to_le_bytes());
    out.put(value.as_bytes());
    out.put_array([0]);
    tag::STRING
}

/// Appends bytes.
pub(crate) fn bytes(value: &[u8], out: &mut Buffer) {
    binary(BINARY_GENERIC, value, out);
}

/// Appends a UUID.
pub(crate) fn uuid(value: &[u8; 16], out: &mut Buffer) {
    binary(BINARY_UUID, value, out);
}

fn binary(subtype: u8, value: &[u8], out: &mut Buffer) -> u8 {
    out.put_array((value.len() as u32).to_le_bytes());
    out.put_array([subtype]);
    out.put(value);
    tag::BINARY
}

fn instant(micros: i64, wire: &Wire, out: &mut Buffer) -> u8 {
    out.put_array(instant_bytes(micros, wire));
    if *wire == Wire::Micros { tag::INT64 } else { tag::DATE }
}

/// An instant's eight bytes: a date keeps milliseconds, the rest is cut off towards the past.
#[inline]
pub(crate) fn instant_bytes(micros: i64, wire: &Wire) -> [u8; 8] {
    let number = if *wire == Wire::Micros { micros } else { micros.div_euclid(1000) };
    number.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use mongodb::bson::Decimal128;

    use super::*;

    #[test]
    fn decimals_read_back_as_the_driver_prints_them() {
        for (unscaled, scale, printed) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (-5, 2, "-0.05"),
            (12_345, 2, "123.45"),
            (COEFFICIENT_MAX as i128, 10, "999999999999999999999999.9999999999"),
            (-(COEFFICIENT_MAX as i128), 0, "-9999999999999999999999999999999999"),
        ] {
            let bytes = decimal128(unscaled, scale).unwrap();
            assert_eq!(Decimal128::from_bytes(bytes).to_string(), printed);
        }
        assert_eq!(decimal128(COEFFICIENT_MAX as i128 + 1, 0), None);
    }

    #[test]
    fn instants_are_cut_off_towards_the_past() {
        for (micros, millis) in [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)] {
            assert_eq!(i64::from_le_bytes(instant_bytes(micros, &Wire::Date)), millis);
            assert_eq!(i64::from_le_bytes(instant_bytes(micros, &Wire::Micros)), micros);
        }
    }
}
