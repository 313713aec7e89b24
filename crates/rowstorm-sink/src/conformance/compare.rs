//! Values as the plan has them against text as a database prints it: two ways that share no code.

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{Batch, TablePlan, Values};
use serde_json::{Map, Number, Value};

use super::{Row, Subject};
use crate::rows::{Item, code};

/// One value in a form that both sides can be brought to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(i128),
    Text(String),
    Bytes(Vec<u8>),
    Timestamp(i64),
    Uuid(String),
    Json(Value),
}

/// Asserts that the rows of a batch, ordered by the first column as they are, are what was read.
pub(super) fn assert_rows<S: Subject>(table: &TablePlan, batches: &[Batch], read: &[Row]) {
    let seen =
        |text: &Option<String>, data_type| text.as_deref().map(|text| parse(text, data_type));
    assert_cells::<S, _>(table, batches, read, seen);
}

/// Asserts that a scan told the rows of a batch, ordered by the first column, each value as its column's type.
pub(super) fn assert_values<S: Subject>(
    table: &TablePlan,
    batches: &[Batch],
    scanned: &[Vec<rowstorm_gen::Value>],
) {
    assert_cells::<S, _>(table, batches, scanned, scanned_cell);
}

fn assert_cells<S: Subject, V: std::fmt::Debug>(
    table: &TablePlan,
    batches: &[Batch],
    read: &[Vec<V>],
    seen: impl Fn(&V, DataType) -> Option<Cell>,
) {
    let wanted: Vec<Vec<Option<Cell>>> = batches.iter().flat_map(rows).collect();
    assert_eq!(read.len(), wanted.len(), "rows of {}", table.name);
    for (number, (read, wanted)) in read.iter().zip(&wanted).enumerate() {
        assert_eq!(read.len(), table.columns.len(), "columns of {}", table.name);
        for ((value, wanted), column) in read.iter().zip(wanted).zip(&table.columns) {
            let wanted = wanted.clone().map(|cell| narrow::<S>(cell, column.data_type));
            let place = format!("row {number}, column {:?} ({})", column.name, column.data_type);
            let seen = seen(value, column.data_type);
            assert_eq!(seen, wanted, "{place}: the database says {value:?}");
        }
    }
}

/// A value of a scan, which is of its column's type.
fn scanned_cell(value: &rowstorm_gen::Value, data_type: DataType) -> Option<Cell> {
    use rowstorm_gen::Value;
    Some(match (value, data_type) {
        (Value::Null, _) => return None,
        (Value::Bool(value), DataType::Bool) => Cell::Bool(*value),
        (Value::Int(value), DataType::Int(_)) => Cell::Int(*value),
        (Value::Float(value), DataType::Float { double: true }) => Cell::Float(*value),
        (Value::Float(value), DataType::Float { double: false }) => {
            Cell::Float(f64::from(*value as f32))
        }
        (Value::Decimal { unscaled, scale }, DataType::Decimal { scale: wanted, .. })
            if *scale == wanted =>
        {
            Cell::Decimal(*unscaled)
        }
        (Value::Text(text), DataType::Text { .. }) => Cell::Text(text.clone()),
        (Value::Bytes(bytes), DataType::Bytes) => Cell::Bytes(bytes.clone()),
        (Value::Timestamp(micros), DataType::Timestamp) => Cell::Timestamp(*micros),
        (Value::Uuid(bytes), DataType::Uuid) => Cell::Uuid(hex(bytes)),
        (Value::Json(text), DataType::Json | DataType::Object | DataType::Array) => {
            Cell::Json(document(text))
        }
        (other, _) => panic!("a column of type {data_type} is scanned as {other:?}"),
    })
}

fn rows(batch: &Batch) -> impl Iterator<Item = Vec<Option<Cell>>> {
    (0..batch.len()).map(|index| {
        let item = |data| Item { data, index, series: &batch.series };
        batch.columns.iter().map(|data| cell(item(data))).collect()
    })
}

/// What the plan says.
pub(super) fn cell(item: Item<'_>) -> Option<Cell> {
    let Item { data, index, series } = item;
    if data.is_null(index) {
        return None;
    }
    Some(match &data.values {
        Values::Bool(values) => Cell::Bool(values[index]),
        Values::Int(values) => Cell::Int(values[index]),
        Values::Float(values) => Cell::Float(values[index]),
        Values::Decimal { unscaled, .. } => Cell::Decimal(unscaled[index]),
        Values::Text(values) => Cell::Text(utf8(values.get(index))),
        Values::Bytes(values) => Cell::Bytes(values.get(index).to_vec()),
        Values::Timestamp(values) => Cell::Timestamp(values[index]),
        Values::Uuid(values) => Cell::Uuid(hex(&values[index])),
        Values::Json(values) => Cell::Json(document(&utf8(values.get(index)))),
        Values::Dictionary { codes, entries } => {
            let index = code(codes, index, series) as usize;
            return cell(Item { data: entries, index, series });
        }
        Values::Object(_) | Values::Array { .. } => Cell::Json(tidy(nested(item))),
    })
}

/// What a nested value is as JSON.
fn nested(item: Item<'_>) -> Value {
    let Item { data, index, series } = item;
    if data.is_null(index) {
        return Value::Null;
    }
    match &data.values {
        Values::Object(fields) => {
            let field = |data| nested(Item { data, index, series });
            fields
                .iter()
                .map(|(name, data)| (name.to_string(), field(data)))
                .collect::<Map<_, _>>()
                .into()
        }
        Values::Array { offsets, items } => (offsets[index]..offsets[index + 1])
            .map(|index| nested(Item { data: items, index: index as usize, series }))
            .collect(),
        Values::Dictionary { codes, entries } => {
            nested(Item { data: entries, index: code(codes, index, series) as usize, series })
        }
        Values::Json(values) => document(&utf8(values.get(index))),
        Values::Decimal { unscaled, scale } => {
            document(rowstorm_gen::text::decimal(unscaled[index], *scale).as_str())
        }
        Values::Timestamp(values) => rowstorm_gen::text::timestamp(values[index]).as_str().into(),
        Values::Uuid(values) => rowstorm_gen::text::uuid(&values[index]).as_str().into(),
        Values::Bool(values) => values[index].into(),
        Values::Int(values) => values[index].into(),
        Values::Float(values) => values[index].into(),
        Values::Text(values) => utf8(values.get(index)).into(),
        Values::Bytes(values) => hex(values.get(index)).into(),
    }
}

/// What the column's width, and the database's clock, leave of a value.
fn narrow<S: Subject>(cell: Cell, data_type: DataType) -> Cell {
    match (cell, data_type) {
        (Cell::Timestamp(micros), _) => {
            Cell::Timestamp(micros.div_euclid(S::INSTANT_STEP_US) * S::INSTANT_STEP_US)
        }
        (Cell::Float(value), DataType::Float { double: false }) => {
            Cell::Float(f64::from(value as f32))
        }
        (cell, _) => cell,
    }
}

/// What a database printed.
fn parse(text: &str, data_type: DataType) -> Cell {
    match data_type {
        DataType::Bool => Cell::Bool(match text {
            "t" | "true" | "TRUE" | "1" => true,
            "f" | "false" | "FALSE" | "0" => false,
            other => panic!("{other:?} is no boolean"),
        }),
        DataType::Int(_) => Cell::Int(text.parse().expect("an integer")),
        DataType::Float { double: true } => Cell::Float(text.parse().expect("a float")),
        DataType::Float { double: false } => {
            Cell::Float(f64::from(text.parse::<f64>().expect("a float") as f32))
        }
        DataType::Decimal { scale, .. } => Cell::Decimal(unscaled(text, usize::from(scale))),
        DataType::Text { .. } => Cell::Text(text.to_owned()),
        DataType::Bytes => Cell::Bytes(unhex(text.strip_prefix("\\x").unwrap_or(text))),
        DataType::Timestamp => Cell::Timestamp(micros(text)),
        DataType::Uuid => Cell::Uuid(text.replace('-', "").to_lowercase()),
        DataType::Json | DataType::Object | DataType::Array => Cell::Json(document(text)),
    }
}

/// Zeros behind the scale are no digits.
fn unscaled(text: &str, scale: usize) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    assert!(fraction.len() <= scale, "{text} has more than {scale} digits behind the point");
    format!("{whole}{fraction:0<scale$}").parse().expect("a decimal")
}

/// `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, perhaps a fraction, perhaps `Z` or `+00`; by counting days one year and
/// one month after another, which needs no formula.
fn micros(text: &str) -> i64 {
    let text = ["Z", "+00:00", "+00"].iter().find_map(|utc| text.strip_suffix(utc)).unwrap_or(text);
    let (date, time) =
        text.split_once(['T', ' ']).unwrap_or_else(|| panic!("{text} is an instant"));
    let number = |text: &str| text.parse::<i64>().expect("digits");
    let date: Vec<i64> = date.split('-').map(number).collect();
    let [year, month, day] = date[..] else { panic!("{text} has year, month and day") };
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let years: i64 = if year >= 1970 {
        (1970..year).map(|year| 365 + i64::from(leap(year))).sum()
    } else {
        -(year..1970).map(|year| 365 + i64::from(leap(year))).sum::<i64>()
    };
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: i64 = lengths[..month as usize - 1].iter().sum();
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let seconds = clock.split(':').map(number).fold(0, |sum, part| sum * 60 + part);
    ((years + months + day - 1) * 86_400 + seconds) * 1_000_000 + number(&format!("{fraction:0<6}"))
}

fn document(text: &str) -> Value {
    tidy(serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}")))
}

/// Numbers that are equal become one: `1`, `1.0` and `1e0`, whatever a database prints.
fn tidy(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().expect("a number is a float");
            let is_whole = !number.is_i64() && float.fract() == 0.0 && float.abs() < 1e15;
            Value::Number(if is_whole { Number::from(float as i64) } else { number })
        }
        Value::Array(items) => items.into_iter().map(tidy).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, tidy(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text is UTF-8")
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).expect("a nibble is a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text} is hexadecimal");
    let digits = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    digits.collect::<Result<_, _>>().expect("hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_many_spellings_are_one() {
        for text in ["1970-01-01 00:00:01+00", "1970-01-01T00:00:01.000000Z", "1970-01-01 00:00:01"]
        {
            assert_eq!(micros(text), 1_000_000, "{text}");
        }
        assert_eq!(micros("0001-01-01T00:00:00Z"), -62_135_596_800_000_000);
        assert_eq!(micros("9999-12-31 23:59:59.999999+00"), 253_402_300_799_999_999);
        assert_eq!(micros("2026-03-01T12:00:00.5"), 1_772_366_400_500_000);
    }

    #[test]
    fn decimals_compare_by_their_digits() {
        assert_eq!(unscaled("-0.05", 2), -5);
        assert_eq!(unscaled("-0.0500", 2), -5);
        assert_eq!(unscaled("12", 2), 1200);
    }
}
