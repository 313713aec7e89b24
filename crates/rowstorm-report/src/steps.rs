//! What each setting of batch size and concurrency gave: the controller's decisions laid over the seconds of the run.

use crate::record::{DecisionEntry, RunRecord, Second};

/// A second counts for a setting if the setting held for at least this share of it.
const HELD_MIN: f64 = 0.8;

/// Settings within this share of the best are as good.
pub const AS_GOOD: f64 = 0.97;

/// One setting and its rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Rows per batch.
    pub batch_rows: u32,
    /// Batches in flight.
    pub in_flight: u32,
    /// Seconds that were spent with it and counted.
    pub seconds: f64,
    /// Rows per second in them.
    pub rows_per_second: f64,
}

/// The settings of a run with their rates, by batch size and then by batches in flight.
///
/// Seconds in which the setting changed count for none, so a setting that never held for most of a second is absent.
pub fn steps(record: &RunRecord) -> Vec<Step> {
    let decisions = &record.batch.decisions;
    let mut steps: Vec<(Step, u64)> = Vec::new();
    let mut from = 0.0;
    for second in &record.series {
        let span = second.at_s - from;
        if span > 0.0
            && let Some((batch_rows, in_flight)) = setting(decisions, from, second)
        {
            let known = steps
                .iter_mut()
                .find(|(step, _)| (step.batch_rows, step.in_flight) == (batch_rows, in_flight));
            if let Some((step, rows)) = known {
                step.seconds += span;
                *rows += second.rows;
            } else {
                let step = Step { batch_rows, in_flight, seconds: span, rows_per_second: 0.0 };
                steps.push((step, second.rows));
            }
        }
        from = second.at_s;
    }
    let mut steps: Vec<Step> = steps
        .into_iter()
        .map(|(step, rows)| Step { rows_per_second: rows as f64 / step.seconds, ..step })
        .collect();
    steps.sort_by_key(|step| (step.batch_rows, step.in_flight));
    steps
}

/// The smallest and the largest batch that are as good as the best at the same concurrency; `None` unless they differ.
pub fn as_good(steps: &[Step], in_flight: u32) -> Option<(u32, u32)> {
    let alike = || steps.iter().filter(move |step| step.in_flight == in_flight);
    let best = alike().map(|step| step.rows_per_second).fold(0.0, f64::max);
    let good = || alike().filter(move |step| step.rows_per_second >= AS_GOOD * best);
    let low = good().map(|step| step.batch_rows).min()?;
    let high = good().map(|step| step.batch_rows).max()?;
    (low < high).then_some((low, high))
}

/// The setting that held for most of the second from `from` on.
fn setting(decisions: &[DecisionEntry], from: f64, second: &Second) -> Option<(u32, u32)> {
    if decisions.is_empty() {
        return (second.batch > 0).then_some((second.batch, second.in_flight));
    }
    let mut held: Vec<((u32, u32), f64)> = Vec::new();
    for (index, decision) in decisions.iter().enumerate() {
        // The first setting held from the start on, however late it was written down.
        let since = if index == 0 { 0.0 } else { decision.at_s };
        let until = decisions.get(index + 1).map_or(f64::INFINITY, |next| next.at_s);
        let overlap = until.min(second.at_s) - since.max(from);
        if overlap > 0.0 {
            let setting = (decision.batch_rows, decision.in_flight);
            match held.iter_mut().find(|(known, _)| *known == setting) {
                Some((_, time)) => *time += overlap,
                None => held.push((setting, overlap)),
            }
        }
    }
    let (setting, time) = held.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (time >= HELD_MIN * (second.at_s - from)).then_some(setting)
}
