//! The model: a [law](super::law) of queues, fitted to everything that was measured, to say where to look, and where not.
//!
//! The seven numbers are those that explain best what was measured without leaving what is plausible (least squares, damped
//! Gauss-Newton steps). The curvature there says how sure a difference between two settings is. It says which neighbour is tried
//! next, which not at all, and what a trial may count on beside its own pairs.

use super::law::{Law, PLAUSIBLE, TERMS, WORKERS};
use super::trial::Trial;
use super::triangle::Triangle;
use super::{Explorer, Mode};
use crate::Point;

/// Settings that are remembered; the one that says least gives way.
const SETTINGS: usize = 48;
/// What was measured counts less with every further measurement.
const KEPT: f64 = 0.99;
/// Measurements before it says anything, and the same of a server that has changed.
const SEEN_MIN: u32 = 6;
const SEEN_AGAIN: u32 = 2;
/// By how much, in logarithms, each of the law's numbers may have moved where a server has changed.
const CHANGED: f64 = 0.7;
/// A pair's difference is no surer than this; nor is a setting, however often it was measured, on a server that is not quite the
/// law's; nor is what the law foresees.
const ERROR_MIN: f64 = 0.04;
const SETTING_MIN: f64 = 0.02;
const FORESEEN_MIN: f64 = 0.05;
/// Errors beyond this count by their size, and not by its square.
const OUTLYING: f64 = 2.5;
/// What it must foresee to be lost for a neighbour not to be tried, at so many standard errors of what it foresees: while
/// refining, and while holding, when there is time.
const HOPELESS: f64 = 0.15;
const SURE: f64 = 1.0;
const SURE_HOLDING: f64 = 2.0;
/// Steps of a fit, tries to damp one, the longest, and what a further one must better.
const STEPS: u32 = 8;
const TRIES: u32 = 5;
const STEP_MAX: f64 = 1.0;
const BETTER_MIN: f64 = 1e-3;

/// What was measured of a setting, all taken together.
#[derive(Debug, Clone, Copy)]
struct Setting {
    point: Point,
    log_rate: f64,
    weight: f64,
}

impl Setting {
    fn is_of(&self, point: Point) -> bool {
        let rows = f64::from(self.point.batch_rows) / f64::from(point.batch_rows);
        self.point.in_flight == point.in_flight && (0.97..1.03).contains(&rows)
    }

    fn weight(&self) -> f64 {
        1.0 / (1.0 / self.weight + SETTING_MIN * SETTING_MIN)
    }
}

/// What a neighbour should gain over what is kept, in logarithms, and the standard error of that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Foreseen {
    pub(super) gain: f64,
    pub(super) error: f64,
}

/// What is kept, by the law: its speed, and how that grows with each of the law's numbers.
#[derive(Debug, Clone, Copy)]
struct Here {
    kept: Point,
    log_rate: f64,
    slope: [f64; TERMS],
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    settings: [Option<Setting>; SETTINGS],
    seen: u32,
    /// How much of it the law was fitted to.
    fitted: u32,
    seen_min: u32,
    /// What is plausible, and how far the numbers may be from it.
    plausible: Law,
    spread: [f64; TERMS],
    law: Law,
    /// Ways in which the law's numbers may be off together, once it was fitted.
    open: Option<[[f64; TERMS]; TERMS]>,
    here: Option<Here>,
    /// Log speed of what is kept, in a server of steady capacity.
    pub(super) level: f64,
}

impl Default for Model {
    fn default() -> Model {
        let law = Law([0.0; TERMS]);
        Model {
            settings: [None; SETTINGS],
            seen: 0,
            fitted: 0,
            seen_min: SEEN_MIN,
            plausible: law,
            spread: PLAUSIBLE.map(|(_, spread)| spread),
            law,
            open: None,
            here: None,
            level: 0.0,
        }
    }
}

impl Model {
    /// A setting gave so many rows per second, up to an error in logarithms.
    pub(super) fn saw(&mut self, point: Point, log_rate: f64, error: f64) {
        // A clock that stood still measures nothing.
        if !log_rate.is_finite() {
            return;
        }
        self.seen += 1;
        self.settings.iter_mut().flatten().for_each(|setting| setting.weight *= KEPT);
        let weight = 1.0 / (error * error);
        if let Some(known) = self.settings.iter_mut().flatten().find(|known| known.is_of(point)) {
            let sum = known.weight + weight;
            known.log_rate = (known.log_rate * known.weight + log_rate * weight) / sum;
            known.weight = sum;
            return;
        }
        let says = |place: &&mut Option<Setting>| place.map_or(0.0, |setting| setting.weight);
        let least = self.settings.iter_mut().min_by(|a, b| says(a).total_cmp(&says(b)));
        if let Some(place) = least {
            *place = Some(Setting { point, log_rate, weight });
        }
    }

    /// Fits the law to what was measured, if there is anything new, and looks at what is kept by it.
    pub(super) fn fit(&mut self, kept: Point) {
        let is_new = self.seen >= self.seen_min && self.seen != self.fitted;
        if is_new {
            self.fitted = self.seen;
            self.fit_law();
        }
        if is_new || self.here.is_some_and(|here| here.kept != kept) {
            let (log_rate, slope) = self.law.slope(kept);
            self.here = Some(Here { kept, log_rate, slope });
        }
    }

    fn fit_law(&mut self) {
        if self.open.is_none() && self.seen_min == SEEN_MIN {
            self.begin();
        }
        let mut damping = 1e-2;
        let mut cost = self.cost(&self.law);
        for _ in 0..STEPS {
            let Some((law, next)) = self.step(cost, &mut damping) else { break };
            let gained = cost - next;
            (self.law, cost) = (law, next);
            if gained < BETTER_MIN {
                break;
            }
        }
        let (curvature, _) = self.curvature();
        self.open = Triangle::of(&curvature).map(|known| known.ways()).or(self.open);
    }

    /// What is plausible here: a row's work as the fastest measurement has it.
    fn begin(&mut self) {
        let speeds = self.settings.iter().flatten().map(|setting| setting.log_rate);
        let row = WORKERS / speeds.fold(f64::MIN, f64::max).exp();
        self.plausible = Law(PLAUSIBLE.map(|(middle, _)| middle.ln()));
        self.plausible.0[0] += row.ln();
        self.plausible.0[1] += row.ln();
        self.law = self.plausible;
    }

    /// A step of the fit, and what it costs then; `None` if there is none that betters it.
    fn step(&self, cost: f64, damping: &mut f64) -> Option<(Law, f64)> {
        let (curvature, pull) = self.curvature();
        for _ in 0..TRIES {
            let mut damped = curvature;
            for (term, row) in damped.iter_mut().enumerate() {
                row[term] *= 1.0 + *damping;
            }
            let step = Triangle::of(&damped)?.solve(&pull);
            let mut law = self.law;
            for (number, by) in law.0.iter_mut().zip(step) {
                *number += by.clamp(-STEP_MAX, STEP_MAX);
            }
            let next = self.cost(&law);
            if next < cost {
                *damping = (*damping * 0.3).max(1e-6);
                return Some((law, next));
            }
            *damping *= 5.0;
        }
        None
    }

    /// What a law does not explain, and how implausible it is.
    fn cost(&self, law: &Law) -> f64 {
        let unexplained = |setting: &Setting| {
            let off = (law.log_rate(setting.point) - setting.log_rate).abs();
            let errors = off * setting.weight().sqrt();
            if errors > OUTLYING { OUTLYING * (2.0 * errors - OUTLYING) } else { errors * errors }
        };
        let implausible = law.0.iter().zip(self.plausible.0).zip(self.spread);
        self.settings.iter().flatten().map(unexplained).sum::<f64>()
            + implausible.map(|((is, was), spread)| ((is - was) / spread).powi(2)).sum::<f64>()
    }

    /// How much that bends around the law, the lower triangle, and where it pulls.
    fn curvature(&self) -> ([[f64; TERMS]; TERMS], [f64; TERMS]) {
        let mut curvature = [[0.0; TERMS]; TERMS];
        let mut pull = [0.0; TERMS];
        for setting in self.settings.iter().flatten() {
            let (log_rate, slope) = self.law.slope(setting.point);
            let off = setting.log_rate - log_rate;
            let plain = setting.weight();
            let errors = off.abs() * plain.sqrt();
            let weight = if errors > OUTLYING { plain * OUTLYING / errors } else { plain };
            for row in 0..TERMS {
                pull[row] += weight * slope[row] * off;
                for column in 0..=row {
                    curvature[row][column] += weight * slope[row] * slope[column];
                }
            }
        }
        for (term, spread) in self.spread.iter().enumerate() {
            let weight = 1.0 / (spread * spread);
            curvature[term][term] += weight;
            pull[term] += weight * (self.plausible.0[term] - self.law.0[term]);
        }
        (curvature, pull)
    }

    /// What a setting should gain over what is kept, once enough was measured.
    fn foreseen(&self, point: Point) -> Option<Foreseen> {
        let (open, here) = (self.open.as_ref()?, self.here.as_ref()?);
        let (log_rate, slope) = self.law.slope(point);
        let off = |way: &[f64; TERMS]| {
            (0..TERMS).map(|term| (slope[term] - here.slope[term]) * way[term]).sum::<f64>()
        };
        let offs = open.iter().map(|way| off(way).powi(2)).sum::<f64>();
        Some(Foreseen { gain: log_rate - here.log_rate, error: offs.sqrt().hypot(FORESEEN_MIN) })
    }

    /// The same error by whole steps in each of the ways that are left open: beyond the workers, say, where all that was measured is
    /// below them and the law bends.
    fn doubt(&self, point: Point, kept: Point) -> f64 {
        let gain_by = |law: &Law| law.log_rate(point) - law.log_rate(kept);
        let gain = gain_by(&self.law);
        let off = |way: &[f64; TERMS]| {
            let moved =
                |by: f64| Law(std::array::from_fn(|term| self.law.0[term] + by * way[term]));
            [1.0, -1.0].map(|by| (gain_by(&moved(by)) - gain).abs()).into_iter().fold(0.0, f64::max)
        };
        let offs = self.open.iter().flatten().map(|way| off(way).powi(2)).sum::<f64>();
        offs.sqrt().hypot(FORESEEN_MIN)
    }

    /// The server has changed: what was known of it becomes what is plausible, with room for what may have moved.
    pub(super) fn forget(&mut self) {
        let mut fresh = Model { level: self.level, ..Model::default() };
        if let Some(open) = &self.open {
            let off = |term: usize| open.iter().map(|way| way[term] * way[term]).sum::<f64>();
            for (term, (spread, (_, most))) in fresh.spread.iter_mut().zip(PLAUSIBLE).enumerate() {
                *spread = off(term).sqrt().hypot(CHANGED).min(most);
            }
            (fresh.plausible, fresh.law, fresh.seen_min) = (self.law, self.law, SEEN_AGAIN);
        }
        *self = fresh;
    }
}

impl Explorer {
    /// Takes in the last pair of a trial, as if capacity had not changed since the start.
    pub(super) fn learn(&mut self, trial: &Trial) {
        let Some(difference) = trial.last() else { return };
        let error = self.noise.max(self.spread).max(ERROR_MIN);
        self.model.saw(trial.candidate, self.model.level + difference, error);
        self.model.saw(self.kept, self.model.level, error);
    }

    /// What a neighbour should gain, once enough was measured.
    pub(super) fn foreseen(&self, point: Point) -> Option<Foreseen> {
        self.model.foreseen(point)
    }

    /// Whether the model is sure that a neighbour loses much. Of what it has not seen it is not.
    pub(super) fn is_hopeless(&self, point: Point, foreseen: Foreseen) -> bool {
        let sure = if self.mode == Mode::Hold { SURE_HOLDING } else { SURE };
        let doubt = || self.model.doubt(point, self.kept);
        foreseen.gain < -HOPELESS && foreseen.gain + sure * doubt() < -HOPELESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, ExplorerOptions};

    fn point(batch_rows: u32, in_flight: u32) -> Point {
        Point { batch_rows, in_flight }
    }

    /// A server that works on one batch at a time, so that lanes change nothing.
    fn log_rate(point: Point) -> f64 {
        let rows = f64::from(point.batch_rows);
        (rows / (0.001 + rows * 1e-5)).ln()
    }

    fn explorer(kept: Point) -> Explorer {
        let bounds = Bounds { rows_max: 100_000, in_flight_max: 64, bytes_max: 1 << 30 };
        let mut explorer = Explorer::new(ExplorerOptions::new(bounds, 100.0));
        explorer.kept = kept;
        explorer.mode = Mode::Hold;
        explorer
    }

    #[test]
    fn what_was_never_seen_is_not_hopeless_and_what_was_seen_to_lose_is() {
        let mut explorer = explorer(point(4_000, 4));
        for batch_rows in [40, 1_000, 2_000, 4_000].repeat(4) {
            let seen = point(batch_rows, 4);
            explorer.model.saw(seen, log_rate(seen), 0.05);
        }
        explorer.model.fit(explorer.kept);
        let fewer = point(4_000, 2);
        // All that was seen had four lanes: on most servers half of them lose, and this may be another.
        assert!(explorer.foreseen(fewer).is_some_and(|seen| seen.gain < -HOPELESS));
        let is_hopeless = |other| explorer.is_hopeless(other, explorer.foreseen(other).unwrap());
        assert!(!is_hopeless(fewer));
        assert!(is_hopeless(point(40, 4)));
        for _ in 0..4 {
            explorer.model.saw(fewer, log_rate(fewer), 0.05);
        }
        explorer.model.fit(explorer.kept);
        assert!(explorer.foreseen(fewer).is_some_and(|seen| seen.gain.abs() < 0.05));
    }

    #[test]
    fn what_is_no_number_leaves_the_model_as_it_is() {
        let kept = point(4_000, 8);
        let mut explorer = explorer(kept);
        for batch_rows in [500, 1_000, 2_000, 4_000].repeat(2) {
            let seen = point(batch_rows, 8);
            explorer.model.saw(seen, log_rate(seen), 0.05);
            explorer.model.saw(seen, f64::INFINITY, 0.05);
            explorer.model.saw(seen, f64::NEG_INFINITY, 0.05);
        }
        explorer.model.fit(kept);
        let foreseen = explorer.foreseen(point(1_000, 8)).unwrap();
        assert!((foreseen.gain - (log_rate(point(1_000, 8)) - log_rate(kept))).abs() < 0.05);
    }

    #[test]
    fn what_was_not_measured_is_foreseen_within_its_error() {
        let server = Law([0.004, 8e-6, 50_000.0, 0.003, 12.0, 0.004, 2e-4].map(f64::ln));
        let kept = point(4_000, 8);
        let mut explorer = explorer(kept);
        for (batch_rows, in_flight) in
            [(500, 2), (1_000, 4), (2_000, 8), (4_000, 8), (4_000, 16), (2_000, 16), (8_000, 8)]
        {
            let seen = point(batch_rows, in_flight);
            explorer.model.saw(seen, server.log_rate(seen), 0.05);
        }
        explorer.model.fit(explorer.kept);
        for (batch_rows, in_flight) in [(8_000, 16), (16_000, 8), (1_000, 32), (8_000, 4), (500, 8)]
        {
            let other = point(batch_rows, in_flight);
            let truth = server.log_rate(other) - server.log_rate(kept);
            let foreseen = explorer.foreseen(other).unwrap();
            let off = (foreseen.gain - truth).abs();
            assert!(off < 2.0 * foreseen.error && off < 0.15, "{other}: {foreseen:?}, {truth}");
        }
    }
}
