//! What the changes are doing now: for progress lines.

use std::time::Duration;

use rowstorm_report::ChangeRows;

use super::desk::Desk;
use super::work::Work;

/// One look at the changes of a run.
#[derive(Debug, Clone)]
pub struct ChangesSnapshot {
    /// Since the first op.
    pub elapsed: Duration,
    /// The accounts so far, reads among them.
    pub rows: ChangeRows,
    /// Rows that were read.
    pub read: u64,
    /// Ops per second of the last whole second.
    pub ops_per_second: f64,
    /// Rows changed per second that are asked for now; `None` without a rate.
    pub target_per_second: Option<f64>,
    /// The stage, from 1, and how many there are.
    pub stage: (usize, usize),
    /// 99 % of the ops began less late than this.
    pub lag_p99_ms: f64,
    /// The median of transactions of the last whole second.
    pub p50_ms: f64,
    /// The 99th percentile of transactions so far.
    pub p99_ms: f64,
    /// Rows of a transaction in the last whole second, on average.
    pub batch_rows: u32,
    /// Transactions that wait for the server now.
    pub sending: u32,
    /// Transactions that were rolled back.
    pub rolled_back: u64,
    /// Attempts that were made again.
    pub retries: u64,
    /// Places in the schedule that were given up.
    pub skipped: u64,
}

/// Looks once: one short lock.
pub(crate) fn snapshot(desk: &Desk, work: &Work) -> ChangesSnapshot {
    let state = desk.lock();
    let elapsed = state.clock.elapsed();
    let stages = state.slots.stages();
    let over = stages.iter().filter(|span| span.to.is_some_and(|to| to <= elapsed)).count();
    let series = state.stats.seconds.series();
    let last = series.last();
    ChangesSnapshot {
        elapsed,
        rows: state.books.total(),
        read: state.books.read().done(),
        ops_per_second: crate::live::last_rate(series),
        target_per_second: state.target_now(work.ops_per_change),
        stage: ((over + 1).min(stages.len()), stages.len()),
        lag_p99_ms: state.stats.lag_p99_ms(),
        p50_ms: last.map_or(0.0, |second| second.p50),
        p99_ms: state.stats.seconds.p99_ms(),
        batch_rows: last.map_or(0, |second| second.batch),
        sending: state.sending,
        rolled_back: state.books.transactions.rolled_back,
        retries: state.books.transactions.retries,
        skipped: state.stats.stages().iter().map(|stage| stage.skipped).sum(),
    }
}
