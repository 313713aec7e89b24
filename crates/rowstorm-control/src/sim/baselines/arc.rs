//! Vector's adaptive request concurrency (`sinks/util/adaptive_concurrency/controller.rs`).

use std::time::Duration;

use super::Knobs;
use super::limiter::limits_in_flight;
use crate::{Observation, Verdict};

const DECREASE: f64 = 0.9;
const EWMA: f64 = 0.4;
const DEVIATIONS: f64 = 2.5;

/// Once per mean latency: one more if the limit was reached and latency did not rise, a tenth less if it rose.
#[derive(Debug, Clone)]
pub struct AdaptiveConcurrency {
    knobs: Knobs,
    limit: u32,
    mean: f64,
    variance: f64,
    current: (f64, f64),
    reached: bool,
    pressed: bool,
    next: Duration,
}

impl AdaptiveConcurrency {
    /// Starts from these knobs.
    pub fn new(knobs: Knobs) -> AdaptiveConcurrency {
        AdaptiveConcurrency {
            limit: knobs.decision.in_flight,
            knobs,
            mean: 0.0,
            variance: 0.0,
            current: (0.0, 0.0),
            reached: false,
            pressed: false,
            next: Duration::ZERO,
        }
    }

    fn limit(&mut self, seen: &Observation) -> u32 {
        self.reached |= seen.in_flight >= self.limit;
        match seen.verdict {
            Verdict::Busy | Verdict::Failed => self.pressed = true,
            Verdict::Done => {
                self.current.0 += seen.latency.as_secs_f64();
                self.current.1 += 1.0;
            }
            Verdict::TooLarge => {}
        }
        if seen.at >= self.next && self.current.1 > 0.0 {
            self.adjust(seen.at);
        }
        self.limit
    }

    fn adjust(&mut self, at: Duration) {
        let current = self.current.0 / self.current.1;
        let first = self.mean <= 0.0;
        let threshold = self.mean + DEVIATIONS * self.variance.sqrt();
        if self.pressed || (!first && current >= threshold && current > self.mean) {
            self.limit = (f64::from(self.limit) * DECREASE) as u32;
        } else if self.reached && (first || current <= self.mean) {
            self.limit += 1;
        }
        let weight = if first { 1.0 } else { EWMA };
        let off = current - self.mean;
        self.mean += off * weight;
        self.variance = (1.0 - weight) * (self.variance + off * off * weight);
        self.limit = self.limit.clamp(1, self.knobs.bounds().in_flight_max.min(200));
        self.current = (0.0, 0.0);
        self.reached = false;
        self.pressed = false;
        self.next = at + Duration::from_secs_f64(self.mean);
    }
}

limits_in_flight!(AdaptiveConcurrency);
