//! Files are read back by other libraries than wrote them, and compared with the plan's own values.

use std::sync::Arc;

use rowstorm_files::{FileFormat, Files};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Plan, PlanOptions, TablePlan};
use rowstorm_sink::{
    Encoder, IndexTime, Payload, Prepare, PrepareMode, Scope, Sink, SinkError, Writer,
};

const YAML: &str = r#"
version: 1
tables:
  t:
    preload: 500
    columns:
      id: { type: bigint, gen: sequence }
      n:  { type: int, nulls: 0.2, gen: { uniform: [-50, 50] } }
      s:  { type: text, nulls: 0.1, gen: { one_of: ["", "plain", "a,b", 'say "hi"', "two\nlines", " edge ", "\\N", "naïve"] } }
      ok: { type: bool, gen: { one_of: [true, false] } }
"#;

const ROWS: u64 = 500;

fn table() -> Arc<TablePlan> {
    let schema = Schema::parse(YAML, Format::Yaml, "t.yaml").expect("a valid document");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("a plan");
    Arc::clone(plan.table("t").expect("the table"))
}

fn prepare(mode: PrepareMode) -> Prepare {
    Prepare { mode, indexes: IndexTime::None }
}

/// Encodes rows.
fn payload(files: &Files, table: &TablePlan, rows: std::ops::Range<u64>) -> Payload {
    let (mut encoder, mut batch) = (files.encoder(table), Batch::default());
    let mut payload = Payload { rows: rows.clone(), ..Payload::default() };
    encoder.begin(&mut payload);
    for first in rows.clone().step_by(1_000) {
        table.fill(first..rows.end.min(first + 1_000), &mut batch);
        encoder.encode(&batch, &mut payload);
    }
    encoder.end(&mut payload);
    payload
}

async fn fill(files: &Files, table: &Arc<TablePlan>, mode: PrepareMode) -> Result<(), SinkError> {
    files.prepare(table, &prepare(mode)).await?;
    let mut writer = files.writer(table).await?;
    for rows in [0..200, 200..ROWS] {
        let payload = payload(files, table, rows);
        let outcome = writer.write(&payload).await?;
        assert_eq!(outcome.accepted, payload.len());
    }
    files.finish(table, &prepare(mode)).await
}

#[tokio::test]
async fn csv_reads_back_as_it_was_generated() {
    let folder = tempfile::tempdir().unwrap();
    let (files, table) = (Files::new(folder.path(), FileFormat::Csv), table());
    fill(&files, &table, PrepareMode::Create).await.unwrap();

    let mut reader = csv::Reader::from_path(files.path("t")).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["id", "n", "s", "ok"]);
    let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let wanted = table.rows(0..ROWS);
    assert_eq!(read.len(), wanted.len());
    for (read, wanted) in read.iter().zip(&wanted) {
        for (place, name) in ["id", "n", "s", "ok"].into_iter().enumerate() {
            let value = wanted[name].to_string();
            let value = if value == "null" { String::new() } else { value };
            assert_eq!(&read[place], value, "{name}");
        }
    }
}

#[tokio::test]
async fn the_audit_counts_and_sums_what_stands_there() {
    let wanted: i128 = (1..=i128::from(ROWS)).sum();
    for format in [FileFormat::Csv, FileFormat::JsonLines] {
        let folder = tempfile::tempdir().unwrap();
        let (files, table) = (Files::new(folder.path(), format), table());
        fill(&files, &table, PrepareMode::Create).await.unwrap();
        let audit = files.audit(&table, &Scope::Table).await.unwrap();
        assert_eq!((audit.rows, audit.columns[0].sum), (ROWS, Some(wanted)));
        let part = Scope::Between { column: 0, low: 11, high: 20 };
        assert_eq!(files.audit(&table, &part).await.unwrap().rows, 10);
    }
}

#[tokio::test]
async fn json_lines_are_objects_with_nulls() {
    let folder = tempfile::tempdir().unwrap();
    let (files, table) = (Files::new(folder.path(), FileFormat::JsonLines), table());
    fill(&files, &table, PrepareMode::Create).await.unwrap();
    let text = std::fs::read_to_string(files.path("t")).unwrap();
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len() as u64, ROWS);
    assert!(rows.iter().any(|row| row["n"].is_null()) && rows.iter().any(|row| row["s"] == "a,b"));
    assert!(rows.iter().enumerate().all(|(index, row)| row["id"] == index as u64 + 1));
}

#[tokio::test]
async fn a_file_with_rows_is_refused_appended_to_or_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (files, table) = (Files::new(folder.path(), FileFormat::Csv), table());
    fill(&files, &table, PrepareMode::Create).await.unwrap();
    let refused = fill(&files, &table, PrepareMode::Create).await.unwrap_err();
    assert!(refused.to_string().contains("has rows already"), "{refused}");
    for (mode, rows) in [(PrepareMode::Append, 2 * ROWS), (PrepareMode::Recreate, ROWS)] {
        fill(&files, &table, mode).await.unwrap();
        assert_eq!(files.audit(&table, &Scope::Table).await.unwrap().rows, rows);
    }
}

/// A write that is dropped before it is answered goes on without its caller; the next one, by another writer that is opened
/// meanwhile, must lose nothing by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_writes_tear_no_row_and_cut_none_off() {
    const ROUNDS: u64 = 16;
    const MANY: u64 = 4_000;
    for format in [FileFormat::Csv, FileFormat::JsonLines] {
        let folder = tempfile::tempdir().unwrap();
        let (files, table) = (Files::new(folder.path(), format), table());
        files.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
        for round in 0..ROUNDS {
            let first = ROUNDS + MANY * round;
            let many = payload(&files, &table, first..first + MANY);
            let mut dropped = files.writer(&table).await.unwrap();
            let mut write = Box::pin(dropped.write(&many));
            for _ in 0..=round % 8 {
                if ready_when_polled(write.as_mut()).await {
                    break;
                }
            }
            drop(write);
            let one = payload(&files, &table, round..round + 1);
            let mut kept = files.writer(&table).await.unwrap();
            assert_eq!(kept.write(&one).await.unwrap().accepted, 1);
        }
        let rows = |low: u64, high: u64| {
            let scope = Scope::Between { column: 0, low: low as i64, high: high as i64 };
            let (files, table) = (files.clone(), Arc::clone(&table));
            async move { files.audit(&table, &scope).await.unwrap().rows }
        };
        assert_eq!(rows(1, ROUNDS).await, ROUNDS, "{}: answered rows", format.name());
        for round in 0..ROUNDS {
            let first = ROUNDS + MANY * round;
            let part = rows(first + 1, first + MANY).await;
            assert!(part == 0 || part == MANY, "{}: {part} rows of a payload", format.name());
        }
    }
}

/// Polls once: whether the future is ready.
async fn ready_when_polled<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    tokio::task::yield_now().await;
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready()))
        .await
}
