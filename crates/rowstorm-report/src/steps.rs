//! What each setting of batch size and concurrency gave: rows that arrived between one decision and the next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::RunRecord;

/// Settings within this share of the best are as good.
pub const AS_GOOD: f64 = 0.97;

/// A setting that held for less and was not chosen says nothing: the batches of the one before were still under way.
const HELD_S_MIN: f64 = 0.1;

/// One setting and its rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Rows per batch.
    pub batch_rows: u32,
    /// Batches in flight.
    pub in_flight: u32,
    /// Seconds that it held, all its times together.
    pub seconds: f64,
    /// Rows that arrived in them.
    pub rows: u64,
}

impl Step {
    /// Rows per second.
    pub fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.seconds
    }
}

/// The settings of a run with their rates, by batch size and then by batches in flight; none for a merged record, whose
/// decisions are in its parts.
///
/// What was chosen is among them, however short it held. A row counts for the setting that held when it arrived, though its
/// batch may have been sent under the one before.
pub fn steps(record: &RunRecord) -> Vec<Step> {
    let tried = &record.batch.tried;
    let mut steps = if tried.is_empty() { between_decisions(record) } else { tried.clone() };
    let batch = &record.batch;
    let chosen = (batch.chosen_rows, batch.chosen_in_flight);
    steps.retain(|step| {
        let is_chosen = (step.batch_rows, step.in_flight) == chosen;
        let held_min = if is_chosen { f64::MIN_POSITIVE } else { HELD_S_MIN };
        step.rows > 0 && step.seconds >= held_min
    });
    steps.sort_by_key(|step| (step.batch_rows, step.in_flight));
    steps
}

/// What held for less says little, in a run that is longer than ten times that.
const MOMENT_S: f64 = 0.5;

/// The settings that held for more than a moment; of more than `most` those that held longest.
pub(crate) fn longest(mut steps: Vec<Step>, most: usize) -> Vec<Step> {
    let longest = steps.iter().map(|step| step.seconds).fold(0.0, f64::max);
    steps.retain(|step| step.seconds >= MOMENT_S.min(longest / 10.0));
    steps.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    steps.truncate(most);
    steps.sort_by_key(|step| (step.batch_rows, step.in_flight));
    steps
}

/// From the decisions alone, as records had it before they summed up what was tried.
fn between_decisions(record: &RunRecord) -> Vec<Step> {
    let decisions = &record.batch.decisions;
    let ends = decisions
        .iter()
        .skip(1)
        .map(|next| (next.at_s, next.rows))
        .chain(std::iter::once((record.seconds, record.rows.arrived())));
    let mut steps: Vec<Step> = Vec::new();
    for (decision, (until, rows)) in decisions.iter().zip(ends) {
        let seconds = (until - decision.at_s).max(0.0);
        let rows = rows.saturating_sub(decision.rows);
        let known = steps.iter_mut().find(|step| {
            (step.batch_rows, step.in_flight) == (decision.batch_rows, decision.in_flight)
        });
        if let Some(step) = known {
            step.seconds += seconds;
            step.rows += rows;
        } else {
            let (batch_rows, in_flight) = (decision.batch_rows, decision.in_flight);
            steps.push(Step { batch_rows, in_flight, seconds, rows });
        }
    }
    steps
}

/// The smallest and the largest batch that are as good as the best at the same concurrency; `None` unless they differ.
pub fn as_good(steps: &[Step], in_flight: u32) -> Option<(u32, u32)> {
    let alike = || steps.iter().filter(move |step| step.in_flight == in_flight);
    let best = alike().map(Step::rows_per_second).fold(0.0, f64::max);
    let good = || alike().filter(move |step| step.rows_per_second() >= AS_GOOD * best);
    let low = good().map(|step| step.batch_rows).min()?;
    let high = good().map(|step| step.batch_rows).max()?;
    (low < high).then_some((low, high))
}
