//! A table that is emptied between ops, held against a model that does it: a set of rows, op by op.

mod mixes;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use mixes::changes_of;
use proptest::prelude::*;
use rowstorm_gen::Batch;
use rowstorm_gen::changes::{ChangePlan, EventKind, OpKind};

/// Visits that are only inserted, beside orders of all kinds.
fn text(streams: u32, preload: u64, weight: u32, events: &[u64]) -> String {
    let mut text = format!(
        "version: 1
tables:
  orders:
    key: [id]
    preload: 400
    columns:
      id: {{ type: bigint, gen: sequence }}
      amount: {{ type: int, gen: {{ uniform: [1, 1000000] }} }}
  visits:
    key: [id]
    preload: {preload}
    columns:
      id: {{ type: bigint, gen: {{ sequence: {{ start: 7, step: 3 }} }} }}
      order: {{ type: bigint, gen: {{ ref: {{ table: orders }} }} }}
changes:
  streams: {streams}
  mix:
    - {{ insert: visits, weight: {weight} }}
    - {{ insert: orders, weight: 2 }}
    - {{ update: orders, set: [amount], weight: 3 }}
  events:
"
    );
    for (at, after) in events.iter().enumerate() {
        let what = if at % 2 == 0 { "truncate: visits" } else { "statement: VACUUM" };
        let _ = writeln!(text, "    - {{ after: {after}, {what} }}");
    }
    text
}

/// The rows of a table after so many ops of a stream, with events where they are done.
fn model(changes: &ChangePlan, number: u32, table: usize, ops: u64, done: usize) -> BTreeSet<u64> {
    let (stream, streams) = (changes.stream(number), u64::from(changes.streams()));
    let loaded = 0..changes.plan().tables()[table].rows.unwrap_or(0);
    let mut rows: BTreeSet<u64> = loaded.filter(|row| row % streams == u64::from(number)).collect();
    for op in 0..=ops {
        for event in &changes.events()[..done] {
            let is_here = event.place(number, changes.streams()) == op;
            if is_here && event.kind == EventKind::Truncate(table) {
                rows.clear();
            }
        }
        let next = (op < ops).then(|| stream.op(op));
        if let Some(op) = next.filter(|op| op.table == table && op.kind == OpKind::Insert) {
            rows.insert(op.row);
        }
    }
    rows
}

proptest! {
    #[test]
    fn rows_that_were_taken_are_gone_and_later_ones_stay(
        streams in 1_u32..7,
        preload in 0_u64..200,
        weight in 1_u32..9,
        first in 1_u64..600,
        more in 0_u64..600,
        around in 0_u64..400,
    ) {
        let changes = changes_of(&text(streams, preload, weight, &[first, first + more / 2, first + more]), 3);
        for done in 0..=3 {
            let after = changes.after_events(done);
            for number in 0..streams {
                let at = changes.events().get(done.max(1) - 1).map_or(0, |event| event.place(number, streams));
                // Before, at and behind the last event that is done.
                for ops in [at.saturating_sub(1), at, at + 1, at + around] {
                    let stream = after.stream(number);
                    for table in 0..2 {
                        let wanted = model(&changes, number, table, ops, done);
                        let rows: BTreeSet<u64> = stream.rows(table, ops).collect();
                        prop_assert_eq!(&rows, &wanted, "table {} after {} ops and {} events", table, ops, done);
                        prop_assert_eq!(stream.live_rows(table, ops), wanted.len() as u64);
                        let expected = stream.expected(ops);
                        prop_assert_eq!(expected.rows(table).count(), wanted.len());
                        let all: Vec<u64> = wanted.iter().copied().collect();
                        let mut batch = Batch::default();
                        expected.fill(table, &all, &mut batch);
                        prop_assert!(all.iter().all(|row| stream.is_live(table, *row, ops)));
                    }
                    // The ops are the same, whatever was emptied.
                    prop_assert!(stream.iter(0..ops).eq(changes.stream(number).iter(0..ops)));
                }
            }
        }
    }
}

#[test]
fn places_add_up_to_what_the_document_says() {
    let changes = changes_of(&text(7, 10, 1, &[1, 10, 1_000]), 1);
    for (event, after) in changes.events().iter().zip([1, 10, 1_000]) {
        let sum: u64 = (0..7).map(|stream| event.place(stream, 7)).sum();
        assert_eq!((sum, event.after), (after, after));
    }
}

#[test]
fn events_are_a_part_of_what_the_rows_hang_on() {
    let print = |events: &[u64]| changes_of(&text(4, 10, 1, events), 1).fingerprint();
    assert_ne!(print(&[100]), print(&[101]));
    assert_ne!(print(&[100]), print(&[100, 100]));
    assert_eq!(print(&[100]), print(&[100]));
}
