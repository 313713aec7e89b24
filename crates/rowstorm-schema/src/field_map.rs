//! Where the columns of a table stand in a copy of it, and in which form: for a copy at the far end of a pipeline.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Format, Invalid, Schema, parse};

/// How a copy differs from the tables that were written: names, nesting, encodings.
///
/// ```
/// use rowstorm_schema::{Encoding, FieldMap, Format};
///
/// let text = "
/// tables:
///   orders:
///     name: cdc_orders
///     inside: after
///     columns:
///       amount: { field: total, as: base64 }
/// ";
/// let map = FieldMap::parse(text, Format::Yaml, "map.yaml")?;
/// let orders = &map.tables["orders"];
/// assert_eq!(orders.path("amount"), "after.total");
/// assert_eq!(orders.path("id"), "after.id");
/// assert_eq!(orders.columns["amount"].encoding, Encoding::Base64);
/// # Ok::<(), rowstorm_schema::Invalid>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldMap {
    /// The tables that differ, by the name that the schema has for them. Others are as they were written.
    pub tables: IndexMap<String, TableMap>,
}

/// How one table's copy differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TableMap {
    /// The copy's name.
    pub name: Option<String>,
    /// The object that the fields stand in: `after`, `payload.after`.
    pub inside: Option<String>,
    /// Columns that have another name or another form.
    pub columns: IndexMap<String, ColumnMap>,
    /// Columns that the copy does not have.
    pub ignore: Vec<String>,
    /// Rows that say of themselves that they are deleted: they count as not there.
    pub deleted: Option<DeletedMap>,
}

/// Where one column stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnMap {
    /// The field's name; with points, a path into objects. As the column unless said.
    pub field: Option<String>,
    /// Its form.
    #[serde(rename = "as")]
    pub encoding: Encoding,
}

/// The form that a pipeline gave a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// The column's own type, or in an object what JSON makes of it: numbers, and text for what has no number.
    #[default]
    Same,
    /// Text: decimals with a point, instants as RFC 3339, bytes in hexadecimal (Debezium: `decimal.handling.mode: string`).
    Text,
    /// Base64: of bytes, and of decimals whose digits are a big-endian number in two's complement (Debezium and Kafka
    /// Connect: `precise`).
    Base64,
    /// An object of `scale` and `value`, the value as in `base64` (Debezium's `VariableScaleDecimal`).
    Scaled,
    /// Decimals as a float of eight bytes (Debezium: `double`): compared by what rounding to the scale leaves.
    Double,
    /// Days since 1970.
    Days,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
    /// Microseconds since 1970.
    Micros,
    /// Nanoseconds since 1970.
    Nanos,
}

/// What marks a row as deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletedMap {
    /// The field: `__deleted`, `op`; not within `inside`.
    pub field: String,
    /// Its value in a deleted row, as text: `true`, `d`.
    pub is: String,
}

impl FieldMap {
    /// Reads a document; `file` is its name in problems.
    ///
    /// # Errors
    /// [`Invalid`] with every problem, with its line and column.
    pub fn parse(text: &str, format: Format, file: &str) -> Result<FieldMap, Invalid> {
        parse::plain(text, format, file, "a field map starts with `tables:`")
    }

    /// What names a table or column that the schema does not have, or leaves out a key: the first of it, in words.
    pub fn problem(&self, schema: &Schema) -> Option<String> {
        for (name, map) in &self.tables {
            let Some(table) = schema.tables.get(name) else {
                return Some(format!("tables.{name}: the schema has no such table"));
            };
            let levels = table.series.iter().flat_map(|series| series.levels.keys());
            let has = |column: &String| {
                table.columns.contains_key(column) || levels.clone().any(|level| level == column)
            };
            let named = map.columns.keys().chain(&map.ignore);
            if let Some(column) = named.clone().find(|column| !has(column)) {
                return Some(format!("tables.{name}: the schema has no column `{column}`"));
            }
            if let Some(column) = map.ignore.iter().find(|column| table.key.contains(column)) {
                return Some(format!("tables.{name}.ignore: `{column}` is of the key"));
            }
        }
        None
    }
}

impl TableMap {
    /// The path of a column's field.
    pub fn path(&self, column: &str) -> String {
        let field = self.columns.get(column).and_then(|map| map.field.as_deref());
        let field = field.unwrap_or(column);
        self.inside.as_ref().map_or_else(|| field.to_owned(), |inside| format!("{inside}.{field}"))
    }

    /// The form of a column.
    pub fn encoding(&self, column: &str) -> Encoding {
        self.columns.get(column).map_or(Encoding::Same, |map| map.encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_held_against_the_schema() {
        let text = "version: 1\ntables: { t: { key: [id], columns: { id: { type: bigint, gen: sequence }, n: { type: int, gen: sequence } } } }";
        let schema = Schema::parse(text, Format::Yaml, "t.yaml").unwrap();
        for (map, problem) in [
            ("tables: { t: { columns: { n: { field: m } }, ignore: [n] } }", None),
            ("tables: { u: {} }", Some("tables.u: the schema has no such table")),
            ("tables: { t: { ignore: [m] } }", Some("tables.t: the schema has no column `m`")),
            ("tables: { t: { ignore: [id] } }", Some("tables.t.ignore: `id` is of the key")),
        ] {
            let map = FieldMap::parse(map, Format::Yaml, "map.yaml").unwrap();
            assert_eq!(map.problem(&schema).as_deref(), problem);
        }
        let wrong = FieldMap::parse("tables: { t: { nmae: x } }", Format::Yaml, "m").unwrap_err();
        assert_eq!((wrong.0[0].line, wrong.0[0].place.as_str()), (1, "tables.t.nmae"));
    }
}
