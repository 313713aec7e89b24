//! Small transactions that are sent without waiting for each other: one law more for each of the laws of changes.

use std::time::Duration;

use rowstorm_run::{ChangeOptions, Ending, Progress, Resume, RunOptions, Setting, Stage};
use rowstorm_sink::{Arrived, Fault, Memory, Writes};

use crate::changes::{
    amount, assert_accounted, assert_as_computed, assert_done, changes, options, plan,
};
use crate::changing::Changing;
use crate::stage;

/// Of the eight streams each of two lanes may have two on their way, and two that are made meanwhile.
fn two_lanes(ops: u64) -> ChangeOptions {
    ChangeOptions { in_flight: Setting::Fixed(2), ..amount(ops) }
}

#[test]
fn small_transactions_are_sent_together_and_each_is_committed() {
    for (transaction, pipeline, together) in
        [("row", None, 4), ("3 rows", None, 4), ("row", Some(2), 2), ("row", Some(1), 1)]
    {
        let plan = plan(&format!("  transaction: {transaction}\n"));
        let slow = Changing::new(Memory::new(), Duration::from_millis(1));
        let in_flight = Setting::Fixed(1);
        let asked = ChangeOptions { pipeline, in_flight, ..two_lanes(2_400) };
        let finished = stage::run(plan.clone(), slow.clone(), options(asked)).unwrap();
        assert_done(&finished);
        let record = changes(&finished);
        assert_eq!(record.pipeline, together, "{transaction} {pipeline:?}");
        let came = if together > 1 { together as usize } else { 0 };
        assert_eq!(slow.together(), came, "{transaction} {pipeline:?}");
        let committed = if transaction == "row" { 2_400 } else { 800 };
        assert_eq!(record.transactions.committed, committed);
        assert_as_computed(&plan, &slow.memory, &record.ranges_done);
    }
}

#[test]
fn batches_schedules_rollbacks_and_holds_go_one_at_a_time() {
    let paced = vec![Stage { rate: Some(2_000.0), length: Some(Duration::from_secs(1)) }];
    for (more, stages) in [
        ("transaction: batch\n", None),
        ("transaction: row\n", Some(paced)),
        ("transaction: row\n  rollback: 0.1\n", None),
        ("transaction: row\n  hold: { share: 0.01, time: 1ms }\n", None),
    ] {
        let plan = plan(&format!("  {more}"));
        let slow = Changing::new(Memory::new(), Duration::ZERO);
        let usual = two_lanes(1_000);
        let asked = ChangeOptions { stages: stages.unwrap_or(usual.stages.clone()), ..usual };
        let finished = stage::run(plan, slow.clone(), options(asked)).unwrap();
        assert_done(&finished);
        assert_eq!((changes(&finished).pipeline, slow.together()), (1, 0), "{more}");
    }
}

#[test]
fn what_is_lost_or_busy_among_several_leaves_the_rows_as_computed() {
    for arrived in [Arrived::Nothing, Arrived::NothingInDoubt, Arrived::EverythingInDoubt] {
        for transaction in ["row", "5 rows"] {
            let plan = plan(&format!("  transaction: {transaction}\n"));
            let memory = Memory::new()
                .with_fault(Fault::Lost { writes: Writes::Every(37), arrived })
                .with_fault(Fault::Busy { writes: Writes::Every(23), retry_after: None });
            let asked = two_lanes(1_600);
            let finished = stage::run(plan.clone(), memory.clone(), options(asked)).unwrap();
            assert_done(&finished);
            let record = changes(&finished);
            assert!(record.transactions.retries > 0 && record.pipeline == 2);
            assert_eq!(record.rows.matched + record.rows.confirmed, 1_600);
            // All that had no answer are replayed, whether they had arrived or not.
            let in_doubt = arrived != Arrived::Nothing;
            assert_eq!(!record.replayed.is_empty(), in_doubt, "{arrived:?}");
            assert_as_computed(&plan, &memory, &record.ranges_done);
        }
    }
}

#[test]
fn a_refused_transaction_among_several_is_alone() {
    let plan = plan("  transaction: row\n");
    let memory = Memory::new().with_fault(Fault::RefuseAll { writes: Writes::Nth(40) });
    let some =
        RunOptions { max_errors: rowstorm_run::MaxErrors::Rows(50), ..options(two_lanes(800)) };
    let finished = stage::run(plan, memory, some).unwrap();
    assert_accounted(&finished);
    let rows = changes(&finished).rows;
    assert_eq!((rows.planned, rows.unknown), (800, 0));
    // Itself, and later updates of a row that was not inserted.
    assert!(rows.rejected == 1 && rows.bad() < 20, "{rows:?}");
}

#[test]
fn what_is_never_answered_is_replayed() {
    let plan = plan("  transaction: row\n");
    let memory = Memory::new().with_fault(Fault::Hang { writes: Writes::Nth(60) });
    let short = RunOptions { timeout: Duration::from_millis(100), ..options(two_lanes(800)) };
    let finished = stage::run(plan.clone(), memory.clone(), short).unwrap();
    assert_done(&finished);
    let record = changes(&finished);
    assert!((1..=2).contains(&record.replayed.len()), "{:?}", record.replayed);
    assert_as_computed(&plan, &memory, &record.ranges_done);
}

#[test]
fn a_run_that_fails_among_several_goes_on_where_it_was() {
    let plan = plan("  transaction: row\n");
    let faults = [
        Fault::Fatal { writes: Writes::Nth(60) },
        Fault::Lost { writes: Writes::Nth(60), arrived: Arrived::EverythingInDoubt },
        Fault::Lost { writes: Writes::Nth(60), arrived: Arrived::NothingInDoubt },
    ];
    for fault in faults {
        let memory = Memory::new();
        let once = RunOptions { retry: 0, ..options(two_lanes(800)) };
        let faulty = memory.clone().with_fault(fault.clone());
        let broken = stage::run(plan.clone(), faulty, once).unwrap();
        assert!(matches!(broken.ending, Ending::Failed(_)), "{fault:?} {:?}", broken.ending);
        assert_accounted(&broken);
        let first = changes(&broken);
        let mut progress = Progress::new(first.ranges_done.clone());
        for ops in &first.in_doubt {
            progress.begun[ops.stream as usize] = ops.to;
        }
        let asked = ChangeOptions { resume: Resume::Changes(progress), ..two_lanes(800) };
        let finished = stage::run(plan.clone(), memory.clone(), options(asked)).unwrap();
        assert_done(&finished);
        assert_as_computed(&plan, &memory, &changes(&finished).ranges_done);
    }
}

#[test]
fn too_little_memory_for_several_is_enough_for_each() {
    let plan = plan("  transaction: 20 rows\n");
    let arrived = Arrived::EverythingInDoubt;
    let memory = Memory::new()
        .with_fault(Fault::Lost { writes: Writes::Every(17), arrived })
        .with_fault(Fault::Busy { writes: Writes::Every(13), retry_after: None });
    let little = RunOptions { bytes_in_flight_max: 4_000, ..options(two_lanes(3_200)) };
    let finished = stage::run(plan.clone(), memory.clone(), little).unwrap();
    assert_done(&finished);
    assert_as_computed(&plan, &memory, &changes(&finished).ranges_done);
}
