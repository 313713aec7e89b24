//! Some ops of a stream as columns: one group for every statement that a database needs.
//!
//! A statement does one thing to one table, and names no key twice: databases update a row once a statement. So the ops
//! of a batch are sorted into groups, and a row that comes again goes to a later one. The groups' order keeps what the ops'
//! order meant: parents before children, a row's own ops one after another. A query is a group of its own, behind all others.

use std::ops::Range;

use super::entry::{OpKind, Query};
use super::rule::{edition, rolled_back};
use super::stream::{ChangeStream, Op};
use super::touched::Touched;
use crate::{BATCH_ROWS_MAX, Batch, ColumnData, Values};

/// Ops of one stream, as groups of columns. A reusable buffer.
#[derive(Debug, Default)]
pub struct ChangeBatch {
    /// The ops.
    pub ops: Range<u64>,
    groups: Vec<Group>,
    /// How many of `groups` are in use; the rest keeps its memory.
    used: usize,
    touched: Touched,
    /// The group of each level and rank, if there is one.
    places: Vec<Option<usize>>,
    cells: Vec<u64>,
}

/// Ops of one entry that one statement can do: no row comes twice. Of a [`Query`] one op.
#[derive(Debug, Default)]
pub struct Group {
    /// The mix's entry: what is done, and to which table.
    pub entry: usize,
    /// The ops' numbers.
    pub ops: Vec<u64>,
    /// The ops' rows, side by side.
    pub rows: Vec<u64>,
    /// The rows whose keys they take, where the entry gives other keys.
    pub to: Vec<u64>,
    /// The columns of [`ChangePlan::statement`](super::ChangePlan::statement), a value for each op. Its `rows` count
    /// from 0: they are no rows of the table.
    pub batch: Batch,
    level: usize,
    rank: usize,
}

impl ChangeBatch {
    /// The groups, in the order in which they are to be done.
    pub fn groups(&self) -> &[Group] {
        &self.groups[..self.used]
    }
}

/// Whether what a batch writes is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is committed.
    Commit,
    /// It is rolled back, and the same ops are done again: the values are no others', so that one that shows is found out.
    RollBack,
}

impl ChangeStream {
    /// Fills `out` with some ops, at most [`BATCH_ROWS_MAX`].
    ///
    /// # Panics
    /// If there are more, or not so many in the stream.
    pub fn fill(&self, ops: Range<u64>, fate: Fate, out: &mut ChangeBatch) {
        let len = ops.end.saturating_sub(ops.start);
        assert!(len <= BATCH_ROWS_MAX as u64, "{ops:?} are more than {BATCH_ROWS_MAX} ops");
        out.ops = ops.clone();
        out.used = 0;
        out.touched.clear();
        out.places.clear();
        for op in self.iter(ops) {
            let rank = self.mix.ranks[op.entry];
            if self.mix.course.entries[op.entry].query.is_some() {
                out.open_group(&op, usize::MAX, rank);
            } else {
                out.sort_in(&op, rank, self.mix.ranks.len());
            }
        }
        let (groups, cells) = (&mut out.groups[..out.used], &mut out.cells);
        groups.sort_unstable_by_key(|group| (group.level, group.rank));
        let (own, streams) = (u64::from(self.number()), self.mix.course.streams);
        for group in groups {
            let shape = &self.mix.shapes[group.entry];
            cells.clear();
            cells.extend(group.ops.iter().map(|number| {
                let cell = edition(*number, own, streams);
                match fate {
                    Fate::Commit => cell,
                    Fate::RollBack => rolled_back(cell),
                }
            }));
            let rules = &self.mix.rules[self.mix.course.entries[group.entry].table];
            rules.fill(shape, [&group.rows, &group.to], cells, &mut group.batch);
            if let Some(Query::Range { last_us, .. }) = self.mix.course.entries[group.entry].query {
                reach_back(&mut group.batch.columns[0], last_us);
            }
        }
    }
}

impl ChangeBatch {
    /// Puts an op into the first group that may have it: behind all groups that its row is in.
    fn sort_in(&mut self, op: &Op, rank: usize, ranks: usize) {
        let level = match op.kind {
            OpKind::Insert => 0,
            OpKind::Update | OpKind::Delete | OpKind::Read => {
                self.touched.next(op.table, op.row, rank)
            }
            OpKind::Rekey => {
                let level = self.touched.next(op.table, op.row, rank);
                op.to.map_or(level, |to| self.touched.put(op.table, to, level, rank))
            }
        };
        let place = level * ranks + rank;
        if self.places.len() <= place {
            self.places.resize(place + 1, None);
        }
        match self.places[place] {
            Some(at) => self.groups[at].push(op),
            None => self.places[place] = Some(self.open_group(op, level, rank)),
        }
    }

    /// A new group, with its first op.
    fn open_group(&mut self, op: &Op, level: usize, rank: usize) -> usize {
        if self.groups.len() == self.used {
            self.groups.push(Group::default());
        }
        let group = &mut self.groups[self.used];
        (group.entry, group.level, group.rank) = (op.entry, level, rank);
        group.ops.clear();
        group.rows.clear();
        group.to.clear();
        group.push(op);
        self.used += 1;
        self.used - 1
    }
}

impl Group {
    fn push(&mut self, op: &Op) {
        self.ops.push(op.number);
        self.rows.push(op.row);
        self.to.extend(op.to);
    }
}

/// Makes the ends of ranges their beginnings.
fn reach_back(column: &mut ColumnData, last_us: i64) {
    let Values::Timestamp(values) = &mut column.values else {
        unreachable!("a range goes over instants")
    };
    for value in values {
        *value = value.saturating_sub(last_us);
    }
}

/// The order of the entries within a level: inserts, parents first; updates, rekeys and reads; deletes, children first.
pub(super) fn ranks(entries: &[super::Entry]) -> Vec<usize> {
    let key = |at: &usize| {
        let entry = &entries[*at];
        let table = entry.table as i64;
        match entry.kind {
            OpKind::Insert => (0, table, *at),
            OpKind::Update | OpKind::Rekey | OpKind::Read => (1, 0, *at),
            OpKind::Delete => (2, -table, *at),
        }
    };
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_unstable_by_key(key);
    let mut ranks = vec![0; entries.len()];
    order.into_iter().enumerate().for_each(|(rank, at)| ranks[at] = rank);
    ranks
}
