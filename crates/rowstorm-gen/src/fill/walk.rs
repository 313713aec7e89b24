//! Sensor readings: a stationary walk around a mean, in closed form, so that any tick can be computed alone.
//!
//! The walk is a sum of octaves of value noise. An octave of wavelength L has an anchor every L ticks, drawn from
//! `(entity, octave, anchor)`; between two anchors at distance t (0 to 1) the value is
//! `((1 - t) a + t b) / sqrt((1 - t)² + t²)`, which has the anchors' own variance at every t. Octaves have equal
//! variance and wavelengths L, 4L, 16L, 64L. The root mean square of a tick's change is
//! `sqrt(1 + π/2) / L` for one octave (the integral of the squared slope), 0.828 stdev / L for the four together:
//! that sets L from the wanted step.

use rowstorm_schema::WalkSpec;

use super::Number;
use crate::stream::Cell;
use crate::{Fill, Rows, Stream, Values};

const OCTAVES: u64 = 4;

/// The root mean square change per tick times the fastest wavelength, in standard deviations:
/// sqrt((1 + π/2) / 4 × (1 + 1/16 + 1/256 + 1/4096)).
const CHANGE: f64 = 0.828;

/// The widest fastest wavelength, in ticks: 64 times it must be a number of ticks, too.
const WAVE_MAX: f64 = 1e12;

/// A compiled walk.
#[derive(Debug)]
pub(crate) struct Walk {
    mean: f64,
    /// One octave's share of the standard deviation.
    weight: f64,
    /// The fastest octave's wavelength in ticks.
    wave: u64,
    entities: u64,
    bounds: (f64, f64),
    /// The type's numbers, without the walk's bounds, for faults.
    number: Number,
    faults: Option<Faults>,
}

impl Walk {
    /// The walk of a table with so many entities (1 without series); `None` if the type has no number within bounds.
    pub(crate) fn new(
        spec: &WalkSpec,
        entities: u64,
        number: impl Fn(Option<f64>, Option<f64>) -> Option<Number>,
    ) -> Option<Walk> {
        number(spec.min, spec.max)?;
        let step = spec.step.unwrap_or(spec.stdev / 10.0);
        let wave =
            if step > 0.0 { (CHANGE * spec.stdev / step).min(WAVE_MAX).round() } else { 1.0 };
        let number = number(None, None)?;
        let low = spec.min.unwrap_or(spec.mean - FAULT_STDEVS * spec.stdev);
        let high = spec.max.unwrap_or(spec.mean + FAULT_STDEVS * spec.stdev);
        let faults = spec.faults.as_ref().filter(|faults| faults.rate > 0.0);
        Some(Walk {
            mean: spec.mean,
            weight: spec.stdev / (OCTAVES as f64).sqrt(),
            wave: (wave as u64).max(1),
            entities,
            bounds: inside(&number, spec.min, spec.max),
            number,
            faults: faults.map(|faults| {
                let reach = spec.stdev.max(number.quantum()).max(f64::MIN_POSITIVE);
                Faults::new(faults.rate, faults.length, (low, high), reach, number.quantum())
            }),
        })
    }

    fn at(&self, entity: Cell, tick: u64) -> f64 {
        if let Some(faults) = &self.faults
            && let Some(fault) = faults.at(entity, tick)
        {
            return fault;
        }
        let anchors = entity.stream();
        let mut sum = 0.0;
        let mut wave = self.wave;
        for octave in 0..OCTAVES {
            let (anchor, phase) = (tick / wave, tick % wave);
            let t = phase as f64 / wave as f64;
            let value = |anchor: u64| bell(anchors.at(anchor.wrapping_mul(OCTAVES) + octave));
            let (near, far) = (1.0 - t, t);
            sum +=
                (near * value(anchor) + far * value(anchor + 1)) / (near * near + far * far).sqrt();
            wave *= 4;
        }
        (self.mean + self.weight * sum).clamp(self.bounds.0, self.bounds.1)
    }
}

impl Fill for Walk {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let entities = self.entities;
        self.number.fill(&rows, out, |row| self.at(stream.at(row % entities), row / entities));
    }
}

/// The bounds that stay within min and max after rounding to the type's numbers.
fn inside(number: &Number, min: Option<f64>, max: Option<f64>) -> (f64, f64) {
    let (low, high) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
    match number {
        Number::Double { .. } | Number::Single { .. } => (low, high),
        Number::Int { .. } => (low.ceil(), high.floor()),
        Number::Decimal { unit, .. } => ((low * unit).ceil() / unit, (high * unit).floor() / unit),
    }
}

/// Nearly normal with mean 0 and variance 1: the sum of a word's four 16-bit parts. Eight of them make up a reading.
#[inline]
fn bell(cell: Cell) -> f64 {
    /// Four times the mean of 0 to 65535.
    const MEAN: f64 = 131_070.0;
    /// sqrt(4 × (65536² - 1) / 12), the deviation of the sum.
    const STDEV: f64 = 37_837.226_815_859_64;
    let word = cell.bits();
    let part = |shift: u32| word >> shift & 0xFFFF;
    ((part(0) + part(16) + part(32) + part(48)) as f64 - MEAN) / STDEV
}

/// Without bounds, a fault is beyond so many standard deviations.
const FAULT_STDEVS: f64 = 6.0;

/// Bursts of readings outside the bounds, at most one in every window of ticks.
#[derive(Debug)]
struct Faults {
    /// Ticks of a window.
    window: u64,
    /// The chance that a window has a burst.
    chance: f64,
    /// The mean length of a burst: one of the two whole numbers around it.
    length: f64,
    low: f64,
    high: f64,
    /// How far outside the bounds readings scatter.
    reach: f64,
    quantum: f64,
}

impl Faults {
    fn new(rate: f64, length: f64, (low, high): (f64, f64), reach: f64, quantum: f64) -> Faults {
        // Windows four times as wide as the rate needs, of which one in four has a burst: gaps are uneven.
        let window = (length / rate / 4.0).floor().max(length.ceil()).clamp(1.0, WAVE_MAX);
        let wanted = rate * window / length;
        // Too many faults for one burst of this length per window: longer bursts, in every window.
        let (chance, length) = if wanted > 1.0 { (1.0, rate * window) } else { (wanted, length) };
        Faults { window: window as u64, chance, length, low, high, reach, quantum }
    }

    /// The faulty reading of a tick, if it is one.
    fn at(&self, entity: Cell, tick: u64) -> Option<f64> {
        let (window, place) = (tick / self.window, tick % self.window);
        let burst = entity.draw(1).stream().at(window);
        if !burst.chance(self.chance) {
            return None;
        }
        let whole = self.length.floor();
        let len = whole as u64 + u64::from(burst.draw(1).chance(self.length - whole));
        let start = burst.draw(2).below(self.window - len.min(self.window) + 1);
        if !(start..start + len).contains(&place) {
            return None;
        }
        let beyond = self.quantum + self.reach * (0.5 + burst.stream().at(place + 1).unit());
        let is_high = burst.draw(3).bits() & 1 == 1;
        Some(if is_high { self.high + beyond } else { self.low - beyond })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(step: Option<f64>) -> WalkSpec {
        WalkSpec { mean: 10.0, stdev: 2.0, step, min: None, max: None, faults: None }
    }

    fn readings(spec: &WalkSpec, entities: u64, rows: u64) -> Vec<f64> {
        let double =
            |min, max| Number::new(rowstorm_schema::DataType::Float { double: true }, min, max);
        let walk = Walk::new(spec, entities, double).unwrap();
        let mut out = Values::default();
        walk.fill(Stream::new(11), Rows::Run(0..rows), &mut out);
        let Values::Float(values) = out else { panic!("{out:?}") };
        values
    }

    #[test]
    fn mean_deviation_and_step_are_the_ones_asked_for() {
        let (entities, ticks) = (2_000, 100);
        let values = readings(&spec(Some(0.2)), entities, entities * ticks);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 10.0).abs() < 0.1, "{mean}");
        assert!((variance.sqrt() - 2.0).abs() < 0.05, "{}", variance.sqrt());
        let entities = entities as usize;
        let changes: Vec<f64> =
            values.iter().zip(&values[entities..]).map(|(a, b)| (b - a).powi(2)).collect();
        let change = (changes.iter().sum::<f64>() / changes.len() as f64).sqrt();
        assert!((change - 0.2).abs() < 0.02, "{change}");
    }

    #[test]
    fn faults_are_outside_bounds_at_their_rate_and_length() {
        let faults = rowstorm_schema::FaultsSpec { rate: 0.05, length: 2.5 };
        let spec = WalkSpec { min: Some(7.0), max: Some(13.0), faults: Some(faults), ..spec(None) };
        let values = readings(&spec, 1, 200_000);
        let is_outside: Vec<bool> = values.iter().map(|v| !(7.0..=13.0).contains(v)).collect();
        let count = is_outside.iter().filter(|is| **is).count() as f64;
        let bursts = is_outside.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        assert!((count / 200_000.0 - 0.05).abs() < 0.003, "{count}");
        assert!((count / bursts - 2.5).abs() < 0.2, "{count} in {bursts}");
    }
}
