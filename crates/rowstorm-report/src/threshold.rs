//! Promises about a run: `rows_per_second > 200000`, `latency.p99 < 50ms`, `rejected == 0`.
//!
//! A name that does not exist is an error when it is parsed, never a promise that silently holds, and so is a missing
//! or wrong unit.

use std::fmt;
use std::str::FromStr;

use crate::metric::{METRICS, Metric, Unit};
use crate::record::RunRecord;

/// A promise about one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The metric.
    pub metric: Metric,
    /// How it must stand to the bound.
    pub relation: Relation,
    /// The bound, in the metric's own unit.
    pub bound: f64,
    text: String,
}

/// How a value must stand to its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Different,
}

/// A threshold held against a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The threshold as it was written.
    pub text: String,
    /// What the run did, for people.
    pub observed: String,
    /// Whether the promise held. What was not measured is not held.
    pub held: bool,
}

/// Why an expression is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// There is no relation in it.
    #[error(
        "`{text}` does not compare: write METRIC, one of < <= > >= == !=, and a bound, as in `rows_per_second > 200000`"
    )]
    NoRelation {
        /// The expression.
        text: String,
    },
    /// There is no metric of this name.
    #[error("there is no metric `{name}`{}; the metrics are: {}", did_you_mean(name), names())]
    UnknownMetric {
        /// The name.
        name: String,
    },
    /// The bound is not of the metric's unit.
    #[error("`{bound}` is not a bound for `{metric}`: write {right}")]
    Bound {
        /// The bound.
        bound: String,
        /// The metric.
        metric: String,
        /// What would be right.
        right: &'static str,
    },
}

impl Threshold {
    /// From its text.
    ///
    /// # Errors
    /// There is no relation, no such metric, or the bound is of another unit.
    ///
    /// ```
    /// use rowstorm_report::{RunRecord, Threshold};
    /// let threshold = Threshold::parse("rows_per_second >= 200k").unwrap();
    /// let record = RunRecord { rows_per_second: 217_482.0, ..RunRecord::default() };
    /// let checked = threshold.evaluate(&record);
    /// assert!(checked.held);
    /// assert_eq!(checked.observed, "217,482");
    /// assert!(Threshold::parse("row_per_second > 1").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (metric, relation, bound) = split(text)?;
        let right = right_bound(metric.unit);
        let bound = parse_bound(metric.unit, bound).ok_or_else(|| ExpressionError::Bound {
            bound: bound.to_owned(),
            metric: metric.name.to_owned(),
            right,
        })?;
        Ok(Self { metric, relation, bound, text: text.trim().to_owned() })
    }

    /// Holds the promise against a record.
    pub fn evaluate(&self, record: &RunRecord) -> Checked {
        let value = self.metric.of(record);
        Checked {
            text: self.text.clone(),
            observed: value
                .map_or_else(|| "not measured".to_owned(), |value| self.metric.write(value)),
            held: value.is_some_and(|value| self.relation.holds(value, self.bound)),
        }
    }
}

impl FromStr for Threshold {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Relation {
    /// Whether `value` stands so to `bound`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Relation::Below => value < bound,
            Relation::AtMost => value <= bound,
            Relation::Above => value > bound,
            Relation::AtLeast => value >= bound,
            Relation::Equal => value.total_cmp(&bound).is_eq(),
            Relation::Different => value.total_cmp(&bound).is_ne(),
        }
    }
}

/// Metric, relation and the rest of an expression.
pub(crate) fn split(text: &str) -> Result<(Metric, Relation, &str), ExpressionError> {
    // The longer signs first: `<=` begins as `<` does.
    const SIGNS: [(&str, Relation); 6] = [
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("==", Relation::Equal),
        ("!=", Relation::Different),
        ("<", Relation::Below),
        (">", Relation::Above),
    ];
    let (name, relation, bound) = SIGNS
        .iter()
        .find_map(|(sign, relation)| {
            text.split_once(sign).map(|(name, bound)| (name.trim(), *relation, bound.trim()))
        })
        .ok_or_else(|| ExpressionError::NoRelation { text: text.to_owned() })?;
    let metric = Metric::find(name)
        .ok_or_else(|| ExpressionError::UnknownMetric { name: name.to_owned() })?;
    Ok((metric, relation, bound))
}

fn parse_bound(unit: Unit, text: &str) -> Option<f64> {
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | ',' | '-' | '+')))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let number: f64 = number.replace(['_', ','], "").parse().ok()?;
    let suffix = suffix.trim();
    let factor = match unit {
        Unit::Count => count_factor(suffix)?,
        Unit::PerSecond => count_factor(suffix.strip_suffix("/s").unwrap_or(suffix))?,
        Unit::Milliseconds => time_factor(suffix)? * 1000.0,
        Unit::Seconds => time_factor(suffix)?,
        Unit::Bytes => bytes_factor(suffix)?,
        Unit::BytesPerSecond => bytes_factor(suffix.strip_suffix("/s")?)?,
        Unit::Share => (suffix == "%").then_some(0.01)?,
    };
    // Divided where that is exact: 50 % is 0.5, and 100 µs are 0.1 ms.
    Some(if factor < 1.0 { number / factor.recip().round() } else { number * factor })
}

fn count_factor(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        _ => return None,
    })
}

fn time_factor(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

fn bytes_factor(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "B" => 1.0,
        "KB" | "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    })
}

fn right_bound(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "a number, as 0, 500 or 2M",
        Unit::PerSecond => "a number, as 200000, 200k or 200000/s",
        Unit::Milliseconds | Unit::Seconds => "a time with its unit, as 50ms or 2s",
        Unit::Bytes => "a size with its unit, as 256MiB",
        Unit::BytesPerSecond => "a size per second, as 50MB/s",
        Unit::Share => "a percentage, as 5%",
    }
}

fn names() -> String {
    METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>().join(", ")
}

fn did_you_mean(name: &str) -> String {
    METRICS
        .iter()
        .map(|metric| (strsim::jaro_winkler(name, metric.name), metric.name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, near)| format!(", did you mean `{near}`?"))
        .unwrap_or_default()
}
