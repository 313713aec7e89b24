//! When the next rows may start: a schedule, computed and not slept.

use std::time::Duration;

/// A schedule of rows.
pub trait Pace: Send + std::fmt::Debug {
    /// How long to wait, `elapsed` after the start, until row number `row` is due; zero if it is due or late.
    fn wait(&self, elapsed: Duration, row: u64) -> Duration;

    /// When row number `row` was meant to start, since the start; `None` without a schedule.
    fn due(&self, row: u64) -> Option<Duration>;
}

/// As fast as it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unpaced;

impl Pace for Unpaced {
    fn wait(&self, _: Duration, _: u64) -> Duration {
        Duration::ZERO
    }

    fn due(&self, _: u64) -> Option<Duration> {
        None
    }
}

/// A constant rate.
///
/// ```
/// use std::time::Duration;
/// use rowstorm_control::{Pace, Steady};
/// let pace = Steady::new(1_000.0);
/// assert_eq!(pace.wait(Duration::ZERO, 500), Duration::from_millis(500));
/// assert_eq!(pace.wait(Duration::from_secs(2), 500), Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Steady {
    rows_per_second: f64,
}

impl Steady {
    /// This many rows per second.
    ///
    /// # Panics
    /// If the rate is not above zero.
    pub fn new(rows_per_second: f64) -> Steady {
        assert!(rows_per_second > 0.0, "a rate is above zero");
        Steady { rows_per_second }
    }
}

impl Pace for Steady {
    fn wait(&self, elapsed: Duration, row: u64) -> Duration {
        self.due(row).map_or(Duration::ZERO, |due| due.saturating_sub(elapsed))
    }

    fn due(&self, row: u64) -> Option<Duration> {
        Some(Duration::from_secs_f64(row as f64 / self.rows_per_second))
    }
}
