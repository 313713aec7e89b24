//! One seed, one state: whatever is in flight, and on however many machines.

use crate::bed::{Bed, Kind};
use crate::common::run_in;

/// `gen: now` counts from here in all runs, so that its columns are equal, too.
const ANEW: &str = "--table-mode recreate --yes --epoch 2026-01-01T00:00:00Z --rate max --batch 50";
const CHANGES: u64 = 6_400;

pub(crate) async fn one_seed_ends_in_one_state_however_it_is_run(bed: Bed) {
    bed.done(&format!("{ANEW} --changes 0 -o load.json"));
    let loaded = bed.dump().await;
    let mut states = Vec::new();
    for in_flight in [1, 3, 8] {
        let changes = format!("--changes {CHANGES} --in-flight {in_flight}");
        bed.done(&format!("{ANEW} {changes} -o run.json"));
        assert_eq!(bed.record("run.json")["changes"]["rows"]["planned"], CHANGES);
        states.push((format!("{in_flight} in flight"), bed.dump().await));
    }
    four_shards(&bed);
    states.push(("4 shards".to_owned(), bed.dump().await));
    let (_, first) = &states[0];
    assert_ne!(*first, loaded, "nothing was changed");
    for (how, state) in &states {
        assert!(
            state == first,
            "{how}: another state than with 1 in flight{}",
            apart(first, state)
        );
    }
    the_shards_records_prove_it_together(&bed).await;
}

/// Loads once; then four processes, at the same time but for SQLite's one writer.
fn four_shards(bed: &Bed) {
    bed.done(&format!("{ANEW} --changes 0 -o load.json"));
    let shard = |at: u32| {
        format!(
            "--resume load.json --shard {at}/4 --rate max --batch 50 --changes {CHANGES} -o {at}.json"
        )
    };
    let mut started = Vec::new();
    for at in 1..=4 {
        if bed.kind == Kind::Sqlite {
            bed.done(&shard(at));
        } else {
            started.push(bed.start(&shard(at)));
        }
    }
    for child in started {
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{said}");
    }
}

async fn the_shards_records_prove_it_together(bed: &Bed) {
    let arguments = ["merge", "1.json", "2.json", "3.json", "4.json", "-o", "all.json"];
    let merged = run_in(bed.folder.path(), &arguments);
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    assert_eq!(bed.record("all.json")["changes"]["rows"]["matched"], CHANGES);
    let (code, found) = bed.verify("all.json");
    assert_eq!(code, Some(0), "{found}");
    let tables = found["tables"].as_array().unwrap();
    let compared: u64 = tables.iter().map(|table| table["compared"].as_u64().unwrap()).sum();
    let mut counted = 0;
    for table in &bed.tables {
        counted += bed.count(table).await;
    }
    assert_eq!(compared, counted, "every row was compared");
    let one = run_in(bed.folder.path(), &["verify", "1.json", "--at", &bed.url]);
    assert!(one.code == Some(2) && one.stderr.contains("rowstorm merge"), "{}", one.stderr);
    bed.damage(&bed.tables[1]).await;
    let (code, found) = bed.verify("all.json");
    assert_eq!(code, Some(5), "{found}");
    let wrong: Vec<_> = found["findings"].as_array().unwrap().iter().collect();
    assert_eq!(wrong.len(), 1, "{found}");
    assert_eq!(
        (&wrong[0]["kind"], &wrong[0]["table"]),
        (&"wrong".into(), &(*bed.tables[1]).into())
    );
}

/// The first row that only one of two dumps has.
fn apart(one: &[u8], other: &[u8]) -> String {
    let lines =
        |dump: &[u8]| dump.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (one, other) = (lines(one), lines(other));
    let mut pairs = one.iter().zip(&other);
    let first = pairs.find(|(one, other)| one != other);
    first.map_or_else(String::new, |(one, other)| {
        format!(":\n{}\n{}", String::from_utf8_lossy(one), String::from_utf8_lossy(other))
    })
}
