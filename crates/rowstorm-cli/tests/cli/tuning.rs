//! `tune`, and what the controller says while it works.

use crate::common::run_in;
use rusqlite::Connection;
use serde_json::Value;

#[test]
fn tune_prints_flags_that_run_takes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tune = ["tune", "shop", "--to", "sqlite:t.db", "--table", "customers", "--duration", "1s"];
    let done = run_in(folder, &[&tune[..], &["-o", "t.json", "-v"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let flags: Vec<&str> = done.stdout.split_whitespace().collect();
    assert!(matches!(flags[..], ["--batch", _, "--in-flight", _]), "{}", done.stdout);
    assert_eq!(done.stdout.lines().count(), 1);
    for part in ["tuning on table customers", "NOT settled", "rows/s", "doubling from", "  kept"] {
        assert!(done.stderr.contains(part), "{part} is not in\n{}", done.stderr);
    }

    // Its rows are there, of that table alone, and were counted by another.
    let record: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("t.json")).unwrap()).unwrap();
    let database = Connection::open(folder.join("t.db")).unwrap();
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        database.query_row(&sql, [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(record["rows"]["accepted"].as_i64(), Some(count("customers").unwrap()));
    assert!(count("orders").is_err(), "the other table was not made");
    drop(database);

    let run = ["run", "shop", "--to", "sqlite:t.db", "--rows", "1000", "--table-mode", "recreate"];
    let done = run_in(folder, &[&run[..], &["--yes", "-o", "run.json"], &flags].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}

#[test]
fn a_table_with_rows_is_refused_as_by_run() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["tune", "cpu", "--to", "sqlite:t.db", "--rows", "100", "--quiet", "-o", "t.json"];
    let first = run_in(folder.path(), &arguments);
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
    let second = run_in(folder.path(), &arguments);
    assert_eq!((second.code, second.stdout.as_str()), (Some(3), ""), "{}", second.stderr);
}

#[test]
fn what_cannot_be_tuned_is_told_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (more, says) in [
        (&["--rate", "100/s"][..], "--rate"),
        (&["--batch", "10", "--in-flight", "2"], "nothing is to be found"),
        (&["--table", "disks"], "it has: cpu"),
        (&["--objective", "p95 < 50ms"], "p99 < 50ms"),
        (&["--objective", "p99 < 50"], "p99 < 50ms"),
        (&["--batch", "auto:thaw"], "auto:freeze"),
    ] {
        let done = run_in(folder.path(), &[&["tune", "cpu", "--to", "sqlite:t.db"], more].concat());
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{more:?}");
        assert!(done.stderr.contains(says), "{more:?}: {}", done.stderr);
        assert!(!folder.path().join("t.db").exists());
    }
}

#[test]
fn a_journal_is_played_again_to_the_same_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tune = ["tune", "cpu", "--to", "sqlite:t.db", "--duration", "2s", "-o", "t.json"];
    let done = run_in(folder, &[&tune[..], &["--journal", "j.jsonl"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("journal  j.jsonl"), "{}", done.stderr);
    let played = run_in(folder, &["tune", "--replay", "j.jsonl"]);
    assert_eq!((played.code, played.stderr.as_str()), (Some(0), ""), "{}", played.stdout);
    let last = played.stdout.lines().last().unwrap();
    assert!(last.starts_with("identical: "), "{last}");
    assert!(played.stdout.contains("doubling from"), "{}", played.stdout);

    // The record was written by the run itself: what it counted is what the journal holds.
    let record: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("t.json")).unwrap()).unwrap();
    let text = std::fs::read_to_string(folder.join("j.jsonl")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["seen"]["rows"].as_u64()
    });
    assert_eq!(record["rows"]["accepted"].as_u64(), Some(rows.sum()));

    // What SQLite is known to like was told to the controller. A journal of a version that could not say so is read, too.
    let (first, _) = text.split_once('\n').unwrap();
    let first: Value = serde_json::from_str(first).unwrap();
    assert_eq!(first["opened"]["guess"], serde_json::json!([30_000, 1]), "{first}");
    let old = text.replace(",\"guess\":[30000,1]", "");
    assert!(old.len() < text.len());
    std::fs::write(folder.join("old.jsonl"), old).unwrap();
    let old = run_in(folder, &["tune", "--replay", "old.jsonl"]);
    assert_ne!(old.code, Some(2), "{}", old.stderr);

    // A batch that took a hundred times as long would have led elsewhere.
    let changed = text.replace("\"latency_ns\":", "\"latency_ns\":99");
    std::fs::write(folder.join("changed.jsonl"), changed).unwrap();
    let differs = run_in(folder, &["tune", "--replay", "changed.jsonl"]);
    assert_eq!(differs.code, Some(5), "{}", differs.stderr);
    assert!(differs.stderr.contains("it decided"), "{}", differs.stderr);
    std::fs::write(folder.join("cut.jsonl"), &text[..text.len() - 10]).unwrap();
    let cut = run_in(folder, &["tune", "--replay", "cut.jsonl"]);
    assert_eq!(cut.code, Some(2), "{}", cut.stderr);
    assert!(cut.stderr.contains("--journal wrote"), "{}", cut.stderr);
}

#[test]
fn a_run_of_two_tables_has_a_journal_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = ["run", "shop", "--to", "sqlite:t.db", "--changes", "0", "-o", "r.json"];
    let done = run_in(folder, &[&run[..], &["--journal", "j.jsonl"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for table in ["customers", "orders"] {
        let played = run_in(folder, &["tune", "--replay", &format!("j.{table}.jsonl")]);
        assert_eq!(played.code, Some(0), "{table}: {}", played.stderr);
    }
    assert!(!folder.join("j.jsonl").exists());

    let pinned = ["--batch", "10", "--in-flight", "1", "--journal", "p.jsonl"];
    let done = run_in(folder, &[&["run", "cpu", "--to", "null:"], &pinned[..]].concat());
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("no controller"), "{}", done.stderr);
    let done = run_in(folder, &["tune", "cpu", "--replay", "j.orders.jsonl"]);
    assert_eq!(done.code, Some(2), "a journal needs no schema: {}", done.stderr);
}
