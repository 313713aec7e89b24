//! The laws of changes: whatever happens on the way, the rows end as computed, and every one is accounted for.

use std::time::Duration;

use rowstorm_gen::changes::{ChangePlan, OpKind};
use rowstorm_gen::{Batch, Plan};
use rowstorm_report::{ChangeRows, Changes};
use rowstorm_run::{
    ChangeOptions, Ending, Finished, MaxErrors, PrepareMode, Progress, Resume, Run, RunOptions,
    Setting, Shard, Stage,
};
use rowstorm_sink::{Arrived, BoxSink, Fault, Memory, Writes};

use crate::changing::Changing;
use crate::stage;

/// All kinds of change, rows that walk through states, and a parent.
pub(crate) const SHOP: &str = "
version: 1
tables:
  customers:
    key: [id]
    preload: 300
    columns:
      id: { type: bigint, gen: sequence }
      name: { type: text, gen: { fake: first_name } }
      seen: { type: timestamp, gen: now }
  orders:
    key: [id]
    preload: 800
    columns:
      id: { type: bigint, gen: sequence }
      customer: { type: bigint, gen: { ref: { table: customers } } }
      status: { type: text, gen: { states: { start: [open], next: { open: [paid], paid: { sent: 9, lost: 1 } } } } }
      note: { type: text, gen: { text: { min: 0, max: 60 } } }
  tokens:
    key: [token]
    preload: 600
    columns:
      token: { type: uuid, gen: uuid_v4 }
      uses: { type: int, gen: { uniform: [0, 1000000] } }
changes:
  streams: 8
  mix:
    - { insert: customers, weight: 5 }
    - { update: customers, set: [name, seen], pick: { hotspot: 0.1 }, weight: 10 }
    - { insert: orders, weight: 20 }
    - { update: orders, set: [status], pick: latest, weight: 20 }
    - { update: orders, set: [note], pick: { zipf: 1.2 }, weight: 20 }
    - { delete: orders, weight: 15 }
    - { rekey: tokens, pick: uniform, weight: 3 }
    - { read: orders, pick: latest, weight: 7 }
";

pub(crate) fn plan(more: &str) -> Plan {
    stage::plan(&format!("{SHOP}{more}"), None)
}

/// So many ops, as fast as they go.
pub(crate) fn amount(ops: u64) -> ChangeOptions {
    ChangeOptions { amount: Some(ops), ..ChangeOptions::default() }
}

pub(crate) fn options(changes: ChangeOptions) -> RunOptions {
    RunOptions { changes: Some(changes), max_errors: MaxErrors::Rows(0), ..stage::options(500, 2) }
}

/// What must be there, as text, in any order.
pub(crate) fn expected(plan: &Plan, table: usize, done: &[u64]) -> Vec<String> {
    let changes = ChangePlan::new(plan).expect("the mix compiles");
    let mut texts = Vec::new();
    for (stream, ops) in (0..).zip(done) {
        let expected = changes.stream(stream).expected(*ops);
        let rows: Vec<u64> = expected.rows(table).collect();
        for rows in rows.chunks(500) {
            let mut batch = Batch::default();
            expected.fill(table, rows, &mut batch);
            let read = changes.table(table).read(&batch);
            texts.extend(read.iter().map(|row| format!("{:?}", row.values())));
        }
    }
    texts.sort();
    texts
}

pub(crate) fn assert_as_computed(plan: &Plan, memory: &Memory, done: &[u64]) {
    for (index, table) in plan.tables().iter().enumerate() {
        let mut found: Vec<String> =
            memory.rows(&table.name).iter().map(|row| format!("{row:?}")).collect();
        found.sort();
        let wanted = expected(plan, index, done);
        assert_eq!(found.len(), wanted.len(), "rows of {}", table.name);
        assert!(found == wanted, "{}: the rows differ from those that are computed", table.name);
    }
}

pub(crate) fn changes(finished: &Finished) -> &Changes {
    finished.record.changes.as_ref().expect("there were changes")
}

pub(crate) fn assert_done(finished: &Finished) {
    assert!(
        matches!(finished.ending, Ending::Done),
        "{:?} {:?} {:?}",
        finished.ending,
        finished.record.errors,
        changes(finished).rows
    );
    assert_accounted(finished);
    assert_eq!(finished.record.verified, Some(true));
    for table in &changes(finished).tables {
        assert_eq!(table.expected, table.audited, "{}", table.table);
    }
}

/// The accounts balance, by table and kind and together, and say what the closed form says.
pub(crate) fn assert_accounted(finished: &Finished) {
    let record = changes(finished);
    let mut sum = ChangeRows::default();
    for kind in record.tables.iter().flat_map(|table| &table.kinds) {
        assert!(kind.rows.balances(), "{kind:?}");
        sum += kind.rows;
    }
    assert_eq!(sum, record.rows);
    assert!(record.rows.balances());
    let before: u64 = record.resumed_from.iter().sum();
    let unsettled: u64 = record.in_doubt.iter().map(|ops| ops.to - ops.from).sum();
    let done: u64 = record.ranges_done.iter().sum();
    assert_eq!(done - before + unsettled, record.rows.planned);
}

#[test]
fn rows_end_as_computed_whatever_is_in_flight_and_in_a_transaction() {
    for (in_flight, batch, transaction) in
        [(1, 100, "batch"), (3, 7, "batch"), (8, 1_000, "batch"), (4, 1, "row"), (4, 1, "30 rows")]
    {
        let plan = plan(&format!("  transaction: {transaction}\n"));
        let memory = Memory::new();
        let asked = ChangeOptions {
            in_flight: Setting::Fixed(in_flight),
            batch: Setting::Fixed(batch),
            ..amount(6_001)
        };
        let finished = stage::run(plan.clone(), memory.clone(), options(asked)).unwrap();
        assert_done(&finished);
        let record = changes(&finished);
        assert_eq!(record.rows.planned, 6_001, "{transaction}");
        assert_eq!(record.rows.matched, 6_001, "{transaction}");
        assert_eq!((record.in_flight, record.transaction.as_str()), (in_flight, transaction));
        assert_as_computed(&plan, &memory, &record.ranges_done);
    }
}

#[test]
fn transactions_longer_than_a_batch_are_committed_together() {
    let plan = plan("  transaction: 3000 rows\n");
    let memory = Memory::new();
    let finished = stage::run(plan.clone(), memory.clone(), options(amount(48_000))).unwrap();
    assert_done(&finished);
    assert_eq!(changes(&finished).transactions.committed, 16);
    assert_as_computed(&plan, &memory, &changes(&finished).ranges_done);
}

#[test]
fn counts_by_table_and_kind_are_those_of_the_closed_form() {
    let plan = plan("");
    let finished = stage::run(plan.clone(), Memory::new(), options(amount(5_000))).unwrap();
    assert_done(&finished);
    let record = changes(&finished);
    let streams = ChangePlan::new(&plan).unwrap();
    for (index, table) in record.tables.iter().enumerate() {
        let count = |of: fn(&rowstorm_gen::changes::Counts) -> u64| -> u64 {
            let of = |(stream, done): (u32, &u64)| of(&streams.stream(stream).counts(index, *done));
            (0..).zip(&record.ranges_done).map(of).sum()
        };
        for kind in &table.kinds {
            let wanted = match kind.kind.as_str() {
                "insert" => count(|counts| counts.inserted),
                "update" => count(|counts| counts.updated),
                "delete" => count(|counts| counts.deleted),
                "rekey" => count(|counts| counts.rekeyed),
                _ => count(|counts| counts.read),
            };
            assert_eq!(kind.rows.matched, wanted, "{} {}", table.table, kind.kind);
        }
    }
    let read = record.kinds.iter().find(|kind| kind.kind == OpKind::Read.word()).unwrap();
    assert!(read.rows > 0 && read.service_ms.max > 0.0);
}

#[test]
fn lost_answers_and_busy_servers_leave_the_rows_as_computed() {
    for arrived in [Arrived::Nothing, Arrived::NothingInDoubt, Arrived::EverythingInDoubt] {
        for transaction in ["batch", "40 rows"] {
            let plan = plan(&format!("  transaction: {transaction}\n"));
            let memory = Memory::new()
                .with_fault(Fault::Lost { writes: Writes::Every(7), arrived })
                .with_fault(Fault::Busy { writes: Writes::Every(5), retry_after: None });
            let asked = ChangeOptions { batch: Setting::Fixed(50), ..amount(8_000) };
            let finished = stage::run(plan.clone(), memory.clone(), options(asked)).unwrap();
            assert_done(&finished);
            let record = changes(&finished);
            assert!(record.transactions.retries > 0);
            assert_eq!(record.rows.matched + record.rows.confirmed, 8_000);
            if arrived == Arrived::EverythingInDoubt {
                assert!(record.rows.confirmed > 0 && !record.replayed.is_empty());
            }
            assert_as_computed(&plan, &memory, &record.ranges_done);
        }
    }
}

#[test]
fn a_share_is_rolled_back_and_leaves_nothing() {
    let plan = plan("  transaction: 10 rows\n  rollback: 0.2\n");
    let memory = Memory::new();
    let finished = stage::run(plan.clone(), memory.clone(), options(amount(8_000))).unwrap();
    assert_done(&finished);
    let transactions = &changes(&finished).transactions;
    assert_eq!(transactions.committed, 800);
    assert!((110..210).contains(&transactions.rolled_back), "{transactions:?}");
    assert_eq!(transactions.rolled_back_rows, transactions.rolled_back * 10);
    assert_as_computed(&plan, &memory, &changes(&finished).ranges_done);
}

#[test]
fn four_shards_end_as_one_run() {
    let plan = plan("");
    let memory = Memory::new();
    let loaded = stage::run(plan.clone(), memory.clone(), options(amount(0))).unwrap();
    assert!(matches!(loaded.ending, Ending::Done) && loaded.record.changes.is_none());
    let mut done = vec![0; 8];
    for index in 1..=4 {
        let options = RunOptions {
            mode: PrepareMode::Append,
            shard: Some(Shard { index, count: 4 }),
            ..options(amount(6_001))
        };
        let part = stage::run(plan.clone(), memory.clone(), options).unwrap();
        assert!(matches!(part.ending, Ending::Done), "{:?}", part.record.errors);
        assert_accounted(&part);
        for (sum, part) in done.iter_mut().zip(&changes(&part).ranges_done) {
            *sum += part;
        }
    }
    assert_eq!(done.iter().sum::<u64>(), 6_001);
    assert_as_computed(&plan, &memory, &done);
    let alone = Memory::new();
    stage::run(plan.clone(), alone.clone(), options(amount(6_001))).unwrap();
    assert_as_computed(&plan, &alone, &done);
}

#[test]
fn a_run_that_was_stopped_goes_on_where_it_was() {
    let plan = plan("");
    let memory = Memory::new();
    let slow = Changing::new(memory.clone(), Duration::from_millis(3));
    let run = Run::new(plan.clone(), BoxSink::new(slow), options(amount(20_000)));
    let stopped = stage::with(run, |run| {
        let (stop, live) = (run.stop(), run.live());
        async move {
            while live.snapshot().changes.is_none_or(|seen| seen.rows.done() < 3_000) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop.now();
        }
    })
    .unwrap();
    assert!(matches!(stopped.ending, Ending::Stopped), "{:?}", stopped.ending);
    assert_accounted(&stopped);
    let first = changes(&stopped);
    assert!((3_000..20_000).contains(&first.rows.planned), "{:?}", first.rows);
    assert_as_computed(&plan, &memory, &first.ranges_done);

    let resume = Resume::Changes(Progress::new(first.ranges_done.clone()));
    let asked = ChangeOptions { resume, ..amount(20_000) };
    let finished = stage::run(plan.clone(), memory.clone(), options(asked)).unwrap();
    assert_done(&finished);
    let second = changes(&finished);
    assert_eq!(first.rows.planned + second.rows.planned, 20_000);
    assert_as_computed(&plan, &memory, &second.ranges_done);
}

/// A transaction that was committed, and of which the process knew nothing any more.
#[test]
fn what_was_in_doubt_is_settled_by_a_replay() {
    let plan = plan("");
    for arrived in [Arrived::Nothing, Arrived::EverythingInDoubt] {
        let memory = Memory::new();
        // 4 writes are the load's.
        let lost = Fault::Lost { writes: Writes::Nth(30), arrived };
        let faulty = memory.clone().with_fault(lost);
        let asked = ChangeOptions { batch: Setting::Fixed(50), ..amount(4_000) };
        let once = RunOptions { retry: 0, ..options(asked) };
        let broken = stage::run(plan.clone(), faulty, once).unwrap();
        assert!(matches!(broken.ending, Ending::Failed(_)));
        assert_accounted(&broken);
        let first = changes(&broken);
        let mut progress = Progress::new(first.ranges_done.clone());
        for ops in &first.in_doubt {
            progress.begun[ops.stream as usize] = ops.to;
        }
        assert_eq!(first.in_doubt.len(), usize::from(arrived == Arrived::EverythingInDoubt));
        let asked = ChangeOptions { resume: Resume::Changes(progress), ..amount(4_000) };
        let finished = stage::run(plan.clone(), memory.clone(), options(asked)).unwrap();
        assert_done(&finished);
        assert_eq!(changes(&finished).replayed.len(), first.in_doubt.len());
        assert_as_computed(&plan, &memory, &changes(&finished).ranges_done);
    }
}

#[test]
fn rows_that_are_missed_are_errors() {
    let plan = plan("");
    let memory = Memory::new();
    stage::run(plan.clone(), memory.clone(), options(amount(0))).unwrap();
    // Another order of things: the table's rows are there, in number, but others'.
    let other = memory.clone().with_fault(Fault::ForgetRows { every: 40 });
    let append = RunOptions { mode: PrepareMode::Append, ..options(amount(5_000)) };
    let finished = stage::run(plan, other, append).unwrap();
    assert!(matches!(finished.ending, Ending::TooManyRejected), "{:?}", finished.ending);
    assert!(changes(&finished).rows.missed > 0);
    assert!(finished.record.errors.iter().any(|error| error.class.starts_with("missed ")));
    assert_accounted(&finished);
}

#[test]
fn changes_need_the_rows_that_they_begin_with() {
    let append = RunOptions { mode: PrepareMode::Append, ..options(amount(10)) };
    let refused = stage::run(plan(""), Memory::new(), append).unwrap_err();
    assert!(refused.to_string().contains("begin with 300"), "{refused}");
    let shard = RunOptions { shard: Some(Shard { index: 1, count: 2 }), ..options(amount(10)) };
    let refused = stage::run(plan(""), Memory::new(), shard).unwrap_err();
    assert!(refused.to_string().contains("load them once"), "{refused}");
}

#[test]
fn a_duration_ends_changes() {
    let slow = Changing::new(Memory::new(), Duration::from_millis(10));
    let stages = vec![Stage { rate: None, length: Some(Duration::from_secs(3)) }];
    let (batch, in_flight) = (Setting::Fixed(20), Setting::Fixed(4));
    let asked = ChangeOptions { stages, batch, in_flight, ..ChangeOptions::default() };
    let finished = stage::run(plan(""), slow, options(asked)).unwrap();
    assert_done(&finished);
    let record = changes(&finished);
    assert!((3.0..3.1).contains(&record.seconds), "{}", record.seconds);
    // Four lanes, each with 20 ops in 10 ms.
    assert!((23_000..=24_100).contains(&record.rows.planned), "{:?}", record.rows);
    assert!(record.schedule.is_none());
}
