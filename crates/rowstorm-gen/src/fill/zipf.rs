//! Zipf's law: rank k with weight 1 / k^exponent.

use super::Number;
use super::alias::Alias;
use crate::{Cell, Fill, Rows, Stream, Values};

/// Up to here the weights stand in a table; beyond, ranks are drawn by rejection.
const TABLE_RANKS_MAX: u64 = 65_536;

/// The most rejected draws; each is accepted with more than 0.8, so that 64 rejections are out of reach.
const DRAWS_MAX: u32 = 64;

/// Draws ranks from 1 to n.
#[derive(Debug)]
pub(crate) enum Zipf {
    /// From a table of weights.
    Table(Alias),
    /// By rejection-inversion (Hörmann, Derflinger 1996: "Rejection-inversion to generate variates from monotone
    /// discrete distributions").
    Rejection(Rejection),
}

impl Zipf {
    /// The law for ranks 1 to `n` (at least 1) with an exponent above 0.
    pub(crate) fn new(n: u64, exponent: f64) -> Zipf {
        if n > TABLE_RANKS_MAX {
            return Zipf::Rejection(Rejection::new(n, exponent));
        }
        let weights: Vec<f64> =
            (1..=n).map(|rank| libm::exp(-exponent * libm::log(rank as f64))).collect();
        Zipf::Table(Alias::new(&weights))
    }

    /// The rank that a cell draws.
    #[inline]
    pub(crate) fn rank(&self, cell: Cell) -> u64 {
        match self {
            Zipf::Table(alias) => u64::from(alias.at(cell.bits())) + 1,
            Zipf::Rejection(rejection) => rejection.rank(cell),
        }
    }
}

/// The law for many ranks: the histogram of weights lies under the density x^-exponent, whose integral is inverted.
#[derive(Debug)]
pub(crate) struct Rejection {
    n: u64,
    exponent: f64,
    integral_first: f64,
    integral_last: f64,
    /// A rank this much below its point is always accepted.
    slack: f64,
}

impl Rejection {
    fn new(n: u64, exponent: f64) -> Rejection {
        let mut law =
            Rejection { n, exponent, integral_first: 0.0, integral_last: 0.0, slack: 0.0 };
        law.integral_first = law.integral(1.5) - 1.0;
        law.integral_last = law.integral(n as f64 + 0.5);
        law.slack = 2.0 - law.inverse(law.integral(2.5) - law.density(2.0));
        law
    }

    fn rank(&self, cell: Cell) -> u64 {
        for draw in 0..DRAWS_MAX {
            let unit = cell.draw(draw).unit();
            let area = self.integral_last + unit * (self.integral_first - self.integral_last);
            let point = self.inverse(area);
            let rank = ((point + 0.5) as u64).clamp(1, self.n);
            let near = rank as f64 - point <= self.slack;
            if near || area >= self.integral(rank as f64 + 0.5) - self.density(rank as f64) {
                return rank;
            }
        }
        1
    }

    fn density(&self, x: f64) -> f64 {
        libm::exp(-self.exponent * libm::log(x))
    }

    /// The integral of the density from 1 to x: (x^(1 - e) - 1) / (1 - e), or ln x where e is 1.
    fn integral(&self, x: f64) -> f64 {
        let log = libm::log(x);
        expm1_over((1.0 - self.exponent) * log) * log
    }

    fn inverse(&self, area: f64) -> f64 {
        // Rounding may push the argument below the logarithm's domain.
        let t = (area * (1.0 - self.exponent)).max(-1.0);
        libm::exp(log1p_over(t) * area)
    }
}

/// ln(1 + x) / x, also around 0, by its series there.
fn log1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { libm::log1p(x) / x } else { 1.0 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)) }
}

/// (exp(x) - 1) / x, also around 0, by its series there.
fn expm1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        libm::expm1(x) / x
    } else {
        1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0) * (1.0 + x * 0.25))
    }
}

/// Ranks as numbers of a column.
#[derive(Debug)]
pub(crate) struct ZipfRanks {
    pub(crate) law: Zipf,
    pub(crate) number: Number,
}

impl Fill for ZipfRanks {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        self.number.fill(&rows, out, |row| self.law.rank(stream.at(row)) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_rejection_draw_the_same_law() {
        let (n, exponent, draws) = (50, 1.1, 200_000_u32);
        let weight = |rank: u64| (rank as f64).powf(-exponent);
        let total: f64 = (1..=n).map(weight).sum();
        for law in [Zipf::new(n, exponent), Zipf::Rejection(Rejection::new(n, exponent))] {
            let mut seen = vec![0_u32; n as usize];
            (0..u64::from(draws))
                .for_each(|row| seen[law.rank(Stream::new(3).at(row)) as usize - 1] += 1);
            for (rank, count) in (1..).zip(&seen) {
                let share = weight(rank) / total;
                let sigma = (share * (1.0 - share) * f64::from(draws)).sqrt();
                let off = (f64::from(*count) - share * f64::from(draws)).abs();
                assert!(off < 5.0 * sigma, "rank {rank}: {count}, {law:?}");
            }
        }
    }

    #[test]
    fn exponents_around_one_and_huge_n_stay_in_range() {
        for exponent in [0.1, 0.999_999_999, 1.0, 1.000_000_001, 2.0, 20.0] {
            let law = Zipf::new(1 << 62, exponent);
            for row in 0..1_000 {
                assert!((1..=1 << 62).contains(&law.rank(Stream::new(1).at(row))));
            }
        }
    }
}
