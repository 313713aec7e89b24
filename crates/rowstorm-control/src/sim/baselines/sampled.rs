//! Random search: 25 settings anywhere, one slice each, then the fastest for good.

use super::Knobs;
use crate::sim::Random;
use crate::{Controller, Decision, Observation, Point, State, Verdict};

const TRIALS: u32 = 25;

/// Draws settings, every octave as likely as any other, and keeps the fastest.
#[derive(Debug, Clone)]
pub struct RandomSearch {
    knobs: Knobs,
    random: Random,
    best: (Point, f64),
    trials: u32,
}

impl RandomSearch {
    /// Starts from these knobs; the seed fixes what is tried.
    pub fn new(knobs: Knobs, seed: u64) -> RandomSearch {
        let best = (knobs.point(), 0.0);
        RandomSearch { knobs, random: Random::new(seed), best, trials: 0 }
    }

    fn measured(&mut self, rate: f64) {
        if rate > self.best.1 {
            self.best = (self.knobs.point(), rate);
        }
        self.trials += 1;
        let next = if self.trials < TRIALS {
            let bounds = *self.knobs.bounds();
            Point {
                batch_rows: self.random.log_between(64.0, f64::from(bounds.rows_max)) as u32,
                in_flight: self.random.log_between(1.0, f64::from(bounds.in_flight_max)) as u32,
            }
        } else {
            self.best.0
        };
        self.knobs.set(next, "random search");
    }
}

impl Controller for RandomSearch {
    fn decision(&self) -> &Decision {
        &self.knobs.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        if self.trials < TRIALS {
            if seen.verdict == Verdict::Busy && self.knobs.is_current(seen) {
                self.measured(0.0);
            } else if let Some(rate) = self.knobs.measure(seen) {
                self.measured(rate);
            }
        }
        &self.knobs.decision
    }

    fn kept(&self) -> Point {
        self.best.0
    }

    fn state(&self) -> State {
        if self.trials < TRIALS { State::Exploring } else { State::Settled }
    }
}
