//! What is measured during the load: latencies, lag, one entry per second, decisions.

use std::time::Duration;

use hdrhistogram::Histogram;
use rowstorm_control::Controller;
use rowstorm_report::{Latency, Second};

use crate::decisions::Decisions;

/// Latencies are kept in microseconds up to this; what is longer counts as this long.
const LATENCY_US_MAX: u64 = 3_600_000_000;
/// A start is late if it is later than this.
const LATE: Duration = Duration::from_millis(1);
/// Entries of the series: a day of seconds. Beyond, neighbours are merged.
const SERIES_MAX: usize = 86_400;

#[derive(Debug)]
pub(crate) struct Stats {
    latency: Histogram<u64>,
    lag: Histogram<u64>,
    /// Rows that started late.
    pub(crate) late: u64,
    /// Attempts that were made again.
    pub(crate) retries: u64,
    pub(crate) bytes_sent: u64,
    /// Batches that were answered, and attempts that failed.
    pub(crate) batches_done: u64,
    pub(crate) batches_failed: u64,
    /// Rows that arrived.
    arrived: u64,
    /// Time spent filling and encoding, all lanes together.
    pub(crate) make: Duration,
    /// Time spent waiting for the server, all lanes together.
    pub(crate) wait: Duration,
    pub(crate) decisions: Decisions,
    series: Vec<Second>,
    seconds_per_entry: u64,
    second: SecondSoFar,
}

#[derive(Debug)]
struct SecondSoFar {
    latency: Histogram<u64>,
    rows: u64,
    errors: u64,
    ticks: u64,
}

impl Default for Stats {
    fn default() -> Self {
        Stats {
            latency: histogram(3),
            lag: histogram(3),
            late: 0,
            retries: 0,
            bytes_sent: 0,
            batches_done: 0,
            batches_failed: 0,
            arrived: 0,
            make: Duration::ZERO,
            wait: Duration::ZERO,
            decisions: Decisions::default(),
            series: Vec::new(),
            seconds_per_entry: 1,
            second: SecondSoFar { latency: histogram(2), rows: 0, errors: 0, ticks: 0 },
        }
    }
}

impl Stats {
    /// A batch was answered.
    pub(crate) fn answered(&mut self, latency: Duration, arrived: u64, refused: u64, warm: bool) {
        self.batches_done += 1;
        self.wait += latency;
        self.arrived += arrived;
        self.second.rows += arrived;
        self.second.errors += refused;
        self.second.latency.saturating_record(micros(latency));
        if warm {
            self.latency.saturating_record(micros(latency));
        }
    }

    /// An attempt failed.
    pub(crate) fn failed(&mut self, waited: Duration) {
        self.batches_failed += 1;
        self.wait += waited;
        self.second.errors += 1;
    }

    /// A batch of a schedule started.
    pub(crate) fn started(&mut self, lag: Duration, rows: u64) {
        self.lag.saturating_record(micros(lag));
        if lag > LATE {
            self.late += rows;
        }
    }

    /// The controller decided.
    pub(crate) fn decided(&mut self, at: Duration, controller: &dyn Controller) {
        self.decisions.add(at, self.arrived, controller);
    }

    /// Another table begins, or the load is over.
    pub(crate) fn table_over(&mut self, at: Duration) {
        self.decisions.close(at, self.arrived);
    }

    /// A second is over, or the load is.
    pub(crate) fn end_second(&mut self, at: Duration, batch: u32, in_flight: u32, last: bool) {
        self.second.ticks += 1;
        let nothing =
            self.second.rows == 0 && self.second.errors == 0 && self.second.latency.is_empty();
        if (self.second.ticks < self.seconds_per_entry && !last) || (last && nothing) {
            return;
        }
        let second = &mut self.second;
        self.series.push(Second {
            at_s: at.as_secs_f64(),
            rows: std::mem::take(&mut second.rows),
            batch,
            in_flight,
            p50: millis(second.latency.value_at_quantile(0.5)),
            p99: millis(second.latency.value_at_quantile(0.99)),
            errors: std::mem::take(&mut second.errors),
        });
        second.latency.reset();
        second.ticks = 0;
        if self.series.len() >= SERIES_MAX {
            self.series = self.series.chunks(2).map(merge).collect();
            self.seconds_per_entry *= 2;
        }
    }

    pub(crate) fn series(&self) -> &[Second] {
        &self.series
    }

    pub(crate) fn latency(&self) -> Latency {
        summary(&self.latency)
    }

    pub(crate) fn lag(&self) -> Latency {
        summary(&self.lag)
    }

    /// The 99th percentile so far, in milliseconds.
    pub(crate) fn p99_ms(&self) -> f64 {
        millis(self.latency.value_at_quantile(0.99))
    }
}

fn merge(pair: &[Second]) -> Second {
    let last = pair.last().expect("a chunk is not empty").clone();
    Second {
        rows: pair.iter().map(|second| second.rows).sum(),
        errors: pair.iter().map(|second| second.errors).sum(),
        p50: pair.iter().map(|second| second.p50).sum::<f64>() / pair.len() as f64,
        p99: pair.iter().map(|second| second.p99).fold(0.0, f64::max),
        ..last
    }
}

pub(crate) fn histogram(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, digits).expect("the bounds are in order")
}

pub(crate) fn summary(histogram: &Histogram<u64>) -> Latency {
    if histogram.is_empty() {
        return Latency::default();
    }
    // From 0.1 ms in steps of a quarter: 80 buckets up to an hour.
    let buckets = histogram.iter_log(100, 1.25);
    Latency {
        p50: millis(histogram.value_at_quantile(0.5)),
        p90: millis(histogram.value_at_quantile(0.9)),
        p99: millis(histogram.value_at_quantile(0.99)),
        p999: millis(histogram.value_at_quantile(0.999)),
        max: millis(histogram.max()),
        histogram: buckets
            .filter(|bucket| bucket.count_since_last_iteration() > 0)
            .map(|bucket| (millis(bucket.value_iterated_to()), bucket.count_since_last_iteration()))
            .collect(),
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    (duration.as_micros() as u64).max(1)
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histogram_holds_every_batch_and_its_percentiles_are_in_order() {
        let mut stats = Stats::default();
        for ms in 1..=1_000 {
            stats.answered(Duration::from_millis(ms), 10, 0, true);
        }
        stats.answered(Duration::from_secs(5_000), 10, 0, false);
        let latency = stats.latency();
        assert_eq!(latency.histogram.iter().map(|(_, count)| count).sum::<u64>(), 1_000);
        assert!((latency.p50 - 500.0).abs() < 2.0 && (latency.p99 - 990.0).abs() < 2.0);
        assert!(latency.p90 <= latency.p99 && latency.p999 <= latency.max);
        assert!(latency.histogram.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_very_long_run_keeps_a_bounded_series_and_every_row() {
        let mut stats = Stats::default();
        let seconds = SERIES_MAX as u64 + 1_000;
        for second in 1..=seconds {
            stats.answered(Duration::from_millis(1), 1, 0, true);
            stats.end_second(Duration::from_secs(second), 1, 1, second == seconds);
        }
        assert!(stats.series().len() <= SERIES_MAX);
        assert_eq!(stats.series().iter().map(|second| second.rows).sum::<u64>(), seconds);
    }
}
