//! How long changes take from their commit to the copy, computed from when ops were done and which of them a look found lacking.
//! Pure: times are given.

use std::collections::{HashMap, HashSet, VecDeque};

use hdrhistogram::Histogram;
use rowstorm_gen::changes::{ChangePlan, OpKind};
use rowstorm_report::{Followed, Latency, Look, LostOp};

/// The ages of changes.
#[derive(Debug)]
pub(super) struct Fresh {
    changes: ChangePlan,
    /// When how many ops of each stream were known to be done: seconds, by stream.
    commits: VecDeque<(f64, Vec<u64>)>,
    /// Ops of each stream that are timed, or waited for.
    counted: Vec<u64>,
    /// Ops that the last look found lacking, and when they were done.
    awaited: HashMap<LostOp, f64>,
    milliseconds: Histogram<u64>,
    looks: Vec<Look>,
    /// How many looks had ended when the run did.
    running: Option<usize>,
}

impl Fresh {
    /// Nothing is known yet; ops that are done by now are not timed.
    pub(super) fn new(changes: ChangePlan, done: Vec<u64>) -> Fresh {
        Fresh {
            changes,
            counted: done.clone(),
            commits: VecDeque::from([(0.0, done)]),
            awaited: HashMap::new(),
            milliseconds: Histogram::new(3).expect("three digits are allowed"),
            looks: Vec::new(),
            running: None,
        }
    }

    /// So many ops are done now.
    pub(super) fn done(&mut self, at: f64, done: Vec<u64>) {
        if self.commits.back().is_none_or(|(_, last)| *last != done) {
            self.commits.push_back((at, done));
        }
    }

    /// A look at the copy has ended: it began with `done`, and these ops were lacking.
    pub(super) fn looked(&mut self, at: f64, done: &[u64], lacking: &HashSet<LostOp>) -> Look {
        let seen: Vec<f64> = self
            .awaited
            .extract_if(|op, _| !lacking.contains(op))
            .map(|(_, committed)| at - committed)
            .collect();
        for age in seen {
            self.record(age, 1);
        }
        for (stream, done) in done.iter().enumerate() {
            self.count(at, stream, *done, lacking);
        }
        self.forget();
        let oldest = self.awaited.values().copied().fold(at, f64::min);
        let look = Look {
            at_s: at,
            done: done.iter().sum(),
            backlog: lacking.len() as u64,
            oldest_s: at - oldest,
        };
        self.looks.push(look);
        look
    }

    /// The run is over: the looks from now on show how the copy drains.
    pub(super) fn run_ended(&mut self) {
        self.running.get_or_insert(self.looks.len());
    }

    /// What was seen; `drained` is from the run's end on.
    pub(super) fn followed(self, drained_after_s: Option<f64>) -> Followed {
        let at = |quantile| self.milliseconds.value_at_quantile(quantile) as f64;
        let freshness_ms = Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: self.milliseconds.max() as f64,
            histogram: self
                .milliseconds
                .iter_recorded()
                .map(|bar| (bar.value_iterated_to() as f64, bar.count_at_value()))
                .collect(),
        };
        let running = &self.looks[..self.running.unwrap_or(self.looks.len())];
        Followed {
            seen: self.milliseconds.len(),
            freshness_ms,
            backlog_per_second: slope(running),
            drained_after_s,
            looks: self.looks,
        }
    }

    /// Times the ops of a stream that came since the last look, and were found; those that were not are waited for.
    fn count(&mut self, at: f64, stream: usize, done: u64, lacking: &HashSet<LostOp>) {
        let known: Vec<(f64, u64)> =
            self.commits.iter().map(|(at, done)| (*at, done[stream])).collect();
        for (committed, upto) in known {
            let (from, to) = (self.counted[stream], upto.min(done));
            if to <= from {
                continue;
            }
            self.counted[stream] = to;
            let of = |op: &&LostOp| op.stream as usize == stream && (from..to).contains(&op.op);
            let waiting: Vec<LostOp> = lacking.iter().filter(of).copied().collect();
            let changed = self.changes_among(stream as u32, from, to);
            self.record(at - committed, changed.saturating_sub(waiting.len() as u64));
            self.awaited.extend(waiting.into_iter().map(|op| (op, committed)));
        }
    }

    /// How many of a stream's ops change something.
    fn changes_among(&self, stream: u32, from: u64, to: u64) -> u64 {
        let stream = self.changes.stream(stream);
        let entries = self.changes.entries().iter().enumerate();
        let changing = entries.filter(|(_, entry)| entry.kind != OpKind::Read);
        changing.map(|(at, _)| stream.count(at, to) - stream.count(at, from)).sum()
    }

    fn record(&mut self, age_s: f64, changes: u64) {
        if changes > 0 {
            let age_ms = (age_s * 1e3).round() as u64;
            self.milliseconds.record_n(age_ms, changes).expect("the histogram grows as it must");
        }
    }

    /// Drops what all streams are beyond.
    fn forget(&mut self) {
        let counted = &self.counted;
        while let Some((_, done)) = self.commits.front()
            && self.commits.len() > 1
            && done.iter().zip(counted).all(|(done, counted)| done <= counted)
        {
            self.commits.pop_front();
        }
    }
}

/// The backlog's growth per second: the line with the least squares through the looks.
fn slope(looks: &[Look]) -> f64 {
    let count = looks.len() as f64;
    let mean = |of: fn(&Look) -> f64| looks.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|look| look.at_s), mean(|look| look.backlog as f64));
    let spread: f64 = looks.iter().map(|look| (look.at_s - x).powi(2)).sum();
    if spread <= 0.0 || !spread.is_finite() {
        return 0.0;
    }
    let rise: f64 = looks.iter().map(|look| (look.at_s - x) * (look.backlog as f64 - y)).sum();
    rise / spread
}

#[cfg(test)]
mod tests {
    use rowstorm_gen::schema::{Format, Schema};
    use rowstorm_gen::{Plan, PlanOptions};

    use super::*;

    fn changes() -> ChangePlan {
        let text = "
version: 1
tables: { t: { key: [id], preload: 100, columns: { id: { type: bigint, gen: sequence }, n: { type: int, gen: { uniform: [0, 9] } } } } }
changes: { streams: 2, mix: [ { update: t, set: [n], weight: 1 }, { read: t, weight: 1 } ] }
";
        let schema = Schema::parse(text, Format::Yaml, "t.yaml").unwrap();
        ChangePlan::new(&Plan::new(&schema, PlanOptions::default()).unwrap()).unwrap()
    }

    #[test]
    fn a_change_is_as_old_as_the_look_that_first_finds_it() {
        let mut fresh = Fresh::new(changes(), vec![10, 10]);
        fresh.done(1.0, vec![20, 10]);
        fresh.done(2.0, vec![20, 30]);
        // Of the second stream, ten updates and ten reads; two updates are not seen yet.
        let lacking = HashSet::from([20, 22].map(|op| LostOp { stream: 1, op }));
        let look = fresh.looked(3.0, &[20, 30], &lacking);
        assert_eq!((look.done, look.backlog, look.oldest_s), (50, 2, 1.0));
        assert_eq!(fresh.milliseconds.len(), 5 + 8);
        let one = HashSet::from([LostOp { stream: 1, op: 22 }]);
        fresh.looked(5.0, &[20, 30], &one);
        fresh.run_ended();
        let look = fresh.looked(9.0, &[20, 30], &HashSet::new());
        assert_eq!((look.backlog, look.oldest_s), (0, 0.0));
        let followed = fresh.followed(Some(4.0));
        assert_eq!((followed.seen, followed.freshness_ms.max.round()), (15, 7_003.0));
        assert!((990.0..1_010.0).contains(&followed.freshness_ms.p50));
        // From two to one in two seconds.
        assert!((followed.backlog_per_second + 0.5).abs() < 1e-9);
    }
}
