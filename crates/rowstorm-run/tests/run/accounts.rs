//! Invariant 4: the accounts balance, whatever goes wrong.

use std::time::Duration;

use proptest::prelude::*;
use rowstorm_run::Ending;
use rowstorm_sink::{Arrived, Fault, Memory, Writes};

use crate::stage::{
    KEYED, KEYLESS, SHOP, Slow, assert_balanced, assert_done, keys, options, plan, run,
};

fn writes() -> impl Strategy<Value = Writes> {
    prop_oneof![
        (1u64..40).prop_map(Writes::Nth),
        (2u64..9).prop_map(Writes::Every),
        (1u64..6).prop_map(Writes::First),
        (20u64..80).prop_map(Writes::From),
    ]
}

fn arrived() -> impl Strategy<Value = Arrived> {
    prop_oneof![
        Just(Arrived::Nothing),
        Just(Arrived::NothingInDoubt),
        Just(Arrived::EverythingInDoubt)
    ]
}

/// Everything that a memory can stage, but for lies.
fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (writes(), proptest::option::of(0u64..50)).prop_map(|(writes, ms)| Fault::Busy {
            writes,
            retry_after: ms.map(Duration::from_millis)
        }),
        (100u64..20_000).prop_map(|bytes_max| Fault::TooLarge { bytes_max }),
        (writes(), arrived()).prop_map(|(writes, arrived)| Fault::Lost { writes, arrived }),
        writes().prop_map(|writes| Fault::RefuseAll { writes }),
        (1u64..60).prop_map(|nth| Fault::Hang { writes: Writes::Nth(nth) }),
        (1u64..60).prop_map(|nth| Fault::Fatal { writes: Writes::Nth(nth) }),
        (1u64..50).prop_map(|every| Fault::RefuseRows { every }),
        (2u64..5).prop_map(|n| Fault::NoConnection { writers: Writes::Every(n) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_accounts_balance_under_any_faults(
        faults in proptest::collection::vec(fault(), 0..4),
        batch in 1u32..400,
        in_flight in 1u32..6,
        rows in 0u64..3_000,
        keyed: bool,
    ) {
        let memory = faults.iter().cloned().fold(Memory::new(), Memory::with_fault);
        let schema = if keyed { KEYED } else { KEYLESS };
        let finished = run(plan(schema, Some(rows)), memory.clone(), options(batch, in_flight));
        let finished = finished.expect("the first connection and the table are there");
        assert_balanced(&finished);

        // The second way: look into the database.
        let booked = &finished.record.rows;
        let (keys, there) = keys(&memory);
        let arrived = booked.accepted + booked.confirmed;
        prop_assert!(there as u64 >= arrived, "{there} of {booked:?}");
        prop_assert!(there as u64 <= arrived + booked.unknown, "{there} of {booked:?}");
        prop_assert_eq!(keys.len(), there, "no row is doubled");
        prop_assert_eq!(booked.audited, Some(there as u64));
        match finished.ending {
            Ending::Done => prop_assert_eq!(booked.planned, rows),
            Ending::Failed(_) => {}
            Ending::TooManyRejected => prop_assert_eq!(booked.planned, rows),
            Ending::Stopped | Ending::NotBalanced => {
                prop_assert!(false, "{:?}", finished.ending);
            }
        }
        // A replay of which every row is refused says nothing of the attempt before it, and a payload may have one row.
        let all_refused = faults
            .iter()
            .any(|fault| matches!(fault, Fault::RefuseAll { .. } | Fault::RefuseRows { .. }));
        if keyed && !all_refused && matches!(finished.ending, Ending::Done) {
            prop_assert_eq!(booked.unknown, 0, "a key tells");
        }
    }
}

#[test]
fn a_lost_answer_is_settled_by_the_key() {
    let lost = Fault::Lost { writes: Writes::Every(3), arrived: Arrived::EverythingInDoubt };
    let memory = Memory::new().with_fault(lost);
    let finished = run(plan(KEYED, Some(1_000)), memory.clone(), options(100, 2)).unwrap();
    assert_done(&finished);
    assert!(finished.record.rows.confirmed >= 300, "{:?}", finished.record.rows);
    assert_eq!(keys(&memory).1, 1_000);
}

#[test]
fn a_full_disk_says_nothing_of_an_attempt_that_was_lost_before() {
    let everything = Arrived::EverythingInDoubt;
    let memory = Memory::new()
        .with_fault(Fault::Lost { writes: Writes::Nth(3), arrived: everything })
        .with_fault(Fault::RefuseAll { writes: Writes::Nth(4) });
    let finished = run(plan(KEYED, Some(1_000)), memory, options(100, 1)).unwrap();
    let rows = &finished.record.rows;
    assert_eq!((rows.accepted, rows.rejected, rows.unknown), (900, 0, 100));
    assert_eq!(rows.audited, Some(1_000));
    assert_balanced(&finished);
}

#[test]
fn without_a_key_a_lost_answer_is_unknown_and_never_sent_again() {
    for (arrived, there) in [(Arrived::EverythingInDoubt, 1_000), (Arrived::NothingInDoubt, 900)] {
        let memory = Memory::new().with_fault(Fault::Lost { writes: Writes::Nth(4), arrived });
        let finished = run(plan(KEYLESS, Some(1_000)), memory.clone(), options(100, 1)).unwrap();
        let rows = &finished.record.rows;
        assert_eq!((rows.accepted, rows.unknown, rows.audited), (900, 100, Some(there)));
        assert_eq!(memory.writes(), 10);
        assert_balanced(&finished);
    }
}

#[test]
fn rows_lost_from_sight_fail_the_run_unless_the_count_finds_them() {
    for (arrived, done) in [(Arrived::EverythingInDoubt, true), (Arrived::NothingInDoubt, false)] {
        let memory = Memory::new().with_fault(Fault::Lost { writes: Writes::Nth(4), arrived });
        let strict = rowstorm_run::RunOptions {
            max_errors: rowstorm_run::MaxErrors::Rows(0),
            ..options(100, 1)
        };
        let finished = run(plan(KEYLESS, Some(1_000)), memory, strict).unwrap();
        assert_eq!(matches!(finished.ending, Ending::Done), done, "{:?}", finished.ending);
        assert_eq!(matches!(finished.ending, Ending::TooManyRejected), !done);
    }
}

#[test]
fn a_database_that_lies_is_found_out() {
    let memory = Memory::new().with_fault(Fault::ForgetRows { every: 500 });
    let finished = run(plan(KEYED, Some(1_000)), memory, options(100, 2)).unwrap();
    assert!(matches!(finished.ending, Ending::NotBalanced), "{:?}", finished.ending);
    assert_eq!(finished.record.rows.audited, Some(998));
    assert_eq!(finished.record.verified, Some(false));
    assert!(!finished.record.balances());
}

#[test]
fn a_write_that_is_never_answered_is_left_behind_with_its_connection() {
    let memory = Memory::new().with_fault(Fault::Hang { writes: Writes::Nth(3) });
    let finished = run(plan(KEYED, Some(1_000)), memory.clone(), options(100, 2)).unwrap();
    assert_done(&finished);
    assert_eq!(finished.record.errors[0].class, "timeout");
    assert_eq!(keys(&memory).1, 1_000);
    assert_eq!(memory.writers(), 3);
}

#[test]
fn tables_are_written_parents_first_and_booked_apart() {
    let memory = Memory::new();
    let finished = run(plan(SHOP, None), memory.clone(), options(64, 3)).unwrap();
    assert_done(&finished);
    let tables: Vec<_> = finished
        .record
        .tables
        .iter()
        .map(|table| (table.table.as_str(), table.rows.accepted, table.rows.audited))
        .collect();
    assert_eq!(tables, [("customers", 700, Some(700)), ("orders", 3_000, Some(3_000))]);
    assert_eq!(memory.indexes("orders"), [["customer"]]);
    assert_eq!(finished.record.indexes.len(), 1);
}

#[test]
fn what_stood_there_before_is_taken_off_the_count() {
    let memory = Memory::new();
    let first = run(plan(KEYLESS, Some(300)), memory.clone(), options(100, 1)).unwrap();
    assert_done(&first);
    let append =
        rowstorm_run::RunOptions { mode: rowstorm_run::PrepareMode::Append, ..options(100, 1) };
    let second = run(plan(KEYLESS, Some(200)), memory.clone(), append).unwrap();
    assert_done(&second);
    assert_eq!(second.record.tables[0].before, 300);
    assert_eq!(second.record.rows.audited, Some(200));
}

#[test]
fn a_panic_in_a_lane_is_a_failed_run_whose_accounts_balance() {
    let slow = Slow::new(Memory::new(), Duration::from_millis(1)).panicking_at(5);
    let finished = run(plan(KEYED, Some(2_000)), slow, options(100, 2)).unwrap();
    assert!(matches!(finished.ending, Ending::Failed(_)), "{:?}", finished.ending);
    assert!(finished.record.rows.unknown > 0);
    assert_balanced(&finished);
}
