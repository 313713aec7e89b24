//! When a comparison fails: `rows_per_second < -5%` (more than 5 % slower), `latency.p99 > 10%`, `errors > 0%`.

use std::fmt;
use std::str::FromStr;

use crate::compare::Comparison;
use crate::metric::Metric;
use crate::number;
use crate::threshold::{ExpressionError, Relation, split};

/// A change of one metric, in percent of the base, that is not accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct FailOn {
    /// The metric.
    pub metric: Metric,
    /// How its change must stand to the bound to be refused.
    pub relation: Relation,
    /// The bound as a share.
    pub bound: f64,
    text: String,
}

impl FailOn {
    /// From its text.
    ///
    /// # Errors
    /// There is no relation, no such metric, or the bound is no percentage.
    ///
    /// ```
    /// use rowstorm_report::{FailOn, RunRecord, compare};
    /// let fail_on = FailOn::parse("rows_per_second < -5%").unwrap();
    /// let run = |rate| RunRecord { rows_per_second: rate, ..RunRecord::default() };
    /// assert_eq!(fail_on.broken(&compare(&run(100.0), &run(96.0))), None);
    /// let why = fail_on.broken(&compare(&run(100.0), &run(94.0))).unwrap();
    /// assert_eq!(why, "rows_per_second < -5%: it changed by -6.0%, from 100 to 94");
    /// ```
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (metric, relation, bound) = split(text)?;
        let percent = bound.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        let percent = percent.filter(|percent| percent.is_finite()).ok_or_else(|| {
            ExpressionError::Bound {
                bound: bound.to_owned(),
                metric: metric.name.to_owned(),
                right: "a change in percent, as -5% or +10%",
            }
        })?;
        Ok(Self { metric, relation, bound: percent / 100.0, text: text.trim().to_owned() })
    }

    /// Why the comparison fails; `None` if it does not. What either run did not measure fails: it cannot be shown.
    pub fn broken(&self, comparison: &Comparison) -> Option<String> {
        let found = comparison.metrics.iter().find(|one| one.metric == self.metric);
        let measured = found.and_then(|one| Some((one.change()?, one.base?, one.new?)));
        let Some((change, base, new)) = measured else {
            return Some(format!("{self}: not measured in both runs"));
        };
        self.relation.holds(change, self.bound).then(|| {
            let [base, new] = [base, new].map(|value| self.metric.write(value));
            let by = if change.is_finite() {
                format!(" by {}", number::change(change))
            } else {
                String::new()
            };
            format!("{self}: it changed{by}, from {base} to {new}")
        })
    }
}

impl FromStr for FailOn {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}
