//! What one completion costs the controller: a journal of a simulated run, replayed against the clock.

use std::time::Instant;

use rowstorm_control::sim::{Simulation, Weather, tuned};
use rowstorm_control::{Controller, End};

use crate::contenders::{Given, explorer};

/// Replays; the fastest counts, because everything else on the machine only adds.
const REPLAYS: u32 = 7;

/// Costs of ours.
pub(crate) struct Cost {
    pub(crate) ns_per_completion: f64,
}

/// Replays the journal of a run that explores and holds.
pub(crate) fn measure() -> Cost {
    let scenario = tuned().swap_remove(0);
    let surface = &scenario.regimes[0].surface;
    let weather = Weather::new(&scenario, 1, 300.0);
    let run = Simulation {
        scenario: &scenario,
        weather: &weather,
        seed: 1,
        seconds: 300.0,
        kept_at: &[],
        journal: true,
    };
    let given = Given { surface, scenario: &scenario, bests: &[], seed: 1, seconds: 600.0 };
    let journal = run.run(&mut explorer(&given, End::default())).journal;
    let mut best = f64::INFINITY;
    for _ in 0..REPLAYS {
        let mut again = explorer(&given, End::default());
        let start = Instant::now();
        for (seen, _) in &journal {
            again.observe(seen);
        }
        let nanos = start.elapsed().as_nanos() as f64;
        assert!(again.decision().number > 0, "the replay decides as the run did");
        best = best.min(nanos / journal.len() as f64);
    }
    Cost { ns_per_completion: best }
}
