//! What the controller finds, what it is told to look for, and when it stops looking.

use std::collections::BTreeMap;
use std::time::Duration;

use rowstorm_gen::schema::Span;
use rowstorm_report::RunRecord;
use rowstorm_run::{Entry, Journal, Objective, RunOptions, Setting, Until};
use rowstorm_sink::{Fault, Limits, Memory, Writes};

use crate::stage::{SHOP, Slow, assert_balanced, assert_done, keys, options, plan, run};

/// Rows that cost nothing to make.
const TINY: &str =
    "version: 1\ntables: { t: { key: [id], columns: { id: { type: bigint, gen: sequence } } } }";

/// Both settings are found.
fn auto() -> RunOptions {
    RunOptions { batch: Setting::Auto, in_flight: Setting::Auto, ..options(1, 1) }
}

/// A memory that takes at most so many rows and connections, so that long runs stay short.
fn small(rows: u32, writers: u32) -> Memory {
    Memory::new().with_limits(Limits { rows, bytes: 1 << 20, writers, idempotent: true })
}

fn kinds(record: &RunRecord) -> Vec<&str> {
    record.batch.decisions.iter().map(|decision| decision.kind.as_str()).collect()
}

#[test]
fn one_word_freezes_both_settings_once_they_have_settled() {
    for (batch, in_flight) in
        [(Setting::AutoFreeze, Setting::Auto), (Setting::Auto, Setting::AutoFreeze)]
    {
        let slow = Slow::new(small(100, 4), Duration::from_millis(200));
        let options = RunOptions { batch, in_flight, ..auto() };
        let options = RunOptions { duration: Some(Duration::from_mins(2)), ..options };
        let finished = run(plan(TINY, None), slow, options).unwrap();
        assert_done(&finished);
        let batch = &finished.record.batch;
        let frozen = batch.frozen_at_s.expect("it had time enough to settle");
        assert!(frozen < 90.0, "{batch:?}");
        assert_eq!((batch.settled_at_s, batch.tainted_at_s), (Some(frozen), None));
        assert_eq!(kinds(&finished.record).last(), Some(&"frozen"));
        let held = finished.record.series.iter().filter(|second| second.at_s > frozen + 1.0);
        assert!(held.clone().count() > 10);
        assert!(held.clone().all(|second| second.batch == batch.chosen_rows));
        assert!(held.clone().all(|second| second.in_flight == batch.chosen_in_flight));
    }
}

#[test]
fn a_frozen_setting_that_overload_changes_is_called_tainted() {
    let busy = Fault::Busy { writes: Writes::Nth(20_000), retry_after: None };
    let slow = Slow::new(small(10, 8).with_fault(busy), Duration::from_millis(20));
    let options = RunOptions {
        batch: Setting::Fixed(10),
        in_flight: Setting::AutoFreeze,
        duration: Some(Duration::from_mins(1)),
        ..auto()
    };
    let finished = run(plan(TINY, None), slow, options).unwrap();
    assert_done(&finished);
    let batch = &finished.record.batch;
    let (frozen, tainted) = (batch.frozen_at_s.unwrap(), batch.tainted_at_s.unwrap());
    assert!(frozen < tainted, "{batch:?}");
    let last = batch.decisions.last().unwrap();
    assert_eq!((last.kind.as_str(), last.at_s), ("busy", tainted));
}

#[test]
fn a_limit_of_latency_bounds_what_is_found() {
    // Rows are served one after another: what is in flight decides the latency.
    let found = |objective| {
        let options = RunOptions { objective, duration: Some(Duration::from_mins(1)), ..auto() };
        let slow = Slow::new(small(5_000, 8), Duration::from_millis(5));
        let slow = slow.serving(Duration::from_micros(200));
        let finished = run(plan(TINY, None), slow, options).unwrap();
        assert_done(&finished);
        finished.record
    };
    let limit = Objective::P99Below(Span(Duration::from_millis(100)));
    let (free, limited) = (found(Objective::Throughput), found(limit));
    assert_eq!(limited.settings.objective, "p99 < 100ms");
    // Every second of the last half minute in which nothing else was in force, nor in the second before it.
    let batch = &limited.batch;
    let chosen = (batch.chosen_rows, batch.chosen_in_flight);
    let latencies: Vec<f64> = limited
        .series
        .iter()
        .skip(30)
        .filter_map(|second| {
            let before = |at_s: f64| batch.decisions.partition_point(|one| one.at_s <= at_s);
            let in_force = before(second.at_s - 2.0).saturating_sub(1)..before(second.at_s);
            let mut settings =
                batch.decisions[in_force].iter().map(|one| (one.batch_rows, one.in_flight));
            settings.all(|setting| setting == chosen).then_some(second.p99)
        })
        .collect();
    assert!(latencies.len() > 10, "{:?}", limited.batch);
    assert!(latencies.iter().all(|p99| *p99 < 120.0), "{latencies:?} {:?}", limited.batch);
    assert!(free.batch.chosen_rows >= limited.batch.chosen_rows);
}

#[test]
fn every_trial_has_its_verdict_and_every_second_its_setting() {
    let slow = Slow::new(small(200, 4), Duration::from_millis(200));
    let options = RunOptions { duration: Some(Duration::from_secs(100)), ..auto() };
    let finished = run(plan(TINY, None), slow, options).unwrap();
    assert_balanced(&finished);
    let record = &finished.record;
    let kinds = kinds(record);
    let count = |wanted: &[&str]| kinds.iter().filter(|kind| wanted.contains(kind)).count();
    assert_eq!(kinds[0], "start");
    assert!(count(&["better", "smaller", "back"]) > 0, "{kinds:?}");
    assert!(count(&["settled"]) > 0, "{kinds:?}");
    let seconds: f64 = record.batch.tried.iter().map(|one| one.seconds).sum();
    assert!((seconds - record.seconds).abs() < 0.01, "{seconds} of {}", record.seconds);
    let rows: u64 = record.batch.tried.iter().map(|one| one.rows).sum();
    assert_eq!(rows, record.rows.accepted);
}

#[test]
fn a_run_until_settled_ends_by_itself_and_keeps_what_it_found() {
    let slow = Slow::new(small(100, 4), Duration::from_millis(200));
    let options = RunOptions {
        until: Until::Settled,
        table: Some("t".to_owned()),
        duration: Some(Duration::from_mins(10)),
        ..auto()
    };
    let finished = run(plan(TINY, None), slow.clone(), options.clone()).unwrap();
    assert_done(&finished);
    let (record, batch) = (&finished.record, &finished.record.batch);
    // Only latency costs on this server: as much as it takes is best.
    assert_eq!((batch.chosen_rows, batch.chosen_in_flight), (100, 4));
    let settled = batch.settled_at_s.expect("that is what ended it");
    assert!((settled + 20.0..200.0).contains(&record.seconds), "{settled} {}", record.seconds);
    assert_eq!(keys(&slow.memory).1 as u64, record.rows.planned);

    let limited = RunOptions { duration: Some(Duration::from_secs(2)), ..options };
    let slow = Slow::new(small(100, 4), Duration::from_millis(200));
    let finished = run(plan(TINY, None), slow, limited).unwrap();
    assert_done(&finished);
    assert!(finished.record.seconds < 3.0 && finished.record.batch.settled_at_s.is_none());
}

#[test]
fn only_the_table_that_is_named_is_made_and_filled() {
    let memory = Memory::new();
    let options = RunOptions { table: Some("customers".to_owned()), ..options(100, 2) };
    let finished = run(plan(SHOP, None), memory.clone(), options).unwrap();
    assert_done(&finished);
    assert_eq!((memory.rows("customers").len(), memory.rows("orders").len()), (700, 0));
    assert_eq!(finished.record.rows.audited, Some(700));
}

/// Latency alone would ask for all connections: each adds as much as the one before.
#[test]
fn writes_that_the_server_refuses_in_silence_bound_what_is_in_flight() {
    let journal = Journal::default();
    let options = RunOptions {
        batch: Setting::Fixed(50),
        in_flight: Setting::Auto,
        duration: Some(Duration::from_mins(2)),
        journal: Some(journal.clone()),
        ..auto()
    };
    let slow = Slow::new(small(50, 32), Duration::from_millis(50)).refusing_above(6);
    let finished = run(plan(TINY, None), slow, options).unwrap();
    assert_done(&finished);
    let chosen = finished.record.batch.chosen_in_flight;
    assert!((3..=6).contains(&chosen), "{:?}", finished.record.batch);
    assert!(kinds(&finished.record).contains(&"rejected"));
    let asked = |entry: &Entry| matches!(entry, Entry::Counted(..));
    assert!(journal.entries().iter().filter(|entry| asked(entry)).count() > 100);
    journal.replay().unwrap();
}

#[test]
fn what_is_out_is_within_what_is_decided_also_when_that_changes() {
    // One batch after another: they end at different moments.
    let slow = Slow::new(small(1_000, 24), Duration::from_millis(40)).forgetting();
    let slow = slow.serving(Duration::from_micros(50));
    let journal = Journal::default();
    let duration = Some(Duration::from_mins(2));
    let options = RunOptions { journal: Some(journal.clone()), duration, ..auto() };
    let finished = run(plan(TINY, None), slow, options).unwrap();
    assert_done(&finished);
    let entries = journal.entries();
    let mut decided = BTreeMap::new();
    // At one moment, batches end before others begin.
    let (mut events, mut changes) = (Vec::new(), 0);
    for entry in &entries {
        let Entry::Seen(seen, now) = entry else { continue };
        decided.insert(now.number, (u64::from(now.batch_rows), u64::from(now.in_flight)));
        events.push((seen.at, None, u64::from(seen.rows)));
        events.push((
            seen.at.saturating_sub(seen.latency),
            Some(seen.decision),
            u64::from(seen.rows),
        ));
        changes = changes.max(seen.decision);
    }
    assert!(changes > 5, "{changes} changes");
    events.sort_unstable();
    let (mut batches, mut rows_out) = (0, 0);
    for (at, begins, rows) in events {
        let Some(number) = begins else {
            (batches, rows_out) = (batches - 1, rows_out - rows);
            continue;
        };
        (batches, rows_out) = (batches + 1, rows_out + rows);
        let (batch_rows, in_flight) = decided[&number];
        assert!(batches <= in_flight, "{batches} batches of {in_flight} at {at:?}");
        let most = batch_rows * in_flight;
        assert!(rows_out <= most, "{rows_out} rows of {batch_rows} x {in_flight} at {at:?}");
    }
}
