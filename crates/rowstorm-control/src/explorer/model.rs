//! The model: how long a batch takes, fitted to everything that was measured, to say where to look, and where not.
//!
//! A batch of `b` rows among `c` in flight keeps the server for a cost of its own, a cost per row, and one that grows beyond that:
//! 1, b, b². What lanes hide of it, share, or take from each other goes with 1/c, 1, c and c² (the universal scalability law's
//! terms). Seconds per batch are the sum of the products, none below zero, by least squares over relative errors. It says which
//! neighbour is tried next, and which not at all: what is kept is decided by paired trials alone.

use super::Explorer;
use super::trial::Trial;
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
/// What it must foresee to be lost for a neighbour not to be tried.
const HOPELESS: f64 = 0.10;

#[derive(Debug, Clone)]
pub(super) struct Model {
    products: [[f64; TERMS]; TERMS],
    sums: [f64; TERMS],
    terms: [f64; TERMS],
    seen: u32,
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

    /// Log speed of a setting.
    fn log_rate(&self, point: Point) -> f64 {
        let seconds: f64 = parts(point).iter().zip(&self.terms).map(|(part, x)| part * x).sum();
        (f64::from(point.batch_rows) / seconds.max(1e-12)).ln()
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

    /// Whether the model is sure that a neighbour loses much.
    pub(super) fn is_hopeless(&self, point: Point) -> bool {
        self.expected(point).is_some_and(|gain| gain < -HOPELESS)
    }
}

fn parts(point: Point) -> [f64; TERMS] {
    let rows = f64::from(point.batch_rows) * 1e-3;
    let lanes = f64::from(point.in_flight);
    let of_rows = [1.0, rows, rows * rows];
    let of_lanes = [1.0 / lanes, 1.0, lanes, lanes * lanes];
    std::array::from_fn(|term| of_rows[term / LANES] * of_lanes[term % LANES])
}
