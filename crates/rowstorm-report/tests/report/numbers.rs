//! Statistics, histograms and settings, against sums made by hand or by another way.

use proptest::prelude::*;
use rowstorm_report::statistics::{Mean, mean_rate, rates};
use rowstorm_report::steps::{as_good, steps};
use rowstorm_report::{Latency, Second, number};

use crate::fixtures;

#[test]
fn an_interval_is_students() {
    // 8, 12, 11, 9, 10, 10: mean 10, deviation √2, and no second like the one before (correlation below 0).
    let mean = Mean::of(&[8.0, 12.0, 11.0, 9.0, 10.0, 10.0]).unwrap();
    assert!((mean.mean - 10.0).abs() < 1e-12 && (mean.deviation - 2.0_f64.sqrt()).abs() < 1e-12);
    // t(5) = 2.571, so 2.571 · √2 / √6.
    assert!((mean.half_width().unwrap() - 1.4844).abs() < 1e-3, "{mean:?}");
}

#[test]
fn seconds_that_resemble_each_other_widen_the_interval() {
    let wave: Vec<f64> = (0..40).map(|i| if i / 10 % 2 == 0 { 90.0 } else { 110.0 }).collect();
    let mixed: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 90.0 } else { 110.0 }).collect();
    let [wave, mixed] = [wave, mixed].map(|values| Mean::of(&values).unwrap());
    assert!(wave.half_width().unwrap_or(f64::INFINITY) > 2.0 * mixed.half_width().unwrap());
}

#[test]
fn the_first_second_and_a_cut_last_one_do_not_count() {
    assert_eq!(rates(&fixtures::short().series), [219_000.0, 221_000.0, 222_000.0]);
    let mean = mean_rate(&fixtures::short().series).unwrap();
    assert_eq!(mean.half_width(), None, "three seconds say nothing of the spread");
    assert_eq!(mean_rate(&[Second { at_s: 1.0, rows: 5, ..Second::default() }]), None);
}

#[test]
fn each_setting_has_the_rate_of_its_seconds() {
    let found = steps(&fixtures::tuned());
    let settings: Vec<_> = found.iter().map(|step| (step.batch_rows, step.in_flight)).collect();
    assert_eq!(settings, [(256, 2), (512, 2), (1024, 2), (1024, 4), (2048, 4), (4096, 4)]);
    // The first two seconds: 118,000 and 119,900 rows.
    assert!((found[0].rows_per_second() - 118_950.0).abs() < 1e-9);
    assert_eq!(as_good(&found, 4), Some((2048, 4096)));
    assert_eq!(as_good(&found, 2), None);
}

#[test]
fn a_setting_that_hardly_held_says_nothing_and_no_row_counts_twice() {
    let mut record = fixtures::tuned();
    let all: u64 = steps(&record).iter().map(|step| step.rows).sum();
    assert_eq!(all, record.rows.accepted);
    // One more, for the last twentieth of a second.
    record.batch.decisions.push(fixtures::decision(19.95, record.rows.accepted - 10, 9, 9, "try"));
    assert!(steps(&record).iter().all(|step| step.batch_rows != 9));
    // If it is what the run came to, it is told of all the same.
    let mut chosen = record.clone();
    (chosen.batch.chosen_rows, chosen.batch.chosen_in_flight) = (9, 9);
    assert!(steps(&chosen).iter().any(|step| step.batch_rows == 9));
    // A setting that comes again is the same one.
    record.batch.decisions.push(fixtures::decision(
        19.96,
        record.rows.accepted - 5,
        2048,
        4,
        "back",
    ));
    assert_eq!(steps(&record).len(), 6);
}

#[test]
fn quantities_are_written_for_people() {
    let cases = [
        (number::grouped(0), "0"),
        (number::grouped(999), "999"),
        (number::grouped(u64::MAX), "18,446,744,073,709,551,615"),
        (number::rate(217_391.3), "217,391"),
        (number::rate(0.4), "0.4"),
        (number::rate(f64::NAN), "?"),
        (number::seconds(4.6), "4.60s"),
        (number::seconds(3725.0), "1h 02m"),
        (number::seconds(59.96), "1m 00s"),
        (number::milliseconds(0.34), "0.34ms"),
        (number::milliseconds(1200.0), "1.20s"),
        (number::bytes(148_000.0), "148 KB"),
        (number::bytes(999_700.0), "1.0 MB"),
        (number::compact(217_482.0), "217k"),
        (number::percent(0.004), "0.4%"),
        (number::change(-0.12), "-12.0%"),
    ];
    for (found, right) in cases {
        assert_eq!(found, right);
    }
}

proptest! {
    /// The percentile of a merged histogram is that of all values in one list.
    #[test]
    fn merged_percentiles_are_those_of_all_values(
        parts in prop::collection::vec(prop::collection::vec(1_u32..50, 1..60), 1..5),
        share in 0.01_f64..1.0,
    ) {
        let latency = |values: &Vec<u32>| {
            Latency::from_histogram(values.iter().map(|value| (f64::from(*value), 1)).collect())
        };
        let merged = Latency::merge(parts.iter().map(latency).collect::<Vec<_>>().iter());
        let mut all: Vec<u32> = parts.concat();
        all.sort_unstable();
        let rank = ((all.len() as f64 * share) - 1e-9).ceil() as usize;
        prop_assert_eq!(merged.quantile(share), Some(f64::from(all[rank - 1])));
        prop_assert_eq!(merged.count(), all.len() as u64);
        prop_assert_eq!(merged.histogram.last().map(|pair| pair.0), Some(merged.max));
        prop_assert_eq!(all.last().map(|value| f64::from(*value)), Some(merged.max));
    }

    /// Digits survive grouping.
    #[test]
    fn grouping_only_adds_commas(value: u64) {
        prop_assert_eq!(number::grouped(value).replace(',', ""), value.to_string());
    }
}
