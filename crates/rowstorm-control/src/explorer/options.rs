//! What an explorer is asked for.

use std::time::Duration;

use crate::{Bounds, Point};

/// What is to be best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Objective {
    /// Rows per second; of settings that are equally fast, the one with the fewest rows in flight.
    #[default]
    Throughput,
    /// Rows per second, as long as 99 of 100 batches are answered within this time.
    P99Below(Duration),
    /// The smallest setting beyond which doubling it gains less than a tenth.
    Knee,
}

/// When a run will be over, as far as that is known; of two, what comes first. What is learnt then is worth nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// By the clock of the observations.
    pub at: Option<Duration>,
    /// Rows that will have been written.
    pub rows: Option<u64>,
}

/// Within a tenth of the best of every bulk path that was measured (COPY, LOAD DATA, bulk execute, UNNEST), and beyond
/// PostgreSQL's notch at 1,000 rows.
const GUESS: Point = Point { batch_rows: 10_000, in_flight: 4 };

/// What an explorer starts from and keeps within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExplorerOptions {
    /// The limits of server, table and budget.
    pub bounds: Bounds,
    /// Bytes of one encoded row, as far as known; corrected upwards by what is seen.
    pub bytes_per_row: f64,
    /// Rows per batch, if they are given: then only the other is tuned.
    pub batch_rows: Option<u32>,
    /// Batches in flight, if they are given.
    pub in_flight: Option<u32>,
    /// What is to be best.
    pub objective: Objective,
    /// Where to begin, if a good place is known: an earlier run's result. `None` begins small and doubles.
    pub start: Option<Point>,
    /// What is good on most servers of the kind: looked at where a cold start ends far below it, or far beyond. 10,000 × 4
    /// unless more is known.
    pub guess: Point,
    /// When it will be over: shortly before, a trial that could not pay any more is not begun.
    pub end: End,
}

impl ExplorerOptions {
    /// Everything is found, for throughput.
    pub fn new(bounds: Bounds, bytes_per_row: f64) -> ExplorerOptions {
        ExplorerOptions {
            bounds,
            bytes_per_row,
            batch_rows: None,
            in_flight: None,
            objective: Objective::Throughput,
            start: None,
            guess: GUESS,
            end: End::default(),
        }
    }
}
