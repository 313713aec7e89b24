//! The batch size automator of tsperf, the generator this project succeeds.
//!
//! It compares the mean time per row of 20 inserts with the best so far, turns around with a smaller step when it got
//! worse, and looks on only every thousand inserts once the step is below 100 rows. A refused insert counts as a quick one.

use super::Knobs;
use crate::{Controller, Decision, Observation, Point, State};

const SAMPLES: u32 = 20;
const STEP: f64 = 500.0;
const STEP_MIN: f64 = 100.0;
const WATCHED: u32 = 1_000;

/// Hill climbs on the time per row, in steps of at most 500 rows; concurrency is given.
#[derive(Debug, Clone)]
pub struct Automator {
    knobs: Knobs,
    best: f64,
    alpha: f64,
    direction: f64,
    sum: f64,
    samples: u32,
    pause: u32,
}

impl Automator {
    /// tsperf starts at 2,500 rows; `in_flight` is its `--concurrency`.
    pub fn new(knobs: Knobs) -> Automator {
        Automator {
            knobs,
            best: f64::INFINITY,
            alpha: 1.0,
            direction: 1.0,
            sum: 0.0,
            samples: 0,
            pause: 0,
        }
    }

    fn adjust(&mut self, mean: f64) {
        if mean >= self.best && self.best.is_finite() {
            self.direction = -self.direction;
            self.alpha *= 0.9;
        }
        self.best = mean;
        let step = (STEP * self.alpha).max(STEP_MIN);
        if STEP * self.alpha < STEP_MIN {
            self.pause = WATCHED;
        }
        let Point { batch_rows, in_flight } = self.knobs.point();
        let rows = (f64::from(batch_rows) + self.direction * step).max(1.0) as u32;
        self.knobs.set(Point { batch_rows: rows, in_flight }, "automator");
    }
}

impl Controller for Automator {
    fn decision(&self) -> &Decision {
        &self.knobs.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        if self.pause > 0 {
            self.pause -= 1;
            return &self.knobs.decision;
        }
        if self.knobs.is_current(seen) {
            self.sum += seen.latency.as_secs_f64() / f64::from(seen.rows.max(1));
            self.samples += 1;
            if self.samples == SAMPLES {
                let mean = self.sum / f64::from(SAMPLES);
                self.sum = 0.0;
                self.samples = 0;
                self.adjust(mean);
            }
        }
        &self.knobs.decision
    }

    fn state(&self) -> State {
        State::Exploring
    }
}
