//! The records of a run's shards as one record: accounts add up, rates add up where all ran, histograms add up.
//!
//! Merging refuses what was not one run: other data, another seed, a shard twice. A shard that is missing is named, and
//! the merged record is then one of a failed run: its rows are not there.

mod changes;
mod series;

use std::collections::BTreeMap;

use crate::record::{
    Batching, Client, ErrorEntry, Latency, RangeDone, Rows, RunRecord, Schedule, TableRows,
};

/// Samples that are kept of one class of errors, as in a single record.
const SAMPLES_MAX: usize = 10;

/// Why records are not the shards of one run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("there is no record to merge")]
    Nothing,
    /// A record is of a whole run.
    #[error("record {record} is of no shard: only shards of one run can be merged")]
    NoShard {
        /// Which record, from 1.
        record: usize,
    },
    /// Records disagree in what all shards share.
    #[error(
        "record {record} is of another run: its {what} is {found}, and that of the first is {expected}"
    )]
    Different {
        /// Which record, from 1.
        record: usize,
        /// What differs.
        what: &'static str,
        /// What the first record says.
        expected: String,
        /// What this one says.
        found: String,
    },
    /// A shard came twice: its rows would be counted twice.
    #[error("shard {index} comes twice")]
    Twice {
        /// The shard.
        index: u32,
    },
    /// When a record's run started cannot be read.
    #[error("record {record} started at `{text}`, which is no time: write RFC 3339")]
    Start {
        /// Which record, from 1.
        record: usize,
        /// What it says.
        text: String,
    },
}

/// Merges the records of shards, in any order.
///
/// `seconds` is from the first start to the last end, `rows_per_second` the sum of the shards' rates over the time in
/// which all ran (`host.merged` says how long that was; where they hardly overlap, it is rows by `seconds`). Latencies
/// of a second are the worst shard's. Decisions stay in the shards' own records.
///
/// # Errors
/// The records are not different shards of one run.
///
/// ```
/// use rowstorm_report::{MergeError, RunRecord, merge};
/// assert_eq!(merge(&[]), Err(MergeError::Nothing));
/// assert_eq!(merge(&[RunRecord::default()]), Err(MergeError::NoShard { record: 1 }));
/// ```
pub fn merge(records: &[RunRecord]) -> Result<RunRecord, MergeError> {
    let missing = checked(records)?;
    let mut parts: Vec<&RunRecord> = records.iter().collect();
    parts.sort_by_key(|part| part.shard.map(|shard| shard.index));
    let timeline = series::Timeline::of(records)?;
    let first = parts[0];
    let earliest = timeline.earliest(records);
    let mut record = RunRecord {
        started_at: earliest.started_at.clone(),
        epoch: earliest.epoch.clone(),
        target: agreed(parts.iter().map(|part| part.target.as_str())),
        shard: None,
        rows: add_rows(parts.iter().map(|part| &part.rows)),
        tables: tables(&parts),
        retries: parts.iter().map(|part| part.retries).sum(),
        seconds: timeline.seconds,
        rows_per_second: timeline.rows_per_second,
        bytes_sent: parts.iter().map(|part| part.bytes_sent).sum(),
        batch: batching(&parts),
        latency_ms: Latency::merge(parts.iter().map(|part| &part.latency_ms)),
        schedule: schedule(&parts),
        limited_by: agreed(parts.iter().map(|part| part.limited_by.as_str())),
        client: client(&parts),
        indexes: parts.iter().flat_map(|part| part.indexes.clone()).collect(),
        series: timeline.series,
        errors: errors(&parts),
        ranges_done: ranges(&parts),
        verified: verified(&parts),
        changes: changes::merge(parts.iter().filter_map(|part| part.changes.as_ref())),
        ..first.clone()
    };
    record.host.insert("merged".to_owned(), format!("{} shards; {}", parts.len(), timeline.how));
    ended(&mut record, &parts, &missing);
    Ok(record)
}

/// The shards that are missing, if the others fit together.
fn checked(records: &[RunRecord]) -> Result<Vec<u32>, MergeError> {
    let first = records.first().ok_or(MergeError::Nothing)?;
    let mut seen = BTreeMap::new();
    let mut count = 0;
    for (index, record) in records.iter().enumerate() {
        let number = index + 1;
        let shard = record.shard.ok_or(MergeError::NoShard { record: number })?;
        let same = |what, expected: String, found: String| {
            if expected == found {
                return Ok(());
            }
            Err(MergeError::Different { record: number, what, expected, found })
        };
        same("fingerprint", first.fingerprint.clone(), record.fingerprint.clone())?;
        same("seed", first.seed.to_string(), record.seed.to_string())?;
        if record.changes.is_some() {
            // What a change writes as `now` hangs on it.
            same("epoch", first.epoch.clone(), record.epoch.clone())?;
        }
        let shards = first.shard.map_or(0, |shard| shard.count);
        same("number of shards", shards.to_string(), shard.count.to_string())?;
        count = shard.count;
        if seen.insert(shard.index, number).is_some() {
            return Err(MergeError::Twice { index: shard.index });
        }
    }
    Ok((1..=count).filter(|index| !seen.contains_key(index)).collect())
}

/// What all say, or each of what they say.
fn agreed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut different: Vec<&str> = Vec::new();
    for word in words {
        if !different.contains(&word) {
            different.push(word);
        }
    }
    different.join(", ")
}

fn add_rows<'a>(parts: impl Iterator<Item = &'a Rows>) -> Rows {
    parts.fold(Rows { audited: Some(0), ..Rows::default() }, |sum, part| Rows {
        planned: sum.planned + part.planned,
        accepted: sum.accepted + part.accepted,
        confirmed: sum.confirmed + part.confirmed,
        rejected: sum.rejected + part.rejected,
        unknown: sum.unknown + part.unknown,
        // One that was not counted leaves the whole uncounted.
        audited: sum.audited.zip(part.audited).map(|(sum, part)| sum + part),
    })
}

fn tables(parts: &[&RunRecord]) -> Vec<TableRows> {
    let mut tables: Vec<TableRows> = Vec::new();
    for table in parts.iter().flat_map(|part| &part.tables) {
        match tables.iter_mut().find(|known| known.table == table.table) {
            Some(known) => {
                known.rows = add_rows([&known.rows, &table.rows].into_iter());
                known.before += table.before;
            }
            None => tables.push(table.clone()),
        }
    }
    tables
}

fn batching(parts: &[&RunRecord]) -> Batching {
    let each = || parts.iter().map(|part| &part.batch);
    let settled: Option<Vec<f64>> = each().map(|batch| batch.settled_at_s).collect();
    Batching {
        chosen_rows: each().map(|batch| batch.chosen_rows).max().unwrap_or_default(),
        chosen_in_flight: each().map(|batch| batch.chosen_in_flight).sum(),
        settled_at_s: settled.map(|times| times.into_iter().fold(0.0, f64::max)),
        frozen_at_s: None,
        tainted_at_s: None,
        in_flight_bytes_max: each().map(|batch| batch.in_flight_bytes_max).sum(),
        decisions: Vec::new(),
        decisions_left_out: 0,
        tried: Vec::new(),
    }
}

fn schedule(parts: &[&RunRecord]) -> Option<Schedule> {
    let each: Vec<&Schedule> = parts.iter().filter_map(|part| part.schedule.as_ref()).collect();
    (!each.is_empty()).then(|| Schedule {
        target_per_second: each.iter().map(|one| one.target_per_second).sum(),
        achieved_per_second: each.iter().map(|one| one.achieved_per_second).sum(),
        lag_ms: Latency::merge(each.iter().map(|one| &one.lag_ms)),
        late: each.iter().map(|one| one.late).sum(),
        skipped: each.iter().map(|one| one.skipped).sum(),
    })
}

/// Each shard is taken for a machine of its own.
fn client(parts: &[&RunRecord]) -> Client {
    parts.iter().map(|part| &part.client).fold(Client::default(), |sum, part| Client {
        cpu_seconds: sum.cpu_seconds + part.cpu_seconds,
        cores: sum.cores + part.cores,
        peak_rss_bytes: sum.peak_rss_bytes + part.peak_rss_bytes,
        null_rows_per_second: sum.null_rows_per_second + part.null_rows_per_second,
        make_seconds: sum.make_seconds + part.make_seconds,
        wait_seconds: sum.wait_seconds + part.wait_seconds,
    })
}

fn errors(parts: &[&RunRecord]) -> Vec<ErrorEntry> {
    let mut classes: Vec<ErrorEntry> = Vec::new();
    for error in parts.iter().flat_map(|part| &part.errors) {
        match classes.iter_mut().find(|known| known.class == error.class) {
            Some(known) => {
                known.count += error.count;
                let room = SAMPLES_MAX.saturating_sub(known.samples.len());
                known.samples.extend(error.samples.iter().take(room).cloned());
            }
            None => classes.push(error.clone()),
        }
    }
    classes
}

/// Sorted, neighbours joined.
fn ranges(parts: &[&RunRecord]) -> Vec<RangeDone> {
    let mut all: Vec<RangeDone> = parts.iter().flat_map(|part| part.ranges_done.clone()).collect();
    all.sort_by(|a, b| (&a.table, a.from).cmp(&(&b.table, b.from)));
    all.dedup_by(|next, kept| {
        let joined = next.table == kept.table && next.from <= kept.to;
        if joined {
            kept.to = kept.to.max(next.to);
        }
        joined
    });
    all
}

fn verified(parts: &[&RunRecord]) -> Option<bool> {
    if parts.iter().any(|part| part.verified == Some(false)) {
        return Some(false);
    }
    parts.iter().all(|part| part.verified == Some(true)).then_some(true)
}

fn ended(record: &mut RunRecord, parts: &[&RunRecord], missing: &[u32]) {
    let any = |word: &str| parts.iter().any(|part| part.ended == word);
    let mut failures: Vec<String> = parts
        .iter()
        .filter_map(|part| {
            let index = part.shard.map_or(0, |shard| shard.index);
            part.failure.as_ref().map(|failure| format!("shard {index}: {failure}"))
        })
        .collect();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(u32::to_string).collect();
        let of = parts.len() + missing.len();
        failures.insert(0, format!("of {of} shards these are missing: {}", names.join(", ")));
    }
    let ended = if any("failed") || !missing.is_empty() {
        "failed"
    } else if any("stopped") {
        "stopped"
    } else {
        "done"
    };
    ended.clone_into(&mut record.ended);
    record.failure = (!failures.is_empty()).then(|| failures.join("; "));
}
