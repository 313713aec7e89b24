//! Several figures of the same thing: their middle and how far they lie apart.

use serde_json::{Value, json};

use crate::bench::median;

/// Figures of runs that should agree.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sample(Vec<f64>);

impl Sample {
    /// The middle one.
    pub(super) fn median(&self) -> f64 {
        median(self.0.iter().copied())
    }

    /// The smallest.
    pub(super) fn low(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    /// The largest.
    pub(super) fn high(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    /// Half of the way from the smallest to the largest, as a share of the middle one: "± 7 %".
    pub(super) fn noise(&self) -> f64 {
        (self.high() - self.low()) / 2.0 / self.median()
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// For a program. Nothing is `null`: what is no number is no figure.
    pub(super) fn json(&self) -> Value {
        if self.0.is_empty() {
            return Value::Null;
        }
        json!({ "median": self.median(), "low": self.low(), "high": self.high(), "samples": self.0 })
    }
}

impl FromIterator<f64> for Sample {
    /// What is no number (a server's CPU that cannot be seen) is left out.
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Sample {
        Sample(figures.into_iter().filter(|figure| figure.is_finite()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_knows_its_middle_and_its_ends() {
        let sample: Sample = [90.0, f64::NAN, 110.0, 100.0].into_iter().collect();
        assert_eq!((sample.low(), sample.median(), sample.high()), (90.0, 100.0, 110.0));
        assert!((sample.noise() - 0.1).abs() < 1e-9);
        assert_eq!(sample.len(), 3);
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!([f64::NAN].into_iter().collect::<Sample>().json(), Value::Null);
    }
}
