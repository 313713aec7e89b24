//! One collection, written to and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions, TablePlan};
use rowstorm_mongodb::Mongodb;
use rowstorm_sink::testing::refusals;
pub(crate) use rowstorm_sink::testing::{
    APPEND, LABEL, RECREATE, document, generated, ints, payload, table, texts, write,
};
use rowstorm_sink::{ConnectOptions, Outcome};
use tokio::sync::{Mutex, MutexGuard};

use crate::VARIABLE;

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

pub(crate) fn seeded(text: &str, seed: u64) -> Arc<TablePlan> {
    let schema = Schema::parse(text, Format::Yaml, "case.yaml").expect("the case's schema");
    let options = PlanOptions { seed, ..PlanOptions::default() };
    let plan = Plan::new(&schema, options).expect("the case's schema compiles");
    plan.tables()[0].clone()
}

/// Accepted, confirmed, and counts by class, in the order of the classes.
pub(crate) fn told(outcome: &Outcome) -> (u64, u64, Vec<(&str, u64)>) {
    (outcome.accepted, outcome.confirmed, refusals(outcome))
}
