//! Everything that was ever written to some rows: what a row that is not as expected is held against.

use std::collections::HashMap;
use std::ops::Range;

use super::batch::Fate;
use super::entry::OpKind;
use super::rule::{edition, rolled_back};
use super::stream::ChangeStream;
use crate::Batch;

/// What the first ops of a stream wrote to some rows of a table.
///
/// ```
/// use rowstorm_gen::changes::{ChangePlan, Fate};
/// use rowstorm_gen::{Batch, Plan, PlanOptions, schema};
///
/// let text = "
/// version: 1
/// tables:
///   orders:
///     key: [id]
///     preload: 4
///     columns:
///       id:     { type: bigint, gen: sequence }
///       amount: { type: int, gen: { uniform: [1, 1000000] } }
/// changes:
///   streams: 1
///   mix: [ { update: orders, set: [amount], weight: 1 } ]
/// ";
/// let schema = schema::Schema::parse(text, schema::Format::Yaml, "orders.yaml")?;
/// let plan = Plan::new(&schema, PlanOptions::default())?;
/// let changes = ChangePlan::new(&plan)?;
/// let stream = changes.stream(0);
/// let history = stream.history(0, &[2], 100);
/// let writes = history.writes(2);
/// // It was loaded, and then updated.
/// assert_eq!(writes[0].op, None);
/// assert!(writes[1..].iter().all(|write| stream.op(write.op.unwrap()).row == 2));
///
/// let (mut was, mut is) = (Batch::default(), Batch::default());
/// history.fill(2, 0..writes.len(), Fate::Commit, &mut was);
/// let was = changes.table(0).read(&was);
/// assert_eq!(was[0], plan.tables()[0].rows(2..3)[0]);
/// stream.expected(100).fill(0, &[2], &mut is);
/// assert_eq!(was.last(), changes.table(0).read(&is).last());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct History {
    stream: ChangeStream,
    table: usize,
    lives: HashMap<u64, Life>,
}

/// One thing that was written to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    /// The op; `None` if the row was loaded.
    pub op: Option<u64>,
    /// The entry of the mix: an update's, or `None` for the whole row.
    pub update: Option<usize>,
    /// The row's number by the key that it had then.
    row: u64,
}

#[derive(Debug, Default)]
struct Life {
    writes: Vec<Write>,
    end: Option<u64>,
}

impl ChangeStream {
    /// What the first `ops` wrote to some rows, live ones or not: goes through all of them once.
    ///
    /// # Panics
    /// If a row belongs to another stream, or there are not so many ops.
    pub fn history(&self, table: usize, rows: &[u64], ops: u64) -> History {
        let mut lives: HashMap<u64, Life> = HashMap::new();
        // A row that got another key is told by all the keys that it had.
        let mut known: HashMap<u64, Vec<u64>> = HashMap::new();
        for row in rows {
            if !self.was_born(table, *row, ops) || lives.contains_key(row) {
                continue;
            }
            let (origin, op) = self.origin(table, *row);
            let birth = Write { op, update: None, row: origin };
            lives.insert(*row, Life { writes: vec![birth], end: None });
            let mut key = *row;
            known.entry(key).or_default().push(*row);
            while key != origin {
                let rekey = self.birth(table, key).expect("a row with another key got it by an op");
                key = self.op(rekey).row;
                known.entry(key).or_default().push(*row);
            }
        }
        for op in self.iter(0..ops) {
            if op.table != table {
                continue;
            }
            for row in known.get(&op.row).into_iter().flatten() {
                let life = lives.get_mut(row).expect("every known key is of a row asked for");
                match op.kind {
                    OpKind::Update => life.writes.push(Write {
                        op: Some(op.number),
                        update: Some(op.entry),
                        row: op.row,
                    }),
                    OpKind::Delete | OpKind::Rekey if op.row == *row => life.end = Some(op.number),
                    OpKind::Delete | OpKind::Rekey | OpKind::Insert | OpKind::Read => {}
                }
            }
        }
        History { stream: self.clone(), table, lives }
    }

    /// Whether a row of the stream was there at any time within the first `ops`.
    pub fn was_born(&self, table: usize, row: u64, ops: u64) -> bool {
        row / self.mix.course.streams < self.live(table, ops).born
    }
}

impl History {
    /// What was written to a row, in order, from its birth on; empty if it was not born yet, or not asked for.
    pub fn writes(&self, row: u64) -> &[Write] {
        self.lives.get(&row).map_or(&[], |life| &life.writes)
    }

    /// The op that deleted a row, or gave it another key.
    pub fn end(&self, row: u64) -> Option<u64> {
        self.lives.get(&row)?.end
    }

    /// Whether a write set a column, as a place in the table's columns.
    pub fn sets(&self, write: &Write, column: usize) -> bool {
        let entries = &self.stream.mix.course.entries;
        write.update.is_none_or(|entry| entries[entry].set.contains(&column))
    }

    /// Fills `out` with a row as it stood after each of its writes ([`ChangePlan::table`](super::ChangePlan::table)); of
    /// [`Fate::RollBack`], what a transaction that was rolled back would have left.
    ///
    /// # Panics
    /// If there are not so many writes.
    pub fn fill(&self, row: u64, versions: Range<usize>, fate: Fate, out: &mut Batch) {
        let mix = &self.stream.mix;
        let (own, writes) = (u64::from(self.stream.number()), self.writes(row));
        let len = versions.len();
        let (keys, mut written, mut cells) = (vec![row; len], vec![0; len], vec![0; len]);
        let rules = &mix.rules[self.table];
        rules.whole.begin(&keys, out);
        for (column, out) in out.columns.iter_mut().enumerate() {
            let sets = |at: &usize| self.sets(&writes[*at], column);
            // A birth writes all columns.
            let mut last = (0..=versions.start).rev().find(sets).unwrap_or(0);
            for (at, version) in versions.clone().enumerate() {
                if sets(&version) {
                    last = version;
                }
                let write = &writes[last];
                let cell = write.op.map(|op| edition(op, own, mix.course.streams));
                cells[at] = match (cell, fate) {
                    (Some(cell), Fate::RollBack) if last == version => rolled_back(cell),
                    (Some(cell), Fate::RollBack | Fate::Commit) => cell,
                    (None, Fate::RollBack | Fate::Commit) => write.row,
                };
                written[at] = write.row;
            }
            let is_key = rules.whole.plan.key.contains(&column);
            rules.column(column, if is_key { &keys } else { &written }, &cells, out);
        }
    }
}
