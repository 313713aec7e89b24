//! The first `auto`: climbs by doubling, one coordinate after the other, and stops where doubling no longer pays.
//!
//! It answers one question at a time: is twice as much of this coordinate at least a tenth faster? Yes: keep it and ask
//! of the other. No: go back, measure there again, and next time jump over the step (a wire may have a notch at some
//! size: PostgreSQL's COPY does at 1,000 rows). Two refusals close a coordinate; with both closed it has settled, on
//! the smaller of any two settings that are equally fast. It does not follow a server that changes its speed later.

use std::time::Duration;

use super::slice::Slice;
use crate::{Bounds, Controller, Decision, Observation, Reason, State, Verdict};

/// Rows of the first batches: large enough not to starve a fast server, small enough for any.
const START_ROWS: u32 = 1_000;
/// Batches in flight at first: one is sent while another is made.
const START_IN_FLIGHT: u32 = 2;
/// A trial must be this much faster to be kept.
const GAIN_MIN: f64 = 1.10;
/// Slices of a setting before it is judged: one can be a burst, or a stall.
const SLICES: u32 = 2;
/// A trial that is so much slower is given up after one slice.
const LOSS_CLEAR: f64 = 0.74;
/// Beyond its footprint times this, a gain is an error of measurement; so often it is measured again.
const PLAUSIBLE: f64 = 1.2;
const DOUBTS_MAX: u32 = 4;
/// Refused trials that close a coordinate.
const REFUSALS_MAX: u32 = 2;

/// What a climb starts from and keeps within.
#[derive(Debug, Clone, PartialEq)]
pub struct ClimbOptions {
    /// The limits of server, table and budget.
    pub bounds: Bounds,
    /// Bytes of one encoded row, as far as known; corrected upwards by what is seen.
    pub bytes_per_row: f64,
    /// Rows per batch, if they are given: then only the other is tuned.
    pub batch_rows: Option<u32>,
    /// Batches in flight, if they are given.
    pub in_flight: Option<u32>,
}

/// Doubles rows per batch and batches in flight in turn, for as long as it pays.
///
/// ```
/// use rowstorm_control::{Bounds, Controller};
/// use rowstorm_control::sim::baselines::{Climb, ClimbOptions};
/// let bounds = Bounds { rows_max: 50_000, in_flight_max: 16, bytes_max: 1 << 28 };
/// let climb = Climb::new(ClimbOptions {
///     bounds, bytes_per_row: 100.0, batch_rows: None, in_flight: Some(4),
/// });
/// assert_eq!((climb.decision().batch_rows, climb.decision().in_flight), (1_000, 4));
/// ```
#[derive(Debug, Clone)]
pub struct Climb {
    options: ClimbOptions,
    decision: Decision,
    kept: Point,
    kept_rate: Option<f64>,
    trial: Option<Axis>,
    next: Axis,
    refusals: [u32; 2],
    slice: Slice,
    slices: u32,
    slices_sum: f64,
    doubts: u32,
    settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    rows: u32,
    in_flight: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Batch = 0,
    InFlight = 1,
}

impl Axis {
    fn other(self) -> Axis {
        match self {
            Axis::Batch => Axis::InFlight,
            Axis::InFlight => Axis::Batch,
        }
    }
}

impl Climb {
    /// Starts at the pinned settings, else at 1,000 rows and 2 in flight, within the bounds.
    pub fn new(options: ClimbOptions) -> Climb {
        let wanted = Point {
            rows: options.batch_rows.unwrap_or(START_ROWS),
            in_flight: options.in_flight.unwrap_or(START_IN_FLIGHT),
        };
        let kept = project(&options, wanted);
        let decision = Decision {
            number: 0,
            batch_rows: kept.rows,
            in_flight: kept.in_flight,
            pause: Duration::ZERO,
            reason: Reason::Start,
        };
        Climb {
            options,
            decision,
            kept,
            kept_rate: None,
            trial: None,
            next: Axis::Batch,
            refusals: [0; 2],
            slice: Slice::default(),
            slices: 0,
            slices_sum: 0.0,
            doubts: 0,
            settled: false,
        }
    }

    fn set(&mut self, point: Point, reason: Reason) {
        self.decision.number += 1;
        self.decision.batch_rows = point.rows;
        self.decision.in_flight = point.in_flight;
        self.decision.reason = reason;
        self.slice.restart();
        self.slices = 0;
        self.slices_sum = 0.0;
    }

    /// A slice of the setting in force has this rate.
    fn measured(&mut self, rate: f64) {
        self.slices += 1;
        self.slices_sum += rate;
        let mean = self.slices_sum / f64::from(self.slices);
        let kept = self.kept_rate.unwrap_or(mean);
        let clear = self.trial.is_some() && mean < kept * LOSS_CLEAR;
        if self.slices < SLICES && !clear {
            self.slice.next();
            return;
        }
        let Some(axis) = self.trial else {
            // What was measured here before counts as much: either can have been a lucky moment.
            let rate = f64::midpoint(kept, mean);
            self.kept_rate = Some(rate);
            self.try_next(rate);
            return;
        };
        if mean > kept * self.growth() * PLAUSIBLE && self.doubts < DOUBTS_MAX {
            // Nothing grows faster than its footprint: what is kept was measured in a bad moment.
            self.doubts += 1;
            self.trial = None;
            self.kept_rate = None;
            self.set(self.kept, Reason::Other("measuring again"));
        } else if mean >= kept * GAIN_MIN {
            self.keep(axis, mean);
        } else {
            self.refusals[axis as usize] += 1;
            self.trial = None;
            self.next = axis.other();
            // It is measured again there before the next trial: capacity drifts, and neighbours in time compare best.
            self.set(self.kept, Reason::Other("back"));
        }
    }

    /// How many times the footprint of what is kept a trial has.
    fn growth(&self) -> f64 {
        let tried = f64::from(self.decision.batch_rows) * f64::from(self.decision.in_flight);
        tried / (f64::from(self.kept.rows) * f64::from(self.kept.in_flight))
    }

    fn keep(&mut self, axis: Axis, rate: f64) {
        self.kept = Point { rows: self.decision.batch_rows, in_flight: self.decision.in_flight };
        self.kept_rate = Some(rate);
        self.refusals[axis as usize] = 0;
        self.trial = None;
        self.next = axis.other();
        self.try_next(rate);
    }

    /// Tries the next coordinate that is open, or settles.
    fn try_next(&mut self, rate: f64) {
        for axis in [self.next, self.next.other()] {
            if let Some(point) = self.candidate(axis) {
                self.trial = Some(axis);
                let reason = Reason::Doubling { from: rate };
                self.set(point, reason);
                return;
            }
        }
        self.settled = true;
        self.set(self.kept, Reason::Settled { rate });
    }

    /// More of one coordinate: twice, or four times where twice was refused; `None` where it is closed.
    fn candidate(&self, axis: Axis) -> Option<Point> {
        let refusals = self.refusals[axis as usize];
        if refusals >= REFUSALS_MAX || self.pinned(axis) {
            return None;
        }
        let factor = 2 << refusals;
        let mut wanted = self.kept;
        match axis {
            Axis::Batch => wanted.rows = wanted.rows.saturating_mul(factor),
            Axis::InFlight => wanted.in_flight = wanted.in_flight.saturating_mul(factor),
        }
        let point = project(&self.options, wanted);
        // More in flight at the price of smaller batches is another question than the one that is asked.
        let pure = match axis {
            Axis::Batch => point.rows > self.kept.rows,
            Axis::InFlight => point.in_flight > self.kept.in_flight && point.rows == self.kept.rows,
        };
        pure.then_some(point)
    }

    fn pinned(&self, axis: Axis) -> bool {
        match axis {
            Axis::Batch => self.options.batch_rows.is_some(),
            Axis::InFlight => self.options.in_flight.is_some(),
        }
    }

    /// The server is busy: a trial is given up for good, a kept setting shrinks.
    fn back_off(&mut self) {
        if let Some(axis) = self.trial.take() {
            self.refusals[axis as usize] = REFUSALS_MAX;
        } else {
            self.refusals[Axis::InFlight as usize] = REFUSALS_MAX;
            let Point { rows, in_flight } = self.kept;
            if in_flight > 1 && !self.pinned(Axis::InFlight) {
                // A fifth less, and at least one less.
                self.kept.in_flight = (in_flight - in_flight.div_ceil(5)).max(1);
            } else if !self.pinned(Axis::Batch) {
                self.kept.rows = (rows / 2).max(1);
            }
        }
        self.unsettle();
        self.set(self.kept, Reason::Busy);
    }

    /// No batch of this size again: the ceiling is halved, and whatever is above it comes down.
    fn halve(&mut self, rows: u32) {
        let ceiling = (rows / 2).max(1);
        self.options.bounds.rows_max = self.options.bounds.rows_max.min(ceiling);
        self.shrink_to_bounds();
    }

    fn shrink_to_bounds(&mut self) {
        let now = Point { rows: self.decision.batch_rows, in_flight: self.decision.in_flight };
        let kept = project(&self.options, self.kept);
        if kept != self.kept {
            self.kept = kept;
            self.unsettle();
        }
        if project(&self.options, now) != now {
            self.trial = None;
            self.set(self.kept, Reason::TooLarge);
        }
    }

    /// What was measured holds no longer.
    fn unsettle(&mut self) {
        self.kept_rate = None;
        self.settled = false;
    }
}

impl Controller for Climb {
    fn decision(&self) -> &Decision {
        &self.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        if seen.rows > 0 {
            let per_row = seen.bytes as f64 / f64::from(seen.rows);
            if per_row > self.options.bytes_per_row {
                self.options.bytes_per_row = per_row;
                self.shrink_to_bounds();
            }
        }
        let current = seen.decision == self.decision.number;
        match seen.verdict {
            // A size that is refused once is refused always, under whatever decision it was sent.
            Verdict::TooLarge => self.halve(seen.rows),
            Verdict::Busy if current => self.back_off(),
            Verdict::Failed if current => self.slice.restart(),
            Verdict::Done if current && !self.settled => {
                if let Some(rate) = self.slice.push(seen.at, seen.rows, self.decision.in_flight) {
                    self.measured(rate);
                }
            }
            Verdict::Busy | Verdict::Failed | Verdict::Done => {}
        }
        &self.decision
    }

    fn state(&self) -> State {
        if self.settled { State::Settled } else { State::Exploring }
    }
}

/// The nearest setting within the bounds. What is not pinned gives way first: rows before lanes.
fn project(options: &ClimbOptions, wanted: Point) -> Point {
    let bounds = &options.bounds;
    let mut rows = wanted.rows.clamp(1, bounds.rows_max.max(1));
    let mut in_flight = wanted.in_flight.clamp(1, bounds.in_flight_max.max(1));
    let rows_in_flight_max = bounds.bytes_max as f64 / options.bytes_per_row.max(1.0);
    if options.batch_rows.is_none() {
        rows = rows.min((rows_in_flight_max / f64::from(in_flight)) as u32).max(1);
    }
    in_flight = in_flight.min((rows_in_flight_max / f64::from(rows)) as u32).max(1);
    rows = rows.min(rows_in_flight_max as u32).max(1);
    Point { rows, in_flight }
}
