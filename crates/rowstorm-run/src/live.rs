//! What a run is doing now: for progress lines and metrics.

use std::sync::Arc;
use std::time::Duration;

use rowstorm_control::{Reason, State};
use rowstorm_report::{DecisionEntry, Rows, Second};

use crate::budget::Budget;
use crate::changes::ChangesSnapshot;
use crate::desk::Desk;

/// A view of a run that can be asked at any time, from any thread.
#[derive(Debug, Clone)]
pub struct Live {
    pub(crate) desk: Arc<Desk>,
    pub(crate) budget: Arc<Budget>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Tables are made ready; nothing is written yet.
    Preparing,
    /// Rows are written.
    Loading,
    /// Late indexes and statistics are made.
    Indexing,
    /// Rows are changed: see [`Snapshot::changes`].
    Changing,
    /// The database counts.
    Counting,
    /// The record is written.
    Over,
}

/// One look at a run.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Where it stands.
    pub phase: Phase,
    /// Since the start of the load; stands still before and after it.
    pub elapsed: Duration,
    /// The table that is loaded, or was last.
    pub table: Option<Arc<str>>,
    /// Rows that the whole run will write; `None` if only the duration ends it.
    pub rows_wanted: Option<u64>,
    /// The accounts so far.
    pub rows: Rows,
    /// Rows per second of the last whole second.
    pub rows_per_second: f64,
    /// The median latency of the last whole second.
    pub p50_ms: f64,
    /// The 99th percentile of latencies so far.
    pub p99_ms: f64,
    /// Rows per batch, as decided.
    pub batch_rows: u32,
    /// Batches in flight, as decided.
    pub in_flight: u32,
    /// Where the controller stands.
    pub state: State,
    /// Why the setting is as it is.
    pub reason: Reason,
    /// Batches that wait for the server now.
    pub sending: u32,
    /// Payload bytes in memory now.
    pub bytes_in_flight: u64,
    /// Payload bytes sent so far.
    pub bytes_sent: u64,
    /// Attempts that were made again.
    pub retries: u64,
    /// The changes after the load, once they have begun.
    pub changes: Option<ChangesSnapshot>,
}

impl Live {
    /// Looks once: one short lock.
    pub fn snapshot(&self) -> Snapshot {
        let changes = self.desk.changes_snapshot();
        let state = self.desk.lock();
        let last = state.stats.series().last();
        let open = state.open.as_ref();
        Snapshot {
            phase: state.phase,
            elapsed: state.clock.elapsed(),
            table: open.and_then(|open| state.books.name(open.table)),
            rows_wanted: state.rows_wanted,
            rows: state.books.total(),
            rows_per_second: last_rate(state.stats.series()),
            p50_ms: last.map_or(0.0, |second| second.p50),
            p99_ms: state.stats.p99_ms(),
            batch_rows: open.map_or(0, crate::open::Open::batch_rows),
            in_flight: open.map_or(0, crate::open::Open::width),
            state: open.map_or(State::Pinned, |open| open.controller.state()),
            reason: open.map_or(Reason::Start, |open| open.controller.decision().reason),
            sending: state.sending,
            bytes_in_flight: self.budget.held(),
            bytes_sent: state.stats.bytes_sent,
            retries: state.stats.retries,
            changes,
        }
    }

    /// The decisions behind the first `seen` of the run, as far as they are kept, and how many there are by now.
    pub fn decisions_since(&self, seen: u64) -> (Vec<DecisionEntry>, u64) {
        let state = self.desk.lock();
        let (entries, left_out) = state.stats.decisions.entries();
        let count = left_out + entries.len() as u64;
        let fresh = count.saturating_sub(seen).min(entries.len() as u64) as usize;
        (entries[entries.len() - fresh..].to_vec(), count)
    }
}

/// An entry of the series covers a second, or several in a very long run.
pub(crate) fn last_rate(series: &[Second]) -> f64 {
    let Some((last, before)) = series.split_last() else { return 0.0 };
    let from = before.last().map_or(0.0, |second| second.at_s);
    if last.at_s > from { last.rows as f64 / (last.at_s - from) } else { 0.0 }
}
