//! What was written to a row, held against what is expected after each op: two ways to the same rows.

mod mixes;

use mixes::{changes_of, shop, walking};
use rowstorm_gen::Batch;
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate, OpKind};

/// Rows that get other keys, and rows that are deleted in a shuffled order.
fn rekeyed() -> ChangePlan {
    let text = "
version: 1
tables:
  tokens:
    key: [token]
    preload: 60
    columns:
      token: { type: uuid, gen: uuid_v4 }
      uses: { type: int, gen: { uniform: [0, 1000000] } }
      note: { type: text, gen: { fake: word } }
      at: { type: timestamp, gen: now }
changes:
  streams: 3
  mix:
    - { insert: tokens, weight: 3 }
    - { update: tokens, set: [uses, at], pick: { zipf: 1.2 }, weight: 8 }
    - { update: tokens, set: [note], weight: 4 }
    - { rekey: tokens, pick: uniform, weight: 2 }
    - { delete: tokens, pick: uniform, weight: 1 }
";
    changes_of(text, 5)
}

/// Every version of every row is what is expected after the op that wrote it.
fn check(changes: &ChangePlan, number: u32, ops: u64) {
    let stream = changes.stream(number);
    let mut checked = 0;
    let (mut was, mut is, mut written) =
        (Batch::default(), Batch::default(), ChangeBatch::default());
    for table in 0..changes.plan().tables().len() {
        let columns = changes.table(table);
        let rows: Vec<u64> = (0..=ops)
            .step_by(50)
            .flat_map(|ops| stream.rows(table, ops).collect::<Vec<_>>())
            .collect();
        let history = stream.history(table, &rows, ops);
        for op in stream.iter(0..ops).filter(|op| op.table == table) {
            let row = op.to.unwrap_or(op.row);
            match op.kind {
                OpKind::Read => continue,
                OpKind::Delete => {
                    assert_eq!(history.end(row).or(Some(op.number)), Some(op.number));
                    continue;
                }
                OpKind::Insert | OpKind::Update | OpKind::Rekey => {}
            }
            let Some(at) = history.writes(row).iter().position(|write| write.op == Some(op.number))
            else {
                assert!(op.kind == OpKind::Rekey || history.writes(row).is_empty());
                continue;
            };
            history.fill(row, at..at + 1, Fate::Commit, &mut was);
            stream.expected(op.number + 1).fill(table, &[row], &mut is);
            assert_eq!(columns.read(&was), columns.read(&is), "{op:?}");
            checked += 1;

            history.fill(row, at..at + 1, Fate::RollBack, &mut was);
            stream.fill(op.number..op.number + 1, Fate::RollBack, &mut written);
            let group = &written.groups()[0];
            let rolled_back = &changes.statement(group.entry).read(&group.batch)[0];
            let was = &columns.read(&was)[0];
            for (name, value) in rolled_back.iter() {
                assert_eq!(&was[name], value, "{op:?}, {name}");
            }
        }
    }
    assert!(checked > ops / 2, "{checked} of {ops}");
}

#[test]
fn every_version_of_a_row_is_what_its_op_wrote() {
    check(&shop(3), 7, 400);
    check(&rekeyed(), 1, 400);
    check(&walking(2, 40, &[2, 8, 4, 1], "latest", 9), 1, 300);
}

#[test]
fn a_row_that_is_gone_is_told_from_one_that_never_was() {
    let changes = rekeyed();
    let stream = changes.stream(0);
    let gone = stream.iter(0..300).find(|op| op.kind == OpKind::Delete).unwrap();
    let unborn = 3 * 10_000;
    let history = stream.history(0, &[gone.row, unborn], 300);
    assert_eq!(history.end(gone.row), Some(gone.number));
    assert!(!history.writes(gone.row).is_empty());
    assert!(history.writes(unborn).is_empty() && !stream.was_born(0, unborn, 300));
}
