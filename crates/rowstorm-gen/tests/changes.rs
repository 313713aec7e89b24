//! The laws of change streams, held against a model that knows nothing of closed forms: a map, op by op.

mod mixes;

use std::collections::{BTreeSet, HashMap};

use mixes::{changes_of, document, shop};
use proptest::prelude::*;
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, ChangeStream, Counts, Fate, Op, OpKind};

/// The rows that are there, by table, and how often each entry came.
#[derive(Default)]
struct Model {
    live: HashMap<usize, BTreeSet<u64>>,
    unborn: HashMap<usize, u64>,
    counts: HashMap<usize, u64>,
}

impl Model {
    fn new(changes: &ChangePlan, stream: u32) -> Model {
        let mut model = Model::default();
        for (at, table) in changes.plan().tables().iter().enumerate() {
            let own = (0..table.rows.unwrap_or(0))
                .filter(|row| row % u64::from(changes.streams()) == u64::from(stream));
            model.live.insert(at, own.collect());
            let next = model.live[&at]
                .last()
                .map_or(u64::from(stream), |last| last + u64::from(changes.streams()));
            model.unborn.insert(at, next);
        }
        model
    }

    fn apply(&mut self, op: &Op, changes: &ChangePlan) {
        let live = self.live.get_mut(&op.table).expect("the model has every table");
        match op.kind {
            OpKind::Insert => {
                let unborn = self.unborn.get_mut(&op.table).expect("the model has every table");
                assert_eq!(op.row, *unborn, "rows are born in order, none left out: {op:?}");
                *unborn += u64::from(changes.streams());
                assert!(live.insert(op.row));
            }
            OpKind::Delete => assert!(live.remove(&op.row), "{op:?} takes a row that is not there"),
            OpKind::Rekey => {
                let unborn = self.unborn.get_mut(&op.table).expect("the model has every table");
                assert_eq!(op.to, Some(*unborn), "keys are given in order: {op:?}");
                assert!(live.remove(&op.row) && live.insert(*unborn));
                *unborn += u64::from(changes.streams());
            }
            OpKind::Update | OpKind::Read => {
                assert!(live.contains(&op.row), "{op:?} picks a row that is not there");
            }
        }
        *self.counts.entry(op.entry).or_default() += 1;
    }

    fn check(&self, stream: &ChangeStream, changes: &ChangePlan, ops: u64) {
        for (at, entry) in changes.entries().iter().enumerate() {
            let seen = self.counts.get(&at).copied().unwrap_or(0);
            assert_eq!(stream.count(at, ops), seen, "{:?} after {ops}", entry.kind);
        }
        for (table, live) in &self.live {
            assert_eq!(stream.live_rows(*table, ops), live.len() as u64, "after {ops}");
            let rows: BTreeSet<u64> = stream.rows(*table, ops).collect();
            assert_eq!(&rows, live, "after {ops}");
            let streams = u64::from(changes.streams());
            for row in (0..).map(|own| own * streams + u64::from(stream.number())).take(200) {
                assert_eq!(stream.is_live(*table, row, ops), live.contains(&row), "{row} {ops}");
            }
        }
    }
}

prop_compose! {
    /// A few streams, tables of all sizes, any weights, both orders of deletion, every pick.
    fn any_changes()(
        streams in 1_u32..5,
        preload in (prop_oneof![0_u64..20, 20_u64..900], 1_u64..900),
        weights in proptest::collection::vec(1_u32..12, 7),
        rekey in 0_u32..4,
        delete in prop_oneof![Just("oldest"), Just("uniform")],
        pick in prop_oneof![
            Just("uniform"), Just("latest"), Just("oldest"), Just("{ zipf: 1.2 }"), Just("{ hotspot: 0.1 }")
        ],
        seed in 0_u64..1000,
    ) -> ChangePlan {
        let mix = format!(
            "- {{ insert: parents, weight: {} }}
    - {{ insert: children, weight: {} }}
    - {{ update: parents, set: [name], pick: {pick}, weight: {} }}
    - {{ update: children, set: [note, at], pick: {pick}, weight: {} }}
    - {{ update: children, set: [parent], weight: {} }}
    - {{ delete: children, pick: {delete}, weight: {} }}
    - {{ read: children, pick: {pick}, weight: {} }}",
            weights[0], weights[1], weights[2], weights[3], weights[4], weights[5], weights[6],
        ) + &match rekey {
            0 => String::new(),
            weight => format!("\n    - {{ rekey: children, pick: {delete}, weight: {weight} }}"),
        };
        // Parents are referred to, so that there is at least one.
        changes_of(&document(preload.1, preload.0, streams, &mix), seed)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn closed_forms_are_what_a_replay_finds(changes in any_changes(), ops in 0_u64..3_000) {
        for number in 0..changes.streams() {
            let stream = changes.stream(number);
            let ops = ops.min(stream.ops());
            let mut model = Model::new(&changes, number);
            model.check(&stream, &changes, 0);
            for op in stream.iter(0..ops) {
                model.apply(&op, &changes);
                if op.number % 97 == 0 {
                    model.check(&stream, &changes, op.number + 1);
                }
            }
            model.check(&stream, &changes, ops);
        }
    }

    #[test]
    fn an_op_is_the_same_whoever_asks_and_from_wherever(
        changes in any_changes(), start in 0_u64..2_000, len in 0_u64..300,
    ) {
        let stream = changes.stream(0);
        let (start, end) = (start.min(stream.ops()), (start + len).min(stream.ops()));
        let run: Vec<Op> = stream.iter(start..end).collect();
        let alone: Vec<Op> = (start..end).rev().map(|number| changes.stream(0).op(number)).collect();
        prop_assert!(run.iter().eq(alone.iter().rev()));
        let middle = start.midpoint(end);
        let parts: Vec<Op> = stream.iter(start..middle).chain(stream.iter(middle..end)).collect();
        prop_assert_eq!(run, parts);
    }

    /// Weights hold from the end of the first inserts on: less than one op off, at every prefix.
    #[test]
    fn weights_hold_at_every_prefix(changes in any_changes()) {
        let stream = changes.stream(0);
        let weights: Vec<f64> = changes.plan().schema().changes.iter()
            .flat_map(|changes| changes.mix.iter().map(|change| change.weight)).collect();
        let total: f64 = weights.iter().sum();
        let holds_from = |start: u64| (start..stream.ops().min(start + 2_000)).all(|end| {
            weights.iter().enumerate().all(|(entry, weight)| {
                let count = stream.count(entry, end) - stream.count(entry, start);
                (count as f64 - (end - start) as f64 * weight / total).abs() < 1.0
            })
        });
        let first = (0..stream.ops().min(2_000)).find(|start| holds_from(*start));
        prop_assert!(first.is_some());
        let lacking = 64 + 12;
        prop_assert!(first.unwrap() <= 2 * lacking, "{first:?} inserts first");
    }

    #[test]
    fn a_row_was_born_by_the_op_that_inserts_it(changes in any_changes(), ops in 0_u64..2_000) {
        let stream = changes.stream(changes.streams() - 1);
        for op in stream.iter(0..ops.min(stream.ops())) {
            if matches!(op.kind, OpKind::Insert | OpKind::Rekey) {
                let row = op.to.unwrap_or(op.row);
                prop_assert_eq!(stream.birth(op.table, row), Some(op.number));
            }
        }
        for table in 0..2 {
            for row in stream.rows(table, 0) {
                prop_assert_eq!(stream.birth(table, row), None);
            }
        }
    }

    /// Streams may be done in any order and in pieces of any size: the last change of each row is the same.
    #[test]
    fn rows_end_the_same_however_many_streams_run_at_once(
        changes in any_changes(), ops in 0_u64..600, schedule in proptest::collection::vec((0_u32..5, 1_u64..90), 0..60),
    ) {
        let state = |schedule: &[(u32, u64)]| {
            let streams: Vec<_> = (0..changes.streams()).map(|number| changes.stream(number)).collect();
            let mut done = vec![0; streams.len()];
            let mut last: HashMap<(usize, u64), (OpKind, u64)> = HashMap::new();
            let rest = (0..changes.streams()).map(|number| (number, ops));
            for (number, len) in schedule.iter().copied().chain(rest) {
                let at = (number % changes.streams()) as usize;
                let end = (done[at] + len).min(ops).min(streams[at].ops());
                for op in streams[at].iter(done[at]..end) {
                    last.insert((op.table, op.row), (op.kind, op.number));
                }
                done[at] = end;
            }
            last
        };
        prop_assert_eq!(state(&[]), state(&schedule));
    }
}

#[test]
fn every_op_is_in_one_transaction_and_rolling_back_changes_no_op() {
    let mix = "- { insert: children, weight: 2 }\n    - { read: parents, weight: 1 }";
    let with = |settings: &str| {
        let text = document(10, 0, 3, mix).replace("  mix:", &format!("  {settings}\n  mix:"));
        changes_of(&text, 4)
    };
    let lengths = [("transaction: row", 1), ("transaction: 7 rows", 7), ("transaction: batch", 50)];
    for (settings, len) in lengths {
        let (stream, mut next) = (with(settings).stream(2), 0);
        for op in 0..300 {
            let transaction = stream.transaction(op, 50);
            assert!(transaction.contains(&op) && transaction.end - transaction.start == len);
            assert!(transaction.start == next || transaction.contains(&(op - 1)));
            next = transaction.end;
        }
    }
    let (plain, rolled) = (with("transaction: 5 rows"), with("rollback: 0.3"));
    assert_eq!(plain.fingerprint(), rolled.fingerprint());
    assert!(plain.stream(1).iter(0..500).eq(rolled.stream(1).iter(0..500)));
    assert!((0..500).all(|first| !plain.stream(1).rolls_back(first)));
}

#[test]
fn the_shop_changes_as_its_document_says() {
    let changes = shop(64);
    let stream = changes.stream(0);
    let tables: Vec<_> = changes.plan().tables().iter().map(|table| &*table.name).collect();
    assert_eq!(tables, ["customers", "orders"]);
    let ops = 1_000_000;
    assert_eq!(
        stream.counts(0, ops),
        Counts { inserted: 100_000, updated: 100_000, deleted: 0, rekeyed: 0, read: 0 }
    );
    assert_eq!(
        stream.counts(1, ops),
        Counts { inserted: 400_000, updated: 350_000, deleted: 50_000, rekeyed: 0, read: 0 }
    );
    assert_eq!(stream.live_rows(1, ops), 7_813 + 350_000);
    assert_eq!(stream.ops(), rowstorm_gen::changes::OPS_MAX);
}

/// docs/changes.md, "The block".
#[test]
fn the_documented_block_is_valid_and_uses_every_kind() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/changes.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let changes = changes_of(block, 42);
    let kinds: BTreeSet<&str> = changes.entries().iter().map(|entry| entry.kind.word()).collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["delete", "insert", "read", "rekey", "update"]
    );
    let counts = changes.stream(63).counts(1, 10_000);
    assert_eq!(
        (counts.inserted, counts.updated, counts.deleted, counts.read),
        (2_000, 4_000, 1_500, 400)
    );
}

/// docs/changes.md, "Worked example".
#[test]
fn the_worked_example_is_true() {
    let (changes, mut batch) = (shop(42), ChangeBatch::default());
    changes.stream(0).fill(446..452, Fate::Commit, &mut batch);
    let seen: Vec<_> = batch
        .groups()
        .iter()
        .map(|group| {
            let columns = changes.statement(group.entry);
            let names: Vec<_> = columns.columns.iter().map(|column| &*column.name).collect();
            (changes.entries()[group.entry].kind, names.join(" "), group.rows.clone())
        })
        .collect();
    let of = |kind, names: &str, rows: &[u64]| (kind, names.to_owned(), rows.to_vec());
    assert_eq!(
        seen,
        [
            of(OpKind::Insert, "id customer_id amount status", &[511_488, 511_552]),
            of(OpKind::Update, "id email updated_at", &[56_576]),
            of(OpKind::Update, "id status", &[318_016, 511_488]),
            of(OpKind::Update, "id status", &[511_488]),
        ]
    );
}

#[test]
fn a_table_that_is_only_emptied_ends_its_streams() {
    for delete in ["oldest", "uniform"] {
        let mix = format!(
            "- {{ delete: children, pick: {delete}, weight: 3 }}
    - {{ read: parents, weight: 1 }}"
        );
        let changes = changes_of(&document(10, 100, 3, &mix), 1);
        let deleted: u64 = (0..3)
            .map(|number| {
                let stream = changes.stream(number);
                assert_eq!(stream.live_rows(1, stream.ops()), 0);
                stream.counts(1, stream.ops()).deleted
            })
            .sum();
        assert_eq!(deleted, 100, "{delete}");
    }
}

#[test]
fn a_stream_ends_where_its_numbers_end() {
    let text = "
version: 1
tables:
  t:
    key: [id]
    preload: 10
    columns: { id: { type: smallint, gen: { sequence: { start: 32700, step: 1 } } } }
changes: { streams: 2, mix: [ { insert: t, weight: 1 } ] }
";
    let changes = changes_of(text, 1);
    // 68 numbers are left from 32,700 to 32,767, 10 of them taken.
    let inserted: u64 = (0..2).map(|number| changes.stream(number).ops()).sum();
    assert_eq!(inserted, 58);
}

#[test]
fn what_cannot_be_is_refused_with_the_number_that_would_do() {
    let mix = "- { update: children, set: [note], weight: 1 }";
    let problem = mixes::try_changes(&document(10, 63, 64, mix), 1).unwrap_err().to_string();
    assert!(problem.contains("tables.children: 63 rows are too few for 64 streams"), "{problem}");
    assert!(problem.contains("`preload` at least 64"), "{problem}");
    assert!(mixes::try_changes(&document(10, 64, 64, mix), 1).is_ok());
}

#[test]
fn streams_go_to_other_threads() {
    fn is_sent<T: Send + Sync + 'static>(_: &T) {}
    let changes = shop(1);
    is_sent(&changes.stream(0));
    is_sent(&changes.stream(0).expected(0));
    is_sent(&ChangeBatch::default());
}

#[test]
fn fingerprints_cover_the_changes() {
    let mix = |weight: u32, pick: &str| {
        format!(
            "- {{ read: children, weight: 1 }}\n    - {{ delete: children, pick: {pick}, weight: {weight} }}"
        )
    };
    let of = |children: u64, streams: u32, mix: &str, seed: u64| {
        changes_of(&document(10, children, streams, mix), seed).fingerprint()
    };
    let base = of(900, 4, &mix(1, "oldest"), 1);
    assert_eq!(base, of(900, 4, &mix(1, "oldest"), 1));
    for other in [
        of(901, 4, &mix(1, "oldest"), 1),
        of(900, 5, &mix(1, "oldest"), 1),
        of(900, 4, &mix(2, "oldest"), 1),
        of(900, 4, &mix(1, "uniform"), 1),
        of(900, 4, &mix(1, "oldest"), 2),
    ] {
        assert_ne!(base, other);
    }
}
