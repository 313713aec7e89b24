//! The model: how long a batch takes, fitted to everything that was measured, to say where to look, and where not.
//!
//! A batch of `b` rows among `c` in flight keeps the server for a cost of its own, a cost per row, and one that grows beyond that:
//! 1, b, b². What lanes hide of it, share, or take from each other goes with 1/c, 1, c and c² (the universal scalability law's
//! terms). Seconds per batch are the sum of the products, none below zero, by least squares over relative errors. It says which
//! neighbour is tried next, and which not at all: what is kept is decided by paired trials alone.

use super::trial::Trial;
use super::{Explorer, Mode};
use crate::Point;

const ROWS: usize = 3;
const LANES: usize = 4;
const TERMS: usize = ROWS * LANES;
/// A little of its own diagonal keeps what the measurements do not tell apart from running away.
const RIDGE: f64 = 1e-3;
const SWEEPS: usize = 60;
/// What was measured counts less with every further pair.
const KEPT: f64 = 0.99;
/// Measurements before it says anything.
const SEEN_MIN: u32 = 8;
/// A pair's difference says no more than this of a surface that is not quite the model's.
const ERROR_MIN: f64 = 0.04;
/// What it must foresee to be lost for a neighbour not to be tried, at so many standard errors of what it foresees: while
/// refining, and while holding, when there is time.
const HOPELESS: f64 = 0.15;
const SURE: f64 = 1.0;
const SURE_HOLDING: f64 = 2.0;
/// Before anything is measured, each term may be up to this share of a batch's time, or so.
const SHARE: f64 = 0.5;

#[derive(Debug, Clone)]
pub(super) struct Model {
    products: [[f64; TERMS]; TERMS],
    sums: [f64; TERMS],
    terms: [f64; TERMS],
    seen: u32,
    /// Of what is known of the terms: the lower triangle of Cholesky's factor.
    factor: [[f64; TERMS]; TERMS],
    /// Log speed of what is kept, in a server of steady capacity.
    pub(super) level: f64,
}

impl Default for Model {
    fn default() -> Model {
        Model {
            products: [[0.0; TERMS]; TERMS],
            sums: [0.0; TERMS],
            terms: [0.0; TERMS],
            seen: 0,
            factor: [[0.0; TERMS]; TERMS],
            level: 0.0,
        }
    }
}

impl Model {
    /// A setting gave so many rows per second, up to an error in logarithms.
    pub(super) fn saw(&mut self, point: Point, log_rate: f64, error: f64) {
        let seconds = f64::from(point.batch_rows) / log_rate.exp();
        let weight = 1.0 / (error * error);
        let parts = parts(point).map(|part| part / seconds);
        for (row, of_row) in parts.iter().enumerate() {
            self.sums[row] = self.sums[row] * KEPT + weight * of_row;
            for (column, of_column) in parts.iter().enumerate() {
                let product = &mut self.products[row][column];
                *product = *product * KEPT + weight * of_row * of_column;
            }
        }
        self.seen += 1;
    }

    /// Fits the terms, one after the other (coordinate descent).
    pub(super) fn fit(&mut self) {
        if self.seen < SEEN_MIN {
            return;
        }
        for _ in 0..SWEEPS {
            for term in 0..TERMS {
                let row = &self.products[term];
                let others: f64 = row.iter().zip(&self.terms).map(|(a, x)| a * x).sum::<f64>()
                    - row[term] * self.terms[term];
                let own = row[term] * (1.0 + RIDGE);
                self.terms[term] = ((self.sums[term] - others) / own.max(1e-300)).max(0.0);
            }
        }
    }

    /// Factors what is known of the terms, by what was measured and by their prior around what is kept.
    pub(super) fn weigh(&mut self, kept: Point) {
        if self.seen < SEEN_MIN {
            return;
        }
        let prior = self.shares(kept).map(|share| (share / SHARE).powi(2));
        for (row, own) in prior.into_iter().enumerate() {
            for column in 0..=row {
                let own = if row == column { own } else { 0.0 };
                let done: f64 =
                    (0..column).map(|at| self.factor[row][at] * self.factor[column][at]).sum();
                let left = self.products[row][column] + own - done;
                self.factor[row][column] = if row == column {
                    left.max(1e-300).sqrt()
                } else {
                    left / self.factor[column][column]
                };
            }
        }
    }

    /// Standard error of the difference of two settings' log speeds: large where nothing like it was measured.
    fn doubt(&self, point: Point, kept: Point) -> f64 {
        let (of_point, of_kept) = (self.shares(point), self.shares(kept));
        let mut solved = [0.0; TERMS];
        for row in 0..TERMS {
            let done: f64 = (0..row).map(|at| self.factor[row][at] * solved[at]).sum();
            solved[row] = (of_point[row] - of_kept[row] - done) / self.factor[row][row];
        }
        solved.iter().map(|part| part * part).sum::<f64>().sqrt()
    }

    /// By which share of a batch's time a unit of each term would be.
    fn shares(&self, point: Point) -> [f64; TERMS] {
        let parts = parts(point);
        let seconds = self.seconds(&parts);
        parts.map(|part| part / seconds)
    }

    fn seconds(&self, parts: &[f64; TERMS]) -> f64 {
        let seconds: f64 = parts.iter().zip(&self.terms).map(|(part, x)| part * x).sum();
        seconds.max(1e-12)
    }

    /// Log speed of a setting.
    fn log_rate(&self, point: Point) -> f64 {
        (f64::from(point.batch_rows) / self.seconds(&parts(point))).ln()
    }

    /// The server is another.
    pub(super) fn forget(&mut self) {
        *self = Model { level: self.level, ..Model::default() };
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

    /// What a neighbour should gain, in logarithms, once enough was measured.
    pub(super) fn expected(&self, point: Point) -> Option<f64> {
        let gain = || self.model.log_rate(point) - self.model.log_rate(self.kept);
        (self.model.seen >= SEEN_MIN).then(gain)
    }

    /// Whether the model is sure that a neighbour loses much. Of what it has not seen it is not.
    pub(super) fn is_hopeless(&self, point: Point) -> bool {
        let sure = if self.mode == Mode::Hold { SURE_HOLDING } else { SURE };
        let at_best = |gain| gain + sure * self.model.doubt(point, self.kept);
        self.expected(point).is_some_and(|gain| gain < -HOPELESS && at_best(gain) < -HOPELESS)
    }
}

fn parts(point: Point) -> [f64; TERMS] {
    let rows = f64::from(point.batch_rows) * 1e-3;
    let lanes = f64::from(point.in_flight);
    let of_rows = [1.0, rows, rows * rows];
    let of_lanes = [1.0 / lanes, 1.0, lanes, lanes * lanes];
    std::array::from_fn(|term| of_rows[term / LANES] * of_lanes[term % LANES])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, ExplorerOptions};

    /// A server that works on one batch at a time, so that lanes change nothing.
    fn log_rate(point: Point) -> f64 {
        let rows = f64::from(point.batch_rows);
        (rows / (0.001 + rows * 1e-5)).ln()
    }

    fn saw(explorer: &mut Explorer, batch_rows: u32, in_flight: u32) {
        let point = Point { batch_rows, in_flight };
        explorer.model.saw(point, log_rate(point), 0.05);
    }

    #[test]
    fn what_was_never_seen_is_not_hopeless_and_what_was_seen_to_lose_is() {
        let bounds = Bounds { rows_max: 100_000, in_flight_max: 64, bytes_max: 1 << 30 };
        let mut explorer = Explorer::new(ExplorerOptions::new(bounds, 100.0));
        explorer.kept = Point { batch_rows: 4_000, in_flight: 4 };
        explorer.mode = Mode::Hold;
        for batch_rows in [40, 1_000, 2_000, 4_000].repeat(4) {
            saw(&mut explorer, batch_rows, 4);
        }
        explorer.model.fit();
        explorer.model.weigh(explorer.kept);
        let fewer = Point { batch_rows: 4_000, in_flight: 2 };
        // All that was seen had four lanes: the fit puts the cost on lanes that hide it, and could be wrong.
        assert!(explorer.expected(fewer).is_some_and(|gain| gain < -HOPELESS));
        assert!(!explorer.is_hopeless(fewer));
        assert!(explorer.is_hopeless(Point { batch_rows: 40, in_flight: 4 }));
        for _ in 0..4 {
            saw(&mut explorer, 4_000, 2);
        }
        explorer.model.fit();
        explorer.model.weigh(explorer.kept);
        assert!(explorer.expected(fewer).is_some_and(|gain| gain.abs() < 0.05));
    }
}
