//! What a trial may still bring before the run is over, and what it costs.
//!
//! A gain that is known up to an error is worth its expected improvement (Mockus 1975), for what is left of the run after the
//! trial; half of the trial is spent at the neighbour, at what it may lose.

use super::model::Foreseen;
use super::search::{COST_MIN, SLICE_MAX_S};
use super::trial::Trial;
use super::{End, Explorer};
use crate::Point;

/// Slices of a trial, as a rule: three pairs.
const SLICES: f64 = 6.0;
/// What may be hoped of a neighbour of which nothing is foreseen: no gain, up to this error.
const UNKNOWN: Foreseen = Foreseen { gain: 0.0, error: 0.1 };
const ERROR_MIN: f64 = 0.01;

/// The run's end, and what was written so far.
#[derive(Debug, Clone)]
pub(super) struct Stakes {
    end: End,
    rows: u64,
}

impl Stakes {
    pub(super) fn new(end: End) -> Stakes {
        Stakes { end, rows: 0 }
    }

    pub(super) fn wrote(&mut self, rows: u32) {
        self.rows += u64::from(rows);
    }

    /// Seconds that are left at so many rows per second; `None` where no end is known.
    fn left(&self, now: f64, rate: f64) -> Option<f64> {
        let by_clock = self.end.at.map(|at| at.as_secs_f64() - now);
        let rows = self.end.rows.map(|rows| rows.saturating_sub(self.rows) as f64);
        let by_rows = rows.map(|rows| rows / rate.max(1.0));
        match (by_clock, by_rows) {
            (Some(clock), Some(rows)) => Some(clock.min(rows)),
            (one, other) => one.or(other),
        }
    }
}

impl Explorer {
    /// Whether a trial of a neighbour may bring more than it costs.
    pub(super) fn can_pay(&self, point: Point, foreseen: Option<Foreseen>) -> bool {
        let seconds = SLICES * self.slice_seconds(point);
        self.pays(foreseen.unwrap_or(UNKNOWN), seconds)
    }

    /// Whether one more pair would cost more than the trial may bring.
    pub(super) fn is_too_late(&self, trial: &Trial) -> bool {
        let (gain, error) = trial.weighed(self.pooled());
        let seconds = 2.0 * self.slice_seconds(trial.candidate);
        !self.pays(Foreseen { gain, error }, seconds)
    }

    fn pays(&self, known: Foreseen, seconds: f64) -> bool {
        let Some(left) = self.stakes.left(self.now, self.rate) else { return true };
        let hoped = improvement(known.gain, known.error.max(ERROR_MIN));
        let feared = hoped - known.gain;
        hoped * (left - seconds) > seconds / 2.0 * (feared + COST_MIN)
    }

    /// About how long a slice of a setting takes.
    fn slice_seconds(&self, point: Point) -> f64 {
        let longer = (point.footprint() / self.kept.footprint()).max(1.0);
        let latency = self.latency * longer;
        let need = self.search_need();
        let batches = f64::from(need.completions) / f64::from(point.in_flight);
        (batches * latency).min(SLICE_MAX_S).max(need.seconds) + latency
    }
}

/// The mean of a gain where losses count as nothing, if the gain is normal around what is known (its distribution by the
/// logistic one, which is within 0.01 of it).
fn improvement(gain: f64, error: f64) -> f64 {
    let z = gain / error;
    let below = 1.0 / (1.0 + (-1.702 * z).exp());
    let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    (error * (density + z * below)).max(0.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_improvement_is_the_gain_where_it_is_sure_and_nothing_where_a_loss_is() {
        assert!((improvement(0.2, 0.01) - 0.2).abs() < 1e-6);
        assert!(improvement(-0.2, 0.01) < 1e-6);
        // The mean of the upper half of a normal distribution.
        assert!((improvement(0.0, 0.1) - 0.1 / std::f64::consts::TAU.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn of_two_ends_the_first_counts() {
        let at = Some(Duration::from_mins(1));
        let mut stakes = Stakes::new(End { at, rows: Some(10_000) });
        stakes.wrote(4_000);
        assert_eq!(stakes.left(50.0, 100.0), Some(10.0));
        assert_eq!(stakes.left(50.0, 1_000.0), Some(6.0));
        assert_eq!(stakes.left(50.0, 0.0), Some(10.0));
        assert_eq!(Stakes::new(End::default()).left(50.0, 100.0), None);
    }
}
