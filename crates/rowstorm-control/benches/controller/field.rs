//! The field: every contender on every surface under every seed, on all cores.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rowstorm_control::Point;
use rowstorm_control::sim::{Bench, Frozen, Scenario, Score, best, draw, tuned};

use crate::contenders::{ALL, Contender, Given};

/// Which scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Judged,
    Tuned,
}

impl Set {
    pub(crate) fn named(name: &str) -> Option<Set> {
        match name {
            "judged" => Some(Set::Judged),
            "tuned" => Some(Set::Tuned),
            _ => None,
        }
    }
}

/// What is to be played.
pub(crate) struct Field {
    pub(crate) set: Set,
    pub(crate) surfaces: u64,
    pub(crate) seeds: u64,
    pub(crate) first: u64,
    pub(crate) first_seed: u64,
    pub(crate) seconds: f64,
    pub(crate) only: Option<String>,
}

/// One run.
pub(crate) struct Played {
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) best: Point,
    pub(crate) score: Score,
}

/// All runs of one contender.
pub(crate) struct Result {
    pub(crate) name: &'static str,
    pub(crate) oracle: bool,
    pub(crate) runs: Vec<Played>,
}

impl Field {
    pub(crate) fn play(&self) -> Vec<Result> {
        let mut scenarios: Vec<Scenario> = match self.set {
            Set::Judged => (self.first..self.first + self.surfaces).map(draw).collect(),
            Set::Tuned => tuned(),
        };
        for scenario in &mut scenarios {
            scenario.regimes.retain(|regime| regime.from_s < self.seconds);
        }
        let contenders: Vec<&Contender> = ALL.iter().filter(|one| self.plays(one.name)).collect();
        let bests = each(scenarios.len(), |at| best(&scenarios[at]));
        let seeds = self.seeds as usize;
        let runs = each(scenarios.len() * seeds, |at| {
            let (scenario, best) = (&scenarios[at / seeds], &bests[at / seeds]);
            let seed = self.first_seed + (at % seeds) as u64;
            let bench = Bench::new(scenario, best, seed, self.seconds);
            let surface = &scenario.regimes[0].surface;
            let given = Given { surface, scenario, bests: best, seed, seconds: self.seconds };
            let judge = |contender: &&Contender| Played {
                scenario: scenario.name.clone(),
                seed,
                best: best[0],
                score: bench.judge((contender.make)(&given).as_mut(), Frozen::Judged),
            };
            contenders.iter().map(judge).collect::<Vec<_>>()
        });
        let mut results: Vec<Result> = contenders
            .iter()
            .map(|one| Result { name: one.name, oracle: one.oracle, runs: Vec::new() })
            .collect();
        for run in runs {
            for (result, played) in results.iter_mut().zip(run) {
                result.runs.push(played);
            }
        }
        results
    }

    fn plays(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.split(',').any(|part| name.contains(part)))
    }
}

/// Works through a number of independent tasks on all cores; the answers are in order.
fn each<T: Send>(count: usize, task: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let answer = task(at);
                    done.lock().expect("no task panics with the lock").insert(at, answer);
                }
            });
        }
    });
    done.into_inner().expect("no task panics with the lock").into_values().collect()
}
