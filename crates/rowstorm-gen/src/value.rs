//! Single values and rows, for tests and reports; batches carry columns.

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use crate::{Batch, Codes, ColumnData, Strings, TablePlan, Values, text};

/// One value of a row. Compare it with plain Rust values: `row["id"] == 3`, `row["name"] == "Maria"`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// `bool`
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// A float of any width.
    Float(f64),
    /// `unscaled / 10^scale`
    Decimal {
        /// The digits as one number.
        unscaled: i128,
        /// How many of them stand after the point.
        scale: u8,
    },
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// A UUID, in network order.
    Uuid([u8; 16]),
    /// A JSON document as text.
    Json(String),
    /// Fields by name, in order.
    Object(Vec<(Arc<str>, Value)>),
    /// Items, in order.
    Array(Vec<Value>),
}

impl Value {
    /// The value of a column at an index; `series` are the batch's series codes.
    pub(crate) fn of(data: &ColumnData, index: usize, series: &[u32]) -> Value {
        if data.is_null(index) {
            return Value::Null;
        }
        match &data.values {
            Values::Bool(values) => Value::Bool(values[index]),
            Values::Int(values) => Value::Int(values[index]),
            Values::Float(values) => Value::Float(values[index]),
            Values::Decimal { unscaled, scale } => {
                Value::Decimal { unscaled: unscaled[index], scale: *scale }
            }
            Values::Text(values) => Value::Text(utf8(values, index)),
            Values::Bytes(values) => Value::Bytes(values.get(index).to_vec()),
            Values::Timestamp(values) => Value::Timestamp(values[index]),
            Values::Uuid(values) => Value::Uuid(values[index]),
            Values::Json(values) => Value::Json(utf8(values, index)),
            Values::Dictionary { codes: Codes::Series, entries } => {
                Value::of(entries, series[index] as usize, series)
            }
            Values::Dictionary { codes: Codes::Own(codes), entries } => {
                Value::of(entries, codes[index] as usize, series)
            }
            Values::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| (Arc::clone(name), Value::of(field, index, series)))
                    .collect(),
            ),
            Values::Array { offsets, items } => Value::Array(
                (offsets[index]..offsets[index + 1])
                    .map(|item| Value::of(items, item as usize, series))
                    .collect(),
            ),
        }
    }
}

impl Value {
    /// The value as text, as [`Display`](fmt::Display) writes it; `None` is null.
    ///
    /// ```
    /// use rowstorm_gen::Value;
    /// assert_eq!(Value::Bytes(vec![0, 255]).to_text().as_deref(), Some("00ff"));
    /// assert_eq!(Value::Null.to_text(), None);
    /// ```
    pub fn to_text(&self) -> Option<String> {
        match self {
            Value::Null => None,
            value => Some(value.to_string()),
        }
    }
}

fn utf8(values: &Strings, index: usize) -> String {
    String::from_utf8(values.get(index).to_vec()).expect("a text column holds UTF-8")
}

/// As `sample` prints it: text as it is, nested values in JSON's brackets, null as `null`.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => out.write_str("null"),
            Value::Bool(value) => value.fmt(out),
            Value::Int(value) => value.fmt(out),
            Value::Float(value) => out.write_str(zmij::Buffer::new().format(*value)),
            Value::Decimal { unscaled, scale } => text::decimal(*unscaled, *scale).fmt(out),
            Value::Text(value) | Value::Json(value) => out.write_str(value),
            Value::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
            Value::Timestamp(micros) => text::timestamp(*micros).fmt(out),
            Value::Uuid(bytes) => text::uuid(bytes).fmt(out),
            Value::Object(fields) => {
                out.write_str("{")?;
                for (at, (name, field)) in fields.iter().enumerate() {
                    write!(out, "{}{name}: {field}", if at > 0 { ", " } else { "" })?;
                }
                out.write_str("}")
            }
            Value::Array(items) => {
                out.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(out, "{}{item}", if at > 0 { ", " } else { "" })?;
                }
                out.write_str("]")
            }
        }
    }
}

impl PartialEq<i64> for Value {
    fn eq(&self, other: &i64) -> bool {
        matches!(self, Value::Int(value) if value == other)
    }
}

impl PartialEq<f64> for Value {
    fn eq(&self, other: &f64) -> bool {
        matches!(self, Value::Float(value) if value == other)
    }
}

impl PartialEq<bool> for Value {
    fn eq(&self, other: &bool) -> bool {
        matches!(self, Value::Bool(value) if value == other)
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        matches!(self, Value::Text(value) | Value::Json(value) if value == other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// One row: values by column name, `row["customer_id"]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    names: Arc<[Arc<str>]>,
    values: Vec<Value>,
}

/// The names of a table's columns, shared by its rows.
pub(crate) fn names_of(table: &TablePlan) -> Arc<[Arc<str>]> {
    table.columns.iter().map(|column| Arc::clone(&column.name)).collect()
}

impl Row {
    pub(crate) fn of(names: &Arc<[Arc<str>]>, batch: &Batch, index: usize) -> Row {
        let value = |column| Value::of(column, index, &batch.series);
        Row { names: Arc::clone(names), values: batch.columns.iter().map(value).collect() }
    }

    /// A column's value; `None` if there is no such column.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.names.iter().position(|name| **name == *column).map(|place| &self.values[place])
    }

    /// All values, in the table's order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The columns' names and values, in the table's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names.iter().map(|name| &**name).zip(&self.values)
    }
}

impl Index<&str> for Row {
    type Output = Value;

    /// # Panics
    /// If there is no such column.
    fn index(&self, column: &str) -> &Value {
        self.get(column).unwrap_or_else(|| {
            panic!("there is no column `{column}`; there are: {}", self.names.join(", "))
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            write!(out, "{}{name}={value}", if at > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}
