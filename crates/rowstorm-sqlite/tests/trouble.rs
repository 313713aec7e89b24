//! What SQLite refuses as a whole, and what it says when it cannot go on.
#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its case has failed")]

use std::sync::Arc;

use rowstorm_gen::{Batch, ColumnData, Plan, PlanOptions, Strings, TablePlan, Values, schema};
use rowstorm_sink::{
    Encoder, IndexTime, Outcome, Payload, Prepare, PrepareMode, Scope, Sink, SinkError,
    SinkErrorKind, Writer,
};
use rowstorm_sqlite::Sqlite;
use rusqlite::Connection;

const DOCUMENT: &str = r#"{"version":1,"tables":{"t":{"key":["id"],"columns":{
    "id":{"type":"bigint","gen":"sequence"},"body":{"type":"text","gen":{"text":{"bytes":1}}}}}}}"#;

fn table(document: &str) -> Arc<TablePlan> {
    let schema: schema::Schema = serde_json::from_str(document).unwrap();
    Plan::new(&schema, PlanOptions::default()).unwrap().tables()[0].clone()
}

fn prepare(mode: PrepareMode) -> Prepare {
    Prepare { mode, indexes: IndexTime::After }
}

/// Rows with these ids and a body of so many bytes.
fn payload(sqlite: &Sqlite, table: &TablePlan, ids: std::ops::Range<i64>, bytes: usize) -> Payload {
    let mut body = Strings::default();
    let text = "x".repeat(bytes);
    ids.clone().for_each(|_| body.push(text.as_bytes()));
    let column = |values| ColumnData { values, valid: None };
    let batch = Batch {
        rows: ids.start as u64..ids.end as u64,
        series: Vec::new(),
        columns: vec![column(Values::Int(ids.collect())), column(Values::Text(body))],
    };
    let mut payload = Payload { rows: batch.rows.clone(), ..Payload::default() };
    sqlite.encoder(table).encode(&batch, &mut payload);
    payload
}

async fn write(
    sqlite: &Sqlite,
    table: &Arc<TablePlan>,
    payload: &Payload,
) -> Result<Outcome, SinkError> {
    sqlite.writer(table).await?.write(payload).await
}

/// Counts by another way than the sink's.
fn count(sqlite: &Sqlite) -> i64 {
    let connection = Connection::open(sqlite.path()).unwrap();
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_full_table_refuses_whole_payloads_and_keeps_the_earlier_ones() {
    let table = table(DOCUMENT);
    let sqlite = Sqlite::temporary().unwrap().with_pages_max(60);
    sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
    let mut writer = sqlite.writer(&table).await.unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for first in (0..1000).step_by(100) {
        let outcome =
            writer.write(&payload(&sqlite, &table, first..first + 100, 500)).await.unwrap();
        assert_eq!(outcome.rows(), 100);
        accepted += outcome.accepted;
        refused += outcome.rejected.count;
        for refusal in outcome.rejected.refusals {
            assert_eq!((refusal.class.as_str(), refusal.count), ("13 SQLITE_FULL", 100));
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
    assert_eq!(count(&sqlite), accepted as i64);
    let small = writer.write(&payload(&sqlite, &table, 5000..5001, 1)).await.unwrap();
    assert_eq!(small.rows(), 1, "the writer goes on");
    sqlite.finish(&table, &prepare(PrepareMode::Create)).await.unwrap();
}

#[tokio::test]
async fn a_read_only_database_refuses_every_row() {
    let table = table(DOCUMENT);
    let sqlite = Sqlite::temporary().unwrap();
    sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
    let uri = format!("file:{}?mode=ro", sqlite.path().display());
    let read_only = Sqlite::open(uri).unwrap();
    read_only.prepare(&table, &prepare(PrepareMode::Append)).await.unwrap();
    let outcome = write(&read_only, &table, &payload(&sqlite, &table, 0..7, 3)).await.unwrap();
    assert_eq!((outcome.accepted, outcome.rejected.count), (0, 7));
    assert_eq!(outcome.rejected.refusals[0].class, "8 SQLITE_READONLY");
    assert_eq!(count(&sqlite), 0);
    read_only.finish(&table, &prepare(PrepareMode::Append)).await.unwrap();
    assert_eq!(read_only.audit(&table, &Scope::default()).await.unwrap().rows, 0);
}

#[tokio::test]
async fn rows_that_a_check_refuses_are_counted_by_its_code() {
    let overridden =
        DOCUMENT.replace(r#""gen":{"text""#, r#""ddl":{"sqlite":"TEXT CHECK (0)"},"gen":{"text""#);
    let table = table(&overridden);
    let sqlite = Sqlite::temporary().unwrap();
    sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
    let outcome = write(&sqlite, &table, &payload(&sqlite, &table, 0..50, 3)).await.unwrap();
    assert_eq!((outcome.accepted, outcome.rejected.count), (0, 50));
    assert_eq!(outcome.rejected.refusals[0].class, "275 SQLITE_CONSTRAINT_CHECK");
    assert_eq!(count(&sqlite), 0);
}

#[tokio::test]
async fn triggers_that_refuse_ignore_or_roll_back_lose_no_count() {
    for (what, accepted) in [("ABORT, 'no'", 9), ("IGNORE", 9), ("ROLLBACK, 'no'", 0)] {
        let table = table(DOCUMENT);
        let sqlite = Sqlite::temporary().unwrap();
        sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
        let trigger = format!(
            "CREATE TRIGGER guard BEFORE INSERT ON t WHEN new.id = 5 BEGIN SELECT RAISE({what}); END"
        );
        Connection::open(sqlite.path()).unwrap().execute_batch(&trigger).unwrap();
        let outcome = write(&sqlite, &table, &payload(&sqlite, &table, 0..10, 3)).await.unwrap();
        assert_eq!((outcome.accepted, outcome.rows()), (accepted, 10), "{what}");
        assert_eq!(count(&sqlite), accepted as i64, "{what}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_fatal() {
    let table = table(DOCUMENT);
    let sqlite = Sqlite::temporary().unwrap();
    std::fs::write(sqlite.path(), "these are not the pages of a database at all".repeat(40))
        .unwrap();
    let error = sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap_err();
    assert_eq!((error.kind, error.class.as_str()), (SinkErrorKind::Fatal, "26 SQLITE_NOTADB"));
}

#[tokio::test]
async fn another_writers_lock_is_busy_and_nothing_is_written() {
    let table = table(DOCUMENT);
    let sqlite = Sqlite::temporary().unwrap();
    sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
    let sqlite = sqlite.with_lock_wait(std::time::Duration::ZERO);
    let other = Connection::open(sqlite.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let rows = payload(&sqlite, &table, 0..7, 3);
    let mut writer = sqlite.writer(&table).await.unwrap();
    let error = writer.write(&rows).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Busy { retry_after: None }, "{error:?}");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(writer.write(&rows).await.unwrap(), Outcome::accepted(7));
}

#[tokio::test]
async fn strict_tables_without_rowid_are_made_as_the_schema_says() {
    let strict =
        DOCUMENT.replace(r#""key""#, r#""sqlite":{"strict":true,"without_rowid":true},"key""#);
    let table = table(&strict);
    let sqlite = Sqlite::temporary().unwrap();
    sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
    assert_eq!(
        write(&sqlite, &table, &payload(&sqlite, &table, 0..7, 3)).await.unwrap(),
        Outcome::accepted(7)
    );
    let connection = Connection::open(sqlite.path()).unwrap();
    let options = "SELECT strict, wr FROM pragma_table_list WHERE name = 't'";
    let options =
        connection.query_row(options, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    assert_eq!(options.unwrap(), (1, 1));
}

#[tokio::test]
async fn a_temporary_database_goes_with_its_last_user() {
    let sqlite = Sqlite::temporary().unwrap();
    let table = table(DOCUMENT);
    sqlite.prepare(&table, &prepare(PrepareMode::Create)).await.unwrap();
    let writer = sqlite.writer(&table).await.unwrap();
    let directory = sqlite.path().parent().unwrap().to_owned();
    drop(sqlite);
    assert!(directory.exists(), "a writer still writes into it");
    drop(writer);
    assert!(!directory.exists());
}

#[test]
fn memory_is_no_file() {
    for path in ["", ":memory:", "file:x?mode=memory"] {
        assert_eq!(Sqlite::open(path).unwrap_err().kind, SinkErrorKind::Fatal, "{path:?}");
    }
}
