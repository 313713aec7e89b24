//! Documents read back: as the server sends them, each field as its column's type says.

use std::sync::Arc;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf, doc};
use mongodb::{Cursor, Database};
use rowstorm_gen::schema::DataType;
use rowstorm_gen::{TablePlan, Value, text};
use rowstorm_sink::{BoxScan, Rows, Scan, SinkError, text as told};

use crate::connect::{Server, failed};
use crate::dialect;
use crate::value::decimal_parts;

/// Documents that are asked for, and handed out, at once.
const PAGE_ROWS: u32 = 1000;

struct MongodbScan {
    server: Server,
    table: Arc<TablePlan>,
    cursor: Option<Cursor<RawDocumentBuf>>,
}

/// Begins to read a collection.
pub(crate) async fn open(server: &Server, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
    let collection = dialect::collection(table);
    let find = |db: Database| async move {
        db.collection::<RawDocumentBuf>(&collection).find(doc! {}).batch_size(PAGE_ROWS).await
    };
    let cursor = server.run(find).await?.map_err(failed)?;
    let (server, table) = (server.clone(), Arc::clone(table));
    Ok(Box::new(MongodbScan { server, table, cursor: Some(cursor) }))
}

impl Scan for MongodbScan {
    fn next(&mut self) -> Rows<'_> {
        Box::pin(async {
            let Some(mut cursor) = self.cursor.take() else { return Ok(Vec::new()) };
            let table = Arc::clone(&self.table);
            let page = |_: Database| async move {
                let mut rows = Vec::new();
                while rows.len() < PAGE_ROWS as usize {
                    if !cursor.advance().await? {
                        return Ok((rows, None));
                    }
                    rows.push(row(&table, cursor.current()));
                }
                Ok((rows, Some(cursor)))
            };
            let (rows, cursor) = self.server.run(page).await?.map_err(failed)?;
            self.cursor = cursor;
            Ok(rows)
        })
    }
}

fn row(table: &TablePlan, document: &RawDocument) -> Vec<Value> {
    let cell = |column: &rowstorm_gen::ColumnPlan| match document.get(&*column.name) {
        Ok(Some(value)) => read(value, column.data_type),
        Ok(None) | Err(_) => Value::Null,
    };
    table.columns.iter().map(cell).collect()
}

/// A field as its column's type says; what cannot be read so, as what it is.
fn read(value: RawBsonRef<'_>, data_type: DataType) -> Value {
    if matches!(data_type, DataType::Json | DataType::Object | DataType::Array) {
        let mut out = String::new();
        json(value, &mut out);
        return Value::Json(out);
    }
    match (value, data_type) {
        (RawBsonRef::Null, _) => Value::Null,
        (RawBsonRef::Boolean(value), _) => Value::Bool(value),
        (RawBsonRef::Int64(micros), DataType::Timestamp) => Value::Timestamp(micros),
        (RawBsonRef::Int64(value), _) => Value::Int(value),
        (RawBsonRef::Int32(value), _) => Value::Int(value.into()),
        (RawBsonRef::Double(value), _) => Value::Float(value),
        (RawBsonRef::DateTime(at), _) => {
            Value::Timestamp(at.timestamp_millis().saturating_mul(1000))
        }
        (RawBsonRef::Decimal128(value), DataType::Decimal { scale, .. }) => {
            decimal(value.bytes(), scale).unwrap_or_else(|| Value::Text(value.to_string()))
        }
        (RawBsonRef::Binary(value), data_type) => {
            match (data_type, <[u8; 16]>::try_from(value.bytes)) {
                (DataType::Uuid, Ok(uuid)) if value.subtype == BinarySubtype::Uuid => {
                    Value::Uuid(uuid)
                }
                _ => Value::Bytes(value.bytes.to_vec()),
            }
        }
        (RawBsonRef::String(value), data_type) => told::value(value.to_owned(), data_type),
        (other, _) => {
            let mut out = String::new();
            json(other, &mut out);
            Value::Text(out)
        }
    }
}

/// `None` for what is no number, and for more digits than we count.
fn decimal(bytes: [u8; 16], scale: u8) -> Option<Value> {
    let (unscaled, exponent) = decimal_parts(bytes)?;
    told::scaled(unscaled, exponent, scale)
}

/// Appends a value as JSON, as the documents of other databases hold it.
fn json(value: RawBsonRef<'_>, out: &mut String) {
    use std::fmt::Write as _;
    let quoted = |text: &str, out: &mut String| {
        out.push_str(&serde_json::to_string(text).expect("a string is JSON"));
    };
    match value {
        RawBsonRef::Null => out.push_str("null"),
        RawBsonRef::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
        RawBsonRef::Int32(value) => _ = write!(out, "{value}"),
        RawBsonRef::Int64(value) => _ = write!(out, "{value}"),
        RawBsonRef::Double(value) => {
            out.push_str(&serde_json::to_string(&value).expect("a float is JSON"));
        }
        RawBsonRef::Decimal128(value) => match decimal(value.bytes(), 0) {
            Some(Value::Decimal { unscaled, scale }) => {
                out.push_str(text::decimal(unscaled, scale).as_str());
            }
            _ => quoted(&value.to_string(), out),
        },
        RawBsonRef::String(value) => quoted(value, out),
        RawBsonRef::DateTime(at) => {
            let micros = at.timestamp_millis().saturating_mul(1000);
            quoted(text::timestamp(micros).as_str(), out);
        }
        RawBsonRef::Binary(value) => match <[u8; 16]>::try_from(value.bytes) {
            Ok(uuid) if value.subtype == BinarySubtype::Uuid => {
                quoted(text::uuid(&uuid).as_str(), out);
            }
            _ => quoted(&Value::Bytes(value.bytes.to_vec()).to_string(), out),
        },
        RawBsonRef::Document(fields) => object(fields, out),
        RawBsonRef::Array(items) => array(items, out),
        other => quoted(&format!("{other:?}"), out),
    }
}

fn object(fields: &RawDocument, out: &mut String) {
    out.push('{');
    for (at, (name, value)) in fields.iter().flatten().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::to_string(name.as_str()).expect("a string is JSON"));
        out.push(':');
        json(value, out);
    }
    out.push('}');
}

fn array(items: &RawArray, out: &mut String) {
    out.push('[');
    for (at, value) in items.into_iter().flatten().enumerate() {
        if at > 0 {
            out.push(',');
        }
        json(value, out);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_with_the_columns_scale() {
        for (printed, scale, unscaled, read_scale) in [
            ("123.45", 2, 12_345, 2),
            ("-0.05", 2, -5, 2),
            ("7", 2, 700, 2),
            ("1.2000", 2, 120, 2),
            ("1.2345", 2, 12_345, 4),
            ("1E+3", 1, 10_000, 1),
        ] {
            let number: mongodb::bson::Decimal128 = printed.parse().unwrap();
            let wanted = Value::Decimal { unscaled, scale: read_scale };
            assert_eq!(decimal(number.bytes(), scale), Some(wanted), "{printed}");
        }
        let endless: mongodb::bson::Decimal128 = "Infinity".parse().unwrap();
        assert_eq!(decimal(endless.bytes(), 2), None);
    }
}
