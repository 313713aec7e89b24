//! Changes through the real binary: what is done is in the record, and a run that was killed goes on.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::common::{Ran, rowstorm, run_in};

const SCHEMA: &str = "version: 1
tables:
  customers:
    key: [id]
    preload: 500
    columns:
      id: { type: bigint, gen: sequence }
      name: { type: text, gen: { fake: first_name } }
  orders:
    key: [id]
    preload: 2000
    columns:
      id: { type: bigint, gen: sequence }
      customer: { type: bigint, gen: { ref: { table: customers } } }
      amount: { type: int, gen: { uniform: [1, 1000000] } }
changes:
  streams: 8
  mix:
    - { insert: orders, weight: 40 }
    - { update: orders, set: [amount], pick: latest, weight: 30 }
    - { update: customers, set: [name], weight: 10 }
    - { delete: orders, weight: 15 }
    - { read: orders, weight: 5 }
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.yaml"), SCHEMA).unwrap();
    folder
}

const ARGUMENTS: [&str; 8] =
    ["run", "s.yaml", "--to", "sqlite:s.db", "-o", "s.json", "--progress", "off"];

/// Runs `s.yaml` into `s.db`, and its record is `s.json`.
pub(crate) fn change(folder: &Path, more: &[&str]) -> Ran {
    run_in(folder, &[&ARGUMENTS[..], more].concat())
}

pub(crate) fn record(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("s.json")).expect("the record is written");
    serde_json::from_str(&text).expect("the record is JSON")
}

fn sum(list: &Value) -> u64 {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).sum()
}

pub(crate) fn verify(folder: &Path) -> Ran {
    run_in(folder, &["verify", "s.json", "--at", "sqlite:s.db", "--full"])
}

#[test]
fn changes_are_made_counted_and_verified() {
    let folder = folder();
    let done = change(folder.path(), &["--changes", "20000", "--report", "s.html"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let record = record(folder.path());
    let changes = &record["changes"];
    assert_eq!(changes["rows"]["planned"], 20_000);
    assert_eq!(changes["rows"]["matched"], 20_000);
    assert_eq!(sum(&changes["ranges_done"]), 20_000);
    assert_eq!((&record["ended"], &record["verified"]), (&"done".into(), &true.into()));
    let database = Connection::open(folder.path().join("s.db")).unwrap();
    let count = |table: &str| -> i64 {
        let statement = format!("SELECT count(*) FROM {table}");
        database.query_row(&statement, [], |row| row.get(0)).unwrap()
    };
    for table in changes["tables"].as_array().unwrap() {
        assert_eq!(table["audited"], count(table["table"].as_str().unwrap()), "{table}");
    }
    assert!(!folder.path().join("s.json.ops").exists());
    let verified = verify(folder.path());
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
    let html = std::fs::read_to_string(folder.path().join("s.html")).unwrap();
    assert!(html.contains("Changes"), "the report tells of them");
    assert_eq!(changes["tuning"]["decisions"][0]["kind"], "start");
    assert!(html.contains("Decisions on changes"), "and of what they were tuned by");
}

#[test]
fn a_rate_and_stages_are_in_the_record_and_in_the_summary() {
    let folder = folder();
    let done = change(folder.path(), &["--stages", "500/s:1s,max:1s"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("changes"), "{}", done.stdout);
    let record = record(folder.path());
    let stages = record["changes"]["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 2);
    assert_eq!(stages[0]["target_per_second"].as_f64().map(f64::round), Some(500.0));
    assert!(stages[1]["target_per_second"].is_null());
    let done = change(
        folder.path(),
        &["--rate", "400/s", "--duration", "1s", "--table-mode", "recreate", "--yes"],
    );
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let planned = self::record(folder.path())["changes"]["rows"]["planned"].as_u64().unwrap();
    // 400 changes a second, and 5 reads for every 95.
    assert!((400..=423).contains(&planned), "{planned}");
}

#[test]
fn what_cannot_be_is_said_before_anything_is_done() {
    let folder = folder();
    let endless = change(folder.path(), &[]);
    assert_eq!(endless.code, Some(2));
    assert!(endless.stderr.contains("--duration 60s"), "{}", endless.stderr);
    assert!(!folder.path().join("s.db").exists());
    let alone = change(folder.path(), &["--changes", "0"]);
    assert_eq!(alone.code, Some(0), "{}", alone.stderr);
    // The tables are there as they must be: changes alone follow.
    let after = change(folder.path(), &["--changes", "100", "--table-mode", "append"]);
    assert_eq!(after.code, Some(0), "{}", after.stderr);
    assert_eq!(record(folder.path())["rows"]["planned"], 0);
    let again = change(folder.path(), &["--changes", "100", "--table-mode", "append"]);
    assert_eq!(again.code, Some(3));
    assert!(again.stderr.contains("changes begin with"), "{}", again.stderr);
    let stages = run_in(folder.path(), &["run", "cpu", "--to", "null:", "--stages", "max:1s"]);
    assert_eq!(stages.code, Some(2));
}

#[test]
fn shards_go_on_with_one_load_and_their_records_make_one() {
    let folder = folder();
    let now =
        SCHEMA.replace("amount: {", "changed: { type: timestamp, gen: now }\n      amount: {");
    let now = now.replace("set: [amount]", "set: [amount, changed]");
    std::fs::write(folder.path().join("s.yaml"), now).unwrap();
    let load = ["run", "s.yaml", "--to", "sqlite:s.db", "-q"];
    let loaded =
        run_in(folder.path(), &[&load[..], &["--changes", "0", "-o", "load.json"]].concat());
    assert_eq!(loaded.code, Some(0), "{}", loaded.stderr);
    for (part, record) in [("1/3", "1.json"), ("2/3", "2.json"), ("3/3", "3.json")] {
        let more = ["--changes", "9000", "--resume", "load.json", "--shard", part, "-o", record];
        let done = run_in(folder.path(), &[&load[..], &more[..]].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let words = again(folder.path(), record).join(" ");
        assert!(
            words.ends_with(&format!("--changes 9000 --shard {part} --resume load.json")),
            "{words}"
        );
    }
    let merged = run_in(folder.path(), &["merge", "1.json", "2.json", "3.json", "-o", "s.json"]);
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    let changes = &record(folder.path())["changes"];
    assert_eq!((sum(&changes["ranges_done"]), &changes["rows"]["matched"]), (9_000, &9_000.into()));
    let verified = verify(folder.path());
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
}

#[test]
fn explain_shows_the_statements_of_the_mix() {
    let folder = folder();
    let shown = run_in(folder.path(), &["explain", "s.yaml", "--to", "sqlite:s.db"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    for part in
        ["changes: 8 streams", "update orders", "DELETE FROM", "read orders", "committed together"]
    {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let nowhere = run_in(folder.path(), &["explain", "s.yaml", "--to", "null:"]);
    assert!(nowhere.stdout.contains("DELETE FROM"), "{}", nowhere.stdout);
    let refused = run_in(folder.path(), &["explain", "s.yaml", "--to", "null:csv"]);
    assert!(refused.stdout.contains("takes no changes"), "{}", refused.stdout);
}

#[test]
fn changes_to_nowhere_are_made_and_counted() {
    let folder = folder();
    for wire in ["postgres", "mysql", "mongodb", "cratedb", "sqlite"] {
        let target = format!("null:{wire}");
        let options = ["--rate", "max", "--changes", "5000", "-q", "-o", "s.json"];
        let done =
            run_in(folder.path(), &[&["run", "s.yaml", "--to", &target], &options[..]].concat());
        assert_eq!(done.code, Some(0), "{wire}: {}", done.stderr);
        let changes = &record(folder.path())["changes"];
        assert_eq!(changes["rows"]["matched"], 5_000, "{wire}");
        assert!(
            changes["tables"][1]["audited"].is_null(),
            "nothing is kept, so nothing is counted"
        );
    }
    let refused = run_in(folder.path(), &["run", "s.yaml", "--to", "null:csv", "--changes", "9"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("takes no changes"), "{}", refused.stderr);
}

#[test]
fn the_command_that_does_it_again_is_what_one_would_type() {
    let folder = folder();
    for (given, again) in [
        (&["--rate", "9000/s", "--duration", "1s"][..], "--rate 9000/s --duration 1s"),
        (&["--stages", "9000/s:500ms"], "--rate 9000/s --duration 500ms"),
        (&["--stages", "900/s:500ms,max:250ms"], "--stages 900/s:500ms,max:250ms"),
        (&["--rate", "max", "--changes", "90"], "--rate max --changes 90"),
        (&["--changes", "90", "--in-flight", "2"], "--rate max --changes 90 --in-flight 2"),
        (&["--changes", "0", "--batch", "800"], "--changes 0 --batch 800"),
    ] {
        let done = change(folder.path(), &[given, &["--table-mode", "recreate", "--yes"]].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let shown = run_in(folder.path(), &["report", "s.json", "--format", "term"]);
        assert!(shown.stdout.contains(again), "{again}: {}", shown.stdout);
    }
}

/// The words behind `reproduce`.
fn again(folder: &Path, record: &str) -> Vec<String> {
    let shown = run_in(folder, &["report", record, "--format", "term"]).stdout;
    let line = shown.lines().find_map(|line| line.trim().strip_prefix("reproduce"));
    line.expect("the line is there").split_whitespace().skip(1).map(str::to_owned).collect()
}

#[test]
fn what_a_run_left_that_went_on_is_made_again_from_nothing() {
    let folder = folder();
    let first = ["--changes", "3000", "--table-mode", "recreate", "--yes", "--seed", "9"];
    assert_eq!(change(folder.path(), &first).code, Some(0));
    let more = change(folder.path(), &["--changes", "9000", "--resume", "s.json"]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    let rows = || {
        let database = Connection::open(folder.path().join("s.db")).unwrap();
        let sql = "SELECT count(*), sum(id), sum(id * amount) FROM orders";
        let row = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?]);
        database.query_row(sql, [], row).unwrap()
    };
    let left = rows();
    let mut words = again(folder.path(), "s.json");
    words.extend(["--yes", "-o", "t.json"].map(str::to_owned));
    let done = run_in(folder.path(), &words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(done.code, Some(0), "{words:?}: {}", done.stderr);
    assert_eq!(rows(), left);
    let of = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["changes"].clone()
    };
    assert_eq!(of("t.json")["ranges_done"], of("s.json")["ranges_done"]);
    assert_eq!(
        (&of("t.json")["resumed_record"], &of("s.json")["resumed_record"]),
        (&"".into(), &"s.json".into())
    );
}

/// Killed again and again, wherever it is, and gone on with until it is done.
#[test]
fn a_run_that_is_killed_goes_on_and_loses_nothing() {
    const CHANGES: [&str; 2] = ["--changes", "60000"];
    let folder = folder();
    let (mut resume, mut kills) = (Vec::new(), 0);
    for wait_ms in [150, 300, 350, 400, 450, 500] {
        let arguments = [&ARGUMENTS[..], &CHANGES[..], &resume[..]].concat();
        let mut child = rowstorm(folder.path(), &arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait_ms));
        if child.try_wait().unwrap().is_none() {
            kills += 1;
            child.kill().unwrap();
        }
        child.wait().unwrap();
        if folder.path().join("s.json").exists() {
            resume = vec!["--resume", "s.json"];
        }
    }
    let done = change(folder.path(), &[&CHANGES[..], &resume[..]].concat());
    assert_eq!(done.code, Some(0), "{kills} kills: {}", done.stderr);
    assert_eq!(sum(&record(folder.path())["changes"]["ranges_done"]), 60_000);
    let verified = verify(folder.path());
    assert_eq!(verified.code, Some(0), "{kills} kills: {}", verified.stdout);
}

/// A lock holds the run where its record is written, and no table is dropped yet.
#[test]
fn a_run_that_is_killed_before_its_tables_are_ready_makes_them_ready_when_it_goes_on() {
    const RECREATE: [&str; 3] = ["--table-mode", "recreate", "--yes"];
    let folder = folder();
    let old = change(folder.path(), &["--changes", "4000", "--seed", "7"]);
    assert_eq!(old.code, Some(0), "{}", old.stderr);
    std::fs::remove_file(folder.path().join("s.json")).unwrap();
    let database = Connection::open(folder.path().join("s.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let arguments = [&ARGUMENTS[..], &["--changes", "2000"], &RECREATE[..]].concat();
    let mut child = rowstorm(folder.path(), &arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !folder.path().join("s.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(record(folder.path())["ended"], "preparing");
    // To drop tables is asked for as the first time.
    let unasked = change(folder.path(), &["--changes", "2000", "--resume", "s.json"]);
    assert_eq!(unasked.code, Some(2), "{}", unasked.stderr);
    assert!(unasked.stderr.contains("say --yes"), "{}", unasked.stderr);
    let more = change(folder.path(), &["--changes", "2000", "--resume", "s.json", "--yes"]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    let done = record(folder.path());
    assert_eq!(
        (&done["table_mode"], &done["rows"]["accepted"]),
        (&"recreate".into(), &2_500.into())
    );
    assert_eq!(verify(folder.path()).code, Some(0));
}

/// The marks of a process that was killed before its tables were ready, and after.
#[test]
fn once_a_row_may_be_there_nothing_is_dropped() {
    let folder = folder();
    let load = ["--changes", "0", "--table-mode", "recreate", "--yes"];
    assert_eq!(change(folder.path(), &load).code, Some(0));
    for (ended, accepted, confirmed) in [("running", 0, 2_500), ("preparing", 2_500, 0)] {
        let mut killed = record(folder.path());
        killed["ended"] = ended.into();
        std::fs::write(folder.path().join("s.json"), killed.to_string()).unwrap();
        let loaded = change(folder.path(), &[&load[..], &["--resume", "s.json"]].concat());
        assert_eq!(loaded.code, Some(0), "{}", loaded.stderr);
        let rows = &record(folder.path())["rows"];
        let seen = (&rows["accepted"], &rows["confirmed"]);
        assert_eq!(seen, (&accepted.into(), &confirmed.into()), "{ended}");
    }
}

/// Words by which a load that is not whole would be taken for another's are refused, and nothing is begun.
#[test]
fn what_a_run_does_with_its_tables_is_told_once() {
    const LOAD: [&str; 4] = ["--changes", "2000", "--resume", "s.json"];
    let folder = folder();
    assert_eq!(change(folder.path(), &["--changes", "0"]).code, Some(0));
    let mut killed = record(folder.path());
    killed["ended"] = "running".into();
    std::fs::write(folder.path().join("s.json"), killed.to_string()).unwrap();
    let database = Connection::open(folder.path().join("s.db")).unwrap();
    let gone = database.execute("DELETE FROM orders WHERE id > 1000", []).unwrap();
    assert!(gone > 0);
    let other = change(folder.path(), &[&LOAD[..], &["--table-mode", "append"]].concat());
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("began with create"), "{}", other.stderr);
    assert_eq!(record(folder.path()), killed, "nothing was begun");
    let done = change(folder.path(), &[&LOAD[..], &["--table-mode", "create"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(record(folder.path())["rows"]["accepted"], gone);
    assert_eq!(verify(folder.path()).code, Some(0));
}

#[test]
fn a_record_of_another_run_is_not_gone_on_with() {
    let folder = folder();
    assert_eq!(change(folder.path(), &["--changes", "1000"]).code, Some(0));
    let other = SCHEMA.replace("streams: 8", "streams: 4");
    std::fs::write(folder.path().join("s.yaml"), other).unwrap();
    let refused = change(folder.path(), &["--changes", "2000", "--resume", "s.json"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("another run"), "{}", refused.stderr);
    std::fs::write(folder.path().join("s.yaml"), SCHEMA).unwrap();
    let more = change(folder.path(), &["--changes", "2000", "--resume", "s.json"]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    assert_eq!(record(folder.path())["changes"]["rows"]["planned"], 1_000);
    assert_eq!(verify(folder.path()).code, Some(0));
}

/// What tsperf's query timer did: a table that is there, one statement again and again, percentiles.
#[test]
fn a_loaded_table_is_asked_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let start = ["run", "queries", "--to", "sqlite:q.db", "--progress", "off"];
        run_in(folder.path(), &[&start[..], more].concat())
    };
    let loaded = run(&["--changes", "0", "-o", "load.json"]);
    assert_eq!(loaded.code, Some(0), "{}", loaded.stderr);
    let asked = run(&["--resume", "load.json", "-o", "s.json", "--changes", "640"]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    for part in ["query 1", "128 answered", "query 2", "512 answered, 512 rows", "p99"] {
        assert!(asked.stdout.contains(part), "{part}: {}", asked.stdout);
    }
    let record = record(folder.path());
    let queries = record["changes"]["queries"].as_array().unwrap();
    assert_eq!((queries.len(), &queries[1]["rows"]), (2, &512.into()));
    // 500 sensors, every half a second: the picked instant, and four before it, less at the beginning.
    let rows = queries[0]["rows"].as_u64().unwrap();
    assert!((60_000..=320_000).contains(&rows) && rows.is_multiple_of(500), "{rows}");
    let database = Connection::open(folder.path().join("q.db")).unwrap();
    let sql = "SELECT count(*) FROM environment";
    let count = database.query_row(sql, [], |row| row.get(0));
    assert_eq!(count, Ok(100_000_i64), "nothing was changed");
    let page = run_in(folder.path(), &["report", "s.json", "-o", "s.html"]);
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    let html = std::fs::read_to_string(folder.path().join("s.html")).unwrap();
    assert!(html.contains("WHERE sensor_id = ?1"), "the page shows what was asked");
}

#[test]
fn a_statement_that_is_wrong_is_told_in_the_databases_words() {
    let folder = folder();
    let wrong = "    - { read: orders, statement: \"SELECT id FROM nowhere WHERE id = {id}\", weight: 5 }\n";
    std::fs::write(folder.path().join("s.yaml"), format!("{SCHEMA}{wrong}")).unwrap();
    let refused = change(folder.path(), &["--changes", "2000"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    let all = format!("{}{}", refused.stdout, refused.stderr);
    assert!(all.contains("no such table: nowhere"), "{all}");
    let missing = SCHEMA.replace("weight: 5 }", "weight: 5, statement: { mysql: SELECT 1 } }");
    std::fs::write(folder.path().join("s.yaml"), missing).unwrap();
    let refused =
        change(folder.path(), &["--changes", "2000", "--table-mode", "recreate", "--yes"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("add `sqlite: SELECT …`"), "{}", refused.stderr);
}
