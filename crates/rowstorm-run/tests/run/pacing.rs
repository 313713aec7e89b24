//! Changes at a rate, on a virtual clock: what is measured is held against arithmetic.

use std::time::Duration;

use rowstorm_run::{Arrivals, ChangeOptions, Ending, Finished, Late, Setting, Stage};
use rowstorm_sink::Memory;

use crate::changes::{SHOP, amount, assert_accounted, changes, options, plan};
use crate::changing::Changing;
use crate::stage;

const SECOND: Duration = Duration::from_secs(1);

fn rate(rate: f64, seconds: u32) -> Stage {
    Stage { rate: Some(rate), length: Some(SECOND * seconds) }
}

fn paced(stages: Vec<Stage>) -> ChangeOptions {
    ChangeOptions { stages, ..ChangeOptions::default() }
}

/// The mix reads 7 of 100 ops, and the rate is that of changes.
const READS: f64 = 0.07;

fn run(slow: Changing, asked: ChangeOptions) -> Finished {
    let finished = stage::run(plan(""), slow, options(asked)).expect("it begins");
    assert!(matches!(finished.ending, Ending::Done), "{:?}", finished.ending);
    assert_accounted(&finished);
    finished
}

#[test]
fn a_rate_is_kept_and_reads_come_on_top() {
    for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
        let slow = Changing::new(Memory::new(), Duration::from_millis(4));
        let finished = run(slow, ChangeOptions { arrivals, ..paced(vec![rate(2_000.0, 10)]) });
        let record = changes(&finished);
        let schedule = record.schedule.as_ref().unwrap();
        // 20,000 places; Poisson's standard deviation is 141.
        assert!((schedule.achieved_per_second - 2_000.0).abs() < 45.0, "{schedule:?}");
        assert!((record.reads_per_second - 2_000.0 * READS / (1.0 - READS)).abs() < 10.0);
        assert_eq!((schedule.skipped, schedule.target_per_second.round()), (0, 2_000.0));
        assert!(schedule.lag_ms.max < 12.0, "{:?}", schedule.lag_ms);
        let update = record.kinds.iter().find(|kind| kind.kind == "update").unwrap();
        assert!(update.service_ms.max < 5.1 && update.response_ms.max < 17.0, "{update:?}");
    }
}

/// 1,000 changes a second for a minute; the server stands still from 20 s to 30 s. Every op that was due in those ten seconds
/// waits for their end: the response times of 10,000 of 60,000 ops are 0 to 10 s, evenly spread.
#[test]
fn a_stall_shows_in_every_op_that_had_to_wait() {
    let stall = 20 * SECOND..30 * SECOND;
    let slow = Changing::new(Memory::new(), Duration::from_millis(4)).stalling(stall);
    let finished = run(slow, paced(vec![rate(1_000.0 * (1.0 - READS), 60)]));
    let record = changes(&finished);
    assert_eq!(record.rows.planned, 60_000);
    let response = &record.stages[0].response_ms;
    let near = |found: f64, truth: f64| {
        assert!((found - truth).abs() < 60.0, "{found} ms instead of {truth} ms: {response:?}");
    };
    // So many of the slowest wait longer than 10 s less a millisecond for each.
    near(response.p90, 10_000.0 - 6_000.0);
    near(response.p99, 10_000.0 - 600.0);
    near(response.p999, 10_000.0 - 60.0);
    near(response.max, 10_000.0);
    near(response.p50, 0.0);
    // Only the batches that were in the server's hands took long to serve: what a closed loop would have seen.
    let inserts = record.kinds.iter().find(|kind| kind.kind == "insert").unwrap();
    assert!(inserts.service_ms.p99 < 10.0 && inserts.service_ms.max > 9_900.0, "{inserts:?}");
    let schedule = record.schedule.as_ref().unwrap();
    assert!((9_900..=10_100).contains(&schedule.late));
    near(schedule.lag_ms.p99, 10_000.0 - 600.0);
    assert_eq!((schedule.skipped, schedule.left), (0, 0));
}

#[test]
fn places_that_are_given_up_are_counted_and_the_ops_go_on() {
    let stall = 20 * SECOND..30 * SECOND;
    let slow = Changing::new(Memory::new(), Duration::from_millis(4)).stalling(stall);
    let asked = paced(vec![rate(1_000.0 * (1.0 - READS), 60)]);
    let finished = run(slow, ChangeOptions { late: Late::Drop, ..asked });
    let record = changes(&finished);
    let schedule = record.schedule.as_ref().unwrap();
    // What came in the last tenth of a second of the stall is not too late.
    assert!((9_850..9_950).contains(&schedule.skipped), "{schedule:?}");
    assert_eq!(schedule.skipped + record.rows.planned, 60_000);
    // Those in the server's hands when it stopped are the only ones that waited for long.
    assert!(schedule.lag_ms.max <= 101.0, "{:?}", schedule.lag_ms);
    assert!((schedule.achieved_per_second - 930.0 * 5.0 / 6.0).abs() < 10.0, "{schedule:?}");
}

#[test]
fn every_stage_is_told_apart() {
    let stages =
        vec![rate(500.0, 4), rate(2_000.0, 4), Stage { rate: None, length: Some(4 * SECOND) }];
    let slow = Changing::new(Memory::new(), Duration::from_millis(20));
    let (batch, in_flight) = (Setting::Fixed(100), Setting::Fixed(4));
    let asked = ChangeOptions { batch, in_flight, ..paced(stages) };
    let finished = run(slow, asked);
    let stages = &changes(&finished).stages;
    assert_eq!(stages.len(), 3);
    let seen: Vec<_> = stages
        .iter()
        .map(|stage| (stage.from_s, stage.target_per_second.map(f64::round)))
        .collect();
    assert_eq!(seen, [(0.0, Some(500.0)), (4.0, Some(2_000.0)), (8.0, None)]);
    assert!((stages[0].achieved_per_second - 500.0).abs() < 10.0);
    assert!((stages[1].achieved_per_second - 2_000.0).abs() < 40.0);
    // Four lanes with 100 ops in 20 ms are 20,000 ops a second.
    let most = 20_000.0 * (1.0 - READS);
    assert!((stages[2].achieved_per_second / most - 1.0).abs() < 0.02, "{:?}", stages[2]);
}

#[test]
fn a_server_that_is_too_slow_leaves_places_that_nobody_took() {
    let slow = Changing::new(Memory::new(), Duration::from_millis(20));
    let asked = ChangeOptions {
        batch: Setting::Fixed(10),
        in_flight: Setting::Fixed(2),
        ..paced(vec![rate(2_000.0 * (1.0 - READS), 5)])
    };
    let finished = run(slow, asked);
    let record = changes(&finished);
    let schedule = record.schedule.as_ref().unwrap();
    // Two lanes with 10 ops in 20 ms do half of it.
    assert!((4_980..5_030).contains(&record.rows.planned), "{:?}", record.rows);
    assert_eq!(record.rows.planned + schedule.left, 10_000);
    assert!((schedule.lag_ms.max - 2_500.0).abs() < 30.0, "{:?}", schedule.lag_ms);
}

/// Every op a transaction of its own, over 64 streams, on a server that needs 20 ms for each.
fn ops_by_themselves(stage: Stage) -> Finished {
    let text =
        SHOP.replace("streams: 8", "streams: 64").replace("00\n    columns", "000\n    columns");
    let plan = stage::plan(&format!("{text}  transaction: row\n"), None);
    let slow = Changing::new(Memory::new(), Duration::from_millis(20));
    let finished = stage::run(plan, slow, options(paced(vec![stage]))).expect("it begins");
    assert!(matches!(finished.ending, Ending::Done), "{:?}", finished.ending);
    assert_accounted(&finished);
    finished
}

#[test]
fn lanes_are_added_while_ops_begin_late() {
    // The 16 lanes of the beginning do 800 ops a second.
    let finished = ops_by_themselves(rate(1_200.0 * (1.0 - READS), 20));
    let record = changes(&finished);
    assert!(record.in_flight >= 24, "{} in flight", record.in_flight);
    let schedule = record.schedule.as_ref().unwrap();
    assert_eq!((schedule.left, record.rows.planned), (0, 24_000), "{schedule:?}");
    // Later ops find a lane at once.
    assert!(schedule.lag_ms.p50 < 1.0 && schedule.lag_ms.max < 1_000.0, "{:?}", schedule.lag_ms);
    let enough = ops_by_themselves(rate(600.0 * (1.0 - READS), 20));
    assert_eq!(changes(&enough).in_flight, 16, "nobody waited");
    assert_eq!(changes(&enough).tuning, None, "the rule decided");
}

#[test]
fn without_a_schedule_the_controller_finds_the_lanes() {
    let finished = ops_by_themselves(Stage { rate: None, length: Some(30 * SECOND) });
    let record = changes(&finished);
    assert_eq!(record.transactions.committed, record.rows.matched);
    assert!(record.in_flight > 40, "{} in flight", record.in_flight);
    // Of the 3,200 ops that 64 lanes do in a second, those of 16 are 800.
    let second = record.series.iter().rev().nth(3).expect("30 seconds are 30 entries");
    assert!(second.rows > 2_200, "{second:?}");
    // How it came to them is told as a load's story.
    let tuning = record.tuning.as_ref().expect("it decided");
    assert_eq!((tuning.chosen_rows, tuning.chosen_in_flight), (1, record.in_flight));
    let first = &tuning.decisions[0];
    assert_eq!((first.kind.as_str(), first.in_flight, first.rows), ("start", 16, 0));
    assert!(tuning.decisions.len() > 3, "{tuning:?}");
    assert!(tuning.decisions.windows(2).all(|pair| pair[0].at_s <= pair[1].at_s));
    let done: u64 = tuning.tried.iter().map(|step| step.rows).sum();
    assert_eq!(done, record.rows.matched);
    let seconds: f64 = tuning.tried.iter().map(|step| step.seconds).sum();
    assert!((seconds - record.seconds).abs() < 0.1, "{seconds} of {}", record.seconds);
}

#[test]
fn transactions_of_a_given_size_keep_the_rate() {
    let slow = Changing::new(Memory::new(), Duration::from_millis(4));
    let plan = plan("  transaction: 50 rows\n");
    let asked = paced(vec![rate(5_000.0 * (1.0 - READS), 4)]);
    let finished = stage::run(plan, slow, options(asked)).unwrap();
    let record = changes(&finished);
    assert_eq!(record.rows.planned, 20_000);
    assert_eq!(record.transactions.committed, 400);
}

#[test]
fn an_amount_ends_a_schedule_before_its_time() {
    let slow = Changing::new(Memory::new(), Duration::from_millis(4));
    let asked = ChangeOptions { stages: vec![rate(1_000.0, 60)], ..amount(2_000) };
    let finished = run(slow, asked);
    let record = changes(&finished);
    assert_eq!((record.rows.planned, record.schedule.as_ref().unwrap().left), (2_000, 0));
    assert!(record.seconds < 2.1, "{}", record.seconds);
}

#[test]
fn transactions_that_are_held_open_stand_in_nobodys_way() {
    let plan = plan("  transaction: 10 rows\n  hold: { share: 0.02, time: 500ms }\n");
    let slow = Changing::new(Memory::new(), Duration::from_millis(4));
    let stages = vec![rate(1_000.0 * (1.0 - READS), 20)];
    let finished = stage::run(plan, slow, options(paced(stages))).unwrap();
    assert!(matches!(finished.ending, Ending::Done), "{:?}", finished.ending);
    assert_accounted(&finished);
    let record = changes(&finished);
    // A fiftieth of 2,000 transactions; a standard deviation of 6.3.
    let held = record.transactions.held;
    assert!((20..60).contains(&held), "{held}");
    assert_eq!((record.rows.planned, record.transactions.committed), (20_000, 2_000));
    let inserts = record.kinds.iter().find(|kind| kind.kind == "insert").unwrap();
    assert!(inserts.service_ms.max > 499.0 && inserts.service_ms.p90 < 6.0, "{inserts:?}");
    assert!(inserts.response_ms.p90 < 20.0, "{inserts:?}");
}
