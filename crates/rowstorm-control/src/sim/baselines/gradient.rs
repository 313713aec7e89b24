//! The second gradient limit of Netflix' concurrency-limits (`Gradient2Limit`), which CrateDB runs inside, too.

use super::Knobs;
use super::limiter::limits_in_flight;
use crate::{Observation, Verdict};

const LONG: f64 = 600.0;
const SMOOTHING: f64 = 0.2;
const TOLERANCE: f64 = 1.5;
const QUEUE: f64 = 4.0;

/// Follows the ratio of a long mean of latency to the latest one.
#[derive(Debug, Clone)]
pub struct Gradient2 {
    knobs: Knobs,
    limit: f64,
    long: f64,
    seen: f64,
}

impl Gradient2 {
    /// Starts from these knobs.
    pub fn new(knobs: Knobs) -> Gradient2 {
        Gradient2 { limit: f64::from(knobs.decision.in_flight), knobs, long: 0.0, seen: 0.0 }
    }

    fn limit(&mut self, seen: &Observation) -> u32 {
        if seen.verdict == Verdict::Done {
            let short = seen.latency.as_secs_f64();
            self.seen += 1.0;
            // The mean of the first ten, an exponential one from then on.
            let weight = if self.seen <= 10.0 { 1.0 / self.seen } else { 2.0 / (LONG + 1.0) };
            self.long += (short - self.long) * weight;
            if self.long / short > 2.0 {
                self.long *= 0.95;
            }
            if f64::from(seen.in_flight) >= self.limit / 2.0 {
                let gradient = (TOLERANCE * self.long / short).clamp(0.5, 1.0);
                let wanted = self.limit * gradient + QUEUE;
                self.limit = self.limit * (1.0 - SMOOTHING) + wanted * SMOOTHING;
            }
        }
        self.limit = self.limit.clamp(1.0, f64::from(self.knobs.bounds().in_flight_max));
        self.limit as u32
    }
}

limits_in_flight!(Gradient2);
