//! Queries beside changes: counted and timed each by itself, and never in the way of a transaction.

use std::time::Duration;

use rowstorm_gen::Plan;
use rowstorm_gen::changes::{ChangePlan, OpKind};
use rowstorm_run::{ChangeOptions, Ending, Setting, Stage};
use rowstorm_sink::{Arrived, Fault, Memory, Writes};

use crate::changes::{amount, assert_accounted, assert_as_computed, assert_done, changes, options};
use crate::changing::Changing;
use crate::stage;

/// A row a second; a range is ten of them and the picked one.
const READINGS: &str = "
version: 1
tables:
  readings:
    key: [id]
    preload: 400
    columns:
      id: { type: bigint, gen: sequence }
      at: { type: timestamp, gen: { clock: { start: 2026-01-01T00:00:00Z, step: 1s } } }
      value: { type: int, gen: { uniform: [0, 1000000] } }
changes:
  streams: 4
";
const MIXED: &str = "  mix:
    - { insert: readings, weight: 4 }
    - { update: readings, set: [value], weight: 4 }
    - { read: readings, weight: 1 }
    - { read: readings, range: { column: at, last: 10s }, weight: 1 }
";
const ONLY: &str = "  mix:
    - { read: readings, range: { column: at, last: 10s }, weight: 3 }
    - { read: readings, weight: 1 }
";

fn plan(more: &str) -> Plan {
    stage::plan(&format!("{READINGS}{more}"), None)
}

/// The rows that the queries of an entry return from a table that stays as it is: arithmetic, from the ops alone.
fn rows_of(plan: &Plan, entry: usize, done: &[u64]) -> u64 {
    let streams = ChangePlan::new(plan).expect("the mix compiles");
    let mut rows = 0;
    for (stream, ops) in (0..).zip(done) {
        let asked = streams.stream(stream);
        let ops = asked.iter(0..*ops).filter(|op| op.entry == entry);
        rows += ops.map(|op| op.row.min(10) + 1).sum::<u64>();
    }
    rows
}

#[test]
fn a_mix_of_reads_alone_changes_nothing_and_counts_every_row() {
    for transaction in ["row", "batch", "7 rows"] {
        let plan = plan(&format!("  transaction: {transaction}\n{ONLY}"));
        let memory = Memory::new();
        let finished = stage::run(plan.clone(), memory.clone(), options(amount(1_600))).unwrap();
        assert_done(&finished);
        let record = changes(&finished);
        assert_as_computed(&plan, &memory, &record.ranges_done);
        let [query] = &record.queries[..] else { panic!("{:?}", record.queries) };
        assert_eq!((query.entry, query.table.as_str()), (0, "readings"));
        assert_eq!((query.answered, query.refused), (1_200, 0));
        assert_eq!(query.rows, rows_of(&plan, 0, &record.ranges_done), "{transaction}");
        let timed =
            |of: &rowstorm_report::Latency| of.histogram.iter().map(|(_, n)| n).sum::<u64>();
        assert_eq!((timed(&query.service_ms), timed(&query.response_ms)), (1_200, 1_200));
        let kinds: Vec<_> =
            record.kinds.iter().map(|kind| (kind.kind.as_str(), kind.rows)).collect();
        assert_eq!(kinds, [(OpKind::Read.word(), 400)], "reads by key have their own histogram");
        assert!((record.changes_per_second, record.rows.matched) == (0.0, 1_600));
    }
}

#[test]
fn queries_keep_their_lanes_connection() {
    // A writer for the load, and one for each of two lanes.
    let room = Fault::NoConnection { writers: Writes::From(5) };
    let asked = ChangeOptions { in_flight: Setting::Fixed(2), ..amount(400) };
    let finished = stage::run(plan(ONLY), Memory::new().with_fault(room), options(asked)).unwrap();
    assert_done(&finished);
    assert!(finished.record.errors.is_empty(), "{:?}", finished.record.errors);
}

#[test]
fn queries_are_timed_by_themselves_and_at_their_place_in_the_schedule() {
    let slow = Changing::new(Memory::new(), Duration::from_millis(10));
    let stages = vec![Stage { rate: Some(800.0), length: Some(Duration::from_secs(4)) }];
    let asked = ChangeOptions { stages, in_flight: Setting::Fixed(4), ..ChangeOptions::default() };
    let finished = stage::run(plan(MIXED), slow, options(asked)).unwrap();
    assert_done(&finished);
    let record = changes(&finished);
    let query = &record.queries[0];
    assert!(query.answered > 300, "{query:?}");
    // Ten milliseconds each, whatever else was in the batch.
    let near = |value: f64| (9.9..10.2).contains(&value);
    assert!(near(query.service_ms.p50) && near(query.service_ms.max), "{:?}", query.service_ms);
    assert!(query.response_ms.p50 > query.service_ms.p50, "the wait before it counts");
    for kind in &record.kinds {
        assert!(near(kind.service_ms.max), "a transaction does not wait for queries: {kind:?}");
    }
}

#[test]
fn a_query_that_meets_trouble_is_asked_again_without_its_transaction() {
    for arrived in [Arrived::Nothing, Arrived::EverythingInDoubt] {
        let plan = plan(MIXED);
        let memory = Memory::new()
            .with_fault(Fault::Lost { writes: Writes::Every(7), arrived })
            .with_fault(Fault::Busy { writes: Writes::Every(5), retry_after: None });
        let asked = ChangeOptions { batch: Setting::Fixed(20), ..amount(4_000) };
        let finished = stage::run(plan.clone(), memory.clone(), options(asked)).unwrap();
        assert_done(&finished);
        let record = changes(&finished);
        assert_as_computed(&plan, &memory, &record.ranges_done);
        assert_eq!((record.queries[0].answered, record.queries[0].refused), (400, 0));
        if arrived == Arrived::Nothing {
            assert_eq!(record.rows.confirmed, 0, "nothing was done twice: {:?}", record.rows);
        }
    }
}

#[test]
fn a_query_that_is_refused_is_counted_and_ends_the_run() {
    let memory = Memory::new();
    stage::run(plan(ONLY), memory.clone(), options(amount(0))).unwrap();
    let later = memory.writes() + 20;
    let memory = memory.with_fault(Fault::RefuseAll { writes: Writes::From(later) });
    let append = rowstorm_run::RunOptions {
        mode: rowstorm_run::PrepareMode::Append,
        ..options(amount(1_000))
    };
    let finished = stage::run(plan(ONLY), memory, append).unwrap();
    assert!(matches!(finished.ending, Ending::TooManyRejected), "{:?}", finished.ending);
    assert_accounted(&finished);
    let query = &changes(&finished).queries[0];
    assert!(query.refused > 0 && query.answered > 0, "{query:?}");
    assert_eq!(changes(&finished).rows.rejected, query.refused + rejected_reads(&finished));
}

/// Reads by key that were refused.
fn rejected_reads(finished: &rowstorm_run::Finished) -> u64 {
    let kinds = changes(finished).tables.iter().flat_map(|table| &table.kinds);
    kinds.filter(|kind| kind.kind == OpKind::Read.word()).map(|kind| kind.rows.rejected).sum()
}

#[test]
fn a_rolled_back_transaction_asks_nothing() {
    let plan = plan(&format!("  rollback: 0.5\n  transaction: 10 rows\n{MIXED}"));
    let memory = Memory::new();
    let finished = stage::run(plan.clone(), memory.clone(), options(amount(2_000))).unwrap();
    assert_done(&finished);
    let record = changes(&finished);
    assert_as_computed(&plan, &memory, &record.ranges_done);
    assert_eq!(record.queries[0].answered, 200);
    let rolled_back = &record.transactions;
    assert!(rolled_back.rolled_back > 20);
    assert_eq!(rolled_back.rolled_back_rows, rolled_back.rolled_back * 9, "one of ten is a query");
}
