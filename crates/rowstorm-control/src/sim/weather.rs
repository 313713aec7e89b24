//! The weather of a run: what time does to the server's capacity, whatever the controller does.
//!
//! It is drawn once for a scenario and a seed, so that two controllers, or a controller and the best fixed setting, are
//! compared under the very same weather.

use super::{Random, Scenario};

/// Length of a step of the weather in seconds.
pub(super) const STEP_S: f64 = 0.1;

/// A factor on the capacity for every tenth of a second.
#[derive(Debug, Clone)]
pub struct Weather(Vec<f32>);

impl Weather {
    /// The weather of a scenario under a seed.
    pub fn new(scenario: &Scenario, seed: u64, seconds: f64) -> Weather {
        let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x77ea_74e5);
        let steps = (seconds / STEP_S).ceil() as usize + 2;
        let mut wander = random.normal();
        let first = &scenario.regimes[0].surface;
        let mut stall_at = first.stall_every_s * random.between(0.3, 1.0);
        let mut factors = Vec::with_capacity(steps);
        for step in 0..steps {
            let second = step as f64 * STEP_S;
            let surface = scenario.regime_at(second);
            let kept = (-STEP_S / surface.wander_s).exp();
            wander = wander * kept + random.normal() * (1.0 - kept * kept).sqrt();
            let mut factor = (surface.wander * wander).exp();
            factor *= 1.0 - surface.decay * second / 3_600.0;
            if surface.stall_every_s > 0.0 && second >= stall_at {
                factor *= surface.stall_factor;
                if second >= stall_at + surface.stall_s {
                    stall_at += surface.stall_every_s * random.between(0.8, 1.2);
                }
            }
            factors.push(factor as f32);
        }
        Weather(factors)
    }

    /// Nothing ever changes.
    pub fn calm(seconds: f64) -> Weather {
        Weather(vec![1.0; (seconds / STEP_S).ceil() as usize + 2])
    }

    pub(super) fn at(&self, second: f64) -> f64 {
        let step = ((second + 1e-9) / STEP_S) as usize;
        f64::from(self.0[step.min(self.0.len() - 1)])
    }
}
