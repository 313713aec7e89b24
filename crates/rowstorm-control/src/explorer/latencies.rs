//! The latencies of a slice, in logarithms, with those bounded that are far from the middle.
//!
//! One batch in a thousand that takes twelve times as long, or all that were out while the server made a checkpoint, say
//! nothing of the setting, and would move the mean by more than the settings differ. So what is further from the median than
//! 1.5 deviations counts as that far: the Winsorized mean (Tukey 1962), the deviation by the quartiles.

/// So many of the first say what is far.
const FIRST: usize = 128;
/// How far from the median, in deviations of a normal distribution with the same quartiles, and the least such deviation.
const BOUND: f64 = 1.5;
const DEVIATION_MIN: f64 = 0.05;
/// Deviations between the quartiles of a normal distribution.
const QUARTILES: f64 = 1.35;
/// Fewer have no quartiles to speak of.
const COUNT_MIN: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(super) struct Latencies {
    first: [f32; FIRST],
    count: u32,
    /// What is far, once there are more than the first, and the sums of all after these.
    bounds: (f64, f64),
    sum: f64,
    squares: f64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies { first: [0.0; FIRST], count: 0, bounds: (0.0, 0.0), sum: 0.0, squares: 0.0 }
    }
}

impl Latencies {
    /// Takes in the logarithm of a latency.
    pub(super) fn push(&mut self, log: f64) {
        if let Some(place) = self.first.get_mut(self.count as usize) {
            *place = log as f32;
        } else {
            if self.count as usize == FIRST {
                self.bounds = self.bounds();
            }
            let log = log.clamp(self.bounds.0, self.bounds.1);
            self.sum += log;
            self.squares += log * log;
        }
        self.count += 1;
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    fn bounds(&self) -> (f64, f64) {
        let mut sorted = self.first;
        let sorted = &mut sorted[..FIRST.min(self.count as usize)];
        if sorted.len() < COUNT_MIN {
            return (f64::NEG_INFINITY, f64::INFINITY);
        }
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |quarter: usize| f64::from(sorted[sorted.len() * quarter / 4]);
        let far = BOUND * ((at(3) - at(1)) / QUARTILES).max(DEVIATION_MIN);
        (at(2) - far, at(2) + far)
    }

    /// Mean and variance of what was taken in, with what is far from the middle bounded.
    pub(super) fn told(&self) -> (f64, f64) {
        let first = &self.first[..FIRST.min(self.count as usize)];
        let (least, most) = if self.count as usize > FIRST { self.bounds } else { self.bounds() };
        let (mut sum, mut squares) = (self.sum, self.squares);
        for log in first {
            let log = f64::from(*log).clamp(least, most);
            sum += log;
            squares += log * log;
        }
        let count = f64::from(self.count.max(1));
        let mean = sum / count;
        (mean, (squares / count - mean * mean).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(logs: impl IntoIterator<Item = f64>) -> Latencies {
        let mut latencies = Latencies::default();
        logs.into_iter().for_each(|log| latencies.push(log));
        latencies
    }

    /// Evenly between -1/2 and 1/2.
    fn even(count: u32) -> impl Iterator<Item = f64> {
        (0..count).map(move |number| (f64::from(number * 7 % count) + 0.5) / f64::from(count) - 0.5)
    }

    #[test]
    fn a_straggler_moves_the_mean_by_no_more_than_the_bound() {
        let (calm, variance) = of(even(15)).told();
        assert!(calm.abs() < 0.01, "{calm}");
        assert!((0.06..0.09).contains(&variance), "{variance}");
        let (with, _) = of(even(15).chain([2.5])).told();
        assert!((with - calm).abs() < 0.05, "{with}");
    }

    #[test]
    fn the_first_say_what_is_far_for_all() {
        for count in [127, 128, 129, 400] {
            let (mean, variance) = of(even(count).chain([9.0; 3])).told();
            assert!(mean.abs() < 0.03, "{count}: {mean}");
            assert!((0.06..0.10).contains(&variance), "{count}: {variance}");
        }
    }

    #[test]
    fn few_count_as_they_are() {
        assert!((of([1.0, 2.0, 6.0]).told().0 - 3.0).abs() < 1e-6);
        let (mean, variance) = Latencies::default().told();
        assert!(mean.abs() + variance < 1e-6);
    }
}
