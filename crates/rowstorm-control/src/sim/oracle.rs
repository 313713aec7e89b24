//! The best fixed setting of each regime: what a controller is measured against.
//!
//! A grid in steps of two and four, then its best neighbourhoods in steps of √2, then the fourteen best once more for longer and
//! under the scenario's own noise. A setting counts only if it keeps what a controller must keep: at most 0.1 % of requests
//! refused, 0.5 % refused inside the server, 1 % late.

use std::time::Duration;

use super::{Regime, Scenario, Simulation, Surface, Weather};
use crate::{Controller, Decision, Fixed, Observation, Point, Reason, State};

const REFUSED_MAX: f64 = 0.001;
const HIDDEN_MAX: f64 = 0.005;
const LATE_MAX: f64 = 0.01;
const FINALISTS: usize = 14;

/// The best fixed setting of every regime.
pub fn best(scenario: &Scenario) -> Vec<Point> {
    scenario.regimes.iter().map(|regime| best_of(&regime.surface)).collect()
}

fn best_of(surface: &Surface) -> Point {
    let slow = surface.dirty_bytes < 1e14 || surface.stall_every_s > 0.0;
    let quiet = Surface { noise: 0.05, ..surface.clone() };
    let quiet = Scenario::steady("grid", quiet);
    let seconds = if slow { 60.0 } else { 16.0 };
    let calm = Weather::calm(seconds);
    let mut tried: Vec<(Point, f64)> = Vec::new();
    let rows = steps(64.0, surface.rows_max, 4.0);
    let in_flight = steps(1.0, surface.in_flight_max, 2.0);
    for &batch_rows in &rows {
        for &in_flight in &in_flight {
            try_once(&mut tried, Point { batch_rows, in_flight }, &quiet, &calm, seconds);
        }
    }
    for in_flight in steps(1.0, surface.in_flight_max, std::f64::consts::SQRT_2) {
        // The largest batches that the budget holds.
        let rows = surface.budget_bytes / surface.row_bytes / f64::from(in_flight);
        let point = Point { batch_rows: rows.clamp(1.0, surface.rows_max) as u32, in_flight };
        try_once(&mut tried, point, &quiet, &calm, seconds);
    }
    for reach in [2.0, std::f64::consts::SQRT_2] {
        let centres: Vec<Point> = top(&mut tried, 4);
        for centre in centres {
            for (rows, lanes) in neighbours(reach) {
                let point = Point {
                    batch_rows: scaled(centre.batch_rows, rows, surface.rows_max),
                    in_flight: scaled(centre.in_flight, lanes, surface.in_flight_max),
                };
                try_once(&mut tried, point, &quiet, &calm, seconds);
            }
        }
    }
    let real = Scenario::steady("final", surface.clone());
    let seconds = 200.0;
    let weather = Weather::new(&real, 0x0f17, seconds);
    let mut finalists: Vec<(Point, f64)> = Vec::new();
    for point in top(&mut tried, FINALISTS) {
        try_once(&mut finalists, point, &real, &weather, seconds);
    }
    top(&mut finalists, 1)[0]
}

/// Settings in steps of this factor, with both ends.
fn steps(from: f64, to: f64, factor: f64) -> Vec<u32> {
    let mut all = vec![];
    let mut at = from;
    while at < to {
        all.push(at.round() as u32);
        at *= factor;
    }
    all.push(to as u32);
    all.dedup();
    all
}

fn neighbours(reach: f64) -> [(f64, f64); 8] {
    let back = 1.0 / reach;
    [
        (reach, 1.0),
        (back, 1.0),
        (1.0, reach),
        (1.0, back),
        (reach, back),
        (back, reach),
        (reach, reach),
        (back, back),
    ]
}

fn scaled(value: u32, factor: f64, most: f64) -> u32 {
    (f64::from(value) * factor).round().clamp(1.0, most) as u32
}

/// The fastest settings so far.
fn top(tried: &mut [(Point, f64)], count: usize) -> Vec<Point> {
    tried.sort_by(|left, right| right.1.total_cmp(&left.1));
    tried.iter().take(count).map(|(point, _)| *point).collect()
}

fn try_once(
    tried: &mut Vec<(Point, f64)>,
    point: Point,
    scenario: &Scenario,
    weather: &Weather,
    seconds: f64,
) {
    let surface = &scenario.regimes[0].surface;
    let fits = surface.bytes(point.footprint()) <= surface.budget_bytes;
    if !fits || tried.iter().any(|(known, _)| *known == point) {
        return;
    }
    let run = Simulation { scenario, weather, seed: 0x0f17, seconds, kept_at: &[], journal: false };
    let trace = run.run(&mut Fixed::new(point.batch_rows, point.in_flight));
    let keeps = trace.refused_share() <= REFUSED_MAX
        && trace.hidden_share() <= HIDDEN_MAX
        && trace.late_share() <= LATE_MAX;
    // What breaks the limits stands behind all that keeps them, but in its own order.
    let rows = trace.rows_between(0.0, seconds);
    tried.push((point, if keeps { rows } else { rows * 1e-9 }));
}

/// Plays fixed settings by the clock: the oracle's own run.
#[derive(Debug)]
pub struct Schedule {
    decision: Decision,
    steps: Vec<(Duration, Point)>,
    next: usize,
}

impl Schedule {
    /// The setting of every regime, each from its beginning.
    pub fn new(scenario: &Scenario, points: &[Point]) -> Schedule {
        let from = scenario.regimes.iter().map(|regime| Duration::from_secs_f64(regime.from_s));
        Schedule::of(from.zip(points.iter().copied()).collect())
    }

    /// Starts with a setting and is told the best one so many seconds later; in each further regime, it goes on with what it
    /// had for as long. Who needs that time to find out can hardly do better.
    pub fn told_after(
        seconds: f64,
        start: Point,
        scenario: &Scenario,
        points: &[Point],
    ) -> Schedule {
        let later = |regime: &Regime| Duration::from_secs_f64(regime.from_s + seconds);
        let told = scenario.regimes.iter().map(later).zip(points.iter().copied());
        Schedule::of(std::iter::once((Duration::ZERO, start)).chain(told).collect())
    }

    fn of(steps: Vec<(Duration, Point)>) -> Schedule {
        let decision = Decision {
            number: 0,
            batch_rows: steps[0].1.batch_rows,
            in_flight: steps[0].1.in_flight,
            pause: Duration::ZERO,
            reason: Reason::Pinned,
        };
        Schedule { decision, steps, next: 1 }
    }
}

impl Controller for Schedule {
    fn decision(&self) -> &Decision {
        &self.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        if let Some((at, point)) = self.steps.get(self.next)
            && seen.at >= *at
        {
            self.next += 1;
            self.decision.number += 1;
            self.decision.batch_rows = point.batch_rows;
            self.decision.in_flight = point.in_flight;
        }
        &self.decision
    }

    fn state(&self) -> State {
        State::Pinned
    }
}
