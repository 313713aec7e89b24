//! The start: doubles one coordinate, then the other, on one short slice each, for as long as that is clearly faster.

use super::slice::{Need, Slice};
use super::space::Space;
use super::{Explorer, Mode};
use crate::{Point, Reason};

/// A doubling must gain this much in logarithms.
const GAIN_MIN: f64 = 0.15;
/// Refused doublings that close a coordinate.
const FAILURES_MAX: u32 = 2;
/// Nothing is doubled whose batches would then take this long: a wrong step would cost too much.
const LATENCY_MAX_S: f64 = 2.0;
/// Short: a wrong step costs little here, and what follows looks again.
pub(super) const NEED: Need = Need {
    completions: 10,
    turns: 1,
    seconds: 0.12,
    seconds_max: 4.0,
    older_share: 0.15,
    latencies_max: 2.0,
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Startup {
    /// Speed of what is kept, once it was measured.
    base: Option<f64>,
    /// Seconds of its batches.
    latency: f64,
    axis: usize,
    failures: [u32; 2],
}

impl Startup {
    pub(super) fn new(space: &Space) -> Startup {
        let closed = |given: bool| if given { FAILURES_MAX } else { 0 };
        Startup {
            base: None,
            latency: 0.0,
            axis: 0,
            failures: [closed(space.rows_are_given()), closed(space.lanes_are_given())],
        }
    }

    /// The doubling in force was refused by the server: its coordinate is closed.
    pub(super) fn refused(&mut self) {
        self.failures[self.axis] = FAILURES_MAX;
        self.axis = 1 - self.axis;
    }
}

impl Explorer {
    /// What the step in force must gain: as much for every doubling.
    fn gain_min(&self) -> f64 {
        GAIN_MIN * (self.point().footprint() / self.kept.footprint()).log2().max(1.0)
    }

    /// A slice of the start is over.
    pub(super) fn double(&mut self, mut startup: Startup, slice: &Slice) {
        let axis = startup.axis;
        match startup.base {
            None => {
                startup.base = Some(slice.log_rate);
                startup.latency = slice.log_latency.exp();
            }
            Some(base) if slice.log_rate - base >= self.gain_min() => {
                startup.base = Some(slice.log_rate);
                startup.latency = slice.log_latency.exp();
                startup.failures[axis] = 0;
                self.kept = self.point();
                startup.axis = 1 - axis;
                self.latency = startup.latency;
                self.rate = slice.log_rate.exp();
            }
            Some(_) => {
                startup.failures[axis] += 1;
                startup.axis = 1 - axis;
            }
        }
        self.double_next(startup);
    }

    /// Tries the next coordinate that is open, or begins to refine.
    pub(super) fn double_next(&mut self, mut startup: Startup) {
        for _ in 0..2 {
            if startup.failures[startup.axis] < FAILURES_MAX {
                let Point { batch_rows, in_flight } = self.kept;
                let wanted = if startup.axis == 0 {
                    // After a failure twice as far: a wire may have a notch just there.
                    let factor = 2 << startup.failures[0];
                    Point { batch_rows: batch_rows.saturating_mul(factor), in_flight }
                } else {
                    Point { batch_rows, in_flight: in_flight.saturating_mul(2) }
                };
                let quick =
                    startup.latency * wanted.footprint() / self.kept.footprint() < LATENCY_MAX_S;
                let open = self.space.allowed(self.kept, wanted).filter(|_| quick);
                if let Some(point) = open.filter(|point| !self.walls.hide(*point, self.now)) {
                    let from = startup.base.unwrap_or(0.0).exp();
                    self.mode = Mode::Startup(startup);
                    self.go(point, Reason::Doubling { from });
                    return;
                }
                startup.failures[startup.axis] = FAILURES_MAX;
            }
            startup.axis = 1 - startup.axis;
        }
        self.refine(1.0);
    }
}
