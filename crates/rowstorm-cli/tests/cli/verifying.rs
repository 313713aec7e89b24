//! `verify` through the real binary: a pristine copy passes, planted damage is named row by row.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::common::{Ran, run_in};

const SCHEMA: &str = "
version: 1
tables:
  keyed:
    key: [id]
    preload: 3000
    columns:
      id: { type: bigint, gen: sequence }
      name: { type: text, gen: { fake: name } }
      price: { type: 'decimal(10,2)', nulls: 0.1, gen: { log_normal: { median: 40, sigma: 0.8 } } }
      score: { type: float, gen: { normal: { mean: 0, stdev: 1 } } }
      at: { type: timestamp, gen: now }
      token: { type: uuid, gen: uuid_v4 }
      paid: { type: bool, gen: { one_of: [true, false] } }
      data: { type: bytes, gen: { text: { bytes: 9 } } }
      tags: { type: array, gen: { array: { type: text, max: 3, gen: { fake: word } } } }
  keyless:
    preload: 2000
    columns:
      n: { type: int, gen: { uniform: [0, 50] } }
      word: { type: text, gen: { fake: word } }
      x: { type: real, gen: { uniform: [0.0, 1.0] } }
";

/// A folder with the tables written, and their record.
fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.yaml"), SCHEMA).unwrap();
    let done =
        run_in(folder.path(), &["run", "t.yaml", "--to", "sqlite:t.db", "-q", "-o", "r.json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    folder
}

fn verify(folder: &Path, more: &[&str]) -> Ran {
    run_in(folder, &[&["verify", "r.json", "--at", "sqlite:t.db"], more].concat())
}

fn sql(folder: &Path, text: &str) {
    Connection::open(folder.join("t.db")).unwrap().execute_batch(text).unwrap();
}

/// The findings of a list: kind and key.
fn listed(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("list.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_pristine_copy_passes() {
    let folder = written();
    let done = verify(folder.path(), &[]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(
        done.stdout.starts_with("VERIFIED   5,000 rows are as they must be"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("every row compared   counts and sums agree"), "{}", done.stdout);
    for more in [["--full", "--memory=64KiB"], ["--counts", "-n=3"]] {
        let done = verify(folder.path(), &more);
        assert_eq!(done.code, Some(0), "{more:?}: {}{}", done.stdout, done.stderr);
    }
    let done = verify(folder.path(), &["--memory", "64KiB", "--json"]);
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&found["verified"], &found["tables"][0]["one_in"]), (&true.into(), &4.into()));
    // Without the record, the run's `now` is not known; everything else is.
    let done = run_in(folder.path(), &["verify", "t.yaml", "--at", "sqlite:t.db"]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("at: not compared"), "{}", done.stdout);
}

#[test]
fn planted_damage_is_named_row_by_row() {
    let folder = written();
    sql(
        folder.path(),
        "DELETE FROM keyed WHERE id BETWEEN 501 AND 600;
         UPDATE keyed SET name = name || '!' WHERE id BETWEEN 1001 AND 1100;
         INSERT INTO keyless SELECT * FROM keyless WHERE rowid BETWEEN 100 AND 149;",
    );
    for scans in [["--full", "--memory=1GiB"], ["--full", "--memory=64KiB"]] {
        let done =
            verify(folder.path(), &[&scans[..], &["--list", "list.jsonl", "--json"]].concat());
        assert_eq!(done.code, Some(5), "{}{}", done.stdout, done.stderr);
        let found: Value = serde_json::from_str(&done.stdout).unwrap();
        let rows =
            |table: usize, kind: &str| found["tables"][table]["rows"][kind].as_u64().unwrap();
        let kinds = ["missing", "stale", "phantom", "wrong", "duplicate"];
        assert_eq!(kinds.map(|kind| rows(0, kind)), [100, 0, 0, 100, 0]);
        assert_eq!(kinds.map(|kind| rows(1, kind)), [0, 0, 0, 0, 50]);
        let list = listed(folder.path());
        assert_eq!(list.len(), 250);
        let keys = |kind: &str| -> HashSet<i64> {
            let of = list.iter().filter(|one| one["kind"] == kind && one["table"] == "keyed");
            of.map(|one| one["key"][0]["value"].as_str().unwrap().parse().unwrap()).collect()
        };
        assert_eq!(keys("missing"), (501..=600).collect());
        assert_eq!(keys("wrong"), (1001..=1100).collect());
        let wrong = list.iter().find(|one| one["kind"] == "wrong").unwrap();
        assert_eq!(wrong["columns"].as_array().unwrap().len(), 1);
        assert_eq!(wrong["columns"][0]["column"], "name");
        assert_eq!(found["tables"][0]["contradictions"][0]["what"], "rows");
    }
    let done = verify(folder.path(), &["-n", "2"]);
    assert_eq!(done.code, Some(5));
    assert!(
        done.stdout.starts_with("MISMATCH   100 missing, 100 wrong, 50 duplicate, of 5,000 rows"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("248 more, all of them with --list"), "{}", done.stdout);
    let done = verify(folder.path(), &["--counts"]);
    assert_eq!(done.code, Some(5), "{}", done.stdout);
}

#[test]
fn every_column_is_compared() {
    let folder = written();
    for (column, value) in [
        ("price", "'0.01'"),
        ("score", "1e300"),
        ("at", "0"),
        ("token", "x'00112233445566778899aabbccddeeff'"),
        ("paid", "1 - paid"),
        ("data", "x'00'"),
        ("tags", "'[\"other\"]'"),
    ] {
        std::fs::copy(folder.path().join("t.db"), folder.path().join("kept.db")).unwrap();
        sql(folder.path(), &format!("UPDATE keyed SET {column} = {value} WHERE id = 7"));
        let done = verify(folder.path(), &["--json"]);
        let found: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(done.code, Some(5), "{column}");
        assert_eq!(found["tables"][0]["rows"]["wrong"], 1, "{column}");
        assert_eq!(found["findings"][0]["columns"][0]["column"], column);
        std::fs::rename(folder.path().join("kept.db"), folder.path().join("t.db")).unwrap();
    }
}

#[test]
fn a_database_that_is_not_there_is_no_mismatch() {
    let folder = written();
    let at = |expected: &str, url: &str| run_in(folder.path(), &["verify", expected, "--at", url]);
    for (expected, url, code, says) in [
        ("r.json", "sqlite:other.db", 3, "other.db"),
        ("r.json", "postgres://u@127.0.0.1:1/db", 3, "127.0.0.1:1"),
        ("r.json", "null:", 2, "keeps no rows"),
        ("nothing.json", "sqlite:t.db", 2, "nothing.json"),
        ("cpu", "sqlite:t.db", 3, "cpu"),
    ] {
        let done = at(expected, url);
        assert_eq!(done.code, Some(code), "{expected} at {url}: {}{}", done.stdout, done.stderr);
        assert!(done.stderr.contains(says), "{expected} at {url}: {}", done.stderr);
    }
    assert!(!folder.path().join("other.db").exists(), "nothing is made");
    std::fs::write(folder.path().join("t.yaml"), SCHEMA.replace("median: 40", "median: 41"))
        .unwrap();
    let done = verify(folder.path(), &[]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("other data than the record's"), "{}", done.stderr);
}

#[test]
fn a_copy_with_other_names_and_encodings_is_compared_through_a_map() {
    let folder = written();
    sql(
        folder.path(),
        "CREATE TABLE copy AS SELECT id AS ident, name, score,
            json_object('price', CASE WHEN price IS NULL THEN NULL ELSE CAST(price AS TEXT) END,
                        'data', lower(hex(data)), 'token', token) AS after,
            CASE WHEN paid THEN 'true' ELSE 'false' END AS paid, tags, 'extra' AS added, 'c' AS op FROM keyed;
         INSERT INTO copy (ident, op) VALUES (-1, 'd');
         DROP TABLE keyed;",
    );
    std::fs::write(
        folder.path().join("map.yaml"),
        "
tables:
  keyed:
    name: copy
    columns:
      id: { field: ident }
      price: { field: after.price }
      data: { field: after.data }
      token: { field: after.token }
      paid: { as: text }
    ignore: [at]
    deleted: { field: op, is: d }
",
    )
    .unwrap();
    let done = verify(folder.path(), &["--map", "map.yaml"]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("a copy, `copy`"), "{}", done.stdout);
    sql(
        folder.path(),
        "UPDATE copy SET after = json_set(after, '$.price', '1.23') WHERE ident = 9;
         DELETE FROM copy WHERE ident = 10;
         UPDATE copy SET op = 'd' WHERE ident = 11;",
    );
    let done = verify(folder.path(), &["--map", "map.yaml"]);
    assert_eq!(done.code, Some(5));
    assert!(done.stdout.starts_with("MISMATCH   2 missing, 1 wrong"), "{}", done.stdout);
    std::fs::write(folder.path().join("map.yaml"), "tables: { other: {} }").unwrap();
    let done = verify(folder.path(), &["--map", "map.yaml"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("the schema has no such table"), "{}", done.stderr);
}

const CHANGING: &str = "
version: 1
tables:
  orders:
    key: [id]
    preload: 500
    columns:
      id: { type: bigint, gen: sequence }
      note: { type: text, gen: { text: { bytes: 12 } } }
changes:
  streams: 4
  mix:
    - { insert: orders, weight: 2 }
    - { update: orders, set: [note], weight: 3 }
    - { delete: orders, weight: 1 }
";

#[test]
fn what_changes_leave_is_verified_and_a_lost_change_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.yaml"), CHANGING).unwrap();
    let run = ["run", "t.yaml", "--to", "sqlite:t.db", "-q", "-o", "r.json", "--changes", "2000"];
    let done = run_in(folder.path(), &run);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for more in [&[][..], &["--counts"], &["--follow", "--json"]] {
        let done = verify(folder.path(), more);
        assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
        if more.contains(&"--follow") {
            let found: Value = serde_json::from_str(&done.stdout).unwrap();
            assert_eq!(found["followed"]["looks"][0]["done"], 2000);
            assert!(found["followed"]["drained_after_s"].is_number(), "{}", done.stdout);
        }
    }
    sql(folder.path(), "DELETE FROM orders WHERE id = (SELECT max(id) FROM orders)");
    let done = verify(folder.path(), &["--json"]);
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.code, &found["tables"][0]["rows"]["missing"]), (Some(5), &1.into()));
    assert!(found["findings"][0]["lost"]["op"].is_number(), "{}", done.stdout);
    // A copy that never comes: it is given up.
    let done = verify(folder.path(), &["--follow", "--every=10ms", "--patience=50ms", "-n=1"]);
    assert_eq!(done.code, Some(5), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("not drained"), "{}", done.stdout);
    assert!(done.stderr.contains("backlog 1"), "{}", done.stderr);
}
