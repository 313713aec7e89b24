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

async fn fill(files: &Files, table: &Arc<TablePlan>, mode: PrepareMode) -> Result<(), SinkError> {
    files.prepare(table, &prepare(mode)).await?;
    let (mut encoder, mut writer) = (files.encoder(table), files.writer(table).await?);
    let (mut batch, mut payload) = (Batch::default(), Payload::default());
    for rows in [0..200, 200..ROWS] {
        payload.clear();
        payload.rows = rows.clone();
        encoder.begin(&mut payload);
        table.fill(rows, &mut batch);
        encoder.encode(&batch, &mut payload);
        encoder.end(&mut payload);
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
