//! One stream of changes: every op a pure function of the seed, the stream's number and the op's.

use std::ops::Range;
use std::sync::Arc;

use super::OPS_MAX;
use super::entry::OpKind;
use super::order::{Live, Order};
use super::plan::Mix;
use crate::Stream;

/// One of a plan's streams. Its ops are done in order; streams are done side by side.
///
/// Row `r` of any table belongs to stream `r % streams`, for ever: whatever happens to a row happens in one stream.
/// The stream begins with inserts where a table has fewer rows than the pattern needs (at most a few), then follows
/// the pattern of the mix.
#[derive(Debug, Clone)]
pub struct ChangeStream {
    pub(super) mix: Arc<Mix>,
    number: u32,
    picks: Stream,
    pub(super) shares: Vec<Share>,
    /// The inserts before the pattern begins.
    prologue: u64,
    ops: u64,
}

/// A stream's share of one table; its rows are numbered from 0 here.
#[derive(Debug, Clone)]
pub(super) struct Share {
    /// Rows that are there before the first op.
    pub(super) preload: u64,
    /// Rows that are there when the pattern begins.
    pub(super) base: u64,
    /// The prologue's ops before this table's.
    before: u64,
    pub(super) order: Order,
    /// Spreads the hot rows.
    hot: u64,
}

/// One change: op `number` of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    /// The op's place in its stream, from 0.
    pub number: u64,
    /// The mix's entry.
    pub entry: usize,
    /// What is done.
    pub kind: OpKind,
    /// The table, as a place in [`Plan::tables`](crate::Plan::tables).
    pub table: usize,
    /// The row, by its number in the table: it names the key.
    pub row: u64,
}

/// How often each kind of op came for one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that were inserted.
    pub inserted: u64,
    /// Updates.
    pub updated: u64,
    /// Rows that were deleted.
    pub deleted: u64,
    /// Reads.
    pub read: u64,
}

impl ChangeStream {
    pub(super) fn new(mix: &Arc<Mix>, number: u32) -> ChangeStream {
        let streams = u64::from(mix.streams);
        let picks = mix.root.at(u64::from(number)).stream();
        let mut prologue = 0;
        let mut ops = OPS_MAX;
        let mut shares = Vec::with_capacity(mix.turnovers.len());
        for (turnover, table) in mix.turnovers.iter().zip(mix.plan.tables()) {
            let preload = share_of(table.rows.unwrap_or(0), number, streams);
            let lacking = turnover.needed().saturating_sub(preload);
            let base = preload + if turnover.insert.is_some() { lacking } else { 0 };
            let keys = picks.named(&table.name);
            let order = if turnover.is_shuffled {
                Order::shuffled(base, keys.named("#order").key())
            } else {
                Order::Oldest
            };
            let hot = keys.named("#hot").key();
            shares.push(Share { preload, base, before: prologue, order, hot });
            prologue += base - preload;
        }
        for ((turnover, share), rows_max) in mix.turnovers.iter().zip(&shares).zip(&mix.rows_max) {
            let round = mix.pattern.len();
            let dry = turnover.runs_dry(share.base, round).unwrap_or(OPS_MAX);
            // The first row that the table's columns cannot number ends the stream.
            let room = share_of(*rows_max, number, streams).saturating_sub(share.base);
            let full = if turnover.inserts == 0 || room > OPS_MAX {
                OPS_MAX
            } else {
                turnover.birth(room, round)
            };
            ops = ops.min(prologue.saturating_add(dry)).min(prologue.saturating_add(full));
        }
        ChangeStream { mix: Arc::clone(mix), number, picks, shares, prologue, ops }
    }

    /// The stream's number, below [`ChangePlan::streams`](super::ChangePlan::streams).
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many ops there are: 2^32 - 1, fewer if a table runs out of rows to take or of numbers for new ones.
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// An op.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn op(&self, number: u64) -> Op {
        assert!(number < self.ops, "op {number} of {}", self.ops);
        match number.checked_sub(self.prologue) {
            None => self.first_inserts(number),
            Some(at) => {
                let round = self.mix.pattern.len();
                self.of_pattern(number, at / round, at % round)
            }
        }
    }

    /// Some ops, in order: the same that [`op`](ChangeStream::op) says one by one, and faster.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn iter(&self, ops: Range<u64>) -> impl Iterator<Item = Op> {
        assert!(ops.start <= ops.end && ops.end <= self.ops, "ops {ops:?} of {}", self.ops);
        let len = self.mix.pattern.len();
        let at = ops.start.saturating_sub(self.prologue);
        let (mut round, mut place) = (at / len, at % len);
        ops.map(move |number| {
            if number < self.prologue {
                return self.first_inserts(number);
            }
            let op = self.of_pattern(number, round, place);
            place += 1;
            if place == len {
                (round, place) = (round + 1, 0);
            }
            op
        })
    }

    /// How often an entry of the mix came among the first `ops`.
    pub fn count(&self, entry: usize, ops: u64) -> u64 {
        let table = self.mix.entries[entry].table;
        let first = if self.mix.turnovers[table].insert == Some(entry) {
            self.first_births(table, ops)
        } else {
            0
        };
        first + self.mix.pattern.count(entry, ops.saturating_sub(self.prologue))
    }

    /// How often each kind came for a table among the first `ops`.
    pub fn counts(&self, table: usize, ops: u64) -> Counts {
        let mut counts = Counts::default();
        for (at, entry) in self.mix.entries.iter().enumerate() {
            if entry.table != table {
                continue;
            }
            let count = self.count(at, ops);
            match entry.kind {
                OpKind::Insert => counts.inserted += count,
                OpKind::Update => counts.updated += count,
                OpKind::Delete => counts.deleted += count,
                OpKind::Read => counts.read += count,
            }
        }
        counts
    }

    /// How many of the stream's rows of a table are there after the first `ops`.
    pub fn live_rows(&self, table: usize, ops: u64) -> u64 {
        self.live(table, ops).len()
    }

    /// The stream's rows of a table that are there after the first `ops`, in the order in which they would be deleted.
    pub fn rows(&self, table: usize, ops: u64) -> impl Iterator<Item = u64> {
        let (live, order) = (self.live(table, ops), &self.shares[table].order);
        (live.gone..live.born).map(move |place| self.row_of(order.row(place, live.born)))
    }

    /// Whether a row of the stream is there after the first `ops`.
    ///
    /// # Panics
    /// If the row belongs to another stream.
    pub fn is_live(&self, table: usize, row: u64, ops: u64) -> bool {
        let (live, own) = (self.live(table, ops), self.own_of(row));
        own < live.born && self.shares[table].order.place(own, live.born) >= live.gone
    }

    /// The op that inserts a row of the stream; `None` if it is there before the first.
    ///
    /// # Panics
    /// If the row belongs to another stream, or is never inserted.
    pub fn birth(&self, table: usize, row: u64) -> Option<u64> {
        let (own, share, turnover) =
            (self.own_of(row), &self.shares[table], &self.mix.turnovers[table]);
        if own < share.preload {
            return None;
        }
        Some(match own.checked_sub(share.base) {
            None => share.before + own - share.preload,
            Some(nth) => {
                assert!(turnover.inserts > 0, "row {row} is never inserted");
                self.prologue + turnover.birth(nth, self.mix.pattern.len())
            }
        })
    }

    #[inline]
    fn of_pattern(&self, number: u64, round: u64, place: u64) -> Op {
        let at = self.mix.pattern.entry(place);
        let entry = &self.mix.entries[at];
        let share = &self.shares[entry.table];
        let live = self.live_at(entry.table, round, place);
        let own = match entry.kind {
            OpKind::Insert => live.born,
            OpKind::Delete => share.order.row(live.gone, live.born),
            OpKind::Update | OpKind::Read => {
                let place = entry.picker.place(self.picks.at(number), live, share.hot);
                share.order.row(place, live.born)
            }
        };
        Op { number, entry: at, kind: entry.kind, table: entry.table, row: self.row_of(own) }
    }

    fn first_inserts(&self, number: u64) -> Op {
        let mine = |share: &Share| {
            (share.before..share.before + share.base - share.preload).contains(&number)
        };
        let table =
            self.shares.iter().position(mine).expect("every op of the prologue has a table");
        let share = &self.shares[table];
        let entry = self.mix.turnovers[table].insert.expect("only inserted tables have a prologue");
        let row = self.row_of(share.preload + number - share.before);
        Op { number, entry, kind: OpKind::Insert, table, row }
    }

    /// The table's rows that the prologue bears among the first `ops`.
    fn first_births(&self, table: usize, ops: u64) -> u64 {
        let share = &self.shares[table];
        ops.saturating_sub(share.before).min(share.base - share.preload)
    }

    /// The live rows after the first `ops`.
    pub(super) fn live(&self, table: usize, ops: u64) -> Live {
        assert!(ops <= self.ops, "{ops} ops of {}", self.ops);
        let len = self.mix.pattern.len();
        match ops.checked_sub(self.prologue) {
            Some(at) => self.live_at(table, at / len, at % len),
            None => {
                Live { gone: 0, born: self.shares[table].preload + self.first_births(table, ops) }
            }
        }
    }

    #[inline]
    fn live_at(&self, table: usize, round: u64, place: u64) -> Live {
        let turnover = &self.mix.turnovers[table];
        let (born, gone) = turnover.before[place as usize];
        Live {
            gone: round * turnover.deletes + u64::from(gone),
            born: self.shares[table].base + round * turnover.inserts + u64::from(born),
        }
    }

    /// The table's number of the stream's own.
    #[inline]
    fn row_of(&self, own: u64) -> u64 {
        own * u64::from(self.mix.streams) + u64::from(self.number)
    }

    fn own_of(&self, row: u64) -> u64 {
        let streams = u64::from(self.mix.streams);
        assert!(
            row % streams == u64::from(self.number),
            "row {row} is of stream {}",
            row % streams
        );
        row / streams
    }
}

/// How many of the first `rows` belong to a stream.
fn share_of(rows: u64, number: u32, streams: u64) -> u64 {
    rows.saturating_sub(u64::from(number)).div_ceil(streams)
}
