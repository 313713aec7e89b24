//! Means, deviations and frequencies within five sigma, by a fixed seed; the expectations are formulas of their own.

mod kinds;

use kinds::plan_of;
use rowstorm_gen::{Row, Value};

const ROWS: u64 = 50_000;

fn rows(columns: &[(&str, &str)]) -> Vec<Row> {
    plan_of(&kinds::document(columns), 2026)
        .table("kinds")
        .expect("the kinds stand in it")
        .rows(0..ROWS)
}

fn numbers(rows: &[Row], name: &str) -> Vec<f64> {
    rows.iter()
        .filter_map(|row| match &row[name] {
            Value::Null => None,
            value => Some(value.to_string().parse().expect("a number")),
        })
        .collect()
}

fn check_mean(values: &[f64], mean: f64, stdev: f64) {
    let seen = values.iter().sum::<f64>() / values.len() as f64;
    let sigma = stdev / (values.len() as f64).sqrt();
    assert!((seen - mean).abs() < 5.0 * sigma, "mean {seen}, not {mean} ± {sigma}");
}

fn check_share(count: usize, of: usize, share: f64) {
    let sigma = (share * (1.0 - share) * of as f64).sqrt();
    let off = (count as f64 - share * of as f64).abs();
    assert!(off < 5.0 * sigma, "{count} of {of}, not {share}");
}

#[test]
fn uniform_ranges_are_flat_and_have_their_ends() {
    let rows = rows(&[
        ("small", "{ type: int, gen: { uniform: [-3, 6] } }"),
        ("large", "{ type: bigint, gen: { uniform: [0, 4000000000] } }"),
        ("float", "{ type: float, gen: { uniform: [-1, 3] } }"),
        ("decimal", "{ type: 'decimal(4,2)', gen: { uniform: [0, 10] } }"),
    ]);
    let small = numbers(&rows, "small");
    for value in -3..=6 {
        let count = small.iter().filter(|seen| **seen as i32 == value).count();
        check_share(count, small.len(), 0.1);
    }
    check_mean(&numbers(&rows, "large"), 2e9, 4e9 / 12_f64.sqrt());
    check_mean(&numbers(&rows, "float"), 1.0, 4.0 / 12_f64.sqrt());
    check_mean(&numbers(&rows, "decimal"), 5.0, 10.0 / 12_f64.sqrt());
}

#[test]
fn neighbouring_rows_do_not_hang_together() {
    // Two rows share a word in small ranges: their halves must not.
    let rows = rows(&[("n", "{ type: int, gen: { uniform: [0, 999] } }")]);
    let values = numbers(&rows, "n");
    let products: Vec<f64> = values.windows(2).map(|w| (w[0] - 499.5) * (w[1] - 499.5)).collect();
    check_mean(&products, 0.0, 1e6 / 12.0);
}

#[test]
fn distributions_have_their_moments() {
    let rows = rows(&[
        ("normal", "{ type: float, gen: { normal: { mean: 10, stdev: 3 } } }"),
        ("int", "{ type: int, gen: { normal: { mean: -7, stdev: 20 } } }"),
        ("log_normal", "{ type: float, gen: { log_normal: { median: 40, sigma: 0.8 } } }"),
        ("exponential", "{ type: float, gen: { exponential: { mean: 3 } } }"),
    ]);
    let normal = numbers(&rows, "normal");
    check_mean(&normal, 10.0, 3.0);
    let squares: Vec<f64> = normal.iter().map(|value| (value - 10.0).powi(2)).collect();
    check_mean(&squares, 9.0, 9.0 * 2_f64.sqrt());
    let beyond = normal.iter().filter(|value| (*value - 10.0).abs() > 6.0).count();
    check_share(beyond, normal.len(), 0.0455);
    check_mean(&numbers(&rows, "int"), -7.0, 20.0);
    let logs: Vec<f64> = numbers(&rows, "log_normal").iter().map(|value| value.ln()).collect();
    check_mean(&logs, 40_f64.ln(), 0.8);
    let exponential = numbers(&rows, "exponential");
    check_mean(&exponential, 3.0, 3.0);
    check_share(
        exponential.iter().filter(|v| **v > 3.0).count(),
        exponential.len(),
        (-1_f64).exp(),
    );
}

#[test]
fn choices_nulls_and_skews_keep_their_shares() {
    let rows = rows(&[
        ("alike", "{ type: text, gen: { one_of: [a, b, c] } }"),
        ("weighted", "{ type: text, gen: { one_of: { a: 5, b: 3, c: 2 } } }"),
        ("nulls", "{ type: int, gen: { uniform: [0, 9] }, nulls: 0.3 }"),
        ("hot", "{ type: bigint, gen: { ref: { table: parents, skew: { zipf: 1 } } } }"),
    ]);
    let count = |name: &str, value: &str| rows.iter().filter(|row| row[name] == value).count();
    for (value, share) in [("a", 0.5), ("b", 0.3), ("c", 0.2)] {
        check_share(count("alike", value), rows.len(), 1.0 / 3.0);
        check_share(count("weighted", value), rows.len(), share);
    }
    let nulls = rows.iter().filter(|row| row["nulls"] == Value::Null).count();
    check_share(nulls, rows.len(), 0.3);
    // Nulls are drawn apart from values: what is left is as flat as before.
    check_mean(&numbers(&rows, "nulls"), 4.5, (99.0_f64 / 12.0).sqrt());
    let mut hits = std::collections::HashMap::new();
    for row in &rows {
        *hits.entry(row["hot"].to_string()).or_insert(0_usize) += 1;
    }
    let hottest = hits.values().max().copied().unwrap();
    let harmonic: f64 = (1..=1000).map(|rank| 1.0 / f64::from(rank)).sum();
    check_share(hottest, rows.len(), 1.0 / harmonic);
}

#[test]
fn text_is_as_random_as_it_says() {
    let rows = rows(&[
        ("full", "{ type: text, gen: { text: { bytes: 50, alphabet: abcd } } }"),
        (
            "half",
            "{ type: text, gen: { text: { min: 40, max: 60, entropy: 0.5, alphabet: abcd } } }",
        ),
    ]);
    // Slices overlap, so the pool's characters count, not the rows'; 1 MiB of them.
    let share = |name: &str| {
        let all: String = rows.iter().map(|row| row[name].to_string()).collect();
        all.bytes().filter(|byte| *byte == b'a').count() as f64 / all.len() as f64
    };
    assert!((share("full") - 0.25).abs() < 0.01);
    assert!((share("half") - (0.5 + 0.5 * 0.25)).abs() < 0.01);
    let lengths: Vec<f64> = rows.iter().map(|row| row["half"].to_string().len() as f64).collect();
    check_mean(&lengths, 50.0, (440.0_f64 / 12.0).sqrt());
}
