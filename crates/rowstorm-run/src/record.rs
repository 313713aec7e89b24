//! From books, statistics and settings to the run record.

use rowstorm_gen::Plan;
use rowstorm_report::{Client, RECORD_VERSION, RunRecord, Schedule, ServerEntry, Settings};
use rowstorm_sink::IndexTime;

use crate::desk::State;
use crate::run::Used;
use crate::{Ending, RunOptions, usage};

/// A rate counts as reached from here on.
const RATE_REACHED: f64 = 0.99;
/// More of all cores than this leaves none for anything else.
const CPU_BUSY: f64 = 0.85;

/// Writes the record of a run whose load is over.
pub(crate) fn write(
    state: &State,
    plan: &Plan,
    options: &RunOptions,
    ending: &Ending,
    used: Used,
) -> RunRecord {
    let rows = state.books.total();
    let seconds = state.clock.elapsed().as_secs_f64();
    let arrived = rows.accepted + rows.confirmed;
    let schedule = schedule(state, options, arrived, seconds);
    let client = client(state, &used);
    let (ended, failure) = ended(ending);
    let kept = state.open.as_ref().map(crate::open::Open::kept);
    RunRecord {
        record_version: RECORD_VERSION,
        rowstorm: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: options.started_at.clone(),
        epoch: options.epoch.clone(),
        host: usage::host(),
        target: options.target.clone(),
        table_mode: options.mode.word().to_owned(),
        fingerprint: format!("{:016x}", plan.fingerprint()),
        seed: plan.options().seed,
        shard: options.shard,
        settings: settings(plan, options),
        tables: state.books.table_rows(),
        retries: state.stats.retries,
        seconds,
        rows_per_second: rate(state, arrived, seconds),
        bytes_sent: state.stats.bytes_sent,
        batch: state.stats.decisions.batching(kept, used.in_flight_bytes_max),
        latency_ms: state.stats.latency(),
        limited_by: limited_by(schedule.as_ref(), &client, seconds).to_owned(),
        schedule,
        client,
        server: used
            .server
            .into_iter()
            .map(|fact| ServerEntry { name: fact.name, value: fact.value })
            .collect(),
        indexes: used.indexes,
        series: state.stats.series().to_vec(),
        errors: state.books.errors(),
        ranges_done: state.books.ranges_done(),
        ended: ended.to_owned(),
        failure,
        verified: rows.audited.map(|_| used.agrees),
        changes: None,
        rows,
    }
}

/// Rows per second without the warm-up.
fn rate(state: &State, arrived: u64, seconds: f64) -> f64 {
    let (from, before) = match state.warm {
        Some((warm, rows)) if state.warmed_up() => (warm.as_secs_f64(), rows),
        Some(_) | None => (0.0, 0),
    };
    if seconds > from { (arrived - before) as f64 / (seconds - from) } else { 0.0 }
}

fn schedule(state: &State, options: &RunOptions, arrived: u64, seconds: f64) -> Option<Schedule> {
    let target = options.own_rate()?;
    // The last batch's own span belongs to the schedule, though nothing is sent in it.
    let span = seconds.max(arrived as f64 / target);
    Some(Schedule {
        target_per_second: target,
        achieved_per_second: if span > 0.0 { arrived as f64 / span } else { 0.0 },
        lag_ms: state.stats.lag(),
        late: state.stats.late,
        skipped: 0,
    })
}

fn client(state: &State, used: &Used) -> Client {
    Client {
        cpu_seconds: used.cpu_seconds,
        cores: usage::cores(),
        peak_rss_bytes: usage::peak_rss_bytes(),
        null_rows_per_second: used.null_rows_per_second,
        make_seconds: state.stats.make.as_secs_f64(),
        wait_seconds: state.stats.wait.as_secs_f64(),
    }
}

/// What held the run back: the schedule if it was kept; the client if lanes spent more time making rows than waiting
/// for the server; else the target. Never the network: waiting for it cannot be told from waiting for the server, and a
/// link's speed says nothing of the way behind it.
fn limited_by(schedule: Option<&Schedule>, client: &Client, seconds: f64) -> &'static str {
    let kept = |schedule: &Schedule| {
        schedule.achieved_per_second >= RATE_REACHED * schedule.target_per_second
    };
    if schedule.is_some_and(kept) {
        return "rate";
    }
    if client.make_seconds <= client.wait_seconds {
        return "target";
    }
    let busy = client.cpu_seconds / (seconds * f64::from(client.cores)).max(f64::MIN_POSITIVE);
    if busy > CPU_BUSY { "client_cpu" } else { "generator" }
}

fn settings(plan: &Plan, options: &RunOptions) -> Settings {
    Settings {
        schema: options.schema_name.clone(),
        rows: plan.options().rows,
        duration_s: options.duration.map(|duration| duration.as_secs_f64()),
        rate: options.rate,
        batch: options.batch.to_string(),
        in_flight: options.in_flight.to_string(),
        objective: options.objective.to_string(),
        max_bytes_in_flight: options.bytes_in_flight_max,
        indexes: match options.indexes {
            IndexTime::Before => "before",
            IndexTime::After => "after",
            IndexTime::None => "none",
        }
        .to_owned(),
        max_errors: options.max_errors.to_string(),
        load_only: options.changes.is_some() && options.to_change().is_none(),
        retry: options.retry,
        timeout_s: options.timeout.as_secs_f64(),
    }
}

fn ended(ending: &Ending) -> (&'static str, Option<String>) {
    match ending {
        Ending::Done => ("done", None),
        Ending::Stopped => ("stopped", None),
        Ending::TooManyRejected => {
            ("failed", Some("more rows were rejected or lost than --max-errors allows".to_owned()))
        }
        Ending::NotBalanced => {
            ("failed", Some("the database's count contradicts the accounts".to_owned()))
        }
        Ending::Failed(error) => ("failed", Some(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_limited_a_run_is_told_apart() {
        let client = |make_seconds, wait_seconds, cpu_seconds| Client {
            make_seconds,
            wait_seconds,
            cpu_seconds,
            cores: 2,
            ..Client::default()
        };
        let schedule = |achieved_per_second| Schedule {
            target_per_second: 1_000.0,
            achieved_per_second,
            ..Schedule::default()
        };
        for (schedule, client, expected) in [
            (Some(schedule(999.0)), client(9.0, 1.0, 20.0), "rate"),
            (Some(schedule(900.0)), client(1.0, 9.0, 2.0), "target"),
            (None, client(9.0, 1.0, 19.0), "client_cpu"),
            (None, client(9.0, 1.0, 10.0), "generator"),
            (None, client(1.0, 9.0, 19.0), "target"),
        ] {
            assert_eq!(limited_by(schedule.as_ref(), &client, 10.0), expected);
        }
    }
}
