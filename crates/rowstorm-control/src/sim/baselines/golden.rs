//! Golden section search, one coordinate after the other: rows, in flight, rows, in flight; then it stays.

use super::Knobs;
use crate::{Controller, Decision, Observation, Point, State, Verdict};

const RATIO: f64 = 0.618_033_988_749_895;
const WIDTH_MIN: f64 = 0.5;
const ROUNDS: u32 = 4;

/// Narrows an interval of each coordinate's logarithm around the faster of two inner points.
#[derive(Debug, Clone)]
pub struct Golden {
    knobs: Knobs,
    /// Logarithms of what is best so far.
    best: [f64; 2],
    low: f64,
    high: f64,
    /// The inner points' rates, as far as they are measured.
    rates: [Option<f64>; 2],
    round: u32,
    measuring: usize,
}

impl Golden {
    /// Starts from these knobs.
    pub fn new(knobs: Knobs) -> Golden {
        let start = knobs.point();
        let best = [f64::from(start.batch_rows).log2(), f64::from(start.in_flight).log2()];
        let mut golden =
            Golden { knobs, best, low: 0.0, high: 0.0, rates: [None; 2], round: 0, measuring: 0 };
        golden.open();
        golden
    }

    fn axis(&self) -> usize {
        (self.round % 2) as usize
    }

    /// Begins a round over the whole range of a coordinate.
    fn open(&mut self) {
        let bounds = self.knobs.bounds();
        (self.low, self.high) = match self.axis() {
            0 => (6.0, f64::from(bounds.rows_max).log2()),
            _ => (0.0, f64::from(bounds.in_flight_max).log2()),
        };
        self.rates = [None; 2];
        self.measure_next();
    }

    fn inner(&self, which: usize) -> f64 {
        let share = if which == 0 { 1.0 - RATIO } else { RATIO };
        self.low + (self.high - self.low) * share
    }

    fn measure_next(&mut self) {
        self.measuring = usize::from(self.rates[0].is_some());
        let mut logs = self.best;
        logs[self.axis()] = self.inner(self.measuring);
        let point = self.knobs.at(logs[0], logs[1]);
        self.knobs.set(point, "golden section");
    }

    fn measured(&mut self, rate: f64) {
        self.rates[self.measuring] = Some(rate);
        if let [Some(left), Some(right)] = self.rates {
            if left > right {
                self.high = self.inner(1);
                self.rates = [None, Some(left)];
            } else {
                self.low = self.inner(0);
                self.rates = [Some(right), None];
            }
            if self.high - self.low < WIDTH_MIN {
                let axis = self.axis();
                self.best[axis] = f64::midpoint(self.low, self.high);
                self.round += 1;
                if self.round == ROUNDS {
                    let point = self.kept();
                    self.knobs.set(point, "golden section is done");
                } else {
                    self.open();
                }
                return;
            }
        }
        self.measure_next();
    }
}

impl Controller for Golden {
    fn decision(&self) -> &Decision {
        &self.knobs.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        if self.round < ROUNDS {
            if seen.verdict == Verdict::Busy && self.knobs.is_current(seen) {
                self.measured(0.0);
            } else if let Some(rate) = self.knobs.measure(seen) {
                self.measured(rate);
            }
        }
        &self.knobs.decision
    }

    fn kept(&self) -> Point {
        self.knobs.at(self.best[0], self.best[1])
    }

    fn state(&self) -> State {
        if self.round < ROUNDS { State::Exploring } else { State::Settled }
    }
}
