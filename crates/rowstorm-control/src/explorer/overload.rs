//! Overload: a server that refuses, in the open or by its own counters; for batches that take too long see [`late`](super::late).
//!
//! A neighbour that is refused is given up, and a wall stands there for a while. What is kept gives way at once: a fifth of
//! the batches in flight, or half of the rows when only one is left.

use super::trial::Trial;
use super::{Explorer, Mode};
use crate::{Counters, Point, Reason};

/// Share of requests that the server may refuse in itself.
const REJECTED_MAX: f64 = 0.005;
/// Look again so long after backing off.
const AGAIN_S: f64 = 6.0;

/// What the server's counters said last, and the most that was in flight since.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    last: Option<Counters>,
    busiest: Option<Point>,
    before: Option<Point>,
    polls: u32,
}

impl Counted {
    /// A setting is in force from now on.
    pub(super) fn in_force(&mut self, point: Point) {
        if self.busiest.is_none_or(|busiest| point.in_flight > busiest.in_flight) {
            self.busiest = Some(point);
        }
    }
}

impl Explorer {
    /// Whether what a larger setting has sent is still there: then it is to blame, and not what is in force.
    pub(super) fn is_aftermath(&self) -> bool {
        self.slicer.older_are_out(self.now)
            && self.before.footprint() > 1.05 * self.point().footprint()
    }

    /// What is in force is too much.
    pub(super) fn overloaded(&mut self, reason: Reason) {
        let point = self.point();
        self.walls.build(point, self.now);
        if point != self.kept && self.mode != Mode::Frozen {
            if let Mode::Startup(mut startup) = self.mode {
                startup.refused();
                self.go(self.kept, reason);
                self.double_next(startup);
            } else {
                self.abandon();
                self.step_refused();
                self.go(self.kept, reason);
                if self.mode == Mode::Refine {
                    self.begin_trial();
                }
            }
            return;
        }
        self.give_way(reason);
    }

    /// What is kept is too much.
    fn give_way(&mut self, reason: Reason) {
        let before = self.kept;
        let Point { batch_rows, in_flight } = before;
        let (lanes_can, rows_can) = self.may_give();
        self.kept = match (reason, lanes_can, rows_can) {
            (Reason::Late, _, _) => self.less_late(),
            (_, true, _) => Point { batch_rows, in_flight: in_flight - in_flight.div_ceil(5) },
            (_, false, true) => Point { batch_rows: batch_rows / 2, in_flight },
            (_, false, false) => before,
        };
        if reason == Reason::Busy {
            self.lost_ground(before);
        }
        if reason == Reason::Late {
            self.long_later();
        }
        self.watch.restart();
        self.search.trial = None;
        self.long.block = None;
        if self.mode != Mode::Frozen {
            self.hold_for(AGAIN_S);
        }
        self.go(self.kept, reason);
    }

    /// Which coordinates can give way: lanes, rows.
    pub(super) fn may_give(&self) -> (bool, bool) {
        let Point { batch_rows, in_flight } = self.kept;
        let lanes_can = in_flight > 1 && !self.space.lanes_are_given();
        (lanes_can, batch_rows > 1 && !self.space.rows_are_given())
    }

    /// The server's counters were read.
    pub(super) fn counted(&mut self, seen: &Counters) {
        let Some(last) = self.counted.last.replace(*seen) else { return };
        let requests = seen.requests.saturating_sub(last.requests).max(1) as f64;
        let rejected = seen.rejected.saturating_sub(last.rejected) as f64;
        let busiest = self.counted.busiest.unwrap_or(self.kept);
        let before = self.counted.before.unwrap_or(self.kept);
        let guilty = if before.in_flight > busiest.in_flight { before } else { busiest };
        self.counted.before = Some(busiest);
        self.counted.busiest = Some(self.point());
        if rejected <= REJECTED_MAX * requests {
            self.counted.polls = 0;
            return;
        }
        if guilty != self.kept {
            self.walls.build(guilty, self.now);
            if self.point() == guilty {
                self.overloaded(Reason::Rejected);
            }
            return;
        }
        self.counted.polls += 1;
        if self.counted.polls >= 2 && self.point() == self.kept {
            self.counted.polls = 0;
            self.walls.build(self.kept, self.now);
            self.give_way(Reason::Rejected);
        }
    }

    /// Rows are larger than thought, or fewer may be sent: what is above comes down.
    pub(super) fn shrink_to_bounds(&mut self, reason: Reason) {
        let kept = self.space.project(self.kept);
        if kept != self.kept {
            self.kept = kept;
            self.watch.restart();
        }
        // A trial's neighbour that is not in force yet must not come into force either.
        let outside = |trial: &Trial| self.space.project(trial.candidate) != trial.candidate;
        if self.search.trial.as_ref().is_some_and(outside) {
            self.search.trial = None;
        }
        let point = self.point();
        if self.space.project(point) != point {
            match self.mode {
                Mode::Startup(startup) => {
                    self.go(self.kept, reason);
                    self.double_next(startup);
                }
                Mode::Refine | Mode::Hold => {
                    self.hold_for(0.0);
                    self.go(self.kept, reason);
                }
                Mode::Frozen => self.go(self.kept, reason),
            }
        }
    }
}
