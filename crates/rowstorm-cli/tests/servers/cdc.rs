//! `run --cdc`: the server's own log, held against what was acknowledged.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bed::{Bed, Kind};
use crate::common::{ran, run_in};

const ANEW: &str = "--table-mode recreate --yes --cdc -o run.json";

pub(crate) async fn the_log_has_what_was_acknowledged_and_nothing_else(bed: Bed) {
    // By a transaction of the case's own, which is rolled back: no event.
    bed.done("--table-mode recreate --yes --changes 0 -o load.json");
    let mut child = bed.start("--resume load.json --cdc -o run.json --rate 2000/s --changes 6400");
    bed.changes_begun("run.json", &mut child).await;
    let orders = &bed.tables[0];
    bed.sql(&format!("BEGIN; DELETE FROM {orders} WHERE id = 1; ROLLBACK")).await;
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let record = bed.record("run.json");
    let changes = &record["changes"];
    assert!(changes["transactions"]["rolled_back"].as_u64().unwrap() > 5, "{changes}");
    let (kinds, acknowledged) = (kinds(changes), acknowledged(changes));
    assert_eq!(kinds.len(), 8, "{kinds:?}");
    let mut unchanged = 0;
    for (kind, log) in &kinds {
        let number = |name: &str| log[name].as_u64().unwrap();
        assert_eq!(number("acknowledged"), acknowledged[kind], "{kind:?}");
        assert_eq!(number("found") + number("unchanged"), acknowledged[kind], "{kind:?}");
        assert_eq!(number("in_doubt"), 0, "{kind:?}");
        unchanged += number("unchanged");
    }
    // One in four updates of a level sets what is there.
    if bed.kind == Kind::Postgres {
        assert_eq!(unchanged, 0, "PostgreSQL logs every update");
    } else {
        assert!(unchanged > 50, "{unchanged}");
    }
    assert!(changes["cdc"]["transactions"].as_u64().unwrap() > 300, "{changes}");
    // Anew, and gone on with: only what this run did is compared.
    let more =
        ran(&mut bed.command("--resume run.json --cdc -o more.json --rate max --changes 9600"));
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    let told = run_in(bed.folder.path(), &["report", "more.json", "--format", "term"]);
    assert!(told.stdout.contains("transactions, as acknowledged"), "{}", told.stdout);
}

pub(crate) async fn a_change_of_somebody_else_is_named(bed: Bed) {
    let mut child = bed.start(&format!("{ANEW} --rate 500/s --duration 4s"));
    bed.changes_begun("run.json", &mut child).await;
    // The rows come out right, and their count, too: only who listens would know.
    let people = &bed.tables[1];
    bed.sql(&format!(
        "INSERT INTO {people} (id, name, level, seen) VALUES (900000000, 'nobody', 1, '2026-01-01')"
    ))
    .await;
    bed.sql(&format!("DELETE FROM {people} WHERE id = 900000000")).await;
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(5), "{said}");
    let record = bed.record("run.json");
    let inserted = acknowledged(&record["changes"])[&(people.clone(), "insert".to_owned())];
    for wanted in [
        format!("`{people}` insert: must be {inserted}, is {}", inserted + 1),
        format!("`{people}` delete: must be 0, is 1"),
    ] {
        assert!(said.contains(&wanted), "{wanted}: {said}");
    }
    assert_eq!(said.matches("must be").count(), 2, "and nothing else: {said}");
    assert_eq!((&record["ended"], &record["verified"]), (&"failed".into(), &false.into()));
    let (code, found) = bed.verify("run.json");
    assert_eq!(code, Some(0), "{found}");
}

pub(crate) async fn a_user_who_may_not_read_the_log_is_told_before_the_load(bed: Bed) {
    let user = "rs_cdc_reader";
    if bed.kind == Kind::Postgres {
        bed.sql(&format!(
            "DROP TABLE IF EXISTS {}; DROP ROLE IF EXISTS {user}; CREATE ROLE {user} LOGIN PASSWORD 'secret';
             GRANT CREATE ON DATABASE postgres TO {user}; GRANT CREATE ON SCHEMA public TO {user}",
            bed.tables.join(", ")
        ))
        .await;
    } else {
        bed.sql(&format!("DROP USER IF EXISTS {user}")).await;
        bed.sql(&format!("CREATE USER {user} IDENTIFIED BY 'secret'")).await;
        bed.sql(&format!("GRANT ALL ON rowstorm.* TO {user}")).await;
    }
    let mut command = bed.command(&format!("{ANEW} --changes 640"));
    let refused = ran(command.env("ROWSTORM_USERNAME", user).env("ROWSTORM_PASSWORD", "secret"));
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    let named = ["replication", "BINLOG MONITOR"].iter().any(|role| refused.stderr.contains(role));
    assert!(named || refused.stderr.contains("REPLICATION"), "{}", refused.stderr);
    assert_eq!(bed.count(&bed.tables[0]).await, 0, "nothing was loaded");
    assert!(!bed.folder.path().join("run.json").exists(), "there is nothing to go on with");
    bed.clear().await;
    if bed.kind == Kind::Postgres {
        bed.sql(&format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;
    } else {
        bed.sql(&format!("DROP USER {user}")).await;
    }
}

pub(crate) async fn a_server_without_a_log_is_refused_before_the_load(bed: Bed) {
    let refused = bed.run(&format!("{ANEW} --changes 640"));
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("has no log of changes"), "{}", refused.stderr);
    assert_eq!(bed.count(&bed.tables[0]).await, 0, "nothing was loaded");
    let part = bed.run("--cdc --table-mode append --shard 1/2 --changes 640");
    assert_eq!(part.code, Some(2), "{}", part.stderr);
    assert!(part.stderr.contains("leave --cdc out"), "{}", part.stderr);
}

/// What the log has, by table and kind.
fn kinds(changes: &Value) -> BTreeMap<(String, String), Value> {
    let kinds = changes["cdc"]["kinds"].as_array().unwrap().iter();
    kinds.map(|kind| ((text(&kind["table"]), text(&kind["kind"])), kind.clone())).collect()
}

/// Changes that were answered, by table and kind, by the record's own accounts.
fn acknowledged(changes: &Value) -> BTreeMap<(String, String), u64> {
    let mut all = BTreeMap::new();
    for table in changes["tables"].as_array().unwrap() {
        for kind in table["kinds"].as_array().unwrap() {
            let matched = kind["rows"]["matched"].as_u64().unwrap();
            all.insert((text(&table["table"]), text(&kind["kind"])), matched);
        }
    }
    all
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
