//! What the seconds of a run say of its rate, and how sure that is.
//!
//! One run is one sample, but its seconds are many: their spread tells how far the mean rate can be trusted. Seconds
//! that follow one another resemble one another (a checkpoint lasts several), so they count for fewer than they are:
//! `n · (1 − r) / (1 + r)`, where `r` is their correlation with the second before. The interval is then Student's.
//! It speaks of this run on this machine at this time; how far another run would differ only another run can tell.

use crate::record::{RunRecord, Second};

/// Fewer seconds than this say nothing of the spread.
pub const SECONDS_MIN: usize = 5;

/// Beyond this the seconds are one slow wave, and no interval is honest.
const CORRELATION_MAX: f64 = 0.9;

/// A second that was cut short is left out: what it holds depends on when it was cut.
const WHOLE_SECOND_MIN: f64 = 0.9;

/// Student's t for 95 %, two-sided, by degrees of freedom from 1 (any table of the distribution).
const STUDENT_95: [f64; 12] =
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179];

/// A mean and what is known of its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the single values.
    pub deviation: f64,
    /// How many values there were.
    pub count: usize,
    /// How many independent values they are worth.
    pub effective: f64,
}

impl Mean {
    /// Of these values; `None` if there are none.
    ///
    /// ```
    /// use rowstorm_report::statistics::Mean;
    /// let mean = Mean::of(&[9.0, 11.0, 9.0, 11.0, 10.0]).unwrap();
    /// assert_eq!(mean.mean, 10.0);
    /// assert!(mean.half_width().is_some());
    /// assert_eq!(Mean::of(&[9.0, 11.0]).unwrap().half_width(), None);
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let products: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        let correlation =
            if squares > 0.0 { (products / squares).clamp(0.0, CORRELATION_MAX) } else { 0.0 };
        let deviation = if count > 1 { (squares / (count - 1) as f64).sqrt() } else { 0.0 };
        let effective = count as f64 * (1.0 - correlation) / (1.0 + correlation);
        Some(Self { mean, deviation, count, effective })
    }

    /// Half the width of the 95 % confidence interval of the mean; `None` if the values are too few to tell.
    pub fn half_width(&self) -> Option<f64> {
        Some(student_95(self.freedom()?) * self.standard_error())
    }

    /// The same as a share of the mean.
    pub fn relative_half_width(&self) -> Option<f64> {
        self.half_width().filter(|_| self.mean > 0.0).map(|half| half / self.mean)
    }

    /// Standard deviation by mean: how unsteady the values are.
    pub fn variation(&self) -> Option<f64> {
        (self.count > 1 && self.mean > 0.0).then(|| self.deviation / self.mean)
    }

    /// The standard error of the mean.
    pub(crate) fn standard_error(&self) -> f64 {
        self.deviation / self.effective.sqrt()
    }

    /// Degrees of freedom, if there are enough.
    pub(crate) fn freedom(&self) -> Option<f64> {
        (self.count >= SECONDS_MIN && self.effective >= 2.0).then_some(self.effective - 1.0)
    }
}

/// Student's t for a two-sided 95 % interval; between whole degrees of freedom the lower one, which is the wider.
pub(crate) fn student_95(freedom: f64) -> f64 {
    let whole = (freedom.floor() as usize).max(1);
    if let Some(t) = STUDENT_95.get(whole - 1) {
        return *t;
    }
    // Cornish-Fisher expansion around the normal quantile (Abramowitz and Stegun 26.7.5), right to 0.001 from 12 on.
    let z = 1.959_964_f64;
    let v = whole as f64;
    z + (z.powi(3) + z) / (4.0 * v)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v)
}

/// The seconds to reason from: whole ones behind the first, which holds connecting and cold caches.
pub fn whole_seconds(series: &[Second]) -> impl Iterator<Item = (f64, &Second)> {
    series.windows(2).filter_map(|pair| {
        let span = pair[1].at_s - pair[0].at_s;
        (span >= WHOLE_SECOND_MIN && pair[0].at_s >= WHOLE_SECOND_MIN).then_some((span, &pair[1]))
    })
}

/// Rows per second of each of [`whole_seconds`].
pub fn rates(series: &[Second]) -> Vec<f64> {
    whole_seconds(series).map(|(span, second)| second.rows as f64 / span).collect()
}

/// The mean rate of [`whole_seconds`].
pub fn mean_rate(series: &[Second]) -> Option<Mean> {
    Mean::of(&rates(series))
}

/// The seconds of [`whole_seconds`] that began when the controller had settled; all of them if it never looked.
///
/// While batch size and concurrency are still tried out, the rate moves because it is moved: that is no noise.
pub fn steady_seconds(record: &RunRecord) -> impl Iterator<Item = (f64, &Second)> {
    let from = record.batch.settled_at_s.unwrap_or_default();
    whole_seconds(&record.series).filter(move |(span, second)| second.at_s - span >= from)
}

/// The mean rate of [`steady_seconds`].
pub fn steady_rate(record: &RunRecord) -> Option<Mean> {
    let rates: Vec<f64> =
        steady_seconds(record).map(|(span, second)| second.rows as f64 / span).collect();
    Mean::of(&rates)
}
