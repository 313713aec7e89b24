//! Rates and durations, on a virtual clock.

use std::time::Duration;

use rowstorm_run::{RunOptions, Setting};
use rowstorm_sink::Memory;

use crate::stage::{KEYED, Slow, assert_balanced, assert_done, options, plan, run};

#[test]
fn a_rate_is_kept_and_says_what_limited_the_run() {
    let slow = Slow::new(Memory::new(), Duration::from_millis(5));
    let options = RunOptions { rate: Some(10_000.0), ..options(100, 4) };
    let finished = run(plan(KEYED, Some(20_000)), slow, options).unwrap();
    assert_done(&finished);
    let record = &finished.record;
    assert!((1.98..2.05).contains(&record.seconds), "{}", record.seconds);
    assert_eq!(record.limited_by, "rate");
    let schedule = record.schedule.as_ref().unwrap();
    assert!((schedule.achieved_per_second - 10_000.0).abs() < 200.0, "{schedule:?}");
    assert_eq!(schedule.lag_ms.histogram.iter().map(|(_, count)| count).sum::<u64>(), 200);
}

#[test]
fn a_rate_that_is_too_high_shows_as_lag() {
    // Two lanes of 100 rows in 20 ms are 10,000 rows/s.
    let slow = Slow::new(Memory::new(), Duration::from_millis(20));
    let options = RunOptions { rate: Some(20_000.0), ..options(100, 2) };
    let finished = run(plan(KEYED, Some(20_000)), slow, options).unwrap();
    assert_done(&finished);
    let schedule = finished.record.schedule.as_ref().unwrap();
    assert!((9_000.0..10_100.0).contains(&schedule.achieved_per_second), "{schedule:?}");
    assert!(schedule.lag_ms.max > 900.0 && schedule.late > 15_000, "{schedule:?}");
    assert_eq!(finished.record.limited_by, "target");
}

#[test]
fn an_automatic_batch_is_small_enough_for_its_rate() {
    let slow = Slow::new(Memory::new(), Duration::from_millis(5));
    let options = RunOptions {
        rate: Some(500.0),
        batch: Setting::Auto,
        in_flight: Setting::Auto,
        ..options(1, 1)
    };
    let finished = run(plan(KEYED, Some(1_000)), slow, options).unwrap();
    assert_done(&finished);
    assert!(finished.record.batch.chosen_rows <= 50, "{:?}", finished.record.batch);
}

#[test]
fn a_duration_ends_a_run_without_an_end() {
    let slow = Slow::new(Memory::new(), Duration::from_millis(10));
    let options = RunOptions {
        duration: Some(Duration::from_secs(3)),
        warmup: Duration::from_secs(1),
        ..options(100, 2)
    };
    let finished = run(plan(KEYED, None), slow, options).unwrap();
    assert_done(&finished);
    assert_balanced(&finished);
    let record = &finished.record;
    assert!((3.0..3.1).contains(&record.seconds), "{}", record.seconds);
    assert!((3..=4).contains(&record.series.len()), "{:?}", record.series);
    assert!(record.rows_per_second > 15_000.0, "{}", record.rows_per_second);
    // The second that warmed up is in the series, and not among the latencies.
    let counted: u64 = record.latency_ms.histogram.iter().map(|(_, count)| count).sum();
    assert!(counted < record.rows.planned / 100 * 3 / 4, "{counted}");
}
