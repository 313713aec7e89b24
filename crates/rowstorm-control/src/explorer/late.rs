//! Latency limits: which batches are late, and what gives way for them.
//!
//! A batch takes its time for its rows, for work of its own, and for the other batches beside it. Which of these makes it late is
//! seen from what the last step brought: where fewer rows hardly made batches shorter, it is the others' turn, and the other way
//! round.

use super::slice::Slice;
use super::{Explorer, Objective};
use crate::Point;

/// Share of batches that may be late.
const LATE_MAX: f64 = 0.01;
/// The normal distribution's 99th percentile.
const P99: f64 = 2.326;
/// What a late slice counts of the one before: about eight of them.
const REMEMBERED: f64 = 0.88;
/// A step gives up this share of what is in flight, or as much as the limit is missed by, if that is more, and no more than so much.
const STEP: f64 = 0.2;
const STEP_MAX: f64 = 0.4;
/// A step was in vain if latency fell, in logarithms, by less than this share of it.
const VAIN: f64 = 0.5;
/// So long after a step its effect says what to do next.
const TELLS_S: f64 = 20.0;

/// Late batches of what is kept, over the last slices.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lateness {
    late: f64,
    completions: f64,
    /// Mean and 99th percentile of its last slice's latencies, in logarithms of seconds.
    log_mean: f64,
    log_p99: f64,
    /// What gave way last, its mean latency, and when.
    gave: Option<(Point, f64, f64)>,
}

impl Explorer {
    /// Whether a slice shows that too many batches are late.
    pub(super) fn is_late(&mut self, slice: &Slice) -> bool {
        let Objective::P99Below(limit) = self.objective else { return false };
        let completions = f64::from(slice.completions);
        let log_p99 = slice.log_latency + P99 * slice.log_spread;
        if self.point() != self.kept {
            let allowed = LATE_MAX * completions;
            let late = f64::from(slice.late) > allowed + 2.0 * allowed.sqrt();
            return late || log_p99 > limit.as_secs_f64().ln();
        }
        let last = &mut self.lateness;
        last.late = last.late * REMEMBERED + f64::from(slice.late);
        last.completions = last.completions * REMEMBERED + completions;
        (last.log_mean, last.log_p99) = (slice.log_latency, log_p99);
        let allowed = LATE_MAX * last.completions;
        let late = last.late > allowed + 2.5 * allowed.sqrt() + 1.0;
        if late {
            (last.late, last.completions) = (0.0, 0.0);
        }
        late
    }

    /// What is kept, with less of what makes its batches late: rows, unless fewer of them have just been in vain.
    pub(super) fn less_late(&mut self) -> Point {
        let Point { batch_rows, in_flight } = self.kept;
        let (lanes_can, rows_can) = self.may_give();
        let by_lanes = lanes_can && (!rows_can || self.lanes_make_it_late());
        let missed = self.latency_limit().ln() - self.lateness.log_p99;
        let share = missed.exp().clamp(1.0 - STEP_MAX, 1.0 - STEP);
        let less = |of: u32| ((f64::from(of) * share) as u32).max(1);
        self.lateness.gave = Some((self.kept, self.lateness.log_mean, self.now));
        match (by_lanes, rows_can) {
            (true, _) => Point { batch_rows, in_flight: less(in_flight) },
            (false, true) => Point { batch_rows: less(batch_rows), in_flight },
            (false, false) => self.kept,
        }
    }

    /// Whether the last step says that fewer lanes help more than fewer rows.
    fn lanes_make_it_late(&self) -> bool {
        let Some((point, log_mean, at)) = self.lateness.gave else { return false };
        if self.now - at > TELLS_S {
            return false;
        }
        let fell = log_mean - self.lateness.log_mean;
        let step = |before: u32, after: u32| (f64::from(before) / f64::from(after)).ln();
        let rows = step(point.batch_rows, self.kept.batch_rows);
        let lanes = step(point.in_flight, self.kept.in_flight);
        if rows > 0.0 { fell < VAIN * rows } else { lanes > 0.0 && fell >= VAIN * lanes }
    }
}
