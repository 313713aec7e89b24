//! Latency histograms: pairs of upper bound and count, which can be added where percentiles cannot.

use crate::record::Latency;

impl Latency {
    /// From pairs of upper bound in ms and count, in any order; bounds that come twice are added up.
    ///
    /// Percentiles are the upper bound of the bucket in which they fall, so never too low. `max` is the highest bound
    /// that counts anything.
    ///
    /// ```
    /// use rowstorm_report::Latency;
    /// let latency = Latency::from_histogram(vec![(10.0, 1), (5.0, 99)]);
    /// assert_eq!((latency.p50, latency.p99, latency.p999, latency.max), (5.0, 5.0, 10.0, 10.0));
    /// ```
    pub fn from_histogram(mut pairs: Vec<(f64, u64)>) -> Self {
        pairs.retain(|(bound, count)| *count > 0 && bound.is_finite());
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs.dedup_by(|next, kept| {
            let same = next.0.total_cmp(&kept.0).is_eq();
            if same {
                kept.1 += next.1;
            }
            same
        });
        let at = |share| quantile(&pairs, share).unwrap_or_default();
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: pairs.last().map_or(0.0, |pair| pair.0),
            histogram: pairs,
        }
    }

    /// The histograms of several records as one. The largest latency is kept exactly.
    pub fn merge<'a>(parts: impl IntoIterator<Item = &'a Latency>) -> Self {
        let mut pairs = Vec::new();
        let mut max = 0.0_f64;
        for part in parts {
            pairs.extend_from_slice(&part.histogram);
            max = max.max(part.max);
        }
        let mut merged = Self::from_histogram(pairs);
        if max > 0.0 {
            merged.max = max;
            // A bucket's bound may lie above the largest value in it.
            for value in [&mut merged.p50, &mut merged.p90, &mut merged.p99, &mut merged.p999] {
                *value = value.min(max);
            }
        }
        merged
    }

    /// How many batches were timed.
    pub fn count(&self) -> u64 {
        self.histogram.iter().map(|pair| pair.1).sum()
    }

    /// The value below which `share` (0 to 1) of the batches are; `None` without a histogram.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        quantile(&self.histogram, share)
    }
}

/// `pairs` ascend.
fn quantile(pairs: &[(f64, u64)], share: f64) -> Option<f64> {
    let total: u64 = pairs.iter().map(|pair| pair.1).sum();
    // The smallest rank that covers the share; a hair below, so that 0.9 of 10 is 9 in binary fractions too.
    let rank = ((total as f64 * share) - 1e-9).ceil().max(1.0) as u64;
    let mut below = 0;
    pairs.iter().find_map(|(bound, count)| {
        below += count;
        (below >= rank).then_some(*bound)
    })
}
