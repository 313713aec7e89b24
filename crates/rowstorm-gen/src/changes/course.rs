//! Where every stream stands after any number of ops: births and deletes of every table, in closed form.

use std::fmt;
use std::sync::Arc;

use super::OPS_MAX;
use super::entry::{Entry, Picked};
use super::order::Live;
use super::pattern::Pattern;
use super::turnover::Turnover;
use super::turns::Turns;
use crate::{Stream, TablePlan};

/// What all streams have in common, and where each begins.
pub(super) struct Course {
    pub(super) streams: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) pattern: Pattern,
    /// By table, as in the plan.
    pub(super) turnovers: Vec<Turnover>,
    /// By stream, then by table.
    starts: Vec<Start>,
    /// By entry: updates whose rows take turns.
    pub(super) turns: Vec<Option<Turns>>,
}

/// A stream's share of one table at the beginning; its rows are numbered from 0 here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// Rows that are there before the first op.
    pub(super) preload: u64,
    /// Rows that are there when the pattern begins.
    pub(super) base: u64,
    /// Inserts of the tables before, which the stream begins with.
    pub(super) before: u64,
}

impl Start {
    /// The rows that the first ops insert.
    pub(super) fn lacking(&self) -> u64 {
        self.base - self.preload
    }
}

impl Course {
    /// A course from `rows` of each table on.
    pub(super) fn new(
        streams: u32,
        entries: Vec<Entry>,
        pattern: Pattern,
        turnovers: Vec<Turnover>,
        tables: &[Arc<TablePlan>],
        root: Stream,
    ) -> Course {
        let rows: Vec<u64> = tables.iter().map(|table| table.rows.unwrap_or(0)).collect();
        let streams = u64::from(streams);
        let mut starts = Vec::with_capacity(streams as usize * rows.len());
        for stream in 0..streams {
            let mut before = 0;
            for (turnover, rows) in turnovers.iter().zip(&rows) {
                let preload = share_of(*rows, stream, streams);
                let lacking = match turnover.insert {
                    Some(_) => turnover.needed().saturating_sub(preload),
                    None => 0,
                };
                starts.push(Start { preload, base: preload + lacking, before });
                before += lacking;
            }
        }
        let mut course = Course { streams, entries, pattern, turnovers, starts, turns: Vec::new() };
        course.turns = course
            .entries
            .iter()
            .enumerate()
            .map(|(at, entry)| {
                let is_latest = match entry.picker {
                    Picked::Drawn(_) => return None,
                    Picked::InTurn { is_latest } => is_latest,
                };
                let name = &tables[entry.table].name;
                let keys = |stream| stream_of(root, stream).named(name).named("#turns");
                Some(Turns::new(course.least_live(at), is_latest, (0..streams).map(keys)))
            })
            .collect();
        course
    }

    /// The rows of an entry's table that are there at every one of its ops, in every stream, if deletes do not outnumber
    /// inserts.
    fn least_live(&self, entry: usize) -> u64 {
        let table = self.entries[entry].table;
        let base = (0..self.streams).map(|stream| self.starts(stream)[table].base).min();
        let live = |place: &u32| {
            let (born, gone) = self.turnovers[table].before(u64::from(*place));
            (base.unwrap_or(0) + born).saturating_sub(gone)
        };
        self.pattern.places(entry).iter().map(live).min().unwrap_or(0)
    }

    #[inline]
    pub(super) fn starts(&self, stream: u64) -> &[Start] {
        let tables = self.turnovers.len();
        &self.starts[stream as usize * tables..][..tables]
    }

    /// The inserts that a stream begins with.
    #[inline]
    pub(super) fn prologue(&self, stream: u64) -> u64 {
        self.starts(stream).last().map_or(0, |last| last.before + last.lacking())
    }

    /// How many ops a stream has, if no table has more than `rows_max` rows.
    pub(super) fn ops(&self, stream: u64, rows_max: &[u64]) -> u64 {
        let (prologue, round) = (self.prologue(stream), self.pattern.len());
        let mut ops = OPS_MAX;
        for ((turnover, start), rows_max) in
            self.turnovers.iter().zip(self.starts(stream)).zip(rows_max)
        {
            if let Some(dry) = turnover.runs_dry(start.base, round) {
                ops = ops.min(prologue.saturating_add(dry));
            }
            let room = share_of(*rows_max, stream, self.streams).saturating_sub(start.base);
            if turnover.inserts > 0 && room < OPS_MAX {
                ops = ops.min(prologue.saturating_add(turnover.birth(room, round)));
            }
        }
        ops
    }

    /// The live rows of a table in a stream after `ops` ops.
    #[inline]
    pub(super) fn live(&self, stream: u64, table: usize, ops: u64) -> Live {
        let len = self.pattern.len();
        let start = &self.starts(stream)[table];
        match ops.checked_sub(self.prologue(stream)) {
            Some(at) => self.live_at(start, table, at / len, at % len),
            None => Live { gone: 0, born: start.preload + Course::first_births(start, ops) },
        }
    }

    /// The same at a place of a round.
    #[inline]
    pub(super) fn live_at(&self, start: &Start, table: usize, round: u64, place: u64) -> Live {
        let turnover = &self.turnovers[table];
        let (born, gone) = turnover.before(place);
        Live {
            gone: round * turnover.deletes + gone,
            born: start.base + round * turnover.inserts + born,
        }
    }

    /// The op that begins a stream's own row; `None` if it is there before the first.
    pub(super) fn birth(&self, stream: u64, table: usize, own: u64) -> Option<u64> {
        let start = &self.starts(stream)[table];
        if own < start.preload {
            return None;
        }
        Some(match own.checked_sub(start.base) {
            None => start.before + own - start.preload,
            Some(nth) => {
                let turnover = &self.turnovers[table];
                assert!(turnover.inserts > 0, "a row that is never inserted");
                self.prologue(stream) + turnover.birth(nth, self.pattern.len())
            }
        })
    }

    /// The table's rows that are born among the first `ops`, before the pattern begins.
    pub(super) fn first_births(start: &Start, ops: u64) -> u64 {
        ops.saturating_sub(start.before).min(start.lacking())
    }
}

/// In short: a pattern can have ten thousand places.
impl fmt::Debug for Course {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Course")
            .field("streams", &self.streams)
            .field("entries", &self.entries)
            .field("round", &self.pattern.len())
            .finish_non_exhaustive()
    }
}

/// Where a stream's own draws come from.
pub(super) fn stream_of(root: Stream, stream: u64) -> Stream {
    root.at(stream).stream()
}

/// How many of the first `rows` belong to a stream.
fn share_of(rows: u64, stream: u64, streams: u64) -> u64 {
    rows.saturating_sub(stream).div_ceil(streams)
}
