//! One stream of changes: every op a pure function of the seed, the stream's number and the op's.

use std::ops::Range;
use std::sync::Arc;

use super::course::{Course, Start, stream_of};
use super::entry::{OpKind, Picked};
use super::order::{Live, Order};
use super::plan::Mix;
use super::turnover::Turnover;
use crate::{Stream, TablePlan};

/// One of a plan's streams. Its ops are done in order; streams are done side by side.
///
/// Row `r` of any table belongs to stream `r % streams`, for ever: whatever happens to a row happens in one stream.
/// The stream begins with inserts where a table has fewer rows than the pattern needs (at most a few), then follows
/// the pattern of the mix.
#[derive(Debug, Clone)]
pub struct ChangeStream {
    pub(super) mix: Arc<Mix>,
    number: u64,
    pub(super) picks: Stream,
    /// By table.
    shares: Vec<Share>,
    /// The inserts before the pattern begins.
    prologue: u64,
    ops: u64,
    /// Tables that were emptied, and the op before which.
    emptied: Vec<(usize, u64)>,
}

/// A stream's share of one table; its rows are numbered from 0 here.
#[derive(Debug, Clone)]
struct Share {
    start: Start,
    order: Order,
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
    /// The row whose key it takes, if it takes another: a rekey's.
    pub to: Option<u64>,
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
    /// Rows that got another key.
    pub rekeyed: u64,
    /// Reads.
    pub read: u64,
}

impl ChangeStream {
    pub(super) fn new(mix: &Arc<Mix>, number: u32, emptied: Vec<(usize, u64)>) -> ChangeStream {
        let number = u64::from(number);
        let picks = stream_of(mix.root, number);
        let course = &mix.course;
        let share = |((start, turnover), table): ((&Start, &Turnover), &Arc<TablePlan>)| {
            let keys = picks.named(&table.name);
            let order = if turnover.is_shuffled {
                Order::shuffled(start.base, keys.named("#order").key())
            } else {
                Order::Oldest
            };
            Share { start: *start, order, hot: keys.named("#hot").key() }
        };
        let tables = course.starts(number).iter().zip(&course.turnovers).zip(mix.plan.tables());
        ChangeStream {
            mix: Arc::clone(mix),
            number,
            picks,
            shares: tables.map(share).collect(),
            prologue: course.prologue(number),
            ops: course.ops(number, &mix.rows_max),
            emptied,
        }
    }

    /// The stream's number, below [`ChangePlan::streams`](super::ChangePlan::streams).
    pub fn number(&self) -> u32 {
        self.number as u32
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
                let round = self.mix.course.pattern.len();
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
        let len = self.mix.course.pattern.len();
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
        let table = self.mix.course.entries[entry].table;
        let first = if self.mix.course.turnovers[table].insert == Some(entry) {
            Course::first_births(&self.shares[table].start, ops)
        } else {
            0
        };
        first + self.mix.course.pattern.count(entry, ops.saturating_sub(self.prologue))
    }

    /// How often each kind came for a table among the first `ops`.
    pub fn counts(&self, table: usize, ops: u64) -> Counts {
        let mut counts = Counts::default();
        for (at, entry) in self.mix.course.entries.iter().enumerate() {
            if entry.table != table {
                continue;
            }
            let count = self.count(at, ops);
            match entry.kind {
                OpKind::Insert => counts.inserted += count,
                OpKind::Update => counts.updated += count,
                OpKind::Delete => counts.deleted += count,
                OpKind::Rekey => counts.rekeyed += count,
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

    /// The op that inserts a row of the stream, or gives its key to another; `None` if it is there before the first.
    ///
    /// # Panics
    /// If the row belongs to another stream, or is never inserted.
    pub fn birth(&self, table: usize, row: u64) -> Option<u64> {
        self.mix.course.birth(self.number, table, self.own_of(row))
    }

    /// The row that a row was before it got other keys, and the op that inserted it.
    pub(super) fn origin(&self, table: usize, row: u64) -> (u64, Option<u64>) {
        let mut row = row;
        loop {
            let birth = self.birth(table, row);
            match birth.map(|birth| self.op(birth)) {
                Some(op) if op.kind == OpKind::Rekey => row = op.row,
                Some(_) | None => return (row, birth),
            }
        }
    }

    #[inline]
    fn of_pattern(&self, number: u64, round: u64, place: u64) -> Op {
        let at = self.mix.course.pattern.entry(place);
        let entry = &self.mix.course.entries[at];
        let share = &self.shares[entry.table];
        let live = self.mix.course.live_at(&share.start, entry.table, round, place);
        let own = match entry.kind {
            OpKind::Insert => live.born,
            OpKind::Delete | OpKind::Rekey => share.order.row(live.gone, live.born),
            OpKind::Update | OpKind::Read => match &entry.picker {
                Picked::Drawn(picker) => {
                    let place = picker.place(self.picks.at(number), live, share.hot);
                    share.order.row(place, live.born)
                }
                Picked::InTurn { .. } => self.in_turn(at, number, live),
            },
        };
        let to = (entry.kind == OpKind::Rekey).then(|| self.row_of(live.born));
        Op { number, entry: at, kind: entry.kind, table: entry.table, row: self.row_of(own), to }
    }

    fn in_turn(&self, entry: usize, number: u64, live: Live) -> u64 {
        let course = &self.mix.course;
        let turns = course.turns[entry].as_ref().expect("every entry with turns has them");
        turns.row(self.number, course.pattern.count(entry, number - self.prologue), live.born)
    }

    fn first_inserts(&self, number: u64) -> Op {
        let mine = |share: &Share| {
            let start = &share.start;
            (start.before..start.before + start.lacking()).contains(&number)
        };
        let table = self.shares.iter().position(mine).expect("the prologue is the tables' own");
        let start = &self.shares[table].start;
        let entry = self.mix.course.turnovers[table].insert;
        let entry = entry.expect("only a table that is inserted into has a prologue");
        let row = self.row_of(start.preload + number - start.before);
        Op { number, entry, kind: OpKind::Insert, table, row, to: None }
    }

    /// Calls `each` with every op among the first `ops` that only a replay can tell: updates whose row is drawn, and rekeys.
    pub(super) fn each_told(&self, ops: u64, mut each: impl FnMut(&Op)) {
        let course = &self.mix.course;
        let is_told = |place: &u64| {
            let entry = &course.entries[course.pattern.entry(*place)];
            entry.is_drawn_update() || entry.kind == OpKind::Rekey
        };
        let places: Vec<u64> = (0..course.pattern.len()).filter(is_told).collect();
        let of_pattern = ops.saturating_sub(self.prologue);
        for round in 0..of_pattern.div_ceil(course.pattern.len()) {
            let first = round * course.pattern.len();
            for place in &places {
                if first + place >= of_pattern {
                    return;
                }
                let op = self.of_pattern(self.prologue + first + place, round, *place);
                each(&op);
            }
        }
    }

    /// The live rows after the first `ops`.
    pub(super) fn live(&self, table: usize, ops: u64) -> Live {
        assert!(ops <= self.ops, "{ops} ops of {}", self.ops);
        let course = &self.mix.course;
        let live = course.live(self.number, table, ops);
        let of_table = self.emptied.iter().filter(|(of, at)| *of == table && *at <= ops);
        // Such a table is only inserted into: all that were born by then are gone.
        let gone = of_table.map(|(_, at)| course.live(self.number, table, *at).born).max();
        Live { gone: live.gone.max(gone.unwrap_or(0)), ..live }
    }

    /// The stream's rows of a table when the pattern begins.
    pub(super) fn base(&self, table: usize) -> u64 {
        self.shares[table].start.base
    }

    /// The table's number of the stream's own.
    #[inline]
    fn row_of(&self, own: u64) -> u64 {
        own * self.mix.course.streams + self.number
    }

    fn own_of(&self, row: u64) -> u64 {
        let streams = self.mix.course.streams;
        assert!(row % streams == self.number, "row {row} is of stream {}", row % streams);
        row / streams
    }
}
