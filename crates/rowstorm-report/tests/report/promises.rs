//! Thresholds: what they accept, and what they refuse with the right word.

use rowstorm_report::{METRICS, Metric, RunRecord, Threshold};

use crate::fixtures;

#[test]
fn promises_are_held_against_the_record() {
    let cases = [
        ("rows_per_second > 100000", true, "192,620"),
        ("rows_per_second>=1M", false, "192,620"),
        ("rows_per_second < 200_000/s", true, "192,620"),
        ("latency.p99 < 50ms", false, "64.0ms"),
        ("latency.p99 <= 64000us", true, "64.0ms"),
        ("rejected == 0", true, "0"),
        ("unknown != 0", false, "0"),
        ("seconds < 1m", true, "20.0s"),
        ("client.peak_rss < 64MiB", true, "48.3 MB"),
        ("client.cpu < 50%", true, "38%"),
        ("bytes_per_second > 50MB/s", true, "55.3 MB/s"),
    ];
    for (text, held, observed) in cases {
        let checked = Threshold::parse(text).unwrap().evaluate(&fixtures::tuned());
        assert_eq!((checked.held, checked.observed.as_str()), (held, observed), "{text}");
    }
}

#[test]
fn what_was_not_measured_is_not_held() {
    for text in ["schedule.lag.p99 < 1h", "audited >= 0", "latency.p50 < 1h"] {
        let checked = Threshold::parse(text).unwrap().evaluate(&RunRecord::default());
        assert_eq!((checked.held, checked.observed.as_str()), (false, "not measured"), "{text}");
    }
}

#[test]
fn a_wrong_expression_names_what_would_be_right() {
    let cases = [
        ("rows_per_sec > 5", "did you mean `rows_per_second`?"),
        ("latency.p95 < 5ms", "did you mean `latency.p9"),
        ("weather == 1", "the metrics are: rows_per_second, "),
        ("rejected", "`rejected` does not compare"),
        ("latency.p99 < 50", "a time with its unit, as 50ms"),
        ("client.peak_rss < 5ms", "a size with its unit"),
        ("rejected == none", "a number, as 0"),
    ];
    for (text, right) in cases {
        let error = Threshold::parse(text).unwrap_err().to_string();
        assert!(error.contains(right), "{text}: {error}");
    }
}

#[test]
fn every_metric_is_found_by_its_name_and_only_once() {
    for metric in &METRICS {
        assert_eq!(Metric::find(metric.name), Some(*metric));
        assert_eq!(METRICS.iter().filter(|other| other.name == metric.name).count(), 1);
        // None of them fails on a record that holds nothing.
        if let Some(value) = metric.of(&RunRecord::default()) {
            assert!(value.is_finite(), "{metric:?}");
        }
    }
}
