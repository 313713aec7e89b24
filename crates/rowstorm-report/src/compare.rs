//! Two runs side by side, and whether the difference is more than noise.
//!
//! What is tested are the whole seconds of both runs after the first and after settling. The ratio of their means has
//! the 95 % interval `exp(ln(b/a) ± t·√(sa² + sb²))`, where `sa` and `sb` are the standard errors of the means as
//! shares of them (with neighbouring seconds counted for fewer than they are, see [`statistics`](crate::statistics))
//! and `t` is Student's with Welch's degrees of freedom. If the interval holds 0 % the runs do not differ
//! significantly. It speaks of these two runs only: two runs of the *same* thing differ too, by more than their seconds
//! show, so an important difference deserves several runs of each.

use crate::metric::{Better, METRICS, Metric};
use crate::record::{RunRecord, Second};
use crate::statistics::{Mean, steady_seconds, student_95};

/// What comparing two records found.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What was tested second by second, throughput first.
    pub tested: Vec<Tested>,
    /// Every metric that either run measured.
    pub metrics: Vec<Compared>,
    /// What makes the two runs hard to compare.
    pub notes: Vec<String>,
}

/// A quantity with an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// What it is.
    pub name: &'static str,
    /// The metric whose unit it has.
    pub metric: Metric,
    /// The mean of the base's seconds, if it had any.
    pub base: Option<Mean>,
    /// The mean of the new run's seconds, if it had any.
    pub new: Option<Mean>,
    /// The change as a share, with its interval; `None` if there are too few seconds to tell.
    pub change: Option<Interval>,
    /// What may be said.
    pub change_is: Change,
}

/// A change as a share of the base, and the 95 % confidence interval around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The change.
    pub change: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What may be said of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Better, and not by chance.
    Faster,
    /// Worse, and not by chance.
    Slower,
    /// The interval holds zero.
    NotSignificant,
    /// Too few seconds to tell.
    Untold,
}

/// One metric of both runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// The metric.
    pub metric: Metric,
    /// In the base.
    pub base: Option<f64>,
    /// In the new run.
    pub new: Option<f64>,
}

/// Compares two records.
///
/// ```
/// use rowstorm_report::{Change, RunRecord, compare};
/// let empty = RunRecord::default();
/// assert_eq!(compare(&empty, &empty).tested[0].change_is, Change::Untold);
/// ```
pub fn compare(base: &RunRecord, new: &RunRecord) -> Comparison {
    let tested = |name, metric: &str, read: fn(f64, &Second) -> Option<f64>| {
        let metric = Metric::find(metric).expect("tested quantities are metrics");
        let mean = |record: &RunRecord| {
            let values = steady_seconds(record).filter_map(|(span, second)| read(span, second));
            Mean::of(&values.collect::<Vec<_>>())
        };
        test(name, metric, mean(base), mean(new))
    };
    let tested = vec![
        tested("rows per second", "rows_per_second", |span, s| Some(s.rows as f64 / span)),
        tested("latency p50", "latency.p50", |_, s| (s.p50 > 0.0).then_some(s.p50)),
        tested("latency p99", "latency.p99", |_, s| (s.p99 > 0.0).then_some(s.p99)),
    ];
    let metrics = METRICS
        .iter()
        .map(|metric| Compared { metric: *metric, base: metric.of(base), new: metric.of(new) })
        .filter(|one| one.base.is_some() || one.new.is_some())
        .collect();
    Comparison { tested, metrics, notes: notes(base, new) }
}

impl Comparison {
    /// The tested throughput: what the verdict speaks of.
    pub fn throughput(&self) -> Option<&Tested> {
        self.tested.first()
    }
}

impl Compared {
    /// The change as a share of the base: infinite from zero to something, `None` if a run did not measure it.
    pub fn change(&self) -> Option<f64> {
        let (base, new) = (self.base?, self.new?);
        if base.total_cmp(&new).is_eq() {
            return Some(0.0);
        }
        Some(new / base - 1.0)
    }
}

fn test(name: &'static str, metric: Metric, base: Option<Mean>, new: Option<Mean>) -> Tested {
    let change = base.zip(new).and_then(|(base, new)| interval(&base, &new));
    let change_is = match change {
        None => Change::Untold,
        Some(Interval { low, high, .. }) if low <= 0.0 && high >= 0.0 => Change::NotSignificant,
        Some(Interval { change, .. }) => match (metric.better, change > 0.0) {
            (Better::Higher, true) | (Better::Lower | Better::Neither, false) => Change::Faster,
            (Better::Higher, false) | (Better::Lower | Better::Neither, true) => Change::Slower,
        },
    };
    Tested { name, metric, base, new, change, change_is }
}

fn interval(base: &Mean, new: &Mean) -> Option<Interval> {
    let (base_freedom, new_freedom) = (base.freedom()?, new.freedom()?);
    if base.mean <= 0.0 || new.mean <= 0.0 {
        return None;
    }
    let share = |mean: &Mean| (mean.standard_error() / mean.mean).powi(2);
    let (a, b) = (share(base), share(new));
    // Welch and Satterthwaite.
    let spread = a.powi(2) / base_freedom + b.powi(2) / new_freedom;
    let freedom = if spread > 0.0 { (a + b).powi(2) / spread } else { base_freedom + new_freedom };
    let half = student_95(freedom) * (a + b).sqrt();
    let ratio = new.mean / base.mean;
    Some(Interval {
        change: ratio - 1.0,
        low: ratio * (-half).exp() - 1.0,
        high: ratio * half.exp() - 1.0,
    })
}

fn notes(base: &RunRecord, new: &RunRecord) -> Vec<String> {
    let mut notes = Vec::new();
    let mut differ = |what: &str, a: &str, b: &str| {
        if a != b {
            notes.push(format!("{what} differs: {a} and {b}"));
        }
    };
    differ("the data", &base.fingerprint, &new.fingerprint);
    differ("the target", &base.target, &new.target);
    differ("the table mode", &base.table_mode, &new.table_mode);
    differ("the index setting", &base.settings.indexes, &new.settings.indexes);
    differ("the version of Rowstorm", &base.rowstorm, &new.rowstorm);
    for name in
        base.host.keys().chain(new.host.keys().filter(|name| !base.host.contains_key(*name)))
    {
        let value = |record: &RunRecord| record.host.get(name).cloned().unwrap_or_default();
        differ(&format!("the client's {name}"), &value(base), &value(new));
    }
    let facts = |record: &RunRecord| {
        let each = record.server.iter().map(|fact| format!("{} {}", fact.name, fact.value));
        each.collect::<Vec<_>>().join(", ")
    };
    differ("the server", &facts(base), &facts(new));
    for (name, record) in [("base", base), ("new", new)] {
        if !record.balances() || record.ended != "done" {
            notes.push(format!("the {name} run is no clean one: see its own report"));
        }
    }
    notes
}
