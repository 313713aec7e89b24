//! Additive increase, multiplicative decrease, as in Netflix' concurrency-limits (`AIMDLimit`).

use super::Knobs;
use super::limiter::limits_in_flight;
use crate::{Observation, Verdict};

const BACKOFF: f64 = 0.9;

/// One more in flight for every success, a tenth less for every refusal or time-out.
#[derive(Debug, Clone)]
pub struct Aimd {
    knobs: Knobs,
    limit: f64,
}

impl Aimd {
    /// Starts from these knobs.
    pub fn new(knobs: Knobs) -> Aimd {
        Aimd { limit: f64::from(knobs.decision.in_flight), knobs }
    }

    fn limit(&mut self, seen: &Observation) -> u32 {
        let most = f64::from(self.knobs.bounds().in_flight_max);
        match seen.verdict {
            Verdict::Busy | Verdict::Failed => self.limit *= BACKOFF,
            Verdict::Done if seen.latency.as_secs() >= 5 => self.limit *= BACKOFF,
            Verdict::Done if f64::from(seen.in_flight) * 2.0 >= self.limit => self.limit += 1.0,
            Verdict::Done | Verdict::TooLarge => {}
        }
        self.limit = self.limit.clamp(1.0, most);
        self.limit as u32
    }
}

limits_in_flight!(Aimd);
