//! The normal distribution's quantiles (Wichura 1988, algorithm AS 241, PPND16: about 16 digits).

#![expect(
    clippy::unreadable_literal,
    clippy::excessive_precision,
    reason = "the coefficients stand as they were published, to be compared"
)]

use crate::Cell;

/// A number strictly between 0 and 1: the middles of 2^52 equal parts.
#[inline]
pub(super) fn open_unit(cell: Cell) -> f64 {
    ((cell.bits() >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0) // 2^52
}

/// The number of standard deviations below which a share of `p` lies; `p` strictly between 0 and 1.
#[inline]
pub(super) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE_NUM, r) / polynomial(&CENTRE_DEN, r);
    }
    let r = (-libm::log(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let distance = if r <= 5.0 {
        polynomial(&TAIL_NUM, r - 1.6) / polynomial(&TAIL_DEN, r - 1.6)
    } else {
        polynomial(&FAR_NUM, r - 5.0) / polynomial(&FAR_DEN, r - 5.0)
    };
    distance.copysign(q)
}

/// Horner's scheme, the highest power first.
#[inline]
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE_NUM: [f64; 8] = [
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
];
const CENTRE_DEN: [f64; 8] = [
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
];
const TAIL_NUM: [f64; 8] = [
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
];
const TAIL_DEN: [f64; 8] = [
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
];
const FAR_NUM: [f64; 8] = [
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
];
const FAR_DEN: [f64; 8] = [
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_tabled_ones() {
        // Python's statistics.NormalDist().inv_cdf, to 15 digits.
        for (p, z) in [
            (0.5, 0.0),
            (0.75, 0.6744897501960817),
            (0.975, 1.9599639845400536),
            (0.025, -1.9599639845400538),
            (0.999, 3.090232306167813),
            (1e-10, -6.361340902404056),
            (1e-300, -37.0470962993612),
        ] {
            assert!(
                (quantile(p) - z).abs() <= 1e-14 * (1.0_f64 + f64::abs(z)),
                "{p}: {}",
                quantile(p)
            );
        }
    }

    #[test]
    fn open_units_never_touch_the_ends() {
        for row in 0..10_000 {
            let unit = open_unit(crate::Stream::new(1).at(row));
            assert!(unit > 0.0 && unit < 1.0 && quantile(unit).is_finite());
        }
        assert!((((u64::MAX >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)) < 1.0);
    }
}
