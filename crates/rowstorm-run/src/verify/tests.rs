//! Rows with planted damage, in any order: each is named, and nothing else is.

use std::sync::Arc;

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate, OpKind};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Plan, PlanOptions, Value};
use rowstorm_report::{Finding, FindingKind, Wrongs};

use super::check::{Check, Share};
use super::claim::Claim;
use super::findings::Findings;
use super::judge::judge;
use super::keeps::Keeps;

fn plan(text: &str) -> Plan {
    let schema = Schema::parse(text, Format::Yaml, "t.yaml").unwrap();
    Plan::new(&schema, PlanOptions::default()).unwrap()
}

/// All rows of a table that must be there, in an order of their own.
fn rows(claim: &Claim, table: usize) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for part in claim.parts(table) {
        claim.each(table, &part, |_, batch| {
            rows.extend(claim.table(table).read(batch).iter().map(|row| row.values().to_vec()));
        });
    }
    rows.reverse();
    let middle = rows.len() / 3;
    rows.rotate_left(middle);
    rows
}

/// What is found in these rows, by all of `shares` scans.
fn check(claim: Claim, table: usize, rows: &[Vec<Value>], shares: u64) -> (Wrongs, Vec<Finding>) {
    let (claim, findings) = (Arc::new(claim), Arc::new(Findings::new(1_000, None)));
    let spec = claim.table(table).columns.iter();
    let compares = spec.map(|column| Keeps::exact().column(column, None)).collect();
    let check = Check::new(Arc::clone(&claim), table, compares, Arc::clone(&findings));
    for index in 0..shares {
        let share = Share { index, of: shares };
        let (ledger, _) = check.ledger(share);
        for chunk in rows.chunks(700) {
            judge(&check, check.meet(chunk.to_vec(), share, &ledger));
        }
        check.rest(&ledger);
    }
    check.end();
    assert_eq!(check.compared(), rows.len() as u64);
    let wrongs = findings.take_wrongs();
    let (mut found, left_out) = findings.take();
    assert_eq!(wrongs.total(), found.len() as u64 + left_out);
    found.sort_by_key(|finding| (finding.kind.word(), finding.key[0].value.clone()));
    (wrongs, found)
}

const LOADED: &str = "
version: 1
tables:
  keyed:
    key: [id]
    preload: 5000
    columns:
      id: { type: bigint, gen: sequence }
      name: { type: text, gen: { fake: name } }
      n: { type: int, nulls: 0.1, gen: { uniform: [0, 1000000] } }
  keyless:
    preload: 5000
    columns:
      n: { type: int, gen: { uniform: [0, 100] } }
      word: { type: text, gen: { fake: word } }
      x: { type: float, gen: { normal: { mean: 0, stdev: 1 } } }
";

#[test]
fn a_pristine_copy_passes_in_any_number_of_scans() {
    for table in 0..2 {
        for shares in [1, 3] {
            let claim = Claim::loaded(plan(LOADED));
            let rows = rows(&claim, table);
            assert_eq!(check(claim, table, &rows, shares).0, Wrongs::default());
        }
    }
}

#[test]
fn planted_damage_in_a_keyed_table_is_named() {
    let claim = Claim::loaded(plan(LOADED));
    let mut rows = rows(&claim, 0);
    let deleted: Vec<Value> = rows.drain(100..200).map(|row| row[0].clone()).collect();
    let altered: Vec<Value> = rows[300..400].iter().map(|row| row[0].clone()).collect();
    rows[300..400].iter_mut().for_each(|row| row[2] = Value::Int(-1));
    rows.extend_from_within(500..507);
    rows.push(vec![Value::Int(99_999), Value::Null, Value::Null]);
    for shares in [1, 4] {
        let (wrongs, found) = check(Claim::loaded(plan(LOADED)), 0, &rows, shares);
        assert_eq!(wrongs, Wrongs { missing: 100, wrong: 100, duplicate: 7, phantom: 1, stale: 0 });
        let keys = |kind| {
            let of = found.iter().filter(move |finding| finding.kind == kind);
            of.map(|finding| finding.key[0].value.clone().unwrap())
        };
        let texts = |values: &[Value]| {
            let mut texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            texts.sort_unstable();
            texts
        };
        assert_eq!(keys(FindingKind::Missing).collect::<Vec<_>>(), texts(&deleted));
        assert_eq!(keys(FindingKind::Wrong).collect::<Vec<_>>(), texts(&altered));
        assert_eq!(keys(FindingKind::Phantom).collect::<Vec<_>>(), ["99999"]);
        let wrong = found.iter().find(|finding| finding.kind == FindingKind::Wrong).unwrap();
        assert_eq!(wrong.columns.len(), 1);
        assert_eq!(wrong.columns[0].column, "n");
        assert_eq!(wrong.columns[0].found.as_deref(), Some("-1"));
    }
}

#[test]
fn rows_without_a_key_are_counted_by_what_they_hold() {
    let claim = Claim::loaded(plan(LOADED));
    let mut rows = rows(&claim, 1);
    rows.extend_from_within(40..90);
    rows[7][2] = Value::Float(1e9);
    let gone = rows.remove(3);
    let (wrongs, found) = check(claim, 1, &rows, 1);
    assert_eq!(wrongs, Wrongs { duplicate: 50, wrong: 1, missing: 1, ..Wrongs::default() });
    let wrong = found.iter().find(|finding| finding.kind == FindingKind::Wrong).unwrap();
    assert_eq!((wrong.columns.len(), &*wrong.columns[0].column), (1, "x"));
    let missing = found.iter().find(|finding| finding.kind == FindingKind::Missing).unwrap();
    assert_eq!(missing.key[1].value, gone[1].to_text());
}

#[test]
fn rows_of_another_shard_may_be_there() {
    let halves = |rows: std::ops::Range<u64>| {
        Claim::ranges(plan(LOADED), vec![vec![rows.clone()], vec![rows]])
    };
    let all = rows(&Claim::loaded(plan(LOADED)), 0);
    assert_eq!(check(halves(0..2_500), 0, &all, 1).0, Wrongs::default());
    let half = rows(&halves(0..2_500), 0);
    let own: Vec<_> =
        half.into_iter().filter(|row| matches!(row[0], Value::Int(id) if id <= 2_500)).collect();
    assert_eq!(check(halves(0..2_500), 0, &own, 1).0, Wrongs::default());
    let other = check(halves(2_500..3_000), 0, &own, 1).0;
    assert_eq!(other, Wrongs { missing: 500, ..Wrongs::default() });
}

const SHOP: &str = "
version: 1
tables:
  orders:
    key: [id]
    preload: 400
    columns:
      id: { type: bigint, gen: sequence }
      amount: { type: int, gen: { uniform: [0, 1000000000] } }
      note: { type: text, gen: { text: { bytes: 12 } } }
      at: { type: timestamp, gen: now }
changes:
  streams: 4
  transaction: row
  rollback: 0.5
  mix:
    - { insert: orders, weight: 3 }
    - { update: orders, set: [amount, at], weight: 6 }
    - { update: orders, set: [note], weight: 4 }
    - { delete: orders, weight: 2 }
";

fn shop() -> ChangePlan {
    ChangePlan::new(&plan(SHOP)).unwrap()
}

fn row_of<'a>(rows: &'a mut [Vec<Value>], id: &Value) -> &'a mut Vec<Value> {
    rows.iter_mut().find(|row| row[0] == *id).unwrap()
}

/// A live row whose last writer is an update of the amount by stream 1, and that op.
fn updated(changes: &ChangePlan, ops: u64) -> (u64, u64) {
    let (stream, expected) = (changes.stream(1), changes.stream(1).expected(ops));
    let fits = |op: &rowstorm_gen::changes::Op| {
        op.kind == OpKind::Update
            && op.entry == 1
            && stream.is_live(0, op.row, ops)
            && expected.version(0, op.row) == Some(op.number)
    };
    let op = stream.iter(0..ops).filter(fits).last().unwrap();
    (op.row, op.number)
}

#[test]
fn a_lost_update_is_stale_and_a_rolled_back_one_is_a_phantom() {
    let (changes, ops) = (shop(), 300);
    let claim = || Claim::changed(&shop(), &[300; 4]);
    let pristine = rows(&claim(), 0);
    assert_eq!(check(claim(), 0, &pristine, 2).0, Wrongs::default());

    let (row, op) = updated(&changes, ops);
    let mut batch = Batch::default();
    let id = Value::Int(row as i64 + 1);
    let stream = changes.stream(1);
    stream.expected(op).fill(0, &[row], &mut batch);
    let before = changes.table(0).read(&batch)[0].values().to_vec();

    let mut lost = pristine.clone();
    *row_of(&mut lost, &id) = before.clone();
    let (wrongs, found) = check(claim(), 0, &lost, 1);
    assert_eq!(wrongs, Wrongs { stale: 1, ..Wrongs::default() });
    assert!(
        found[0].why.contains(&format!("must be as op {op} of stream 1 (update) did")),
        "{found:?}"
    );
    assert_eq!(found[0].columns.len(), 2);

    // Half of the op cannot be lost: its other column is there.
    let mut half = pristine.clone();
    row_of(&mut half, &id)[1] = before[1].clone();
    let (wrongs, found) = check(claim(), 0, &half, 1);
    assert_eq!(wrongs, Wrongs { wrong: 1, ..Wrongs::default() }, "{found:?}");

    let mut written = ChangeBatch::default();
    stream.fill(op..op + 1, Fate::RollBack, &mut written);
    let group = &written.groups()[0];
    let values = changes.statement(group.entry).read(&group.batch)[0].clone();
    let mut rolled_back = pristine.clone();
    let target = row_of(&mut rolled_back, &id);
    (target[1], target[3]) = (values["amount"].clone(), values["at"].clone());
    let (wrongs, found) = check(claim(), 0, &rolled_back, 1);
    assert_eq!(wrongs, Wrongs { phantom: 1, ..Wrongs::default() }, "{found:?}");
    assert!(found[0].why.contains("rolled back"), "{found:?}");
}

#[test]
fn a_row_that_should_have_gone_is_a_phantom_with_the_op_that_took_it() {
    let (changes, ops) = (shop(), 300);
    let stream = changes.stream(2);
    let gone = stream.iter(0..ops).find(|op| op.kind == OpKind::Delete).unwrap();
    let mut batch = Batch::default();
    stream.expected(gone.number).fill(0, &[gone.row], &mut batch);
    let claim = Claim::changed(&changes, &[ops; 4]);
    let mut there = rows(&claim, 0);
    there.push(changes.table(0).read(&batch)[0].values().to_vec());
    // And one that the next ops insert, and one that nobody knows.
    let next = stream.iter(ops..ops + 100).find(|op| op.kind == OpKind::Insert).unwrap();
    stream.expected(next.number + 1).fill(0, &[next.row], &mut batch);
    there.push(changes.table(0).read(&batch)[0].values().to_vec());
    there.push(vec![Value::Int(-5), Value::Int(0), Value::Null, Value::Null]);
    let (wrongs, found) = check(claim, 0, &there, 1);
    assert_eq!(wrongs, Wrongs { phantom: 3, ..Wrongs::default() });
    let said =
        |text: String| assert!(found.iter().any(|found| found.why.contains(&text)), "{found:?}");
    said(format!("went with op {} of stream 2 (delete)", gone.number));
    said(format!("op {} of stream 2 (insert) writes row", next.number));
    said("no row has this key".to_owned());
}

#[test]
fn a_lost_insert_is_missing_and_a_lost_delete_is_not_taken_for_it() {
    let (changes, ops) = (shop(), 300);
    let claim = Claim::changed(&changes, &[ops, 0, 17, ops]);
    let mut there = rows(&claim, 0);
    let lost = there.remove(10);
    let (wrongs, found) = check(claim, 0, &there, 1);
    assert_eq!(wrongs, Wrongs { missing: 1, ..Wrongs::default() });
    assert_eq!(found[0].key[0].value, lost[0].to_text());
}
