//! The judge: runs a controller beside the best fixed settings, under the same weather, and says what it lost.

use super::oracle::Schedule;
use super::trace::BUCKET_S;
use super::{Scenario, Simulation, Trace, Weather};
use crate::{Controller, Fixed, Point};

/// Seconds after which it is asked what it would keep.
pub const FROZEN_AT_S: [f64; 4] = [30.0, 60.0, 120.0, 300.0];
/// Seconds that a frozen setting is run for.
const FROZEN_RUN_S: f64 = 100.0;
/// Seconds over which speeds are compared with the oracle's.
const WINDOW_S: f64 = 3.0;
/// Near enough.
const NEAR: f64 = 0.9;

/// What a run has lost against the best fixed setting of each regime.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Share of the oracle's rows that are missing, over the whole run.
    pub regret: f64,
    /// The same over the second half of each regime.
    pub steady: f64,
    /// Seconds until it was within a tenth of the oracle.
    pub t90: f64,
    /// The same after each change of regime.
    pub recovery: Vec<f64>,
    /// Share of rows lost by what it would have kept, at [`FROZEN_AT_S`]; `None` once the regime has changed.
    pub frozen: [Option<f64>; 4],
    /// What it would have kept after 120 s.
    pub kept: Option<Point>,
    /// Share of requests refused.
    pub refused: f64,
    /// Share of requests refused inside the server.
    pub hidden: f64,
    /// Share of batches that came too late.
    pub late: f64,
    /// Decisions over the budget.
    pub over_budget: u64,
    /// Decisions.
    pub decisions: u64,
}

/// One scenario under one seed: the weather and the oracle's run are computed once for all that are judged on it.
#[derive(Debug)]
pub struct Bench<'a> {
    scenario: &'a Scenario,
    best: &'a [Point],
    seed: u64,
    seconds: f64,
    weather: Weather,
    oracle: Trace,
}

impl<'a> Bench<'a> {
    /// Runs the oracle.
    pub fn new(scenario: &'a Scenario, best: &'a [Point], seed: u64, seconds: f64) -> Bench<'a> {
        let weather = Weather::new(scenario, seed, seconds);
        let oracle =
            run(scenario, &weather, seed, seconds, &[], &mut Schedule::new(scenario, best));
        Bench { scenario, best, seed, seconds, weather, oracle }
    }

    /// Judges a controller; what it would have kept only if that is asked for.
    pub fn judge(&self, controller: &mut dyn Controller, frozen: Frozen) -> Score {
        let kept_at: &[f64] = if frozen == Frozen::Judged { &FROZEN_AT_S } else { &[] };
        let trace = run(self.scenario, &self.weather, self.seed, self.seconds, kept_at, controller);
        let regimes = self.scenario.regimes.iter();
        let mut from: Vec<f64> = regimes.map(|regime| regime.from_s).collect();
        from.retain(|from| *from < self.seconds);
        from.push(self.seconds);
        let lost = |spans: &[(f64, f64)]| {
            let rows = |trace: &Trace| -> f64 {
                spans.iter().map(|(from, to)| trace.rows_between(*from, *to)).sum()
            };
            1.0 - rows(&trace) / rows(&self.oracle).max(1.0)
        };
        let halves: Vec<(f64, f64)> =
            from.windows(2).map(|span| (f64::midpoint(span[0], span[1]), span[1])).collect();
        let near: Vec<f64> =
            from.windows(2).map(|span| self.time_to_near(&trace, span[0], span[1])).collect();
        Score {
            regret: lost(&[(0.0, self.seconds)]),
            steady: lost(&halves),
            t90: near[0],
            recovery: near[1..].to_vec(),
            frozen: self.frozen(&trace.kept, from[1]),
            kept: trace.kept.get(2).copied(),
            refused: trace.refused_share(),
            hidden: trace.hidden_share(),
            late: trace.late_share(),
            over_budget: trace.over_budget,
            decisions: trace.decisions,
        }
    }

    /// Seconds until a window in which it got nine tenths of what the oracle got.
    fn time_to_near(&self, trace: &Trace, from: f64, to: f64) -> f64 {
        let mut at = from;
        while at + WINDOW_S <= to {
            let oracle = self.oracle.rows_between(at, at + WINDOW_S);
            if oracle > 0.0 && trace.rows_between(at, at + WINDOW_S) >= NEAR * oracle {
                return at - from;
            }
            at += BUCKET_S;
        }
        to - from
    }

    fn frozen(&self, kept: &[Point], change: f64) -> [Option<f64>; 4] {
        let mut frozen = [None; 4];
        let seconds = FROZEN_RUN_S.min(change);
        let rows = |point: Point| {
            let mut fixed = Fixed::new(point.batch_rows, point.in_flight);
            let trace = run(self.scenario, &self.weather, self.seed, seconds, &[], &mut fixed);
            trace.rows_between(0.0, seconds)
        };
        if kept.is_empty() {
            return frozen;
        }
        let oracle = rows(self.best[0]).max(1.0);
        let mut last: Option<(Point, f64)> = None;
        for ((lost, at), point) in frozen.iter_mut().zip(FROZEN_AT_S).zip(kept) {
            if at > change {
                break;
            }
            let rows = match last {
                Some((known, rows)) if known == *point => rows,
                Some(_) | None => rows(*point),
            };
            last = Some((*point, rows));
            *lost = Some(1.0 - rows / oracle);
        }
        frozen
    }
}

/// Whether what would have been kept is judged, too: it takes runs of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frozen {
    /// Run and judged.
    Judged,
    /// Left out.
    Left,
}

fn run(
    scenario: &Scenario,
    weather: &Weather,
    seed: u64,
    seconds: f64,
    kept_at: &[f64],
    controller: &mut dyn Controller,
) -> Trace {
    Simulation { scenario, weather, seed, seconds, kept_at, journal: false }.run(controller)
}
