//! Simultaneous perturbation stochastic approximation (Spall 1992, with his exponents 0.602 and 0.101).

use super::Knobs;
use crate::sim::Random;
use crate::{Controller, Decision, Observation, Point, State, Verdict};

const GAIN: f64 = 1.5;
const OFFSET: f64 = 10.0;
const REACH: f64 = 0.5;
const STEP_MAX: f64 = 1.0;

/// Measures at two points on either side of the present one, in a random diagonal, and steps along the difference.
#[derive(Debug, Clone)]
pub struct Spsa {
    knobs: Knobs,
    random: Random,
    place: [f64; 2],
    sides: [f64; 2],
    first: Option<f64>,
    round: f64,
}

impl Spsa {
    /// Starts from these knobs; the seed fixes its diagonals.
    pub fn new(knobs: Knobs, seed: u64) -> Spsa {
        let start = knobs.point();
        let place = [f64::from(start.batch_rows).log2(), f64::from(start.in_flight).log2()];
        let random = Random::new(seed);
        let mut spsa = Spsa { knobs, random, place, sides: [1.0; 2], first: None, round: 0.0 };
        spsa.open();
        spsa
    }

    fn reach(&self) -> f64 {
        REACH / (self.round + 1.0).powf(0.101)
    }

    fn go(&mut self, sign: f64) {
        let reach = sign * self.reach();
        let logs = [0, 1].map(|axis| (self.place[axis] + reach * self.sides[axis]).max(0.0));
        let point = self.knobs.at(logs[0], logs[1]);
        self.knobs.set(point, "perturbation");
    }

    fn open(&mut self) {
        for side in &mut self.sides {
            *side = if self.random.chance(0.5) { 1.0 } else { -1.0 };
        }
        self.first = None;
        self.go(1.0);
    }

    fn measured(&mut self, log_rate: f64) {
        let Some(first) = self.first else {
            self.first = Some(log_rate);
            self.go(-1.0);
            return;
        };
        let slope = (first - log_rate) / (2.0 * self.reach());
        let gain = GAIN / (self.round + 1.0 + OFFSET).powf(0.602) * OFFSET.powf(0.602);
        let bounds = self.knobs.bounds();
        let most = [f64::from(bounds.rows_max).log2(), f64::from(bounds.in_flight_max).log2()];
        for ((place, side), most) in self.place.iter_mut().zip(self.sides).zip(most) {
            let step = (gain * slope * side).clamp(-STEP_MAX, STEP_MAX);
            *place = (*place + step).clamp(0.0, most);
        }
        self.round += 1.0;
        self.open();
    }
}

impl Controller for Spsa {
    fn decision(&self) -> &Decision {
        &self.knobs.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        if seen.verdict == Verdict::Busy && self.knobs.is_current(seen) {
            self.measured(0.0);
        } else if let Some(rate) = self.knobs.measure(seen) {
            self.measured(rate.max(1.0).ln());
        }
        &self.knobs.decision
    }

    fn kept(&self) -> Point {
        self.knobs.at(self.place[0], self.place[1])
    }

    fn state(&self) -> State {
        State::Exploring
    }
}
