//! A trial: a neighbour against what is kept, in pairs of slices that stand side by side in time.
//!
//! The order is kept, neighbour | neighbour, kept | kept, neighbour: capacity drifts more slowly than a slice, so it cancels
//! in each pair, and a slope cancels in two. More of anything must show that it is faster; less of it only that it is not
//! slower: so ties go to the smaller footprint.

use super::model::Foreseen;
use crate::{Direction, Point};

/// Pairs after which a trial is decided in any case.
pub(super) const PAIRS_MAX: usize = 12;
/// What one pair must show to be lost for a trial to end, and the same of a neighbour that the model doubts.
pub(super) const LOST: f64 = 0.30;
const LOST_DOUBTED: f64 = 0.08;
/// What the model foresees counts as a measurement whose error is larger by this than it says itself.
const FORESEEN_ERROR: f64 = 0.10;
/// Pairs that may be thrown away because no server can differ so much.
const IMPLAUSIBLE_MAX: u32 = 4;

/// What a neighbour costs or saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Growth,
    Diagonal,
    Shrink,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    Refused,
    Open,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    pub(super) direction: Direction,
    pub(super) candidate: Point,
    pub(super) kind: Kind,
    /// Gain that growth must show.
    pub(super) worth: f64,
    /// What the model expected of it before its first pair.
    pub(super) foreseen: Option<Foreseen>,
    /// Whether the model expects it to lose, without being sure.
    pub(super) is_doubted: bool,
    differences: [f64; PAIRS_MAX],
    pairs: usize,
    half: Option<f64>,
    implausible: u32,
    /// How much faster and slower than what is kept it can be at all.
    up: f64,
    down: f64,
}

impl Trial {
    pub(super) fn new(direction: Direction, kept: Point, candidate: Point, worth: f64) -> Trial {
        let rows = (f64::from(candidate.batch_rows) / f64::from(kept.batch_rows)).ln();
        let lanes = (f64::from(candidate.in_flight) / f64::from(kept.in_flight)).ln();
        let footprint = rows + lanes;
        let kind = if footprint > 0.1 {
            Kind::Growth
        } else if footprint < -0.1 {
            Kind::Shrink
        } else {
            Kind::Diagonal
        };
        Trial {
            direction,
            candidate,
            kind,
            worth,
            foreseen: None,
            is_doubted: false,
            differences: [0.0; PAIRS_MAX],
            pairs: 0,
            half: None,
            implausible: 0,
            up: 1.1 * (rows.max(0.0) + lanes.max(0.0)) + 0.10,
            down: 1.1 * (rows.min(0.0) + lanes.min(0.0)) - 0.60,
        }
    }

    pub(super) fn pairs(&self) -> u32 {
        self.pairs as u32
    }

    /// Whether the next slice is the candidate's.
    pub(super) fn wants_candidate(&self) -> bool {
        let first_is_candidate = (self.pairs + self.implausible as usize) % 2 == 1;
        first_is_candidate == self.half.is_none()
    }

    /// What the candidate's slice is compared with, if what is kept came first.
    pub(super) fn reference(&self) -> Option<f64> {
        self.half.filter(|_| self.wants_candidate())
    }

    /// Takes in the slice that was wanted; `true` when that completed a pair.
    pub(super) fn push(&mut self, log_rate: f64) -> bool {
        let of_candidate = self.wants_candidate();
        let Some(first) = self.half.take() else {
            self.half = Some(log_rate);
            return false;
        };
        let difference = if of_candidate { log_rate - first } else { first - log_rate };
        let possible = (self.down..=self.up).contains(&difference);
        if !possible && self.implausible < IMPLAUSIBLE_MAX {
            self.implausible += 1;
            return false;
        }
        self.differences[self.pairs] = difference;
        self.pairs += 1;
        true
    }

    /// The difference of the last pair.
    pub(super) fn last(&self) -> Option<f64> {
        self.differences[..self.pairs].last().copied()
    }

    /// Mean difference in logarithms: about the share by which the candidate is faster.
    pub(super) fn gain(&self) -> f64 {
        let done = &self.differences[..self.pairs];
        done.iter().sum::<f64>() / done.len().max(1) as f64
    }

    /// Variance of the differences themselves, from two pairs on.
    pub(super) fn variance(&self) -> Option<f64> {
        let mean = self.gain();
        let done = &self.differences[..self.pairs];
        let sum: f64 = done.iter().map(|difference| (difference - mean).powi(2)).sum();
        (done.len() > 1).then(|| sum / (done.len() - 1) as f64)
    }

    /// Standard error of the gain, the pooled noise counting as three pairs.
    pub(super) fn error(&self, pooled: f64) -> f64 {
        let count = self.pairs as f64;
        let own = self.variance().unwrap_or(0.0) * (count - 1.0).max(0.0);
        ((3.0 * pooled * pooled + own) / (count + 2.0) / count.max(1.0)).sqrt()
    }

    /// Gain and its standard error by the pairs and what was foreseen, each by how sure it is.
    pub(super) fn weighed(&self, pooled: f64) -> (f64, f64) {
        let (gain, error) = (self.gain(), self.error(pooled).max(1e-6));
        let Some(foreseen) = self.foreseen else { return (gain, error) };
        let of_pairs = error.powi(-2);
        let of_model = foreseen.error.hypot(FORESEEN_ERROR).powi(-2);
        let all = of_pairs + of_model;
        ((gain * of_pairs + foreseen.gain * of_model) / all, all.sqrt().recip())
    }

    /// What the pairs so far say.
    pub(super) fn verdict(&self, pooled: f64) -> Verdict {
        let count = self.pairs;
        if count == 0 {
            return Verdict::Open;
        }
        let (gain, error) = self.weighed(pooled);
        let last = count >= PAIRS_MAX;
        let lost = if self.is_doubted { LOST_DOUBTED } else { LOST };
        let (accept, refuse) = match self.kind {
            Kind::Growth | Kind::Diagonal => {
                let worth = if self.kind == Kind::Growth { self.worth } else { self.worth / 2.0 };
                let errors = if last { 1.0 } else { 1.7 };
                (
                    count >= 2 && gain > errors * error && gain.min(self.gain()) > worth,
                    gain + 1.7 * error < worth
                        || (count >= 3 && gain < 0.4 * worth)
                        || (count == 1 && gain < -lost),
                )
            }
            Kind::Shrink => (
                (count >= 2 && gain - 1.7 * error > -self.worth)
                    || (last && gain > 0.0 && gain - 1.7 * error > -1.5 * self.worth),
                gain + 1.7 * error < 0.0
                    || (count >= 3 && gain < -0.5 * self.worth)
                    || (count == 1 && gain < -lost),
            ),
        };
        match (accept, refuse, last) {
            (true, _, _) => Verdict::Accepted,
            (false, true, _) | (false, false, true) => Verdict::Refused,
            (false, false, false) => Verdict::Open,
        }
    }
}
