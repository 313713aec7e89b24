//! Numbers around a centre: normal, log-normal, exponential. One word per row, by the inverse distribution function,
//! so that every row stands alone.

use super::Number;
use super::normal::{open_unit, quantile};
use crate::{Fill, Rows, Stream, Values};

/// A distribution, and what its numbers become.
#[derive(Debug)]
pub(crate) struct Spread {
    pub(crate) shape: Shape,
    pub(crate) number: Number,
}

/// The distributions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// `mean + stdev × z`
    Normal { mean: f64, stdev: f64 },
    /// `median × exp(sigma × z)`
    LogNormal { median: f64, sigma: f64 },
    /// `-mean × ln(u)`
    Exponential { mean: f64 },
}

impl Fill for Spread {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let unit = |row| open_unit(stream.at(row));
        match self.shape {
            Shape::Normal { mean, stdev } => {
                self.number.fill(&rows, out, |row| mean + stdev * quantile(unit(row)));
            }
            Shape::LogNormal { median, sigma } => {
                self.number.fill(&rows, out, |row| median * libm::exp(sigma * quantile(unit(row))));
            }
            Shape::Exponential { mean } => {
                self.number.fill(&rows, out, |row| -mean * libm::log(unit(row)));
            }
        }
    }
}
