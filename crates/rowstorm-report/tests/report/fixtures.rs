//! Records made by hand: each number in them was written or added up here, by no code of the crate.

use std::collections::BTreeMap;

use rowstorm_report::{
    Batching, Client, DecisionEntry, ErrorEntry, Latency, RangeDone, Rows, RunRecord, Schedule,
    Second, ServerEntry, Settings, TableRows,
};

/// A tuned run of twenty seconds that is good: 4,000,000 rows counted in the database.
pub(crate) fn tuned() -> RunRecord {
    let (series, decisions) = seconds_of_a_tuned_run();
    let total: u64 = series.iter().map(|second| second.rows).sum();
    let rows = Rows { planned: total, accepted: total, audited: Some(total), ..Rows::default() };
    RunRecord {
        rowstorm: "0.1.0".into(),
        started_at: "2026-11-21T12:03:01Z".into(),
        epoch: "2026-11-21T12:03:01Z".into(),
        host: BTreeMap::from([
            ("system".into(), "linux x86_64".into()),
            ("cpu".into(), "2 cores".into()),
        ]),
        target: "postgres://db.example:5432/bench".into(),
        table_mode: "create".into(),
        fingerprint: "8f3a6c2d19b7e045".into(),
        seed: 42,
        settings: settings(Some(total)),
        tables: vec![TableRows { table: "cpu".into(), rows: rows.clone(), before: 0 }],
        rows,
        seconds: 20.0,
        rows_per_second: total as f64 / 20.0,
        bytes_sent: total * 287,
        batch: Batching {
            chosen_rows: 2048,
            chosen_in_flight: 4,
            settled_at_s: Some(10.0),
            in_flight_bytes_max: 2048 * 287 * 4,
            decisions,
            ..Batching::default()
        },
        latency_ms: latency(),
        limited_by: "target".into(),
        client: Client {
            cpu_seconds: 15.2,
            cores: 2,
            peak_rss_bytes: 48_300_000,
            null_rows_per_second: 1_870_000.0,
            make_seconds: 3.1,
            wait_seconds: 71.4,
        },
        server: vec![
            ServerEntry { name: "version".into(), value: "PostgreSQL 15.14".into() },
            ServerEntry { name: "fsync".into(), value: "on".into() },
        ],
        series,
        ranges_done: vec![RangeDone { table: "cpu".into(), from: 0, to: total }],
        ended: "done".into(),
        verified: Some(true),
        ..RunRecord::default()
    }
}

/// A demo of under five seconds into SQLite: too short for an interval.
pub(crate) fn short() -> RunRecord {
    let rows = Rows {
        planned: 1_000_000,
        accepted: 1_000_000,
        audited: Some(1_000_000),
        ..Rows::default()
    };
    let second = |at_s: f64, rows| Second {
        at_s,
        rows,
        batch: 1000,
        in_flight: 1,
        p50: 4.1,
        p99: 7.9,
        errors: 0,
    };
    RunRecord {
        target: "sqlite:/tmp/rowstorm-demo/cpu.db".into(),
        settings: Settings {
            batch: "1000".into(),
            in_flight: "1".into(),
            ..settings(Some(1_000_000))
        },
        tables: vec![TableRows { table: "cpu".into(), rows: rows.clone(), before: 0 }],
        rows,
        seconds: 4.6,
        rows_per_second: 1_000_000.0 / 4.6,
        bytes_sent: 123_000_000,
        batch: Batching {
            chosen_rows: 1000,
            chosen_in_flight: 1,
            settled_at_s: None,
            in_flight_bytes_max: 123_000,
            decisions: vec![decision(0.0, 0, 1000, 1, "pinned")],
            ..Batching::default()
        },
        series: vec![
            second(1.0, 204_000),
            second(2.0, 219_000),
            second(3.0, 221_000),
            second(4.0, 222_000),
            second(4.6, 134_000),
        ],
        limited_by: "client_cpu".into(),
        ..tuned()
    }
}

/// A run at a rate that lost its server: rows refused, rows in doubt, and a name that would like to be markup.
pub(crate) fn troubled() -> RunRecord {
    let rows = Rows {
        planned: 120_000,
        accepted: 117_000,
        confirmed: 1_000,
        rejected: 1_204,
        unknown: 796,
        audited: Some(118_300),
    };
    let orders = Rows { planned: 0, accepted: 0, audited: Some(0), ..Rows::default() };
    RunRecord {
        target: "postgres://db.example/shop".into(),
        settings: Settings { schema: "shop.yaml".into(), rate: Some(10_000.0), ..settings(Some(120_000)) },
        tables: vec![
            TableRows { table: "customers".into(), rows: rows.clone(), before: 500 },
            TableRows { table: "orders <b>".into(), rows: orders, before: 0 },
        ],
        rows,
        retries: 7,
        seconds: 13.0,
        rows_per_second: 118_000.0 / 13.0,
        schedule: Some(Schedule {
            target_per_second: 10_000.0,
            achieved_per_second: 9_076.9,
            lag_ms: Latency { p50: 0.4, p90: 2.0, p99: 410.0, p999: 980.0, max: 1100.0, histogram: Vec::new() },
            late: 9_400,
            skipped: 0,
        }),
        limited_by: "rate".into(),
        errors: vec![
            ErrorEntry {
                class: "23514 check_violation".into(),
                count: 1_204,
                samples: vec![
                    "new row for relation \"customers\" violates check constraint \"customers_id_check\"".into(),
                ],
            },
            ErrorEntry {
                class: "connection lost".into(),
                count: 2,
                samples: vec!["server closed the connection\nunexpectedly \u{1b}[31m</pre><script>".into()],
            },
        ],
        ended: "stopped".into(),
        verified: None,
        ..tuned()
    }
}

pub(crate) fn settings(rows: Option<u64>) -> Settings {
    Settings {
        schema: "schemas/cpu.yaml".into(),
        rows,
        duration_s: None,
        rate: None,
        batch: "auto".into(),
        in_flight: "auto".into(),
        objective: "throughput".into(),
        max_bytes_in_flight: 256 * 1024 * 1024,
        indexes: "after".into(),
        max_errors: "0".into(),
        retry: 3,
        load_only: false,
        timeout_s: 30.0,
    }
}

pub(crate) fn decision(
    at_s: f64,
    rows: u64,
    batch_rows: u32,
    in_flight: u32,
    reason: &str,
) -> DecisionEntry {
    let kind = reason.split([' ', ':']).next().unwrap_or_default().into();
    DecisionEntry { at_s, rows, batch_rows, in_flight, kind, reason: reason.into() }
}

/// Nine seconds of trying, eleven of having found it, with a ripple of 2 %.
fn seconds_of_a_tuned_run() -> (Vec<Second>, Vec<DecisionEntry>) {
    let plan: [(u32, u32, u64, usize, &str); 6] = [
        (256, 2, 118_000, 2, "start"),
        (512, 2, 151_000, 2, "trying larger batches from 118000 rows/s"),
        (1024, 2, 172_000, 2, "trying larger batches from 151000 rows/s"),
        (1024, 4, 205_000, 2, "trying more in flight from 172000 rows/s"),
        (4096, 4, 209_000, 2, "trying larger batches from 205000 rows/s"),
        (2048, 4, 214_000, 10, "settled at 214000 rows/s"),
    ];
    let ripple = [0, 1_900, -2_100, 800, -600, 1_400, -1_800, 300, 2_200, -900];
    let mut series = Vec::new();
    let mut decisions = Vec::new();
    let mut at = 0;
    let mut arrived = 0;
    for (batch, in_flight, rate, seconds, reason) in plan {
        decisions.push(decision(f64::from(at), arrived, batch, in_flight, reason));
        for _ in 0..seconds {
            let rows = rate.saturating_add_signed(ripple[at as usize % ripple.len()]);
            let p50 = f64::from(batch * in_flight) / rows as f64 * 1000.0;
            at += 1;
            arrived += rows;
            let at_s = f64::from(at);
            series.push(Second { at_s, rows, batch, in_flight, p50, p99: p50 * 1.9, errors: 0 });
        }
    }
    (series, decisions)
}

fn latency() -> Latency {
    Latency {
        p50: 18.0,
        p90: 31.0,
        p99: 64.0,
        p999: 121.0,
        max: 133.4,
        histogram: vec![
            (6.0, 41),
            (9.0, 190),
            (13.0, 420),
            (18.0, 913),
            (25.0, 611),
            (31.0, 220),
            (45.0, 140),
            (64.0, 71),
            (91.0, 18),
            (121.0, 5),
            (135.0, 1),
        ],
    }
}
