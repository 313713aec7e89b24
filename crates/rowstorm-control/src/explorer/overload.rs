//! Overload: a server that refuses, in the open or by its own counters, and batches that take too long.
//!
//! A neighbour that is refused is given up, and a wall stands there for a while. What is kept gives way at once: a fifth of
//! the batches in flight, or half of the rows when only one is left.

use super::slice::Slice;
use super::trial::Trial;
use super::{Explorer, Mode, Objective};
use crate::{Counters, Point, Reason};

/// Share of requests that the server may refuse in itself.
const REJECTED_MAX: f64 = 0.005;
/// Look again so long after backing off.
const AGAIN_S: f64 = 6.0;
/// Share of batches that may be late.
const LATE_MAX: f64 = 0.01;
/// The normal distribution's 99th percentile.
const P99: f64 = 2.326;

/// Late batches of what is kept, over the last slices.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lateness {
    late: f64,
    completions: f64,
}

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
    /// Whether a slice shows that too many batches are late.
    pub(super) fn is_late(&mut self, slice: &Slice) -> bool {
        let Objective::P99Below(limit) = self.objective else { return false };
        let completions = f64::from(slice.completions);
        if self.point() != self.kept {
            let allowed = LATE_MAX * completions;
            let late = f64::from(slice.late) > allowed + 2.0 * allowed.sqrt();
            let p99 = slice.log_latency + P99 * slice.log_spread;
            return late || p99 > limit.as_secs_f64().ln();
        }
        // Forgets slowly: eight slices or so.
        self.lateness.late = self.lateness.late * 0.88 + f64::from(slice.late);
        self.lateness.completions = self.lateness.completions * 0.88 + completions;
        let allowed = LATE_MAX * self.lateness.completions;
        let late = self.lateness.late > allowed + 2.5 * allowed.sqrt() + 1.0;
        if late {
            self.lateness = Lateness::default();
        }
        late
    }

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
        let Point { batch_rows, in_flight } = self.kept;
        let fewer = Point { batch_rows, in_flight: (in_flight - in_flight.div_ceil(5)).max(1) };
        let shorter = |share: f64| Point {
            batch_rows: ((f64::from(batch_rows) * share) as u32).max(1),
            in_flight,
        };
        let lanes_can = in_flight > 1 && !self.space.lanes_are_given();
        let rows_can = batch_rows > 1 && !self.space.rows_are_given();
        let before = self.kept;
        self.kept = match (reason, lanes_can, rows_can) {
            (Reason::Late, _, true) => shorter(0.8),
            (_, true, _) => fewer,
            (_, false, true) => shorter(0.5),
            (_, false, false) => self.kept,
        };
        if reason == Reason::Busy {
            self.lost_ground(before);
        }
        self.watch.restart();
        self.search.trial = None;
        self.long.block = None;
        if self.mode != Mode::Frozen {
            self.hold_for(AGAIN_S);
        }
        self.go(self.kept, reason);
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
