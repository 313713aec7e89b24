//! Hill climbing in both coordinates, on single measurements: the best of the simple rivals.

use super::Knobs;
use crate::{Controller, Decision, Observation, Point, State, Verdict};

/// Steps in octaves: half of one each.
const STEPS: [(f64, f64); 4] = [(0.5, 0.0), (0.0, 0.5), (-0.5, 0.0), (0.0, -0.5)];
/// Slices that it rests at the top before it looks around again.
const REST: u32 = 20;

/// Goes to a neighbour that was faster in one slice, and on in the same direction.
#[derive(Debug, Clone)]
pub struct HillClimb {
    knobs: Knobs,
    best: [f64; 2],
    rate: Option<f64>,
    /// The step that is tried, after the top was measured.
    step: usize,
    failures: u32,
    rest: u32,
}

impl HillClimb {
    /// Starts from these knobs.
    pub fn new(knobs: Knobs) -> HillClimb {
        let start = knobs.point();
        let best = [f64::from(start.batch_rows).log2(), f64::from(start.in_flight).log2()];
        HillClimb { knobs, best, rate: None, step: 0, failures: 0, rest: 0 }
    }

    fn candidate(&self) -> [f64; 2] {
        let (rows, in_flight) = STEPS[self.step];
        // Fewer than four in flight do not change by half an octave.
        let in_flight = if self.best[1] + in_flight < 1.5 { in_flight * 2.0 } else { in_flight };
        [(self.best[0] + rows).max(0.0), (self.best[1] + in_flight).max(0.0)]
    }

    fn go(&mut self, logs: [f64; 2]) {
        let point = self.knobs.at(logs[0], logs[1]);
        self.knobs.set(point, "hill climb");
    }

    fn measured(&mut self, rate: f64) {
        let Some(before) = self.rate else {
            if self.rest > 0 {
                self.rest -= 1;
                return;
            }
            self.rate = Some(rate);
            self.go(self.candidate());
            return;
        };
        if rate > before {
            let point = self.knobs.point();
            self.best = [f64::from(point.batch_rows).log2(), f64::from(point.in_flight).log2()];
            self.rate = Some(rate);
            self.failures = 0;
            self.go(self.candidate());
            return;
        }
        self.step = (self.step + 1) % STEPS.len();
        self.failures += 1;
        self.rate = None;
        if self.failures as usize >= STEPS.len() {
            self.failures = 0;
            self.rest = REST;
        }
        self.go(self.best);
    }
}

impl Controller for HillClimb {
    fn decision(&self) -> &Decision {
        &self.knobs.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        if seen.verdict == Verdict::Busy && self.knobs.is_current(seen) {
            if self.rate.is_some() {
                self.measured(0.0);
            } else {
                self.best[1] = (self.best[1] - 0.33).max(0.0);
                self.go(self.best);
            }
        } else if let Some(rate) = self.knobs.measure(seen) {
            self.measured(rate);
        }
        &self.knobs.decision
    }

    fn kept(&self) -> Point {
        self.knobs.at(self.best[0], self.best[1])
    }

    fn state(&self) -> State {
        State::Exploring
    }
}
