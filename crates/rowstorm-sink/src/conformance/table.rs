//! Tables by a few words, and columns with exactly these values.

use std::sync::Arc;

use rowstorm_gen::schema::{Index, Schema};
use rowstorm_gen::{Batch, Bitmap, ColumnData, Plan, PlanOptions, Strings, TablePlan, Values};

/// A table with the bigint `id` in front, its key unless it is said otherwise.
pub(super) struct Draft {
    name: String,
    columns: Vec<String>,
    indexes: Vec<Index>,
    key: Vec<String>,
}

impl Draft {
    pub(super) fn new(name: &str) -> Draft {
        Draft {
            name: name.to_owned(),
            columns: Vec::new(),
            indexes: Vec::new(),
            key: vec![json("id")],
        }
    }

    /// A column without nulls.
    pub(super) fn column(mut self, name: &str, data_type: &str) -> Draft {
        self.columns.push(column(name, data_type, 0.0));
        self
    }

    /// A text column without nulls, whose generator makes values of so many bytes.
    pub(super) fn text(self, name: &str, bytes: u32) -> Draft {
        self.sized(name, "text", bytes)
    }

    /// A column of text or bytes without nulls, whose generator makes values of so many bytes.
    pub(super) fn sized(mut self, name: &str, data_type: &str, bytes: u32) -> Draft {
        let name = json(name);
        self.columns.push(format!(
            r#"{name}:{{"type":"{data_type}","gen":{{"text":{{"bytes":{bytes}}}}}}}"#
        ));
        self
    }

    /// A column with nulls.
    pub(super) fn nullable(mut self, name: &str, data_type: &str) -> Draft {
        self.columns.push(column(name, data_type, 0.5));
        self
    }

    pub(super) fn index(mut self, on: &[&str]) -> Draft {
        let on = on.iter().map(|name| (*name).to_owned()).collect();
        self.indexes.push(Index { on, unique: false });
        self
    }

    pub(super) fn without_key(self) -> Draft {
        self.keyed_by(&[])
    }

    pub(super) fn keyed_by(mut self, key: &[&str]) -> Draft {
        self.key = key.iter().map(|name| json(name)).collect();
        self
    }

    pub(super) fn plan(self) -> Arc<TablePlan> {
        let key = if self.key.is_empty() {
            String::new()
        } else {
            format!(r#""key":[{}],"#, self.key.join(","))
        };
        let id = r#""id":{"type":"bigint","gen":"sequence"}"#.to_owned();
        let columns: Vec<String> = std::iter::once(id).chain(self.columns).collect();
        let columns = columns.join(",");
        let document = format!(
            r#"{{"version":1,"tables":{{{}:{{{key}"columns":{{{columns}}}}}}}}}"#,
            json(&self.name),
        );
        plan_with(&document, |schema| {
            schema.tables[0].indexes = self.indexes;
        })
    }
}

/// The first table of a document in JSON.
pub(super) fn plan(document: &str) -> Arc<TablePlan> {
    plan_with(document, |_| {})
}

fn plan_with(document: &str, change: impl FnOnce(&mut Schema)) -> Arc<TablePlan> {
    let mut schema = serde_json::from_str(document).expect("the suite's documents are valid");
    change(&mut schema);
    let plan = Plan::new(&schema, PlanOptions::default()).expect("the suite's documents compile");
    plan.tables()[0].clone()
}

/// A generator that suits the type and is stored plainly; the suite's values come by hand.
fn column(name: &str, data_type: &str, nulls: f64) -> String {
    let generator = match data_type.split('(').next().unwrap_or_default() {
        "bool" => r#"{"one_of":[true,false]}"#,
        "smallint" | "int" | "bigint" => r#"{"uniform":[0,9]}"#,
        "real" | "float" => r#"{"uniform":[0.0,1.0]}"#,
        "decimal" => r#"{"uniform":[0,1]}"#,
        "text" | "varchar" | "bytes" => r#"{"text":{"bytes":1}}"#,
        "timestamp" => r#"{"clock":{"step":"1s"}}"#,
        "uuid" => r#""uuid_v4""#,
        "json" => r#"{"constant":"{}"}"#,
        other => panic!("columns of type {other} are drawn, not given"),
    };
    format!(r#"{}:{{"type":"{data_type}","gen":{generator},"nulls":{nulls}}}"#, json(name))
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// Columns side by side as a batch whose first row has this number.
pub(super) fn batch(first: u64, columns: Vec<ColumnData>) -> Batch {
    let rows = columns[0].values.len() as u64;
    Batch { rows: first..first + rows, series: Vec::new(), columns }
}

/// Ids, and as many texts made of them.
pub(super) fn ids_and_texts(first: u64, ids: impl IntoIterator<Item = i64>) -> Batch {
    let ids: Vec<i64> = ids.into_iter().collect();
    let texts: Vec<String> = ids.iter().map(|id| format!("value {id}")).collect();
    batch(first, vec![ints(ids), texts_of(texts.iter().map(String::as_str))])
}

pub(super) fn ints(values: impl IntoIterator<Item = i64>) -> ColumnData {
    ColumnData { values: Values::Int(values.into_iter().collect()), valid: None }
}

pub(super) fn texts_of<'a>(values: impl IntoIterator<Item = &'a str>) -> ColumnData {
    let strings = strings(values.into_iter().map(str::as_bytes));
    ColumnData { values: Values::Text(strings), valid: None }
}

pub(super) fn strings<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Strings {
    let mut strings = Strings::default();
    for value in values {
        strings.push(value);
    }
    strings
}

/// Nulls where the bits are false.
pub(super) fn with_nulls(data: ColumnData, valid: impl IntoIterator<Item = bool>) -> ColumnData {
    let mut bits = Bitmap::default();
    for bit in valid {
        bits.push(bit);
    }
    ColumnData { valid: Some(bits), ..data }
}

/// A key and a text, the table of most cases.
pub(super) fn pairs(name: &str) -> Arc<TablePlan> {
    Draft::new(name).column("label", "text").plan()
}
