//! How runs end: each way out leaves a record whose accounts balance.

use std::time::Duration;

use rowstorm_run::{Ending, MaxErrors, Phase, PrepareMode, Run, RunError, RunOptions, Setting};
use rowstorm_sink::{BoxSink, Fault, Memory, Writes};

use crate::stage::{
    KEYED, SHOP, Slow, assert_balanced, assert_done, keys, options, plan, run, with,
};

#[test]
fn a_stop_drains_what_is_in_flight() {
    let slow = Slow::new(Memory::new(), Duration::from_millis(20));
    let whole = Run::new(plan(KEYED, Some(1_000_000)), BoxSink::new(slow.clone()), options(50, 4));
    let finished = with(whole, |run| {
        let (stop, live) = (run.stop(), run.live());
        async move {
            tokio::time::sleep(Duration::from_millis(110)).await;
            assert_eq!(live.snapshot().phase, Phase::Loading);
            assert!(live.snapshot().rows.accepted > 0);
            stop.now();
            stop.now();
        }
    })
    .unwrap();
    assert!(matches!(finished.ending, Ending::Stopped), "{:?}", finished.ending);
    assert_balanced(&finished);
    let rows = &finished.record.rows;
    assert_eq!((rows.accepted, rows.audited), (rows.planned, Some(rows.planned)));
    assert!(rows.planned < 1_500, "handing out stopped at once: {rows:?}");
    assert_eq!(keys(&slow.memory).1 as u64, rows.planned);
}

#[test]
fn too_many_rejected_rows_end_a_run_early() {
    let memory = Memory::new().with_fault(Fault::RefuseRows { every: 10 });
    for (max_errors, early) in [
        (MaxErrors::Rows(0), true),
        (MaxErrors::Rows(99), true),
        (MaxErrors::Rows(100), false),
        (MaxErrors::Percent(9.9), true),
        (MaxErrors::Percent(10.0), false),
    ] {
        let options = RunOptions { max_errors, mode: PrepareMode::Recreate, ..options(100, 1) };
        let finished = run(plan(KEYED, Some(1_000)), memory.clone(), options).unwrap();
        assert_balanced(&finished);
        assert_eq!(
            matches!(finished.ending, Ending::TooManyRejected),
            early,
            "{max_errors}: {:?}",
            finished.ending
        );
        if max_errors == MaxErrors::Rows(0) {
            assert_eq!(finished.record.rows.planned, 100);
        }
    }
}

#[test]
fn every_row_refused_is_never_a_success() {
    let memory = Memory::new().with_fault(Fault::RefuseAll { writes: Writes::From(1) });
    let options = RunOptions { max_errors: MaxErrors::Rows(0), ..options(100, 3) };
    let finished = run(plan(KEYED, Some(1_000)), memory, options).unwrap();
    assert!(matches!(finished.ending, Ending::TooManyRejected));
    assert_eq!(finished.record.rows.accepted, 0);
    assert_eq!(finished.record.errors[0].class, "disk_full");
    assert_balanced(&finished);
}

#[test]
fn attempts_run_out_and_the_rows_are_given_back() {
    let memory =
        Memory::new().with_fault(Fault::Busy { writes: Writes::From(4), retry_after: None });
    let options = RunOptions { retry: 3, ..options(100, 1) };
    let finished = run(plan(KEYED, Some(1_000)), memory.clone(), options).unwrap();
    assert!(matches!(finished.ending, Ending::Failed(_)), "{:?}", finished.ending);
    assert_eq!(finished.record.rows.planned, 300);
    assert_eq!((finished.record.retries, memory.writes()), (3, 7));
    assert_balanced(&finished);
}

#[test]
fn a_database_that_stays_away_ends_the_run_after_the_limit() {
    let memory =
        Memory::new().with_fault(Fault::NoConnection { writers: Writes::From(2) }).with_fault(
            Fault::Lost { writes: Writes::Nth(3), arrived: rowstorm_sink::Arrived::Nothing },
        );
    let options = RunOptions { reconnect: Duration::from_secs(20), ..options(100, 1) };
    let finished = run(plan(KEYED, Some(1_000)), memory, options).unwrap();
    assert!(matches!(finished.ending, Ending::Failed(_)), "{:?}", finished.ending);
    assert!((20.0..25.0).contains(&finished.record.seconds), "{}", finished.record.seconds);
    assert_eq!(finished.record.rows.planned, 200);
    assert_balanced(&finished);
}

#[test]
fn a_fatal_error_stops_all_lanes_and_keeps_its_words() {
    let memory = Memory::new().with_fault(Fault::Fatal { writes: Writes::Nth(5) });
    let finished = run(plan(KEYED, Some(100_000)), memory, options(100, 4)).unwrap();
    assert!(matches!(finished.ending, Ending::Failed(_)));
    assert!(finished.record.failure.as_ref().is_some_and(|text| text.contains("write 5")));
    assert!(finished.record.rows.planned < 1_000);
    assert_balanced(&finished);
}

#[test]
fn a_target_that_cannot_be_reached_is_an_error_before_the_first_row() {
    let memory = Memory::new().with_fault(Fault::NoConnection { writers: Writes::From(1) });
    let error = run(plan(KEYED, Some(10)), memory.clone(), options(10, 1)).unwrap_err();
    assert!(matches!(error, RunError::Target(_)), "{error}");
    assert_eq!(memory.writes(), 0);
}

#[test]
fn a_table_with_rows_is_refused_before_the_first_row() {
    let memory = Memory::new();
    run(plan(KEYED, Some(10)), memory.clone(), options(10, 1)).unwrap();
    let error = run(plan(KEYED, Some(10)), memory.clone(), options(10, 1)).unwrap_err();
    assert!(matches!(error, RunError::Target(_)), "{error}");
    assert_eq!(keys(&memory).1, 10);
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_reasons() {
    let wrong = |options: RunOptions, expected: &str| {
        let error = run(plan(KEYED, Some(10)), Memory::new(), options).unwrap_err();
        assert!(matches!(error, RunError::Options(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    wrong(RunOptions { rate: Some(0.0), ..options(1, 1) }, "above zero");
    wrong(RunOptions { batch: Setting::Fixed(0), ..options(1, 1) }, "at least 1");
    wrong(RunOptions { bytes_in_flight_max: 0, ..options(1, 1) }, "budget");
    let endless = run(plan(KEYED, None), Memory::new(), options(1, 1)).unwrap_err();
    assert!(endless.to_string().contains("duration"), "{endless}");
}

#[test]
fn no_rows_are_a_run_too() {
    let finished = run(plan(KEYED, Some(0)), Memory::new(), options(10, 2)).unwrap();
    assert_done(&finished);
    assert_eq!(finished.record.rows.planned, 0);
}

#[test]
fn auto_finds_a_setting_and_says_why() {
    let slow = Slow::new(Memory::new(), Duration::from_millis(200));
    let options = RunOptions { batch: Setting::Auto, in_flight: Setting::Auto, ..options(1, 1) };
    let finished = run(plan(SHOP, Some(300_000)), slow, options).unwrap();
    assert_done(&finished);
    let batch = &finished.record.batch;
    // Only latency costs on this server: more of anything is faster.
    assert!(batch.chosen_rows > 2_000 && batch.chosen_in_flight > 2, "{batch:?}");
    assert_eq!(batch.decisions[0].reason, "start");
    assert!(batch.decisions.windows(2).all(|pair| pair[0].at_s <= pair[1].at_s));
}

#[test]
fn a_run_that_is_dropped_finishes_what_it_has_in_hand() {
    let slow = Slow::new(Memory::new(), Duration::from_millis(20));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let run = Run::new(plan(SHOP, None), BoxSink::new(slow.clone()), options(50, 4));
        let live = run.live();
        let dropped = tokio::time::timeout(Duration::from_millis(30), run.go()).await;
        assert!(dropped.is_err());
        tokio::time::sleep(Duration::from_secs(1)).await;
        let rows = live.snapshot().rows;
        assert_eq!(rows.accepted, rows.planned);
        assert_eq!(slow.memory.rows("customers").len() as u64, rows.planned);
    });
}
