//! TCP Vegas for requests, as in Netflix' concurrency-limits (`VegasLimit`).

use super::Knobs;
use super::limiter::limits_in_flight;
use crate::{Observation, Verdict};

/// Estimates the queue from the shortest latency ever seen, and keeps it between three and six times the logarithm.
#[derive(Debug, Clone)]
pub struct Vegas {
    knobs: Knobs,
    limit: f64,
    shortest: f64,
    since_probe: u32,
}

impl Vegas {
    /// Starts from these knobs.
    pub fn new(knobs: Knobs) -> Vegas {
        let limit = f64::from(knobs.decision.in_flight);
        Vegas { knobs, limit, shortest: f64::INFINITY, since_probe: 0 }
    }

    fn limit(&mut self, seen: &Observation) -> u32 {
        let step = self.limit.log10().max(1.0);
        if seen.verdict == Verdict::Done {
            let latency = seen.latency.as_secs_f64();
            self.since_probe += 1;
            if f64::from(self.since_probe) > 30.0 * self.limit {
                self.since_probe = 0;
                self.shortest = latency;
            }
            self.shortest = self.shortest.min(latency);
            let queue = (self.limit * (1.0 - self.shortest / latency)).ceil();
            let in_use = f64::from(seen.in_flight) * 2.0 >= self.limit;
            if in_use && queue <= step {
                self.limit += 6.0 * step;
            } else if in_use && queue < 3.0 * step {
                self.limit += step;
            } else if in_use && queue > 6.0 * step {
                self.limit -= step;
            }
        } else {
            self.limit -= step;
        }
        self.limit = self.limit.clamp(1.0, f64::from(self.knobs.bounds().in_flight_max));
        self.limit as u32
    }
}

limits_in_flight!(Vegas);
