//! A copy's rows as the rows that they are copies of: names, nesting and encodings undone.

use std::sync::Arc;

use rowstorm_gen::schema::{DataType, Encoding, TableMap};
use rowstorm_gen::{ColumnPlan, Storage, TablePlan, Value};
use serde_json::Value as Json;

use super::compare::Compare;
use super::decode::decode;
use super::keeps::{Keeps, Rest};

/// How one table's copy is read.
#[derive(Debug)]
pub(super) struct Reading {
    /// What the copy's database is asked for.
    pub(super) plan: Arc<TablePlan>,
    /// By the table's columns.
    fields: Vec<Field>,
    /// The field that marks deleted rows, and its value there.
    deleted: Option<(Path, String)>,
}

#[derive(Debug)]
struct Field {
    /// `None` if the copy does not have it.
    path: Option<Path>,
    encoding: Encoding,
    data_type: DataType,
}

/// A column of the copy, and steps into its document.
#[derive(Debug)]
struct Path {
    column: usize,
    steps: Vec<String>,
}

impl Reading {
    /// How a table is read by its map.
    pub(super) fn new(table: &TablePlan, map: &TableMap) -> Reading {
        let mut columns: Vec<ColumnPlan> = Vec::new();
        let mut path = |path: &str, like: &ColumnPlan, data_type: DataType| {
            let mut steps = path.split('.').map(ToOwned::to_owned);
            let name = steps.next().unwrap_or_default();
            let steps: Vec<String> = steps.collect();
            let data_type = if steps.is_empty() { data_type } else { DataType::Json };
            let column = columns.iter().position(|column| *column.name == *name);
            let column = column.unwrap_or_else(|| {
                let mut column = like.clone();
                (column.name, column.data_type) = (name.into(), data_type);
                (column.storage, column.ddl, column.nulls) = (Storage::Plain, Vec::new(), 1.0);
                columns.push(column);
                columns.len() - 1
            });
            Path { column, steps }
        };
        let fields = table
            .columns
            .iter()
            .map(|column| {
                let encoding = map.encoding(&column.name);
                let is_ignored = map.ignore.iter().any(|name| **name == *column.name);
                let stored = stored(encoding, column.data_type);
                let path = (!is_ignored).then(|| path(&map.path(&column.name), column, stored));
                Field { path, encoding, data_type: column.data_type }
            })
            .collect();
        let text = DataType::Text { max: None };
        let deleted = map.deleted.as_ref().zip(table.columns.first());
        let deleted =
            deleted.map(|(deleted, like)| (path(&deleted.field, like, text), deleted.is.clone()));
        let plan = TablePlan {
            name: map.name.as_deref().map_or_else(|| Arc::clone(&table.name), Into::into),
            columns,
            // The copy's own key may be anything.
            key: Vec::new(),
            rows: None,
            series: 0,
            spec: table.spec.clone(),
            fingerprint: table.fingerprint,
        };
        Reading { plan: Arc::new(plan), fields, deleted }
    }

    /// The row that a row of the copy stands for; `None` if it says that it is deleted.
    pub(super) fn row(&self, copy: &[Value]) -> Option<Vec<Value>> {
        let documents: Vec<Option<Json>> = copy.iter().map(document).collect();
        if let Some((path, is)) = &self.deleted {
            let found = path.find(copy, &documents).map_or(Value::Null, Found::value);
            if found.to_string() == *is {
                return None;
            }
        }
        let row = self.fields.iter().map(|field| {
            let found = field.path.as_ref().and_then(|path| path.find(copy, &documents));
            match found {
                None => Value::Null,
                Some(found) => decode(found, field.encoding, field.data_type),
            }
        });
        Some(row.collect())
    }

    /// What an encoding leaves of a column: a step of time, digits of a float.
    pub(super) fn compare(&self, place: usize, compare: &mut Compare) {
        let field = &self.fields[place];
        compare.ignored |= field.path.is_none();
        let step = match field.encoding {
            Encoding::Same => return,
            Encoding::Days => 86_400_000_000,
            Encoding::Seconds => 1_000_000,
            Encoding::Millis => 1_000,
            Encoding::Micros
            | Encoding::Nanos
            | Encoding::Text
            | Encoding::Base64
            | Encoding::Scaled
            | Encoding::Double => 1,
        };
        compare.keeps = Keeps { instant_us: step, rest: Rest::CutOff, ..Keeps::exact() };
        compare.padded = false;
    }
}

/// A value where it was found: a column's own, or a part of a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'a> {
    /// As the database told it.
    Own(&'a Value),
    /// As it stands in a document.
    Part(&'a Json),
}

impl Found<'_> {
    /// The value as it is, whatever the column's type.
    pub(super) fn value(self) -> Value {
        match self {
            Found::Own(value) => value.clone(),
            Found::Part(Json::Null) => Value::Null,
            Found::Part(Json::Bool(value)) => Value::Bool(*value),
            Found::Part(Json::String(text)) => Value::Text(text.clone()),
            Found::Part(Json::Number(number)) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => number.as_f64().map_or(Value::Null, Value::Float),
            },
            Found::Part(part @ (Json::Array(_) | Json::Object(_))) => Value::Json(part.to_string()),
        }
    }
}

impl Path {
    fn find<'a>(&self, copy: &'a [Value], documents: &'a [Option<Json>]) -> Option<Found<'a>> {
        if self.steps.is_empty() {
            return copy.get(self.column).map(Found::Own);
        }
        let document = documents.get(self.column)?.as_ref()?;
        let part = self.steps.iter().try_fold(document, |part, step| part.get(step.as_str()))?;
        Some(Found::Part(part))
    }
}

fn document(value: &Value) -> Option<Json> {
    match value {
        Value::Json(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// The type by which the copy's database is asked for an encoded value.
fn stored(encoding: Encoding, own: DataType) -> DataType {
    match encoding {
        Encoding::Same => own,
        Encoding::Text | Encoding::Base64 => DataType::Text { max: None },
        Encoding::Scaled => DataType::Json,
        Encoding::Double => DataType::Float { double: true },
        Encoding::Days
        | Encoding::Seconds
        | Encoding::Millis
        | Encoding::Micros
        | Encoding::Nanos => DataType::Int(rowstorm_gen::schema::IntWidth::Big),
    }
}

#[cfg(test)]
mod tests {
    use rowstorm_gen::schema::{FieldMap, Format, Schema};
    use rowstorm_gen::{Plan, PlanOptions};

    use super::*;

    fn reading(map: &str) -> Reading {
        let text = "
version: 1
tables:
  orders:
    key: [id]
    columns:
      id: { type: bigint, gen: sequence }
      amount: { type: 'decimal(10,2)', gen: { uniform: [0.00, 1.00] } }
      at: { type: timestamp, gen: now }
      note: { type: text, gen: { fake: word } }
";
        let schema = Schema::parse(text, Format::Yaml, "t.yaml").unwrap();
        let plan = Plan::new(&schema, PlanOptions { rows: Some(1), ..PlanOptions::default() });
        let map = FieldMap::parse(map, Format::Yaml, "map.yaml").unwrap();
        assert_eq!(map.problem(&schema), None);
        Reading::new(&plan.unwrap().tables()[0], &map.tables["orders"])
    }

    #[test]
    fn renamed_columns_are_asked_for_by_their_new_names() {
        let reading = reading(
            "tables: { orders: { name: copy, columns: { amount: { field: total, as: text }, at: { as: micros } }, ignore: [note] } }",
        );
        let names: Vec<&str> = reading.plan.columns.iter().map(|column| &*column.name).collect();
        assert_eq!((&*reading.plan.name, names), ("copy", vec!["id", "total", "at"]));
        let row = [Value::Int(7), Value::Text("12.50".into()), Value::Int(1_000_001)];
        assert_eq!(
            reading.row(&row).unwrap(),
            [
                Value::Int(7),
                Value::Decimal { unscaled: 1250, scale: 2 },
                Value::Timestamp(1_000_001),
                Value::Null
            ]
        );
    }

    #[test]
    fn an_envelope_is_opened_and_its_deleted_rows_are_left_out() {
        let reading = reading(
            "tables: { orders: { inside: payload.after, columns: { amount: { as: base64 }, at: { as: millis } }, deleted: { field: payload.op, is: d } } }",
        );
        assert_eq!(reading.plan.columns.len(), 1);
        let envelope = |op: &str| {
            [Value::Json(format!(
                r#"{{"op":"{op}","after":{{"id":7,"amount":"BOI=","at":1500,"note":"x"}}}}"#
            ))]
        };
        assert_eq!(
            reading.row(&envelope("u")).unwrap(),
            [
                Value::Int(7),
                Value::Decimal { unscaled: 1250, scale: 2 },
                Value::Timestamp(1_500_000),
                Value::Text("x".into())
            ]
        );
        assert_eq!(reading.row(&envelope("d")), None);
        let empty = [Value::Json("{}".into())];
        assert_eq!(reading.row(&empty).unwrap()[0], Value::Null);
    }
}
