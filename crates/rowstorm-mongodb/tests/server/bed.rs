//! One collection, written to and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Bitmap, ColumnData, Plan, PlanOptions, Strings, TablePlan, Values};
use rowstorm_mongodb::Mongodb;
use rowstorm_sink::{
    ConnectOptions, Encoder as _, IndexTime, Outcome, Payload, Prepare, PrepareMode, Sink as _,
    Writer as _,
};

use tokio::sync::{Mutex, MutexGuard};

use crate::VARIABLE;

pub(crate) const RECREATE: Prepare =
    Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::Before };
pub(crate) const APPEND: Prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };

pub(crate) fn url() -> String {
    std::env::var(VARIABLE).expect("the case needs its server")
}

/// A sink with a name of its own, so that faults can be made for it alone.
pub(crate) fn sink() -> Mongodb {
    sink_with("transactions=false")
}

/// The same with another option in its URL.
pub(crate) fn sink_with(option: &str) -> Mongodb {
    static SINKS: AtomicU32 = AtomicU32::new(0);
    let run = format!("server-{}-{}", std::process::id(), SINKS.fetch_add(1, Ordering::Relaxed));
    let url = url();
    let mark = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{mark}{option}");
    let options = ConnectOptions { url, run: Some(run), ..ConnectOptions::default() };
    Mongodb::new(&options).expect("the URL is one of MongoDB")
}

/// The sink's database, over a client of the case's own.
pub(crate) async fn database(sink: &Mongodb) -> Database {
    let client = Client::with_uri_str(url()).await.expect("the URL is one of MongoDB");
    client.database(sink.database())
}

pub(crate) async fn count(sink: &Mongodb, table: &TablePlan, filter: Document) -> u64 {
    let collection = database(sink).await.collection::<Document>(&table.name);
    collection.count_documents(filter).await.expect("a number")
}

/// Held while a fault is made and met: the server remembers one at a time.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static FAULT: Mutex<()> = Mutex::const_new(());
    FAULT.lock().await
}

/// Tells the server to fail the next insert of this sink, and of no other.
pub(crate) async fn fail_next_insert(sink: &Mongodb, how: Document) {
    fail_insert_after(sink, 0, how).await;
}

/// The same, after so many inserts.
pub(crate) async fn fail_insert_after(sink: &Mongodb, skip: i32, how: Document) {
    let mut data = doc! { "failCommands": ["insert"], "appName": sink.app_name() };
    data.extend(how);
    let fault = doc! { "configureFailPoint": "failCommand", "mode": { "skip": skip, "times": 1 }, "data": data };
    let admin = database(sink).await.client().database("admin");
    admin.run_command(fault).await.expect("the server was started with its test commands");
}

/// A table with the bigint key `id`, and further columns as the document has them.
pub(crate) fn table(name: &str, columns: &str) -> Arc<TablePlan> {
    document(&format!(
        "version: 1\ntables:\n  {name}:\n    key: [id]\n    columns:\n      id: {{ type: bigint, gen: sequence }}\n{columns}"
    ))
}

/// The first table of a document.
pub(crate) fn document(text: &str) -> Arc<TablePlan> {
    seeded(text, PlanOptions::default().seed)
}

pub(crate) fn seeded(text: &str, seed: u64) -> Arc<TablePlan> {
    let schema = Schema::parse(text, Format::Yaml, "case.yaml").expect("the case's schema");
    let options = PlanOptions { seed, ..PlanOptions::default() };
    let plan = Plan::new(&schema, options).expect("the case's schema compiles");
    plan.tables()[0].clone()
}

pub(crate) const LABEL: &str =
    "      label: { type: text, gen: { text: { bytes: 4 } }, nulls: 0.5 }\n";

pub(crate) fn payload(sink: &Mongodb, table: &TablePlan, columns: Vec<ColumnData>) -> Payload {
    let rows = 0..columns[0].values.len() as u64;
    let batch = Batch { rows: rows.clone(), series: Vec::new(), columns };
    encode(sink, table, &batch)
}

pub(crate) fn encode(sink: &Mongodb, table: &TablePlan, batch: &Batch) -> Payload {
    let mut payload = Payload { rows: batch.rows.clone(), ..Payload::default() };
    let mut encoder = sink.encoder(table);
    encoder.begin(&mut payload);
    encoder.encode(batch, &mut payload);
    encoder.end(&mut payload);
    payload
}

/// Rows as the generator makes them.
pub(crate) fn generated(sink: &Mongodb, table: &TablePlan, rows: std::ops::Range<u64>) -> Payload {
    let mut batch = Batch::default();
    table.fill(rows, &mut batch);
    encode(sink, table, &batch)
}

pub(crate) fn ints(values: impl IntoIterator<Item = i64>) -> ColumnData {
    ColumnData { values: Values::Int(values.into_iter().collect()), valid: None }
}

/// Texts; "" is null.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ColumnData {
    let (mut strings, mut valid) = (Strings::default(), Bitmap::default());
    for value in values {
        strings.push(value.as_bytes());
        valid.push(!value.is_empty());
    }
    ColumnData { values: Values::Text(strings), valid: Some(valid) }
}

pub(crate) async fn write(sink: &Mongodb, table: &Arc<TablePlan>, payload: &Payload) -> Outcome {
    let mut writer = sink.writer(table).await.expect("a writer opens");
    let outcome = writer.write(payload).await.expect("the write is answered");
    assert_eq!(outcome.rows(), payload.len(), "{outcome:?}");
    outcome
}

/// Accepted, confirmed, and counts by class, in the order of the classes.
pub(crate) fn told(outcome: &Outcome) -> (u64, u64, Vec<(&str, u64)>) {
    let refusals = outcome.rejected.refusals.iter();
    let mut refusals: Vec<_> = refusals.map(|refusal| (&*refusal.class, refusal.count)).collect();
    refusals.sort_unstable();
    (outcome.accepted, outcome.confirmed, refusals)
}
