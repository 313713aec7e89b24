//! The lines of a summary, once for every format: what is said does not depend on where it is read.

use crate::change_facts;
use crate::metric::{cpu_share, headroom, ratio};
use crate::number;
use crate::record::{RunRecord, Schedule};
use crate::statistics;
use crate::steps;
use crate::verdict::{audited, target_kind};

/// Settings that are compared: those that held longest.
const SETTINGS_MAX: usize = 24;

/// `cpu → sqlite, 1,000,000 rows in 4.6s`.
pub(crate) fn headline(record: &RunRecord, arrow: &str) -> String {
    let changes = record.changes.as_ref().map(change_facts::headline);
    let rows = || {
        let rows = number::grouped(record.rows.arrived());
        format!("{rows} rows in {}", number::seconds(record.seconds))
    };
    let done = match changes {
        Some(changes) if record.rows.planned == 0 => changes,
        Some(changes) => format!("{}, {changes}", rows()),
        None => rows(),
    };
    format!("{} {arrow} {}, {done}", schema_name(record), target_kind(record))
}

/// The schema's file name without folder and ending.
pub(crate) fn schema_name(record: &RunRecord) -> &str {
    let path = record.settings.schema.as_str();
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// The accounts as an equation, and the count.
pub(crate) fn accounts(record: &RunRecord) -> String {
    let rows = &record.rows;
    format!(
        "planned {} = accepted {} + confirmed {} + rejected {} + unknown {}   audited {}",
        number::grouped(rows.planned),
        number::grouped(rows.accepted),
        number::grouped(rows.confirmed),
        number::grouped(rows.rejected),
        number::grouped(rows.unknown),
        audited(record, rows),
    )
}

/// Rate, how sure it is, and bytes.
pub(crate) fn throughput(record: &RunRecord, plus_minus: &str) -> String {
    let mut parts = vec![format!("{} rows/s", number::rate(record.rows_per_second))];
    parts.push(certainty(record, plus_minus));
    if let Some(rate) = ratio(record.bytes_sent as f64, record.seconds).filter(|rate| *rate > 0.0) {
        parts.push(format!("{}/s", number::bytes(rate)));
    }
    parts.extend(bytes_per_row(record));
    parts.join("   ")
}

/// `287 bytes/row`, if bytes were sent for that long.
pub(crate) fn bytes_per_row(record: &RunRecord) -> Option<String> {
    if record.bytes_sent == 0 || record.seconds <= 0.0 {
        return None;
    }
    let size = ratio(record.bytes_sent as f64, record.rows.planned as f64)?;
    Some(format!("{} bytes/row", number::rate(size.round())))
}

/// How the setting came about: `as given`, `settled after 6.20s`, `not settled yet`.
pub(crate) fn settled(record: &RunRecord) -> String {
    let settings = &record.settings;
    let found = |setting: &str| setting.starts_with("auto");
    if !found(&settings.batch) && !found(&settings.in_flight) {
        return "as given".to_owned();
    }
    let batch = &record.batch;
    match (batch.settled_at_s, batch.frozen_at_s, batch.tainted_at_s) {
        (_, Some(frozen), None) => format!("frozen after {}", number::seconds(frozen)),
        (_, Some(frozen), Some(tainted)) => format!(
            "frozen after {}, and changed by overload after {}",
            number::seconds(frozen),
            number::seconds(tainted)
        ),
        (Some(at), None, _) => format!("settled after {}", number::seconds(at)),
        (None, None, _) => "not settled yet".to_owned(),
    }
}

/// `±1.8% (95% CI, 18 seconds)`, or why there is no interval. Where settings were tried out first, it is the rate
/// since then that has an interval.
pub(crate) fn certainty(record: &RunRecord, plus_minus: &str) -> String {
    let Some(mean) = statistics::steady_rate(record) else {
        return "too short for an interval".to_owned();
    };
    let Some(half) = mean.relative_half_width() else {
        return if mean.count < statistics::SECONDS_MIN {
            "too short for an interval".to_owned()
        } else {
            "no interval: the rate moves in slow waves".to_owned()
        };
    };
    let interval =
        format!("{plus_minus}{} (95% CI, {} seconds)", number::percent(half), mean.count);
    match record.batch.settled_at_s {
        Some(_) => format!("settled {} rows/s {interval}", number::rate(mean.mean)),
        None => interval,
    }
}

/// The chosen setting, its size, when it was found, and what is as good.
pub(crate) fn best_batch(record: &RunRecord) -> Option<String> {
    let batch = &record.batch;
    if batch.chosen_rows == 0 {
        return None;
    }
    let size = ratio(record.bytes_sent as f64, record.rows.planned as f64)
        .filter(|size| *size > 0.0)
        .map(|size| format!(" ({})", number::bytes(size * f64::from(batch.chosen_rows))))
        .unwrap_or_default();
    let rows = number::grouped(u64::from(batch.chosen_rows));
    let mut text =
        format!("{rows} rows{size}, {} in flight, {}", batch.chosen_in_flight, settled(record));
    let tried = steps::longest(steps::steps(record), SETTINGS_MAX);
    if let Some((low, high)) = steps::as_good(&tried, batch.chosen_in_flight) {
        let [low, high] = [low, high].map(|rows| number::grouped(u64::from(rows)));
        text.push_str(&format!("   within 3% from {low} to {high} rows"));
    }
    Some(text)
}

/// Percentiles by name.
pub(crate) fn percentiles(latency: &crate::record::Latency) -> [(&'static str, f64); 5] {
    [
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p99", latency.p99),
        ("p99.9", latency.p999),
        ("max", latency.max),
    ]
}

/// Percentiles on one line.
pub(crate) fn latency(record: &RunRecord) -> Option<String> {
    (record.latency_ms.max > 0.0).then(|| {
        percentiles(&record.latency_ms)
            .map(|(name, value)| format!("{name} {}", number::milliseconds(value)))
            .join("   ")
    })
}

/// What was asked, what was reached, and how late.
pub(crate) fn schedule(schedule: &Schedule) -> String {
    format!(
        "asked {} rows/s   reached {} rows/s   lag p99 {}   late {}   skipped {}",
        number::rate(schedule.target_per_second),
        number::rate(schedule.achieved_per_second),
        number::milliseconds(schedule.lag_ms.p99),
        number::grouped(schedule.late),
        number::grouped(schedule.skipped),
    )
}

/// What held the run back, and what shows it.
pub(crate) fn limited_by(record: &RunRecord) -> Option<String> {
    if record.limited_by.is_empty() {
        return None;
    }
    let what = match record.limited_by.as_str() {
        "client_cpu" => "this machine's CPU",
        "generator" => "making the rows",
        "rate" => "the rate that was asked for",
        other => other,
    };
    let mut evidence = Vec::new();
    if let Some(share) = cpu_share(record) {
        let cores = record.client.cores;
        let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
        evidence.push(format!("client used {} of {cores}", number::percent(share)));
    }
    if let Some(factor) = headroom(record) {
        evidence.push(format!("one core makes rows {factor:.1} times as fast as they arrived"));
    }
    let client = &record.client;
    if let Some(share) = ratio(client.wait_seconds, client.wait_seconds + client.make_seconds) {
        evidence
            .push(format!("lanes waited for the server {} of their time", number::percent(share)));
    }
    Some(if evidence.is_empty() {
        what.to_owned()
    } else {
        format!("{what} ({})", evidence.join("; "))
    })
}

/// Tables, where there are several: accepted rows of each.
pub(crate) fn tables(record: &RunRecord) -> Option<String> {
    (record.tables.len() > 1).then(|| {
        let each = record.tables.iter().map(|table| {
            format!(
                "{} {}",
                crate::style::clean(&table.table),
                number::grouped(table.rows.arrived())
            )
        });
        each.collect::<Vec<_>>().join("   ")
    })
}
