//! A slice: the unit in which speed is measured.
//!
//! Goodput (rows that arrived per second) is measured and not latency: latency is a function of the batch size itself.
//! Only batches that were sent under the decision in force count, and only from the moment on when every lane has
//! finished one of them; until then larger or smaller batches of the setting before are still in the pipe.

use std::time::Duration;

/// Fewer completions say nothing.
const COMPLETIONS_MIN: u32 = 16;
/// Less time says nothing: a server's own periods (group commit, a write-ahead flush) are shorter.
const TIME_MIN: Duration = Duration::from_millis(500);
/// A slow server is judged after this long, on as many completions as there are lanes.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Rows over time, between two completions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slice {
    settling: u32,
    since: Option<Duration>,
    last: Duration,
    completions: u32,
    rows: u64,
}

impl Slice {
    /// Forgets everything: another setting is in force.
    pub(super) fn restart(&mut self) {
        *self = Slice::default();
    }

    /// Begins the next slice of the same setting where this one ended.
    pub(super) fn next(&mut self) {
        *self = Slice { since: Some(self.last), last: self.last, ..Slice::default() };
    }

    /// Takes in a completion; the rate once the slice is long enough.
    pub(super) fn push(&mut self, at: Duration, rows: u32, in_flight: u32) -> Option<f64> {
        // Completions of several lanes may come in a little out of order.
        self.last = self.last.max(at);
        let Some(since) = self.since else {
            self.settling += 1;
            if self.settling >= in_flight {
                self.since = Some(self.last);
            }
            return None;
        };
        self.completions += 1;
        self.rows += u64::from(rows);
        let time = self.last.saturating_sub(since);
        let enough = self.completions >= COMPLETIONS_MIN.max(in_flight.saturating_mul(2));
        let slow = time >= TIME_MAX && self.completions >= in_flight;
        ((enough && time >= TIME_MIN) || slow).then(|| self.rows as f64 / time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_needs_completions_and_time_and_skips_the_first_of_every_lane() {
        let mut slice = Slice::default();
        let mut rate = None;
        for number in 1..=100u64 {
            rate = slice.push(Duration::from_millis(number * 10), 50, 2);
            if rate.is_some() {
                // The first two settle, then 500 ms are 50 completions.
                assert_eq!(number, 52);
                break;
            }
        }
        assert!((rate.expect("a slice ends") - 5_000.0).abs() < 1.0);
    }
}
