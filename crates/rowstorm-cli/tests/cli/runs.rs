//! Whole runs through the real binary: exit codes, files and accounts.

use std::path::Path;

use crate::common::{Ran, ran, rowstorm, run, run_in};
use rusqlite::Connection;
use serde_json::Value;

const SCHEMA: &str = "version: 1\ntables:\n  t:\n    key: [id]\n    columns:\n      id: { type: bigint, gen: sequence }\n      n: { type: int, gen: { uniform: [0, 9] } }\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.yaml"), SCHEMA).unwrap();
    folder
}

fn into_sqlite(folder: &Path, more: &[&str]) -> Ran {
    let arguments = [
        "run",
        "t.yaml",
        "--to",
        "sqlite:t.db",
        "--rows",
        "5000",
        "-o",
        "t.json",
        "--progress",
        "off",
    ];
    run_in(folder, &[&arguments[..], more].concat())
}

fn record(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("t.json")).expect("the record is written");
    serde_json::from_str(&text).expect("the record is JSON")
}

fn count(folder: &Path) -> i64 {
    let database = Connection::open(folder.join("t.db")).unwrap();
    database.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

#[test]
fn rows_that_arrived_and_were_counted_exit_0() {
    let folder = folder();
    let done = into_sqlite(folder.path(), &["--report", "t.html"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(count(folder.path()), 5000);
    let record = record(folder.path());
    assert_eq!(record["rows"]["accepted"], 5000);
    assert_eq!(record["rows"]["audited"], 5000);
    assert_eq!(record["verified"], true);
    let html = std::fs::read_to_string(folder.path().join("t.html")).unwrap();
    assert!(html.contains("<svg"));
}

#[test]
fn every_target_without_a_server_takes_the_rows() {
    let folder = folder();
    for url in [
        "memory:",
        "file:out",
        "file:lines?format=jsonl",
        "null:",
        "null:postgres",
        "null:sqlite",
        "null:csv",
    ] {
        let done =
            run_in(folder.path(), &["run", "t.yaml", "--to", url, "--rows", "3000", "--json"]);
        assert_eq!(done.code, Some(0), "{url}: {}", done.stderr);
        let record: Value =
            serde_json::from_str(&done.stdout).expect("only the record is on stdout");
        assert_eq!(record["rows"]["accepted"], 3000, "{url}");
        let (verified, audited) = (&record["verified"], &record["rows"]["audited"]);
        if url.starts_with("null") {
            assert!(verified.is_null() && audited.is_null(), "{url}: nothing is there to verify");
        } else {
            assert_eq!((verified.as_bool(), audited.as_u64()), (Some(true), Some(3000)), "{url}");
        }
    }
}

#[test]
fn the_record_has_a_name_of_its_own_unless_one_is_given() {
    let folder = folder();
    for _ in 0..2 {
        let done = run_in(folder.path(), &["run", "t.yaml", "--to", "null:", "--rows", "10", "-q"]);
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""));
    }
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("t-") && name.ends_with(".run.json"))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn the_same_seed_has_the_same_fingerprint() {
    let fingerprint = |seed: &str| {
        let done =
            run(&["run", "cpu", "--to", "null:", "--rows", "2000", "--json", "--seed", seed]);
        let record: Value = serde_json::from_str(&done.stdout).unwrap();
        record["fingerprint"].as_str().unwrap().to_owned()
    };
    assert_eq!(fingerprint("7"), fingerprint("7"));
    assert_ne!(fingerprint("7"), fingerprint("8"));
}

#[test]
fn a_table_with_rows_is_left_alone_unless_said() {
    let folder = folder();
    assert_eq!(into_sqlite(folder.path(), &[]).code, Some(0));
    assert_eq!(into_sqlite(folder.path(), &[]).code, Some(3));
    assert_eq!(count(folder.path()), 5000);
    assert_eq!(into_sqlite(folder.path(), &["--table-mode", "recreate"]).code, Some(2));
    assert_eq!(into_sqlite(folder.path(), &["--table-mode", "recreate", "--yes"]).code, Some(0));
    assert_eq!(count(folder.path()), 5000);
}

#[test]
fn a_target_that_is_not_there_exits_3() {
    let folder = folder();
    for url in
        ["postgres://u@127.0.0.1:1/db", "sqlite:t.yaml", "sqlite:nowhere/t.db", "file:t.yaml"]
    {
        let done = run_in(folder.path(), &["run", "t.yaml", "--to", url, "--rows", "10"]);
        assert_eq!(done.code, Some(3), "{url}: {done:?}");
        assert!(done.stderr.contains("error: "), "{url}: {}", done.stderr);
    }
}

#[test]
fn refused_rows_are_counted_and_exit_4_unless_forgiven() {
    let folder = folder();
    let database = Connection::open(folder.path().join("t.db")).unwrap();
    database
        .execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n < 5))", [])
        .unwrap();
    drop(database);
    let done = into_sqlite(folder.path(), &["--table-mode", "append"]);
    assert_eq!(done.code, Some(4), "{done:?}");
    let record = record(folder.path());
    let rows = |key: &str| record["rows"][key].as_i64().unwrap();
    assert!(rows("rejected") > 0);
    assert_eq!(rows("accepted") + rows("rejected"), rows("planned"));
    assert_eq!(rows("accepted"), count(folder.path()));
    let done = into_sqlite(folder.path(), &["--table-mode", "append", "--max-errors", "100%"]);
    assert_eq!(
        done.code,
        Some(0),
        "rows that are there already are refused, and forgiven: {done:?}"
    );
}

#[test]
fn rows_that_vanish_exit_5() {
    let folder = folder();
    let database = Connection::open(folder.path().join("t.db")).unwrap();
    let vanish = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);
        CREATE TRIGGER vanish AFTER INSERT ON t WHEN new.id = 77 BEGIN DELETE FROM t WHERE id = 77; END";
    database.execute_batch(vanish).unwrap();
    drop(database);
    let done = into_sqlite(folder.path(), &["--table-mode", "append"]);
    assert_eq!(done.code, Some(5), "{done:?}");
    assert_eq!(record(folder.path())["verified"], false);
}

#[test]
fn a_breached_threshold_exits_99_and_a_held_one_0() {
    let folder = folder();
    let held = into_sqlite(folder.path(), &["--threshold", "rows_per_second > 1"]);
    assert_eq!(held.code, Some(0), "{held:?}");
    let more =
        ["--threshold", "rows_per_second > 1000000000000", "--table-mode", "recreate", "--yes"];
    let breached = into_sqlite(folder.path(), &more);
    assert_eq!(breached.code, Some(99), "{breached:?}");
    assert!(breached.stdout.contains('✗'), "{}", breached.stdout);
}

#[test]
fn settings_come_from_the_environment_too() {
    let folder = folder();
    let mut command = rowstorm(folder.path(), &["run", "t.yaml", "--json"]);
    let command = command.env("ROWSTORM_TO", "memory:").env("ROWSTORM_ROWS", "1234");
    let done = ran(command
        .env("JOB_COMPLETION_INDEX", "1")
        .env("ROWSTORM_SHARDS", "2")
        .env("ROWSTORM_SHARD", "auto"));
    let record: Value = serde_json::from_str(&done.stdout).expect(&done.stderr);
    assert_eq!(record["rows"]["accepted"], 617);
    assert_eq!(record["shard"]["index"], 2);
}

#[test]
fn the_demo_verifies_and_leaves_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let done = run_in(folder.path(), &["demo", "--rows", "20000"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    for part in ["fingerprint", "rowstorm run shop.yaml"] {
        assert!(done.stdout.contains(part), "{}", done.stdout);
    }
    let record = std::fs::read_to_string(folder.path().join("rowstorm-demo.run.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["rows"]["audited"], 20000);
    assert!(folder.path().join("rowstorm-demo.html").is_file());
}

#[test]
fn reports_are_made_from_records() {
    let folder = folder();
    assert_eq!(into_sqlite(folder.path(), &[]).code, Some(0));
    for (format, says) in
        [("term", "RESULT"), ("md", "| table |"), ("json", "\"record_version\""), ("html", "<svg")]
    {
        let done = run_in(folder.path(), &["report", "t.json", "--format", format]);
        assert_eq!(done.code, Some(0), "{format}: {}", done.stderr);
        assert!(done.stdout.contains(says), "{format}: {}", done.stdout);
    }
    assert_eq!(run_in(folder.path(), &["report", "t.json", "-o", "r.html"]).code, Some(0));
    assert!(std::fs::read_to_string(folder.path().join("r.html")).unwrap().contains("<svg"));
    assert_eq!(run_in(folder.path(), &["report", "t.yaml"]).code, Some(2));
    assert_eq!(run_in(folder.path(), &["report", "nowhere.json"]).code, Some(2));
}

#[test]
fn a_regression_exits_6() {
    let folder = folder();
    assert_eq!(into_sqlite(folder.path(), &[]).code, Some(0));
    let text = std::fs::read_to_string(folder.path().join("t.json")).unwrap();
    let mut slower: Value = serde_json::from_str(&text).unwrap();
    slower["rows_per_second"] = (slower["rows_per_second"].as_f64().unwrap() / 2.0).into();
    std::fs::write(folder.path().join("slow.json"), slower.to_string()).unwrap();
    let compare = |more: &[&str]| {
        run_in(folder.path(), &[&["compare", "t.json", "slow.json"], more].concat())
    };
    assert_eq!(compare(&[]).code, Some(0));
    assert_eq!(compare(&["--fail-on", "rows_per_second < -60%"]).code, Some(0));
    let done = compare(&["--fail-on", "rows_per_second < -5%"]);
    assert_eq!(done.code, Some(6), "{done:?}");
    assert!(done.stderr.contains("-50.0%"), "{}", done.stderr);
    assert_eq!(compare(&["--fail-on", "speed < -5%"]).code, Some(2));
}

#[test]
fn the_records_of_shards_become_one() {
    let folder = folder();
    for (shard, record) in [("1/2", "1.json"), ("2/2", "2.json")] {
        let more = ["--shard", shard, "-o", record];
        let arguments =
            ["run", "t.yaml", "--to", "sqlite:t.db", "--rows", "5000", "--progress", "off"];
        let done = run_in(folder.path(), &[&arguments[..], &more].concat());
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    assert_eq!(count(folder.path()), 5000, "no shard drops another's rows");
    let done = run_in(folder.path(), &["merge", "2.json", "1.json", "-o", "t.json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(record(folder.path())["rows"]["accepted"], 5000);
    assert_eq!(run_in(folder.path(), &["merge", "1.json", "1.json"]).code, Some(2));
}
