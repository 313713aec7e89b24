//! Surfaces drawn at random: what a controller is judged on is nothing that anybody has tuned it for.
//!
//! The ranges are written here and in docs/controller.md; a number fixes the surface. Rates and the size at which a batch's
//! fixed cost has halved the speed are drawn, and times follow from them, so that no draw is absurd.

use super::{Random, Regime, Scenario, Surface};

/// The surface of a number. One half of them changes in mid-run.
pub fn draw(number: u64) -> Scenario {
    let mut random = Random::new(number.wrapping_mul(0x9e6c_63d0_876a_68ee) ^ 0x5eed);
    let surface = surface(&mut random);
    let mut scenario = Scenario::steady(&format!("drawn-{number}"), surface);
    if random.chance(0.5) {
        change(&mut scenario, (random.between(180.0, 320.0)).round(), &mut random);
        if random.chance(0.25) {
            change(&mut scenario, (random.between(400.0, 470.0)).round(), &mut random);
        }
    }
    scenario
}

fn surface(random: &mut Random) -> Surface {
    let mut surface = Surface::default();
    let rate = random.log_between(20e3, 1.5e6);
    // A row takes a worker no longer than 100 µs.
    surface.workers = random.log_between(2.0, (rate * 100e-6).clamp(2.0, 64.0)).round();
    surface.row_us = surface.workers / rate * 1e6;
    let half_rows = random.log_between(50.0, 5_000.0);
    surface.batch_ms = (half_rows * surface.row_us * 1e-3).clamp(0.3, 100.0);
    if random.chance(0.5) {
        surface.knee_rows = random.log_between(3e3, 60e3);
    }
    surface.sigma = random.log_between(0.0005, 0.03);
    if random.chance(0.6) {
        surface.kappa = random.log_between(1e-5, 3e-3);
    }
    if random.chance(0.35) {
        surface.pool = (surface.workers * random.between(1.0, 4.0)).round();
        surface.queue = random.log_between(8.0, 200.0).round();
        if random.chance(0.5) {
            surface.hidden_retries = random.between(3.0, 10.0).round();
        }
    }
    if random.chance(0.4) {
        surface.flush_ms = random.log_between(0.3, 20.0);
    }
    surface.network_ms = random.log_between(0.1, 20.0);
    if random.chance(0.1) {
        surface.network_ms = random.between(40.0, 80.0);
    }
    if random.chance(0.1) {
        surface.notch = random.between(0.3, 0.8);
    }
    unrest(&mut surface, random);
    limits(&mut surface, random, rate);
    surface
}

fn unrest(surface: &mut Surface, random: &mut Random) {
    surface.noise = random.between(0.05, 0.5);
    if random.chance(0.4) {
        surface.spike_share = random.log_between(0.0005, 0.005);
        surface.spike_factor = random.between(8.0, 20.0);
    }
    surface.wander = random.between(0.02, 0.12);
    surface.wander_s = random.log_between(5.0, 40.0);
    if random.chance(0.35) {
        surface.stall_every_s = random.between(15.0, 60.0);
        surface.stall_s = random.between(0.5, 4.0);
        surface.stall_factor = random.between(0.0, 0.4);
    }
    if random.chance(0.1) {
        surface.decay = random.between(0.3, 0.6);
    }
}

fn limits(surface: &mut Surface, random: &mut Random, rate: f64) {
    surface.row_bytes = random.log_between(60.0, 1_200.0);
    surface.budget_bytes = random.log_between(16.0, 256.0).round() * 1_048_576.0;
    if random.chance(0.15) {
        surface.rows_max = (65_535.0 / random.between(4.0, 20.0).round()).floor();
    }
    if random.chance(0.25) {
        surface.in_flight_max = random.log_between(8.0, 100.0).round();
    }
    if random.chance(0.1) {
        surface.generator = rate * random.between(0.3, 0.9);
    }
    if random.chance(0.08) {
        // Within reach of a few batches, and not of many large ones.
        let alone = surface.work(4.0 * surface.batch_ms * 1e3 / surface.row_us) * 1e3;
        let overhead = surface.network_ms + 2.0 * surface.flush_ms;
        surface.p99_ms = (alone * random.between(2.5, 6.0) + overhead).max(20.0);
        surface.spike_share = 0.0;
        surface.stall_every_s = 0.0;
        surface.noise = surface.noise.min(0.3);
    }
    if surface.p99_ms == 0.0 && random.chance(0.08) {
        let bytes = rate * surface.row_bytes;
        surface.drain_bytes = bytes * random.between(0.4, 0.8);
        surface.dirty_bytes = bytes * random.between(5.0, 20.0);
    }
    if random.chance(0.08) {
        surface.breaker_bytes = surface.budget_bytes * random.between(0.1, 0.6);
    }
}

fn change(scenario: &mut Scenario, from_s: f64, random: &mut Random) {
    let last = scenario.regimes.last().expect("a scenario has a regime");
    let mut surface = last.surface.clone();
    let factor = |random: &mut Random, least: f64, most: f64| {
        let factor = random.log_between(least, most);
        if random.chance(0.5) { factor } else { 1.0 / factor }
    };
    match (random.uniform() * 6.0) as u32 {
        0 => surface.capacity *= factor(random, 1.3, 3.0),
        1 => surface.batch_ms = (surface.batch_ms * factor(random, 3.0, 10.0)).clamp(0.2, 200.0),
        2 => {
            surface.workers = (surface.workers * factor(random, 2.0, 4.0)).round().clamp(1.0, 96.0);
        }
        3 => surface.row_us *= factor(random, 1.5, 3.0),
        4 => {
            let longer = surface.flush_ms.max(0.3) * random.log_between(10.0, 20.0);
            surface.flush_ms = longer.min(60.0);
        }
        _ => surface.kappa = surface.kappa.max(1e-4) * random.log_between(3.0, 20.0),
    }
    scenario.regimes.push(Regime { from_s, surface });
}
