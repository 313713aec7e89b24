//! Reads collections by the driver's own means: typed documents, turned into text.

use std::sync::atomic::{AtomicU32, Ordering};

use mongodb::bson::{Binary, Bson, Document, doc, spec::BinarySubtype};
use mongodb::{Client, Database};
use rowstorm_gen::schema::DataType;
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::ConnectOptions;
use rowstorm_sink::conformance::Row;

pub(crate) const VARIABLE: &str = "ROWSTORM_TEST_MONGODB";

/// A name of its own for each sink: a case that kills its connections leaves other cases' alone.
pub(crate) fn named(url: &str) -> ConnectOptions {
    static SINKS: AtomicU32 = AtomicU32::new(0);
    let run = format!("{}-{}", std::process::id(), SINKS.fetch_add(1, Ordering::Relaxed));
    ConnectOptions { url: url.into(), run: Some(run), ..Default::default() }
}

async fn database(name: &str) -> Database {
    let url = std::env::var(VARIABLE).expect("cases run only where the server is named");
    Client::with_uri_str(url).await.expect("the URL is one of MongoDB").database(name)
}

pub(crate) async fn rows(database_name: &str, table: &TablePlan) -> Vec<Row> {
    let database = database(database_name).await;
    let collection = database.collection::<Document>(&table.name);
    let mut found = collection.find(doc! {}).await.expect("the rows can be read");
    let mut documents = Vec::new();
    while found.advance().await.expect("the next row can be read") {
        documents.push(found.deserialize_current().expect("a document"));
    }
    drop(found);
    close(&database).await;
    let first = &*table.columns[0].name;
    // Sorted here: a field's name with a point in it is no sort key there.
    documents.sort_by_key(|document| match document.get(first) {
        Some(Bson::Int32(key)) => i64::from(*key),
        Some(Bson::Int64(key)) => *key,
        other => panic!("the first column is an integer, not {other:?}"),
    });
    let row = |document: &Document| {
        assert!(document.keys().next().is_some_and(|name| name == "_id"), "_id comes first");
        let cell = |column: &ColumnPlan| {
            let value = document.get(&*column.name)?;
            Some(if column.data_type == DataType::Json { json(value) } else { text(value) })
        };
        table.columns.iter().map(cell).collect()
    };
    documents.iter().map(row).collect()
}

pub(crate) async fn indexes(database_name: &str, table: &TablePlan) -> Vec<Vec<String>> {
    let database = database(database_name).await;
    let answer = database.run_command(doc! { "listIndexes": &*table.name }).await;
    let answer = answer.expect("the collection has indexes");
    close(&database).await;
    let batch = answer.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
    let keys = batch.expect("a batch").iter().map(|index| {
        let key = index.as_document().and_then(|index| index.get_document("key").ok());
        key.expect("an index has a key").keys().cloned().collect::<Vec<_>>()
    });
    keys.filter(|key| *key != ["_id"]).collect()
}

/// The server closes the connection that brings the next write of this name, and does not run it.
pub(crate) async fn cut_connections(app_name: &str) {
    let fault = doc! {
        "configureFailPoint": "failCommand",
        "mode": { "times": 1 },
        "data": { "failCommands": ["insert", "update", "delete"], "closeConnection": true, "appName": app_name },
    };
    let database = database("admin").await;
    database.run_command(fault).await.expect("the server was started with its test commands");
    close(&database).await;
}

/// Before the case's runtime ends: a client that is only dropped leaves a task behind.
async fn close(database: &Database) {
    database.client().clone().shutdown().await;
}

/// A value as the suite reads it.
fn text(value: &Bson) -> String {
    match value {
        Bson::String(text) => text.clone(),
        Bson::Boolean(flag) => flag.to_string(),
        Bson::Int32(number) => number.to_string(),
        Bson::Int64(number) => number.to_string(),
        Bson::Double(number) => format!("{number:?}"),
        Bson::Decimal128(number) => plain(&number.to_string()),
        Bson::DateTime(at) => at.try_to_rfc3339_string().expect("a year of four digits"),
        Bson::Binary(Binary { subtype: BinarySubtype::Uuid | BinarySubtype::Generic, bytes }) => {
            bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
        }
        Bson::Null => "null".to_owned(),
        Bson::Array(items) => {
            format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(","))
        }
        Bson::Document(fields) => {
            let field =
                |(name, value): (&String, &Bson)| format!("{}:{}", quote(name), json(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => panic!("no column is stored as {other:?}"),
    }
}

/// A value inside of a document, as JSON.
fn json(value: &Bson) -> String {
    match value {
        Bson::String(text) => quote(text),
        Bson::DateTime(_) | Bson::Binary(_) => quote(&text(value)),
        other => text(other),
    }
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// Digits with a point, without an exponent.
fn plain(number: &str) -> String {
    let Some((digits, exponent)) = number.split_once(['E', 'e']) else { return number.to_owned() };
    let exponent: i32 = exponent.parse().expect("an exponent");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let point = whole.len() as i32 + exponent;
    if point <= 0 {
        return format!("{sign}0.{}{all}", "0".repeat(point.unsigned_abs() as usize));
    }
    let padded = format!("{all:0<width$}", width = point as usize);
    let (whole, fraction) = padded.split_at(point as usize);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
