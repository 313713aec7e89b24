//! What a simulated run has shown.

use crate::{Decision, Observation, Point};

/// Length of an entry of [`Trace::rows`] in seconds.
pub const BUCKET_S: f64 = 0.5;

/// What happened in a simulated run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Rows that arrived, within the latency limit if there is one, for every half second.
    pub rows: Vec<f64>,
    /// Requests that the client sent.
    pub requests: u64,
    /// Requests that were answered with "busy".
    pub refused: u64,
    /// Batches that were refused so often that their rows were given up.
    pub given_up: u64,
    /// Requests that the server refused and tried again by itself.
    pub hidden: u64,
    /// Batches that arrived.
    pub done: u64,
    /// Batches that arrived later than the limit allows.
    pub late: u64,
    /// Decisions whose batches in flight would not fit the budget.
    pub over_budget: u64,
    /// The most payload bytes that were in hand at once.
    pub bytes_max: f64,
    /// Decisions.
    pub decisions: u64,
    /// What the controller would have kept at the seconds that were asked for.
    pub kept: Vec<Point>,
    /// Every observation and what was decided on it, if that was asked for.
    pub journal: Vec<(Observation, Decision)>,
}

impl Trace {
    /// Rows between two seconds.
    pub fn rows_between(&self, from_s: f64, to_s: f64) -> f64 {
        let entry = |second: f64| ((second / BUCKET_S).round() as usize).min(self.rows.len());
        self.rows[entry(from_s)..entry(to_s)].iter().sum()
    }

    /// Share of requests that the client saw refused.
    pub fn refused_share(&self) -> f64 {
        self.refused as f64 / self.requests.max(1) as f64
    }

    /// Share of requests that the server refused in itself.
    pub fn hidden_share(&self) -> f64 {
        self.hidden as f64 / self.requests.max(1) as f64
    }

    /// Share of batches that came too late.
    pub fn late_share(&self) -> f64 {
        self.late as f64 / self.done.max(1) as f64
    }
}
