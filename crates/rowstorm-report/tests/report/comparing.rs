//! Two runs side by side.

use rowstorm_report::{Change, FailOn, RunRecord, Second, Style, compare};

use crate::fixtures;
use crate::golden::check;

/// The tuned run, its seconds and its rate scaled.
fn scaled(factor: f64) -> RunRecord {
    let mut record = fixtures::tuned();
    record.rows_per_second *= factor;
    for second in &mut record.series {
        second.rows = (second.rows as f64 * factor) as u64;
        second.p50 /= factor;
        second.p99 /= factor;
    }
    record
}

#[test]
fn a_change_beyond_the_noise_is_told_with_its_interval() {
    for (factor, change) in [(1.08, Change::Faster), (0.9, Change::Slower)] {
        let found = compare(&fixtures::tuned(), &scaled(factor));
        let throughput = found.throughput().unwrap();
        assert_eq!(throughput.change_is, change);
        let interval = throughput.change.unwrap();
        assert!((interval.change - (factor - 1.0)).abs() < 1e-4);
        assert!(interval.low < interval.change && interval.change < interval.high);
        // Lower latency is the better one.
        assert_eq!(found.tested[1].change_is, change);
    }
}

#[test]
fn a_run_does_not_differ_from_itself_nor_from_its_noise() {
    for factor in [1.0, 1.002, 0.998] {
        let found = compare(&fixtures::tuned(), &scaled(factor));
        assert_eq!(found.throughput().unwrap().change_is, Change::NotSignificant, "{factor}");
    }
    assert!(
        compare(&fixtures::tuned(), &fixtures::tuned())
            .sentence()
            .starts_with("no significant change: +0.0%")
    );
}

#[test]
fn few_seconds_tell_nothing() {
    let found = compare(&fixtures::short(), &fixtures::short());
    assert_eq!(found.throughput().unwrap().change_is, Change::Untold);
    assert!(found.sentence().starts_with("cannot tell: 3 and 3 whole seconds"));
}

#[test]
fn what_makes_runs_hard_to_compare_is_said() {
    let found = compare(
        &fixtures::tuned(),
        &RunRecord { fingerprint: "other".into(), ..fixtures::troubled() },
    );
    let notes = found.notes.join("\n");
    for right in ["the data differs", "the target differs", "the new run is no clean one"] {
        assert!(notes.contains(right), "{notes}");
    }
    assert!(compare(&fixtures::tuned(), &fixtures::tuned()).notes.is_empty());
}

#[test]
fn a_comparison_is_laid_out() {
    let found = compare(&fixtures::tuned(), &scaled(1.08));
    check("tests/golden/compare.txt", &found.terminal(Style::default()));
    check("tests/golden/compare.md", &found.markdown());
}

#[test]
fn fail_on_speaks_of_changes() {
    let found = compare(&fixtures::tuned(), &scaled(0.9));
    let cases = [
        ("rows_per_second < -5%", true),
        ("rows_per_second < -15%", false),
        ("rows_per_second <= 0%", true),
        ("latency.p99 > +10%", false),
        ("rejected > 0%", false),
        // Neither run had a schedule: that cannot pass for kept.
        ("schedule.late > 10%", true),
    ];
    for (text, fails) in cases {
        assert_eq!(FailOn::parse(text).unwrap().broken(&found).is_some(), fails, "{text}");
    }
    let worse = compare(&fixtures::tuned(), &fixtures::troubled());
    let why = FailOn::parse("rejected > 0%").unwrap().broken(&worse).unwrap();
    assert_eq!(why, "rejected > 0%: it changed, from 0 to 1,204");
    for text in ["rows_per_second < -5", "rows_per_second < lots%", "rows < -5%", "nonsense"] {
        assert!(FailOn::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_interval_covers_the_truth_about_as_often_as_it_says() {
    // Independent seconds around the same mean: 95 % of the intervals hold zero. A simple generator will do.
    let mut state = 7_u64;
    let mut draw = || {
        let uniform = |state: &mut u64| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (*state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        (0..12).map(|_| uniform(&mut state)).sum::<f64>() - 6.0
    };
    let mut run = || RunRecord {
        series: (0..=20)
            .map(|at| Second {
                at_s: f64::from(at) + 1.0,
                rows: (100_000.0 + 5_000.0 * draw()) as u64,
                ..Second::default()
            })
            .collect(),
        ..RunRecord::default()
    };
    let trials = 400;
    let held = (0..trials)
        .filter(|_| {
            let change = compare(&run(), &run()).tested[0].change.unwrap();
            change.low <= 0.0 && change.high >= 0.0
        })
        .count();
    let share = held as f64 / f64::from(trials);
    assert!((0.92..=0.995).contains(&share), "{share}");
}
