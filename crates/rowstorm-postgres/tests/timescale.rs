//! Hypertables, on a server that has TimescaleDB: each case counts over a connection of its own.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on fails")]

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Plan, PlanOptions, TablePlan};
use rowstorm_postgres::Postgres;
use rowstorm_sink::{
    Attempt, Change, Changer as _, Encoder as _, End, IndexTime, Outcome, Payload, Prepare,
    PrepareMode, Scope, Sink as _, Statement, Transaction, Writer as _,
};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};

const VARIABLE: &str = "ROWSTORM_TEST_TIMESCALE";
const RECREATE: Prepare = Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::After };
const APPEND: Prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::After };

/// One row an hour, so that 240 rows are ten days.
const HOURLY: &str = "{version: 1, tables: {NAME: {key: [id, ts], postgres: {hypertable: {time: ts, chunk: 1d}},
    columns: {id: {type: bigint, gen: sequence}, ts: {type: timestamp, gen: {clock: {start: 2026-01-01T00:00:00Z, step: 1h}}}},
    indexes: [{on: [ts]}]}}}";

fn main() -> ExitCode {
    let trials = vec![
        trial("rows_are_parted_into_chunks_and_counted", || {
            Box::pin(rows_are_parted_into_chunks_and_counted())
        }),
        trial("a_second_preparation_keeps_the_chunks", || {
            Box::pin(a_second_preparation_keeps_the_chunks())
        }),
        trial("duplicates_across_chunks_are_refused_and_counted", || {
            Box::pin(duplicates_across_chunks_are_refused_and_counted())
        }),
        trial("rows_of_a_hypertable_are_changed_in_their_chunks", || {
            Box::pin(rows_of_a_hypertable_are_changed_in_their_chunks())
        }),
        trial("a_plain_table_is_not_taken_for_a_hypertable", || {
            Box::pin(a_plain_table_is_not_taken_for_a_hypertable())
        }),
        trial("a_database_without_the_extension_says_so", || {
            Box::pin(a_database_without_the_extension_says_so())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Case = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Without the server, a case shows as ignored; where `ROWSTORM_REQUIRE` names it, it fails.
fn trial(name: &str, run: fn() -> Case) -> Trial {
    let required = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|server| server.trim() == "timescale");
    let missing = std::env::var(VARIABLE).is_err();
    let trial = Trial::test(name, move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build()?.block_on(run());
        Ok(())
    });
    trial.with_kind("timescale").with_ignored_flag(missing && !required)
}

async fn rows_are_parted_into_chunks_and_counted() {
    let (sink, table) = (sink().await, hourly("ts_chunks"));
    sink.prepare(&table, &RECREATE).await.unwrap();
    assert_eq!(write(&sink, &table, 0..240).await.accepted, 240);
    sink.finish(&table, &RECREATE).await.unwrap();
    assert_eq!(sink.audit(&table, &Scope::Table).await.unwrap().rows, 240);
    assert_eq!(count("SELECT count(*) FROM ts_chunks").await, 240);
    assert_eq!(count("SELECT sum(id)::bigint FROM ts_chunks").await, (1..=240).sum::<i64>());
    assert_eq!(chunks("ts_chunks").await, 10);
    let indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'ts_chunks'";
    assert_eq!(count(indexes).await, 2, "the key's and the schema's; none of the extension's");
    let facts = sink.server().await.unwrap();
    assert!(facts.iter().any(|fact| fact.name == "timescaledb"), "{facts:?}");
}

async fn a_second_preparation_keeps_the_chunks() {
    let (sink, table) = (sink().await, hourly("ts_again"));
    sink.prepare(&table, &RECREATE).await.unwrap();
    write(&sink, &table, 0..48).await;
    sink.prepare(&table, &APPEND).await.unwrap();
    write(&sink, &table, 48..72).await;
    assert_eq!((count("SELECT count(*) FROM ts_again").await, chunks("ts_again").await), (72, 3));
    sink.prepare(&table, &RECREATE).await.unwrap();
    assert_eq!((count("SELECT count(*) FROM ts_again").await, chunks("ts_again").await), (0, 0));
}

async fn duplicates_across_chunks_are_refused_and_counted() {
    let (sink, table) = (sink().await, hourly("ts_twice"));
    sink.prepare(&table, &RECREATE).await.unwrap();
    write(&sink, &table, 0..50).await;
    let outcome = write(&sink, &table, 40..100).await;
    assert_eq!((outcome.accepted, outcome.rejected.count), (50, 10), "{outcome:?}");
    assert_eq!(count("SELECT count(*) FROM ts_twice").await, 100);
}

async fn rows_of_a_hypertable_are_changed_in_their_chunks() {
    let changes = "changes: {streams: 1, mix: [{insert: ts_changed, weight: 4}, {delete: ts_changed, weight: 2},
        {update: ts_changed, set: [n], weight: 3}]}}";
    let n = "n: {type: int, gen: {uniform: [0, 9]}}, ts: {type";
    let text = HOURLY.replace("NAME: {", "ts_changed: {preload: 48, ").replace("ts: {type", n);
    let text = text.strip_suffix('}').unwrap();
    let schema = Schema::parse(&format!("{text}, {changes}"), Format::Yaml, "case.yaml").unwrap();
    let plan = Plan::new(&schema, PlanOptions::default()).unwrap();
    let changes = ChangePlan::new(&plan).unwrap();
    let (sink, table) = (sink().await, Arc::clone(changes.table(0)));
    sink.prepare(&table, &RECREATE).await.unwrap();
    write(&sink, &table, 0..48).await;
    let mut changer = sink.changer(&Statement::all(&changes)).await.unwrap();
    let (stream, mut batch) = (changes.stream(0), ChangeBatch::default());
    for first in [0, 90, 180] {
        stream.fill(first..first + 90, Fate::Commit, &mut batch);
        let groups = batch.groups().iter();
        let groups = groups.map(|it| Change { statement: it.entry, batch: &it.batch });
        let groups: Vec<Change<'_>> = groups.collect();
        let (end, attempt) = (End::Commit, Attempt::First);
        let transaction = Transaction { groups: &groups, end, attempt, hold: None };
        let changed = changer.change(transaction).await.unwrap();
        assert_eq!(changed.iter().map(|it| it.matched).sum::<u64>(), 90, "{changed:?}");
    }
    let live: Vec<u64> = stream.expected(270).rows(0).collect();
    assert_eq!(count("SELECT count(*) FROM ts_changed").await, live.len() as i64);
    let ids = live.iter().map(|row| *row as i64 + 1).sum::<i64>();
    assert_eq!(count("SELECT sum(id)::bigint FROM ts_changed").await, ids);
    assert!(chunks("ts_changed").await > 5, "rows came for the days that follow");
}

async fn a_plain_table_is_not_taken_for_a_hypertable() {
    let (sink, table) = (sink().await, hourly("ts_plain"));
    sql("DROP TABLE IF EXISTS ts_plain").await;
    sql("CREATE TABLE ts_plain (id bigint, ts timestamptz, PRIMARY KEY (id, ts))").await;
    let error = sink.prepare(&table, &APPEND).await.unwrap_err();
    assert_eq!(error.class, "no hypertable");
    assert!(error.to_string().contains("recreate"), "{error}");
}

async fn a_database_without_the_extension_says_so() {
    sql("DROP DATABASE IF EXISTS ts_without").await;
    // The extension may stand in template1.
    sql("CREATE DATABASE ts_without TEMPLATE template0").await;
    let mut url = url::Url::parse(&url()).unwrap();
    url.set_path("ts_without");
    let sink = Postgres::connect(url.as_str()).await.unwrap();
    let error = sink.prepare(&hourly("ts_missing"), &RECREATE).await.unwrap_err();
    assert_eq!(error.class, "no timescaledb");
    assert!(error.to_string().contains("CREATE EXTENSION timescaledb"), "{error}");
    sql("DROP DATABASE ts_without").await;
}

fn url() -> String {
    std::env::var(VARIABLE).expect("the case needs its server")
}

async fn sink() -> Postgres {
    sql("CREATE EXTENSION IF NOT EXISTS timescaledb").await;
    Postgres::connect(&url()).await.expect("the server takes a connection")
}

fn hourly(name: &str) -> Arc<TablePlan> {
    let schema = Schema::parse(&HOURLY.replace("NAME", name), Format::Yaml, "case.yaml");
    let plan = Plan::new(&schema.expect("the case's schema"), PlanOptions::default());
    plan.expect("the case's schema compiles").tables()[0].clone()
}

async fn write(sink: &Postgres, table: &Arc<TablePlan>, rows: std::ops::Range<u64>) -> Outcome {
    let mut batch = Batch::default();
    table.fill(rows.clone(), &mut batch);
    let mut payload = Payload { rows, ..Payload::default() };
    let mut encoder = sink.encoder(table);
    encoder.begin(&mut payload);
    encoder.encode(&batch, &mut payload);
    encoder.end(&mut payload);
    let mut writer = sink.writer(table).await.expect("a writer opens");
    let outcome = writer.write(&payload).await.expect("the write is answered");
    assert_eq!(outcome.rows(), payload.len(), "{outcome:?}");
    outcome
}

async fn connection() -> PgConnection {
    PgConnection::connect(&url()).await.expect("the server takes a connection")
}

async fn sql(text: &str) {
    // Cases side by side may make the extension at the same time; one of them does.
    let _ = connection().await.execute(text).await;
}

async fn count(query: &str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&mut connection().await).await.expect("a number")
}

async fn chunks(table: &str) -> i64 {
    let query = format!(
        "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = '{table}'"
    );
    count(&query).await
}
