//! Events among changes through the real binary: DDL and a truncate in mid-run, and what goes wrong with them.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::changing::{change, record, verify};
use crate::common::run_in;

const SCHEMA: &str = "version: 1
tables:
  orders:
    key: [id]
    preload: 1000
    columns:
      id: { type: bigint, gen: sequence }
      amount: { type: int, gen: { uniform: [1, 1000000] } }
  visits:
    key: [id]
    preload: 500
    columns:
      id: { type: bigint, gen: sequence }
      order: { type: bigint, gen: { uniform: [1, 1000] } }
changes:
  streams: 8
  mix:
    - { insert: visits, weight: 30 }
    - { insert: orders, weight: 10 }
    - { update: orders, set: [amount], pick: latest, weight: 30 }
    - { delete: orders, weight: 5 }
    - { read: orders, weight: 5 }
    - { read: orders, statement: \"SELECT * FROM orders WHERE id = {id}\", weight: 2 }
";
const EVENTS: &str = "  events:
    - { after: 4000 changes, statement: ALTER TABLE orders ADD COLUMN note text }
    - { after: 8000, truncate: visits }
    - { after: 12000, statement: { sqlite: CREATE INDEX by_amount ON orders (amount) } }
";

fn write(folder: &Path, events: &str) {
    std::fs::write(folder.join("s.yaml"), format!("{SCHEMA}{events}")).expect("it is written");
}

fn events(folder: &Path) -> Vec<Value> {
    record(folder)["changes"]["events"].as_array().expect("events are in the record").clone()
}

fn outcomes(folder: &Path) -> Vec<String> {
    let text = |event: Value| event["outcome"].as_str().expect("a word").to_owned();
    events(folder).into_iter().map(text).collect()
}

#[test]
fn events_are_done_counted_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, EVENTS);
    let done = change(path, &["--changes", "20000", "--report", "s.html"]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    for part in ["event 1", "after 4,000 ops: done at", "event 3", "ADD COLUMN note text"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    let html = std::fs::read_to_string(path.join("s.html")).unwrap();
    assert!(html.contains("CREATE INDEX by_amount"), "the page shows what was done");
    assert_eq!(outcomes(path), ["done"; 3]);
    assert!(events(path)[1]["rows"].as_u64().unwrap() > 500);
    let database = Connection::open(path.join("s.db")).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM pragma_table_info('orders')"), 3);
    assert_eq!(
        count("SELECT count(*) FROM pragma_index_list('orders') WHERE name = 'by_amount'"),
        1
    );
    // 12,000 of 20,000 ops came behind, 30 of 82 of them visits.
    let visits = count("SELECT count(*) FROM visits");
    assert!((4_300..4_500).contains(&visits), "{visits}");
    let verified = verify(path);
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
    // A row of before the truncate, put back by hand.
    database.execute("INSERT INTO visits VALUES (17, 3)", []).unwrap();
    let planted = verify(path);
    assert_eq!(planted.code, Some(5), "{}", planted.stdout);
    assert!(planted.stdout.contains("went with a truncate"), "{}", planted.stdout);
}

#[test]
fn a_run_that_resumes_sends_no_event_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, EVENTS);
    assert_eq!(change(path, &["--changes", "7000"]).code, Some(0));
    assert_eq!(outcomes(path), ["done", "not_reached", "not_reached"]);
    assert_eq!(verify(path).code, Some(0));
    let more = change(path, &["--changes", "20000", "--resume", "s.json"]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    assert_eq!(outcomes(path), ["done_before", "done", "done"]);
    let verified = verify(path);
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
}

/// The mark of a process that was killed behind the statement, and before it knew its answer.
#[test]
fn a_statement_in_doubt_that_is_refused_the_second_time_is_counted_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, EVENTS);
    assert_eq!(change(path, &["--changes", "4000"]).code, Some(0));
    let mut record = record(path);
    assert_eq!(record["changes"]["events"][0]["outcome"], "done");
    record["changes"]["events"][0]["outcome"] = "in_doubt".into();
    std::fs::write(path.join("s.json"), record.to_string()).unwrap();
    let more = change(path, &["--changes", "20000", "--resume", "s.json"]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    assert_eq!(outcomes(path), ["refused_again", "done", "done"]);
    assert!(events(path)[0]["message"].as_str().unwrap().contains("duplicate column name: note"));
    assert!(
        more.stdout.contains("in doubt, refused when it was sent once more"),
        "{}",
        more.stdout
    );
    let verified = verify(path);
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
}

#[test]
fn a_statement_that_is_refused_ends_the_run_in_the_databases_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(
        path,
        "  events:\n    - { after: 3000, statement: ALTER TABLE nowhere ADD COLUMN note text }\n",
    );
    let refused = change(path, &["--changes", "9000"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    for part in
        ["changes.events[0]", "ALTER TABLE nowhere", "after 3000 ops", "no such table: nowhere"]
    {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert_eq!(outcomes(path), ["refused"]);
    assert_eq!(verify(path).code, Some(0), "3,000 ops are done, and nothing else");
    // Once it can be done, the run goes on, and the event is sent for the first time.
    let database = Connection::open(path.join("s.db")).unwrap();
    database.execute_batch("CREATE TABLE nowhere (id int)").unwrap();
    let more = change(path, &["--changes", "9000", "--resume", "s.json"]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    assert_eq!(outcomes(path), ["done"]);
    assert_eq!(verify(path).code, Some(0));
}

#[test]
fn events_that_cannot_be_are_refused_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "  events:\n    - { after: 5, truncate: orders }\n");
    let refused = run_in(path, &["check", "s.yaml"]);
    assert_eq!(refused.code, Some(2));
    for part in ["changes.events[0].truncate", "`changes.mix[2]` updates `orders`"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    write(path, EVENTS);
    let start = ["run", "s.yaml", "--to", "sqlite:t.db", "--progress", "off"];
    let run = |more: &[&str]| run_in(path, &[&start[..], more].concat());
    let loaded = run(&["--changes", "0", "-o", "load.json"]);
    assert_eq!(loaded.code, Some(0), "{}", loaded.stderr);
    let shard = ["--resume", "load.json", "-o", "one.json", "--changes", "9000", "--shard", "1/2"];
    let sharded = run(&shard);
    assert_eq!(sharded.code, Some(2), "{}", sharded.stderr);
    assert!(sharded.stderr.contains("--shard"), "{}", sharded.stderr);
    write(path, "  events:\n    - { after: 5, statement: { mysql: SELECT 1 } }\n");
    let refused = change(path, &["--changes", "9000"]);
    assert!(refused.stderr.contains("add `sqlite: …`"), "{}", refused.stderr);
    assert!(!path.join("s.json").exists(), "nothing was begun");
    write(path, EVENTS);
    let explained = run_in(path, &["explain", "s.yaml", "--to", "sqlite:s.db"]);
    assert!(
        explained.stdout.contains("event after 8,000 ops\n    DELETE FROM \"visits\""),
        "{}",
        explained.stdout
    );
}

#[test]
fn nobody_vouches_for_rows_of_a_truncate_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "  events:\n    - { after: 3000, truncate: visits }\n");
    assert_eq!(change(path, &["--changes", "3000"]).code, Some(0));
    let follow = ["verify", "s.json", "--at", "sqlite:s.db", "--follow"];
    let followed = run_in(path, &follow);
    assert_eq!(followed.code, Some(2));
    assert!(followed.stderr.contains("--follow cannot tell"), "{}", followed.stderr);
    let mut record = record(path);
    record["changes"]["events"][0]["outcome"] = "in_doubt".into();
    std::fs::write(path.join("s.json"), record.to_string()).unwrap();
    let doubted = verify(path);
    assert_eq!(doubted.code, Some(2));
    assert!(doubted.stderr.contains("go on with --resume"), "{}", doubted.stderr);
    let more = change(path, &["--changes", "5000", "--resume", "s.json"]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    assert_eq!(outcomes(path), ["done"]);
    assert_eq!(verify(path).code, Some(0));
}
