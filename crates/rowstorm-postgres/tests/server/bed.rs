//! One table, written to and counted.

use std::sync::Arc;

use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Bitmap, ColumnData, Plan, PlanOptions, Strings, TablePlan, Values};
use rowstorm_postgres::{ConnectOptions, Postgres};
use rowstorm_sink::{
    Encoder as _, IndexTime, Outcome, Payload, Prepare, PrepareMode, Sink, Writer,
};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};

use crate::VARIABLE;

pub(crate) const RECREATE: Prepare =
    Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::Before };
pub(crate) const CREATE: Prepare =
    Prepare { mode: PrepareMode::Create, indexes: IndexTime::Before };
pub(crate) const APPEND: Prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };

pub(crate) fn url() -> String {
    std::env::var(VARIABLE).expect("the case needs its server")
}

pub(crate) fn options() -> ConnectOptions {
    ConnectOptions { url: url(), ..ConnectOptions::default() }
}

pub(crate) async fn sink() -> Postgres {
    Postgres::connect_with(options()).await.expect("the server takes a connection")
}

pub(crate) async fn connection() -> PgConnection {
    PgConnection::connect(&url()).await.expect("the server takes a connection")
}

/// Runs SQL, with a connection of its own.
pub(crate) async fn sql(text: &str) {
    connection().await.execute(text).await.expect("the case's own SQL runs");
}

/// The one value of a query.
pub(crate) async fn count(query: &str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&mut connection().await).await.expect("a number")
}

/// A table with the bigint key `id`, and further columns as the document has them.
pub(crate) fn table(name: &str, columns: &str) -> Arc<TablePlan> {
    document(&format!(
        "version: 1\ntables:\n  {name}:\n    key: [id]\n    columns:\n      id: {{ type: bigint, gen: sequence }}\n{columns}"
    ))
}

/// The first table of a document.
pub(crate) fn document(text: &str) -> Arc<TablePlan> {
    let schema = Schema::parse(text, Format::Yaml, "case.yaml").expect("the case's schema");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("the case's schema compiles");
    plan.tables()[0].clone()
}

pub(crate) const LABEL: &str =
    "      label: { type: text, gen: { text: { bytes: 4 } }, nulls: 0.5 }\n";

pub(crate) fn payload(sink: &Postgres, table: &TablePlan, columns: Vec<ColumnData>) -> Payload {
    let Values::Int(keys) = &columns[0].values else { panic!("the key comes first") };
    let rows = 0..keys.len() as u64;
    let batch = Batch { rows: rows.clone(), series: Vec::new(), columns };
    let mut payload = Payload { rows, ..Payload::default() };
    let mut encoder = sink.encoder(table);
    encoder.begin(&mut payload);
    encoder.encode(&batch, &mut payload);
    encoder.end(&mut payload);
    payload
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

pub(crate) async fn write(sink: &Postgres, table: &Arc<TablePlan>, payload: &Payload) -> Outcome {
    let mut writer = sink.writer(table).await.expect("a writer opens");
    let outcome = writer.write(payload).await.expect("the write is answered");
    assert_eq!(outcome.rows(), payload.len(), "{outcome:?}");
    outcome
}

/// Counts by class, in the order of the classes.
pub(crate) fn refusals(outcome: &Outcome) -> Vec<(&str, u64)> {
    let refusals = outcome.rejected.refusals.iter();
    let mut refusals: Vec<_> = refusals.map(|refusal| (&*refusal.class, refusal.count)).collect();
    refusals.sort_unstable();
    refusals
}

/// Waits until somebody waits for a lock on a table.
pub(crate) async fn blocked_on(table: &str) {
    let waits = format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass('{table}')"
    );
    let mut connection = connection().await;
    while sqlx::query_scalar::<_, i64>(&waits).fetch_one(&mut connection).await.expect("a number")
        == 0
    {
        tokio::task::yield_now().await;
    }
}
