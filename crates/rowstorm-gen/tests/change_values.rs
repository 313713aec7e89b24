//! What changes write, held against a small database of maps: it knows keys and values, and nothing of rows, streams or
//! closed forms. What it holds after the statements must be what is expected.

mod kinds;
mod mixes;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use mixes::{changes_of, document, shop, walking};
use proptest::prelude::*;
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, ChangeStream, Fate, OpKind};
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Row, TablePlan, Value};

type Record = BTreeMap<String, Value>;

/// Tables by place; rows by the text of their key.
#[derive(Debug, Default, Clone, PartialEq)]
struct Database {
    tables: HashMap<usize, BTreeMap<String, Record>>,
}

fn record(row: &Row) -> Record {
    row.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

fn key(table: &TablePlan, row: &Row) -> String {
    let of = |place: &usize| row[&*table.columns[*place].name].to_string();
    table.key.iter().map(of).collect::<Vec<_>>().join("/")
}

impl Database {
    /// The loaded rows; of one stream's tables, its own, but every parent.
    fn loaded(changes: &ChangePlan, stream: Option<u32>) -> Database {
        let mut database = Database::default();
        for (at, table) in changes.plan().tables().iter().enumerate() {
            let rows = table.rows(0..table.rows.unwrap_or(0));
            let own = rows.into_iter().enumerate().filter(|(row, _)| {
                let of = *row as u64 % u64::from(changes.streams());
                at == 0 || stream.is_none_or(|stream| of == u64::from(stream))
            });
            let rows = own.map(|(_, row)| (key(table, &row), record(&row))).collect();
            database.tables.insert(at, rows);
        }
        database
    }

    /// Does the statements of a batch, as a database would.
    fn apply(&mut self, changes: &ChangePlan, batch: &ChangeBatch) {
        let sorted: usize = batch.groups().iter().map(|group| group.ops.len()).sum();
        assert_eq!(sorted as u64, batch.ops.end - batch.ops.start, "every op is in one group");
        for group in batch.groups() {
            let (entry, columns) =
                (&changes.entries()[group.entry], changes.statement(group.entry));
            let rows = columns.read(&group.batch);
            let keys: Vec<String> = rows.iter().map(|row| key(columns, row)).collect();
            let mut once = keys.clone();
            once.sort_unstable();
            once.dedup();
            if !columns.key.is_empty() {
                assert_eq!(once.len(), rows.len(), "a statement names a row once");
            }
            let table = self.tables.entry(entry.table).or_default();
            for (key, row) in keys.into_iter().zip(&rows) {
                match entry.kind {
                    OpKind::Insert => {
                        assert!(table.insert(key, record(row)).is_none(), "a key twice: {row}");
                    }
                    OpKind::Update => {
                        let there = table.get_mut(&key).expect("an update finds its row");
                        there.extend(record(row));
                    }
                    OpKind::Rekey => {
                        let mut there = table.remove(&key).expect("a rekey finds its row");
                        // The key as it becomes stands behind the key as it is.
                        let new = &row.values()[columns.key.len()..];
                        for (place, value) in columns.key.iter().zip(new) {
                            there.insert(columns.columns[*place].name.to_string(), value.clone());
                        }
                        let key = new.iter().map(Value::to_string).collect::<Vec<_>>().join("/");
                        assert!(table.insert(key, there).is_none(), "a key twice: {row}");
                    }
                    OpKind::Delete => assert!(table.remove(&key).is_some(), "no {key} to delete"),
                    OpKind::Read => assert!(table.contains_key(&key), "no {key} to read"),
                }
            }
        }
    }
}

/// What is expected of some streams, as a database.
fn expected(changes: &ChangePlan, streams: impl Iterator<Item = u32>, ops: u64) -> Database {
    let mut database = Database::default();
    for number in streams {
        let stream = changes.stream(number);
        let expected = stream.expected(ops.min(stream.ops()));
        for table in 0..changes.plan().tables().len() {
            let rows: Vec<u64> = expected.rows(table).collect();
            let mut batch = Batch::default();
            let into = database.tables.entry(table).or_default();
            for rows in rows.chunks(BATCH_ROWS_MAX) {
                expected.fill(table, rows, &mut batch);
                let columns = changes.table(table);
                for row in columns.read(&batch) {
                    into.insert(key(columns, &row), record(&row));
                }
            }
        }
    }
    database
}

fn apply(
    database: &mut Database,
    stream: &ChangeStream,
    changes: &ChangePlan,
    ops: u64,
    step: u64,
) {
    let mut batch = ChangeBatch::default();
    let ops = ops.min(stream.ops());
    for start in (0..ops).step_by(step as usize) {
        stream.fill(start..ops.min(start + step), Fate::Commit, &mut batch);
        database.apply(changes, &batch);
    }
}

fn mix(weights: &[u32], pick: &str, delete: &str) -> String {
    format!(
        "- {{ insert: parents, weight: {} }}
    - {{ insert: children, weight: {} }}
    - {{ update: parents, set: [name], pick: {pick}, weight: {} }}
    - {{ update: children, set: [note, at], pick: {pick}, weight: {} }}
    - {{ update: children, set: [word, parent, note], weight: {} }}
    - {{ delete: children, pick: {delete}, weight: {} }}
    - {{ read: children, weight: {} }}",
        weights[0], weights[1], weights[2], weights[3], weights[4], weights[5], weights[6],
    )
}

prop_compose! {
    fn any_changes()(
        streams in 1_u32..4,
        parents in 1_u64..60,
        children in prop_oneof![0_u64..20, 100_u64..400],
        weights in proptest::collection::vec(1_u32..9, 7),
        delete in prop_oneof![Just("oldest"), Just("uniform")],
        pick in prop_oneof![Just("uniform"), Just("latest"), Just("{ hotspot: 0.05 }")],
        rekey in prop_oneof![Just(0_u32), 1_u32..6],
        seed in 0_u64..1000,
    ) -> ChangePlan {
        let mut mix = mix(&weights, pick, delete);
        if rekey > 0 {
            write!(mix, "\n    - {{ rekey: children, pick: {delete}, weight: {rekey} }}")
                .expect("a string takes all");
        }
        changes_of(&document(parents, children, streams, &mix), seed)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Any number of streams side by side, each in batches of its own size: the rows are those that are expected.
    #[test]
    fn what_is_expected_is_what_the_statements_wrote(
        changes in any_changes(), ops in 0_u64..900, step in prop_oneof![Just(1_u64), 2_u64..80, Just(1024)],
    ) {
        let mut database = Database::loaded(&changes, None);
        let mut batch = ChangeBatch::default();
        let streams: Vec<_> = (0..changes.streams()).map(|number| changes.stream(number)).collect();
        let mut done = vec![0; streams.len()];
        while done.iter().zip(&streams).any(|(done, stream)| *done < ops.min(stream.ops())) {
            for (at, stream) in streams.iter().enumerate().rev() {
                // The streams are not in step.
                let len = (step + 13 * at as u64).min(BATCH_ROWS_MAX as u64);
                let end = (done[at] + len).min(ops).min(stream.ops());
                stream.fill(done[at]..end, Fate::Commit, &mut batch);
                database.apply(&changes, &batch);
                done[at] = end;
            }
        }
        let mut again = Database::loaded(&changes, None);
        for stream in &streams {
            apply(&mut again, stream, &changes, ops, 97);
        }
        prop_assert_eq!(&again, &expected(&changes, 0..changes.streams(), ops));
        prop_assert_eq!(database, again);
    }

    /// At every op, with nothing there but what was loaded and the stream's own rows.
    #[test]
    fn foreign_keys_point_at_a_live_parent(changes in any_changes(), ops in 0_u64..600) {
        let stream = changes.stream(0);
        let mut database = Database::loaded(&changes, Some(0));
        let mut batch = ChangeBatch::default();
        for op in 0..ops.min(stream.ops()) {
            stream.fill(op..op + 1, Fate::Commit, &mut batch);
            let group = &batch.groups()[0];
            for row in changes.statement(group.entry).read(&group.batch) {
                if let Some(parent) = row.get("parent") {
                    let key = parent.to_string();
                    prop_assert!(database.tables[&0].contains_key(&key), "{} refers to nobody", row);
                }
            }
            database.apply(&changes, &batch);
        }
    }
}

#[test]
fn an_update_draws_what_it_sets_and_leaves_the_rest() {
    let changes = changes_of(&document(20, 200, 2, &mix(&[1; 7], "uniform", "oldest")), 5);
    let loaded = Database::loaded(&changes, None);
    let stream = changes.stream(0);
    let mut batch = ChangeBatch::default();
    let (mut differ, mut seen, mut last) = (0, 0, i64::MIN);
    for op in stream.iter(0..500).filter(|op| op.kind == OpKind::Update && op.table == 1) {
        stream.fill(op.number..op.number + 1, Fate::Commit, &mut batch);
        let group = &batch.groups()[0];
        let columns = changes.statement(group.entry);
        let row = &columns.read(&group.batch)[0];
        let names: Vec<&str> = row.iter().map(|(name, _)| name).collect();
        let note = row["note"].to_string();
        let id = row["id"].to_string();
        assert!(note.ends_with(&format!("-{id}")), "the key in a text is the row's own: {row}");
        if names == ["id", "note", "at"] {
            let Value::Timestamp(at) = row["at"] else { panic!("{row}") };
            assert!(at > last, "every op has an instant of its own, later than the one before");
            last = at;
        } else {
            assert_eq!(names, ["id", "word", "parent", "note"]);
            assert_eq!(note, format!("{}-{id}", row["word"]), "columns set together agree");
        }
        if let Some(before) = loaded.tables[&1].get(&id) {
            seen += 1;
            differ += u32::from(before["note"] != row["note"]);
        }
    }
    assert!(seen > 60 && f64::from(differ) > 0.95 * f64::from(seen), "{differ} of {seen}");
}

#[test]
fn what_is_rolled_back_is_told_from_what_is_committed() {
    let changes = shop(1);
    let stream = changes.stream(3);
    let (mut kept, mut lost) = (ChangeBatch::default(), ChangeBatch::default());
    stream.fill(0..1000, Fate::Commit, &mut kept);
    stream.fill(0..1000, Fate::RollBack, &mut lost);
    let (mut same, mut rows) = (0, 0);
    for (kept, lost) in kept.groups().iter().zip(lost.groups()) {
        assert_eq!((kept.entry, &kept.rows), (lost.entry, &lost.rows));
        let columns = changes.statement(kept.entry);
        if columns.columns.len() > columns.key.len() {
            let pairs = columns.read(&kept.batch).into_iter().zip(columns.read(&lost.batch));
            for (kept, lost) in pairs {
                assert_eq!(kept["id"], lost["id"]);
                rows += 1;
                same += u32::from(kept == lost);
            }
        }
    }
    // A status has three values only.
    assert!(rows > 900 && same < rows / 4, "{same} of {rows}");
}

#[test]
fn new_parents_are_picked_like_old_ones() {
    let mix = "- { insert: parents, weight: 1 }\n    - { insert: children, weight: 9 }";
    let text = document(1_000, 0, 4, mix).replace(", skew: { zipf: 1.1 }", "");
    let changes = changes_of(&text, 7);
    let mut picks: HashMap<String, u64> = HashMap::new();
    let mut batch = ChangeBatch::default();
    // All streams together end with 1,000 old parents and 1,000 new ones.
    for number in 0..4 {
        let stream = changes.stream(number);
        for start in (0..2_500).step_by(500) {
            stream.fill(start..start + 500, Fate::Commit, &mut batch);
            for group in batch.groups().iter().filter(|group| group.entry == 1) {
                for row in changes.statement(1).read(&group.batch) {
                    *picks.entry(row["parent"].to_string()).or_default() += 1;
                }
            }
        }
    }
    let old: std::collections::HashSet<String> =
        changes.plan().tables()[0].rows(0..1_000).iter().map(|row| row["id"].to_string()).collect();
    let (on_old, on_new) = picks.iter().fold((0.0, 0.0), |(old_sum, new_sum), (parent, count)| {
        if old.contains(parent) {
            (old_sum + *count as f64, new_sum)
        } else {
            (old_sum, new_sum + *count as f64)
        }
    });
    // With n old and up to n new parents, the new ones' share is the mean of x / (1 + x): 1 - ln 2.
    let share = on_new / (on_old + on_new);
    assert!((share - (1.0 - 2.0_f64.ln())).abs() < 0.02, "{share}");
}

#[test]
fn every_kind_of_column_is_inserted_and_updated() {
    let text = kinds::document(kinds::KINDS)
        .replace("  kinds:\n", "  kinds:\n    key: [uniform_unique]\n")
        .replace("preload: 100000", "preload: 300");
    let with = |set: &[&str]| {
        let set = set.join(", ");
        format!(
            "{text}changes:
  streams: 3
  mix:
    - {{ insert: parents, weight: 1 }}
    - {{ insert: kinds, weight: 2 }}
    - {{ update: kinds, set: [{set}], weight: 3 }}
    - {{ delete: kinds, pick: uniform, weight: 1 }}
"
        )
    };
    let probe = kinds::plan_of(&text, 1);
    let fixed = probe.schema().fixed("kinds");
    let set: Vec<&str> = kinds::KINDS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !fixed.contains_key(name) && *name != "states")
        .collect();
    for name in ["ref", "ref_zipf", "ref_column", "object", "now", "template", "nulls", "uuid_v4"] {
        assert!(set.contains(&name), "{name} can be set");
    }
    let changes = changes_of(&with(&set), 3);
    let mut database = Database::loaded(&changes, None);
    for number in 0..3 {
        apply(&mut database, &changes.stream(number), &changes, 400, 150);
    }
    assert_eq!(database, expected(&changes, 0..3, 400));
}

/// Where a row may go from each state.
fn may_follow(state: &str) -> &'static [&'static str] {
    match state {
        "open" => &["paid", "cancelled"],
        "paid" => &["packed"],
        "packed" => &["shipped"],
        "shipped" => &["delivered", "returned"],
        "cancelled" => &["cancelled"],
        "delivered" => &["delivered"],
        "returned" => &["returned"],
        other => panic!("no state {other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn rows_walk_through_states_one_move_an_update(
        streams in 1_u32..4, preload in 0_u64..200, seed in 0_u64..100, ops in 0_u64..1_500,
        weights in proptest::collection::vec(1_u32..9, 4), pick in prop_oneof![Just("uniform"), Just("latest")],
        step in prop_oneof![Just(1_u64), Just(50), Just(1024)],
    ) {
        let changes = walking(streams, preload, &weights, pick, seed);
        let mut database = Database::loaded(&changes, None);
        let mut batch = ChangeBatch::default();
        for number in 0..streams {
            let stream = changes.stream(number);
            let ops = ops.min(stream.ops());
            for op in 0..ops {
                stream.fill(op..op + 1, Fate::Commit, &mut batch);
                let group = &batch.groups()[0];
                let columns = changes.statement(group.entry);
                let row = &columns.read(&group.batch)[0];
                let before = database.tables[&0].get(&key(columns, row)).cloned();
                database.apply(&changes, &batch);
                let Some(status) = row.get("status").map(Value::to_string) else { continue };
                prop_assert_eq!(row["label"].to_string(), format!("{}-{}", status, row["id"]));
                if let Some(before) = before {
                    let from = before["status"].to_string();
                    prop_assert!(may_follow(&from).contains(&&*status), "{} to {}", from, status);
                    let Value::Int(mode) = before["mode"] else { panic!("{before:?}") };
                    prop_assert_eq!(&row["mode"], &(mode % 3 + 1));
                } else {
                    prop_assert!(["open", "paid"].contains(&&*status));
                    prop_assert_eq!(&row["mode"], &1);
                }
            }
        }
        prop_assert_eq!(&database, &expected(&changes, 0..streams, ops));
        let mut again = Database::loaded(&changes, None);
        for number in 0..streams {
            apply(&mut again, &changes.stream(number), &changes, ops, step);
        }
        prop_assert_eq!(database, again);
    }
}

#[test]
fn rows_take_turns_and_come_to_an_end() {
    let changes = walking(2, 400, &[1, 20, 0, 1].map(|weight| weight.max(1)), "uniform", 3);
    let stream = changes.stream(1);
    let mut turns: HashMap<u64, u64> = HashMap::new();
    for op in stream.iter(0..2_000).filter(|op| op.entry == 1) {
        *turns.entry(op.row).or_default() += 1;
    }
    let (least, most) = (turns.values().min().unwrap(), turns.values().max().unwrap());
    assert!(turns.len() > 200 && *most <= 10 && *least >= 1, "{least} to {most}");
    let walked = expected(&changes, 1..2, 2_000);
    let ended = walked.tables[&0].values().filter(|row| {
        ["delivered", "returned", "cancelled"].contains(&&*row["status"].to_string())
    });
    assert!(ended.count() > 100);
}
