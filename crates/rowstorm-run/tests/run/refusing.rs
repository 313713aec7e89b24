//! A server that refuses for a while in mid-run: no row is lost, and the record tells the story.

use std::time::Duration;

use rowstorm_report::RunRecord;
use rowstorm_run::{Journal, Run, RunOptions, Setting};
use rowstorm_sink::{BoxSink, Fault, Limits, Memory, Writes};

use crate::stage::{Slow, assert_balanced, assert_done, keys, options, plan, run, with};

const TINY: &str =
    "version: 1\ntables: { t: { key: [id], columns: { id: { type: bigint, gen: sequence } } } }";

/// A memory that takes at most 100 rows and 8 connections.
fn memory() -> Memory {
    Memory::new().with_limits(Limits { rows: 100, bytes: 1 << 20, writers: 8, idempotent: true })
}

fn two_minutes() -> RunOptions {
    RunOptions {
        batch: Setting::Auto,
        in_flight: Setting::Auto,
        duration: Some(Duration::from_mins(2)),
        ..options(1, 1)
    }
}

/// Rows per second over the seconds `from..to`.
fn rate(record: &RunRecord, from: f64, to: f64) -> f64 {
    let within = record.series.iter().filter(|second| second.at_s > from && second.at_s <= to);
    within.map(|second| second.rows).sum::<u64>() as f64 / (to - from)
}

/// Rows of the second in the middle of those of `from..to`, by their rows: a trial of the controller's does not count.
fn usual(record: &RunRecord, from: f64, to: f64) -> u64 {
    let within = record.series.iter().filter(|second| second.at_s > from && second.at_s <= to);
    let mut rows: Vec<u64> = within.map(|second| second.rows).collect();
    rows.sort_unstable();
    rows[rows.len() / 2]
}

#[test]
fn a_server_that_is_busy_for_a_while_gets_every_row_and_is_fast_again() {
    let busy = Fault::Busy { writes: Writes::Between(1_500, 1_600), retry_after: None };
    let slow = Slow::new(memory().with_fault(busy), Duration::from_millis(200));
    let journal = Journal::default();
    let duration = Some(Duration::from_mins(3));
    let options = RunOptions { journal: Some(journal.clone()), duration, ..two_minutes() };
    let finished = run(plan(TINY, None), slow.clone(), options).unwrap();
    assert_done(&finished);
    assert_balanced(&finished);
    let record = &finished.record;
    let (kept, count) = keys(&slow.memory);
    assert_eq!((kept.len(), count as u64), (count, record.rows.planned));
    assert_eq!((record.errors[0].class.as_str(), record.errors[0].count), ("busy", 101));
    assert_eq!(record.retries, 101);
    let told = record.batch.decisions.iter().find(|decision| decision.kind == "busy");
    let at = told.expect("the controller backed off, and said so").at_s;
    // The staged refusals are over within twenty seconds: before them and long after them the server is the same. What
    // was refused is tried again only after a while (80 s here), so that a server in trouble is left alone.
    let (before, after) = (usual(record, at - 11.0, at - 1.0), usual(record, 140.0, 175.0));
    assert!(after as f64 > 0.9 * before as f64, "{after} of {before}, busy at {at}");
    assert!(journal.replay().unwrap() > 1_000);
}

#[test]
fn a_server_with_room_for_fewer_connections_gets_every_row_over_those_that_it_has() {
    // All connections are cut, and of the next ones only a few are let in, for longer than anybody waits for one.
    let refused = Fault::NoRoom { writers: Writes::Between(11, 100) };
    let slow = Slow::new(memory().with_fault(refused), Duration::from_millis(200));
    let options = RunOptions {
        batch: Setting::Fixed(100),
        in_flight: Setting::Fixed(8),
        reconnect: Duration::from_secs(5),
        ..two_minutes()
    };
    let whole = Run::new(plan(TINY, None), BoxSink::new(slow.clone()), options);
    let memory = slow.memory.clone();
    let finished = with(whole, |_| async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        memory.cut_connections();
    })
    .unwrap();
    assert_done(&finished);
    assert_balanced(&finished);
    let record = &finished.record;
    assert_eq!(keys(&slow.memory).1 as u64, record.rows.planned);
    // Two of eight connections are left for a while: a quarter of the speed, and not nothing.
    let before = rate(record, 10.0, 15.0);
    let while_refused = rate(record, 23.0, 28.0);
    assert!((0.2 * before..0.5 * before).contains(&while_refused), "{while_refused} of {before}");
    assert!(rate(record, 60.0, 70.0) > 0.9 * before);
    assert!(record.errors.iter().any(|error| error.class == "no room"), "{:?}", record.errors);
}

#[test]
fn the_journal_of_a_run_replays_to_the_same_decisions() {
    let journal = Journal::default();
    let slow = Slow::new(memory(), Duration::from_millis(150));
    let options = RunOptions {
        journal: Some(journal.clone()),
        batch: Setting::AutoFreeze,
        duration: Some(Duration::from_mins(1)),
        ..two_minutes()
    };
    let finished = run(plan(TINY, None), slow, options).unwrap();
    assert_done(&finished);
    let batches: u64 = finished.record.latency_ms.histogram.iter().map(|(_, count)| count).sum();
    assert_eq!(journal.replay(), Ok(batches));
    let frozen = journal.entries().iter().any(|one| matches!(one, rowstorm_run::Entry::Frozen(_)));
    assert_eq!(frozen, finished.record.batch.frozen_at_s.is_some());
}
