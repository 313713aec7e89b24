//! The shards' seconds laid over one clock.

use jiff::Timestamp;

use crate::number;
use crate::record::{RunRecord, Second};

use super::MergeError;

/// The shards must have run together for at least this share of the longest one, else adding their rates would tell of
/// a load that never was.
const TOGETHER_MIN: f64 = 0.5;

/// Entries of a merged series: a day of seconds.
const SECONDS_MAX: f64 = 86_400.0;

/// The merged run in time.
pub(super) struct Timeline {
    pub(super) seconds: f64,
    pub(super) rows_per_second: f64,
    pub(super) series: Vec<Second>,
    /// How the rate came about, in words.
    pub(super) how: String,
    offsets: Vec<f64>,
}

impl Timeline {
    pub(super) fn of(records: &[RunRecord]) -> Result<Self, MergeError> {
        let offsets = offsets(records)?;
        let placed = || records.iter().zip(&offsets);
        let end = placed().map(|(record, offset)| offset + record.seconds).fold(0.0, f64::max);
        let all_from = offsets.iter().copied().fold(0.0, f64::max);
        let all_to =
            placed().map(|(record, offset)| offset + record.seconds).fold(f64::INFINITY, f64::min);
        let together = all_to - all_from;
        let longest = records.iter().map(|record| record.seconds).fold(0.0, f64::max);
        let (rows_per_second, how) = if together > 0.0 && together >= TOGETHER_MIN * longest {
            let rows: f64 = placed()
                .map(|(record, offset)| rows_between(record, all_from - offset, all_to - offset))
                .sum();
            let how = format!("rate over the {} in which all ran", number::seconds(together));
            (rows / together, how)
        } else {
            let rows: u64 = records.iter().map(|record| record.rows.arrived()).sum();
            let rate = if end > 0.0 { rows as f64 / end } else { 0.0 };
            (rate, "they hardly ran together: rate from the first start to the last end".to_owned())
        };
        let series = series(records, &offsets, end);
        Ok(Self { seconds: end, rows_per_second, series, how, offsets })
    }

    /// The record that started first.
    pub(super) fn earliest<'a>(&self, records: &'a [RunRecord]) -> &'a RunRecord {
        let first = self.offsets.iter().position(|offset| *offset <= 0.0).unwrap_or_default();
        &records[first]
    }
}

/// Seconds between the first start and each one's.
fn offsets(records: &[RunRecord]) -> Result<Vec<f64>, MergeError> {
    let mut starts = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        let start: Timestamp = record.started_at.parse().map_err(|_| MergeError::Start {
            record: index + 1,
            text: record.started_at.clone(),
        })?;
        starts.push(start);
    }
    let first = starts.iter().min().copied().unwrap_or_default();
    Ok(starts.iter().map(|start| start.duration_since(first).as_secs_f64()).collect())
}

/// Rows that arrived between two instants of a run, seconds cut in proportion. A run without seconds was even.
fn rows_between(record: &RunRecord, from: f64, to: f64) -> f64 {
    if record.series.is_empty() {
        return record.rows_per_second * (to - from);
    }
    spans(record).map(|(start, second)| second.rows as f64 * share(start, second, from, to)).sum()
}

/// Each second with its start.
fn spans(record: &RunRecord) -> impl Iterator<Item = (f64, &Second)> {
    let starts = std::iter::once(0.0).chain(record.series.iter().map(|second| second.at_s));
    starts.zip(&record.series)
}

/// The share of a second that lies between two instants.
fn share(start: f64, second: &Second, from: f64, to: f64) -> f64 {
    let span = second.at_s - start;
    if span <= 0.0 {
        return if (from..to).contains(&start) { 1.0 } else { 0.0 };
    }
    ((second.at_s.min(to) - start.max(from)) / span).clamp(0.0, 1.0)
}

fn series(records: &[RunRecord], offsets: &[f64], end: f64) -> Vec<Second> {
    let count = end.min(SECONDS_MAX).ceil() as usize;
    let mut merged = vec![(Second::default(), 0.0, 0.0); count];
    for (index, (second, ..)) in merged.iter_mut().enumerate() {
        second.at_s = (index as f64 + 1.0).min(end);
    }
    for (record, offset) in records.iter().zip(offsets) {
        for (start, second) in spans(record) {
            let (start, stop) = (start + offset, second.at_s + offset);
            let placed = Second { at_s: stop, ..second.clone() };
            let reach = (start as usize)..=(stop.ceil() as usize);
            for bucket in reach.filter(|bucket| *bucket < count) {
                let from = bucket as f64;
                let part = share(start, &placed, from, from + 1.0);
                if part <= 0.0 {
                    continue;
                }
                let (sum, rows, errors) = &mut merged[bucket];
                *rows += second.rows as f64 * part;
                *errors += second.errors as f64 * part;
                sum.batch = sum.batch.max(second.batch);
                sum.p50 = sum.p50.max(second.p50);
                sum.p99 = sum.p99.max(second.p99);
                // A second that two of a shard's cover is not twice as wide.
                if part * (stop - start) >= 0.5 {
                    sum.in_flight += second.in_flight;
                }
            }
        }
    }
    whole(merged)
}

/// Shares as whole rows again, such that none is lost to rounding.
fn whole(merged: Vec<(Second, f64, f64)>) -> Vec<Second> {
    let (mut rows_so_far, mut errors_so_far) = (0.0, 0.0);
    let step = |so_far: &mut f64, part: f64| {
        let before = so_far.round();
        *so_far += part;
        (so_far.round() - before) as u64
    };
    merged
        .into_iter()
        .map(|(second, rows, errors)| Second {
            rows: step(&mut rows_so_far, rows),
            errors: step(&mut errors_so_far, errors),
            ..second
        })
        .collect()
}
