//! What every port has: a decision within bounds, and a slice to measure it with.

use std::time::Duration;

use super::slice::Slice;
use crate::{Bounds, Decision, Fixed, Observation, Point, Reason, Verdict};

/// A decision that is kept within bounds.
#[derive(Debug, Clone)]
pub struct Knobs {
    bounds: Bounds,
    bytes_per_row: f64,
    pub(super) decision: Decision,
    slice: Slice,
}

impl Knobs {
    /// Starts at this setting, or the nearest within the bounds.
    pub fn new(bounds: Bounds, bytes_per_row: f64, start: Point) -> Knobs {
        let decision = Decision {
            number: 0,
            batch_rows: 1,
            in_flight: 1,
            pause: Duration::ZERO,
            reason: Reason::Start,
        };
        let mut knobs = Knobs { bounds, bytes_per_row, decision, slice: Slice::default() };
        let start = knobs.within(start);
        knobs.decision.batch_rows = start.batch_rows;
        knobs.decision.in_flight = start.in_flight;
        knobs
    }

    /// Holds what it starts at.
    pub fn fixed(&self) -> Fixed {
        Fixed::new(self.decision.batch_rows, self.decision.in_flight)
    }

    /// The nearest setting within the bounds.
    pub(super) fn within(&self, wanted: Point) -> Point {
        let rows_in_flight = self.bounds.bytes_max as f64 / self.bytes_per_row;
        let in_flight = wanted.in_flight.clamp(1, self.bounds.in_flight_max);
        let fit = (rows_in_flight / f64::from(in_flight)) as u32;
        let batch_rows = wanted.batch_rows.clamp(1, self.bounds.rows_max).min(fit.max(1));
        Point { batch_rows, in_flight }
    }

    /// The nearest setting within the bounds, from logarithms to base 2.
    pub(super) fn at(&self, log_rows: f64, log_in_flight: f64) -> Point {
        self.within(Point {
            batch_rows: log_rows.exp2().round() as u32,
            in_flight: log_in_flight.exp2().round() as u32,
        })
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(super) fn point(&self) -> Point {
        Point { batch_rows: self.decision.batch_rows, in_flight: self.decision.in_flight }
    }

    /// Changes the setting; what was being measured is forgotten.
    pub(super) fn set(&mut self, wanted: Point, why: &'static str) {
        let point = self.within(wanted);
        self.slice.restart();
        if point == self.point() {
            return;
        }
        self.decision.number += 1;
        self.decision.batch_rows = point.batch_rows;
        self.decision.in_flight = point.in_flight;
        self.decision.reason = Reason::Other(why);
    }

    /// Whether a batch was sent under what is in force.
    pub(super) fn is_current(&self, seen: &Observation) -> bool {
        seen.decision == self.decision.number
    }

    /// Rows per second of what is in force, when enough was seen of it.
    pub(super) fn measure(&mut self, seen: &Observation) -> Option<f64> {
        if seen.verdict != Verdict::Done || !self.is_current(seen) {
            return None;
        }
        let rate = self.slice.push(seen.at, seen.rows, self.decision.in_flight)?;
        self.slice.next();
        Some(rate)
    }
}
