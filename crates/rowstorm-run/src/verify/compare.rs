//! One form of each value that both sides are brought to: equal bytes, equal values.

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{Value, text};
use serde_json::{Number, Value as Json};

use super::keeps::{Keeps, Rest};

/// How the values of one column are compared.
#[derive(Debug, Clone)]
pub(super) struct Compare {
    pub(super) data_type: DataType,
    /// Not compared at all.
    pub(super) ignored: bool,
    /// Numbers keep four bytes.
    pub(super) real: bool,
    /// What the store keeps of this column.
    pub(super) keeps: Keeps,
    /// Blanks at the end are the store's.
    pub(super) padded: bool,
}

const NULL: u8 = 0;
const PLAIN: u8 = 1;
/// Every integer up to here is a float, too, so that 1, 1.0 and 1e0 are one.
const FLOATS_EXACT: u64 = 1 << 53;
/// Of another type than the column: it equals no value of the column's own.
const FOREIGN: u8 = 2;

impl Compare {
    /// Appends a value's form: two values are the same where their forms are.
    pub(super) fn put(&self, value: &Value, out: &mut Vec<u8>) {
        if self.ignored {
            return;
        }
        if matches!(value, Value::Null) {
            return out.push(NULL);
        }
        match self.data_type {
            DataType::Json | DataType::Object | DataType::Array => {
                let document = self.nested(value);
                if document.is_null() && !self.keeps.null_document {
                    return out.push(NULL);
                }
                out.push(PLAIN);
                self.document(&document, out);
            }
            DataType::Bool
            | DataType::Int(_)
            | DataType::Float { .. }
            | DataType::Decimal { .. }
            | DataType::Text { .. }
            | DataType::Bytes
            | DataType::Timestamp
            | DataType::Uuid => self.scalar(value, out),
        }
    }

    /// Whether two values are the same.
    pub(super) fn same(&self, one: &Value, other: &Value) -> bool {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        self.put(one, &mut a);
        self.put(other, &mut b);
        a == b
    }

    /// A value as it is shown beside another: what nests as JSON, on both sides.
    pub(super) fn printable(&self, value: &Value) -> Value {
        match value {
            Value::Object(_) | Value::Array(_) => Value::Json(self.nested(value).to_string()),
            other => other.clone(),
        }
    }

    /// What is loose about this column, in words.
    pub(super) fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        let is_nested = matches!(self.data_type, DataType::Object | DataType::Array);
        if self.ignored {
            return vec!["not compared".to_owned()];
        }
        if self.data_type == DataType::Timestamp && self.keeps.instant_us > 1 {
            said.push(format!("compared to {}", span(self.keeps.instant_us)));
        }
        let is_float = matches!(self.data_type, DataType::Float { .. });
        if self.real && (is_nested || self.data_type == (DataType::Float { double: true })) {
            said.push("numbers compared to four bytes".to_owned());
        }
        if is_float && !self.keeps.signed_zero {
            said.push("-0 is 0".to_owned());
        }
        if self.padded {
            said.push("compared without blanks at the end".to_owned());
        }
        if is_nested || self.data_type == DataType::Json {
            said.push("compared as JSON".to_owned());
        }
        said
    }

    fn scalar(&self, value: &Value, out: &mut Vec<u8>) {
        match (self.data_type, value) {
            (DataType::Bool, Value::Bool(value)) => out.extend([PLAIN, u8::from(*value)]),
            (DataType::Bool, Value::Int(value @ (0 | 1))) => out.extend([PLAIN, *value as u8]),
            (DataType::Int(_), Value::Int(value)) => plain(&value.to_le_bytes(), out),
            (DataType::Float { .. }, Value::Float(value)) => {
                plain(&self.float(*value).to_bits().to_le_bytes(), out);
            }
            (DataType::Float { .. }, Value::Int(value)) => {
                plain(&self.float(*value as f64).to_bits().to_le_bytes(), out);
            }
            (DataType::Decimal { .. }, Value::Decimal { unscaled, scale }) => {
                decimal(*unscaled, *scale, out);
            }
            (DataType::Decimal { .. }, Value::Int(value)) => decimal(i128::from(*value), 0, out),
            (DataType::Text { .. }, Value::Text(value)) => {
                let value = if self.padded { value.trim_end_matches(' ') } else { value };
                string(value.as_bytes(), out);
            }
            (DataType::Bytes, Value::Bytes(value)) => string(value, out),
            (DataType::Timestamp, Value::Timestamp(micros)) => {
                plain(&self.instant(*micros).to_le_bytes(), out);
            }
            (DataType::Uuid, Value::Uuid(bytes)) => plain(bytes, out),
            (DataType::Uuid, Value::Text(value)) if uuid(value).is_some() => {
                plain(&uuid(value).expect("it was read a line above"), out);
            }
            (_, other) => {
                out.push(FOREIGN);
                let text = other.to_string();
                out.extend((text.len() as u32).to_le_bytes());
                out.extend(text.bytes());
            }
        }
    }

    fn float(&self, value: f64) -> f64 {
        let value = if self.real { f64::from(value as f32) } else { value };
        if value.is_nan() {
            return f64::NAN;
        }
        if value == 0.0 && !self.keeps.signed_zero { 0.0 } else { value }
    }

    fn instant(&self, micros: i64) -> i64 {
        let step = self.keeps.instant_us;
        let half = if self.keeps.rest == Rest::Rounded && step > 1_000 { step / 2 } else { 0 };
        micros.saturating_add(half).div_euclid(step).saturating_mul(step)
    }

    /// A value as a document.
    fn nested(&self, value: &Value) -> Json {
        match value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Value::Decimal { unscaled, scale } => parsed(text::decimal(*unscaled, *scale).as_str()),
            Value::Text(value) => Json::from(value.as_str()),
            Value::Bytes(_) | Value::Uuid(_) => Json::from(value.to_string()),
            Value::Timestamp(micros) => {
                let step = self.keeps.nested_instant_us;
                Json::from(text::timestamp(micros.div_euclid(step) * step).as_str())
            }
            Value::Json(document) => parsed(document),
            Value::Object(fields) => {
                fields.iter().map(|(name, field)| (name.to_string(), self.nested(field))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.nested(item)).collect(),
        }
    }

    /// A document's form: fields by name, numbers by their value, however they are written.
    fn document(&self, document: &Json, out: &mut Vec<u8>) {
        match document {
            Json::Null => out.push(b'n'),
            Json::Bool(value) => out.push(if *value { b't' } else { b'f' }),
            Json::Number(number) => self.number(number, out),
            Json::String(value) => {
                out.push(b's');
                string(value.as_bytes(), out);
            }
            Json::Array(items) => {
                out.push(b'a');
                out.extend((items.len() as u32).to_le_bytes());
                for item in items {
                    self.document(item, out);
                }
            }
            Json::Object(fields) => {
                out.push(b'o');
                out.extend((fields.len() as u32).to_le_bytes());
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                for (name, field) in fields {
                    string(name.as_bytes(), out);
                    self.document(field, out);
                }
            }
        }
    }

    fn number(&self, number: &Number, out: &mut Vec<u8>) {
        let float = self.float(number.as_f64().unwrap_or(f64::NAN));
        match number.as_i64() {
            Some(whole) if whole.unsigned_abs() > FLOATS_EXACT => {
                out.push(b'i');
                out.extend(whole.to_le_bytes());
            }
            Some(_) | None => {
                out.push(b'd');
                out.extend((float + 0.0).to_bits().to_le_bytes());
            }
        }
    }
}

fn plain(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(PLAIN);
    out.extend(bytes);
}

fn string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(PLAIN);
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

/// Zeros at the end are no digits.
fn decimal(mut unscaled: i128, mut scale: u8, out: &mut Vec<u8>) {
    while scale > 0 && unscaled % 10 == 0 {
        (unscaled, scale) = (unscaled / 10, scale - 1);
    }
    out.extend([PLAIN, scale]);
    out.extend(unscaled.to_le_bytes());
}

/// A document; text that is none is a string.
fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let number = (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok())??;
    Some(number.to_be_bytes())
}

fn span(micros: i64) -> String {
    match micros {
        1_000 => "the millisecond".to_owned(),
        1_000_000 => "the second".to_owned(),
        micros => format!("{micros} µs"),
    }
}

#[cfg(test)]
mod tests {
    use rowstorm_gen::schema::IntWidth;

    use super::*;

    fn compare(database: &str, data_type: DataType) -> Compare {
        let text =
            "version: 1\ntables: { t: { columns: { c: { type: int, gen: { constant: 1 } } } } }";
        let schema =
            rowstorm_gen::schema::Schema::parse(text, rowstorm_gen::schema::Format::Yaml, "t")
                .unwrap();
        let plan = rowstorm_gen::Plan::new(&schema, rowstorm_gen::PlanOptions::default()).unwrap();
        let mut column = plan.tables()[0].columns[0].clone();
        column.data_type = data_type;
        Keeps::of(database, "").column(&column, None)
    }

    #[test]
    fn what_a_store_cannot_keep_is_not_asked_of_it() {
        let float = DataType::Float { double: true };
        let real = DataType::Float { double: false };
        let instant = |micros| Value::Timestamp(micros);
        for (database, data_type, one, other, same) in [
            ("PostgreSQL", DataType::Timestamp, instant(1_999), instant(1_000), false),
            ("MongoDB", DataType::Timestamp, instant(1_999), instant(1_000), true),
            ("MongoDB", DataType::Timestamp, instant(-1), instant(-1_000), true),
            ("MongoDB", DataType::Timestamp, instant(2_000), instant(1_000), false),
            ("PostgreSQL", float, Value::Float(-0.0), Value::Float(0.0), false),
            ("MariaDB", float, Value::Float(-0.0), Value::Float(0.0), true),
            ("PostgreSQL", float, Value::Float(0.1), Value::Float(f64::from(0.1_f32)), false),
            ("PostgreSQL", real, Value::Float(0.1), Value::Float(f64::from(0.1_f32)), true),
            ("SQLite", DataType::Bool, Value::Bool(true), Value::Int(1), true),
            ("SQLite", DataType::Bool, Value::Bool(true), Value::Int(2), false),
            ("SQLite", DataType::Int(IntWidth::Int), Value::Int(1), Value::Text("1".into()), false),
            (
                "MySQL",
                DataType::Uuid,
                Value::Uuid([0x11; 16]),
                Value::Text("11111111-1111-1111-1111-111111111111".into()),
                true,
            ),
            (
                "MySQL",
                DataType::Text { max: None },
                Value::Text("a".into()),
                Value::Text("a ".into()),
                false,
            ),
        ] {
            assert_eq!(
                compare(database, data_type).same(&one, &other),
                same,
                "{database}: {one} and {other}"
            );
        }
    }

    #[test]
    fn decimals_are_compared_by_their_value() {
        let compare = compare("PostgreSQL", DataType::Decimal { precision: 10, scale: 2 });
        let of = |unscaled, scale| Value::Decimal { unscaled, scale };
        assert!(compare.same(&of(1050, 2), &of(105, 1)));
        assert!(compare.same(&of(500, 2), &Value::Int(5)));
        assert!(!compare.same(&of(1050, 2), &of(1051, 2)));
        assert!(!compare.same(&of(1050, 2), &Value::Float(10.5)));
    }

    #[test]
    fn documents_are_compared_as_documents() {
        let compare = compare("MySQL", DataType::Json);
        let json = |text: &str| Value::Json(text.to_owned());
        for (one, other, same) in [
            (r#"{"a": 1, "b": [1.0, 2e0]}"#, r#"{"b":[1,2],"a":1}"#, true),
            (r#"{"a": 1}"#, r#"{"a": 1, "b": null}"#, false),
            ("[1, 2]", "[2, 1]", false),
            ("9007199254740993", "9007199254740992", false),
            ("0.1", "0.10", true),
            ("null", "0", false),
        ] {
            assert_eq!(compare.same(&json(one), &json(other)), same, "{one} and {other}");
        }
        let object = Value::Object(vec![
            ("at".into(), Value::Timestamp(1_500)),
            ("n".into(), Value::Decimal { unscaled: 125, scale: 1 }),
        ]);
        assert!(compare.same(&object, &json(r#"{"n":12.50,"at":"1970-01-01T00:00:00.001500Z"}"#)));
        assert!(!compare.same(&json("null"), &Value::Null));
        assert!(super::tests::compare("MongoDB", DataType::Json).same(&json("null"), &Value::Null));
    }

    #[test]
    fn neighbours_do_not_run_into_each_other() {
        let compare = compare("PostgreSQL", DataType::Text { max: None });
        let form = |values: [&str; 2]| {
            let mut out = Vec::new();
            for value in values {
                compare.put(&Value::Text(value.to_owned()), &mut out);
            }
            out
        };
        assert_ne!(form(["a", "bc"]), form(["ab", "c"]));
    }
}
