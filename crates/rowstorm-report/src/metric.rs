//! The numbers of a record that thresholds and comparisons can name.

use std::fmt;

use crate::number;
use crate::record::RunRecord;
use crate::statistics;

/// What a metric's number counts, and so how it is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Rows, batches, errors.
    Count,
    /// Rows per second.
    PerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// A share of one.
    Share,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More.
    Higher,
    /// Less.
    Lower,
    /// It says nothing of good or bad by itself.
    Neither,
}

/// A number of the record by its name.
#[derive(Clone, Copy)]
pub struct Metric {
    /// As thresholds write it.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    read: fn(&RunRecord) -> Option<f64>,
}

use Better::{Higher, Lower, Neither};
use Unit::{Bytes, BytesPerSecond, Count, Milliseconds, PerSecond, Seconds, Share};

/// Every metric.
pub static METRICS: [Metric; 36] = [
    metric("rows_per_second", PerSecond, Higher, |r| Some(r.rows_per_second)),
    metric("bytes_per_second", BytesPerSecond, Higher, |r| ratio(r.bytes_sent as f64, r.seconds)),
    metric("bytes_per_row", Bytes, Neither, |r| ratio(r.bytes_sent as f64, r.rows.planned as f64)),
    metric("seconds", Seconds, Lower, |r| Some(r.seconds)),
    metric("variation", Share, Lower, |r| statistics::steady_rate(r)?.variation()),
    metric("planned", Count, Neither, |r| Some(r.rows.planned as f64)),
    metric("accepted", Count, Higher, |r| Some(r.rows.accepted as f64)),
    metric("confirmed", Count, Neither, |r| Some(r.rows.confirmed as f64)),
    metric("rejected", Count, Lower, |r| Some(r.rows.rejected as f64)),
    metric("unknown", Count, Lower, |r| Some(r.rows.unknown as f64)),
    metric("audited", Count, Neither, |r| r.rows.audited.map(|rows| rows as f64)),
    metric("retries", Count, Lower, |r| Some(r.retries as f64)),
    metric("errors", Count, Lower, |r| Some(r.errors.iter().map(|e| e.count as f64).sum())),
    metric("latency.p50", Milliseconds, Lower, |r| timed(r, r.latency_ms.p50)),
    metric("latency.p90", Milliseconds, Lower, |r| timed(r, r.latency_ms.p90)),
    metric("latency.p99", Milliseconds, Lower, |r| timed(r, r.latency_ms.p99)),
    metric("latency.p999", Milliseconds, Lower, |r| timed(r, r.latency_ms.p999)),
    metric("latency.max", Milliseconds, Lower, |r| timed(r, r.latency_ms.max)),
    metric("schedule.lag.p99", Milliseconds, Lower, |r| Some(r.schedule.as_ref()?.lag_ms.p99)),
    metric("schedule.late", Count, Lower, |r| Some(r.schedule.as_ref()?.late as f64)),
    metric("schedule.skipped", Count, Lower, |r| Some(r.schedule.as_ref()?.skipped as f64)),
    metric("batch.rows", Count, Neither, |r| Some(f64::from(r.batch.chosen_rows))),
    metric("batch.in_flight", Count, Neither, |r| Some(f64::from(r.batch.chosen_in_flight))),
    metric("batch.settled", Seconds, Lower, |r| r.batch.settled_at_s),
    metric("batch.in_flight_bytes", Bytes, Lower, |r| Some(r.batch.in_flight_bytes_max as f64)),
    metric("client.cpu", Share, Lower, cpu_share),
    metric("client.cpu_per_row", Milliseconds, Lower, |r| {
        ratio(r.client.cpu_seconds * 1000.0, r.rows.arrived() as f64)
    }),
    metric("client.peak_rss", Bytes, Lower, |r| Some(r.client.peak_rss_bytes as f64)),
    metric("client.headroom", Count, Neither, headroom),
    metric("changes_per_second", PerSecond, Higher, |r| {
        Some(r.changes.as_ref()?.changes_per_second)
    }),
    metric("changes.missed", Count, Lower, |r| Some(r.changes.as_ref()?.rows.missed as f64)),
    metric("changes.rejected", Count, Lower, |r| Some(r.changes.as_ref()?.rows.rejected as f64)),
    metric("changes.unknown", Count, Lower, |r| Some(r.changes.as_ref()?.rows.unknown as f64)),
    metric("changes.lag.p99", Milliseconds, Lower, |r| {
        Some(r.changes.as_ref()?.schedule.as_ref()?.lag_ms.p99)
    }),
    metric("changes.skipped", Count, Lower, |r| {
        Some(r.changes.as_ref()?.schedule.as_ref()?.skipped as f64)
    }),
    metric("changes.response.p99", Milliseconds, Lower, |r| {
        let kinds = &r.changes.as_ref()?.kinds;
        kinds.iter().map(|kind| kind.response_ms.p99).reduce(f64::max)
    }),
];

impl Metric {
    /// The metric of this name.
    pub fn find(name: &str) -> Option<Self> {
        METRICS.iter().find(|metric| metric.name == name).copied()
    }

    /// Its value in this record; `None` if the run did not measure it.
    pub fn of(self, record: &RunRecord) -> Option<f64> {
        (self.read)(record).filter(|value| value.is_finite())
    }

    /// A value of this metric, for people.
    ///
    /// ```
    /// let p99 = rowstorm_report::Metric::find("latency.p99").unwrap();
    /// assert_eq!(p99.write(21.34), "21.3ms");
    /// ```
    pub fn write(self, value: f64) -> String {
        match self.unit {
            Count | PerSecond => number::rate(value),
            // A row's share of a batch is far below what milliseconds show.
            Milliseconds if value > 0.0 && value < 0.01 => format!("{:.2}µs", value * 1e3),
            Milliseconds => number::milliseconds(value),
            Seconds => number::seconds(value),
            Bytes => number::bytes(value),
            BytesPerSecond => format!("{}/s", number::bytes(value)),
            Share => number::percent(value),
        }
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Metric").field(&self.name).finish()
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The share of the machine's cores that the client used.
pub(crate) fn cpu_share(record: &RunRecord) -> Option<f64> {
    ratio(record.client.cpu_seconds, record.seconds * f64::from(record.client.cores))
}

/// How many times faster this machine makes rows than they arrived; `None` if that was not measured.
pub(crate) fn headroom(record: &RunRecord) -> Option<f64> {
    ratio(record.client.null_rows_per_second, record.rows_per_second).filter(|factor| *factor > 0.0)
}

pub(crate) fn ratio(above: f64, below: f64) -> Option<f64> {
    (below > 0.0).then(|| above / below)
}

/// A run that timed no batch has no latency, rather than one of nothing.
fn timed(record: &RunRecord, value: f64) -> Option<f64> {
    (record.latency_ms.max > 0.0).then_some(value)
}

const fn metric(
    name: &'static str,
    unit: Unit,
    better: Better,
    read: fn(&RunRecord) -> Option<f64>,
) -> Metric {
    Metric { name, unit, better, read }
}
