//! Updates whose rows take turns: which row is next, and how often a row was, are closed forms.
//!
//! A state machine needs both. So these updates do not draw their row. They go round the youngest `window` rows of the
//! stream, which are always there: row `r` sits on seat `r % window` from its birth until row `r + window` takes the seat;
//! the `n`th update takes the seat at place `n % window` of a shuffle. A row's turns are those of its seat while it sits
//! there.

use super::course::Course;
use crate::{Permutation, Stream};

/// The widest window of `pick: latest`.
const LATEST: u64 = 64;

/// The turns of one entry.
#[derive(Debug)]
pub(super) struct Turns {
    window: u64,
    /// The order of the seats, by stream.
    shuffles: Vec<Permutation>,
}

/// The turns of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turned {
    /// How many it had.
    pub(super) times: u64,
    /// The op of the last one.
    pub(super) last: Option<u64>,
}

impl Turns {
    /// Turns among the `least` rows that are always there, at most 64 of them if only the latest count.
    pub(super) fn new(least: u64, is_latest: bool, streams: impl Iterator<Item = Stream>) -> Turns {
        let window = if is_latest { least.min(LATEST) } else { least }.max(1);
        let shuffles = streams.map(|keys| Permutation::new(window, keys.key())).collect();
        Turns { window, shuffles }
    }

    /// The stream's own row whose turn is the `nth`.
    #[inline]
    pub(super) fn row(&self, stream: u64, nth: u64, born: u64) -> u64 {
        let seat = self.shuffles[stream as usize].at(nth % self.window);
        let youngest = born - 1;
        youngest - (youngest - seat) % self.window
    }
}

impl Course {
    /// The turns that a stream's own row had among the first `ops`.
    pub(super) fn turned(&self, stream: u64, entry: usize, own: u64, ops: u64) -> Turned {
        let never = Turned { times: 0, last: None };
        let Some(turns) = &self.turns[entry] else { return never };
        let table = self.entries[entry].table;
        let base = self.starts(stream)[table].base;
        // How often the entry came before a row was born.
        let before_birth = |own: u64| match own.checked_sub(base) {
            None => 0,
            Some(nth) => {
                let birth = self.turnovers[table].birth(nth, self.pattern.len());
                self.pattern.count(entry, birth)
            }
        };
        let from = before_birth(own);
        let until = if own + turns.window < self.live(stream, table, ops).born {
            before_birth(own + turns.window)
        } else {
            self.pattern.count(entry, ops.saturating_sub(self.prologue(stream)))
        };
        let place = turns.shuffles[stream as usize].place(own % turns.window);
        // How many of the first `n` turns are the seat's.
        let seats = |n: u64| (n + turns.window - 1 - place) / turns.window;
        let times = seats(until).saturating_sub(seats(from));
        let last = (times > 0).then(|| {
            let nth = place + turns.window * (seats(until) - 1);
            self.prologue(stream) + self.pattern.find(entry, nth)
        });
        Turned { times, last }
    }
}
