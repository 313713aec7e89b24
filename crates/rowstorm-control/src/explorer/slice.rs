//! A slice: the unit in which speed is measured.
//!
//! Goodput (rows per second) is measured and not latency: latency is a function of the batch size itself. Only batches that
//! were sent under the decision in force count, and only once those sent before are gone, or nearly: a left-over larger batch
//! would speak for the wrong setting. A slice ends after a whole number of turns of all lanes.
//!
//! Which batches just made it before a slice's end is chance, and in short slices most of the noise. Little's law (rows in
//! flight = goodput × latency) has none of that: with all lanes busy, mean latency gives the same goodput with a quarter of the
//! batches. Its latencies are taken one turn later, when batches no longer queue behind older ones, and those far from the
//! middle are [bounded](super::latencies). In flight is what really was out: where the client is the limit, some lanes
//! are idle. Where far fewer batches came than it says even so, what was counted is what counts.

use super::latencies::Latencies;
use crate::Observation;

/// For so many latencies a refusal can still be the fault of what was sent before.
const AFTERMATH_LATENCIES: f64 = 3.0;

/// No slice ends early before this: a few batches may come at once by chance.
const EARLY_S: f64 = 0.03;

/// By how much a count can miss for its edges: so much of a turn of all lanes, and a little in any case.
const EDGE_TURNS: f64 = 0.35;
const EDGE_MIN: f64 = 0.02;

/// How long a slice has to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) completions: u32,
    pub(super) turns: u32,
    pub(super) seconds: f64,
    pub(super) seconds_max: f64,
    /// Share of the lanes that may still be at work on older batches when it begins.
    pub(super) older_share: f64,
    /// Turns whose latency still tells of older batches.
    pub(super) skip: f64,
    /// It begins at the latest after so many latencies.
    pub(super) latencies_max: f64,
    /// Where fewer batches are enough.
    pub(super) early: Option<Early>,
}

/// When a slice may end before its time: it is so fast, or so slow, that more batches would not change what follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Early {
    pub(super) completions: u32,
    /// Logarithms of the speeds from which on, and down to which, that is so.
    pub(super) high: f64,
    pub(super) low: f64,
}

/// A finished slice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Slice {
    /// Natural logarithm of rows per second.
    pub(super) log_rate: f64,
    pub(super) seconds: f64,
    pub(super) completions: u32,
    /// Mean and spread of the logarithm of latency.
    pub(super) log_latency: f64,
    pub(super) log_spread: f64,
    /// What the mean of so few latencies is off by, in logarithms.
    pub(super) log_error: f64,
    /// Batches over the latency limit.
    pub(super) late: u32,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slicer {
    /// Batches of older decisions that are still out.
    older: u32,
    changed: f64,
    since: Option<f64>,
    last: f64,
    completions: u32,
    rows: u64,
    /// Batches that are still to be left out of the latencies.
    skip: u32,
    latencies: Latencies,
    /// Seconds that these tell of, and what was out in them, in batches times seconds.
    told_s: f64,
    out: f64,
    late: u32,
    /// Mean latency over all settings, for how long to settle.
    latency: f64,
}

impl Slicer {
    /// Another setting is in force, and so many batches of the one before are out.
    pub(super) fn restart(&mut self, now: f64, older: u32) {
        *self = Slicer {
            older,
            changed: now,
            last: self.last.max(now),
            latency: self.latency,
            ..Slicer::default()
        };
    }

    /// The next slice of the same setting begins where this one ended.
    fn next(&mut self) {
        *self = Slicer {
            changed: self.changed,
            since: Some(self.last),
            last: self.last,
            latency: self.latency,
            ..Slicer::default()
        };
    }

    /// Whether batches of an older decision are still out, as far as can be told: after a few latencies they are not.
    pub(super) fn older_are_out(&self, now: f64) -> bool {
        self.older > 0 && now - self.changed < AFTERMATH_LATENCIES * self.latency
    }

    /// A batch of an older decision came back.
    pub(super) fn older(&mut self) {
        self.older = self.older.saturating_sub(1);
    }

    /// Takes in a batch of the decision in force; the slice once it is long enough.
    pub(super) fn push(
        &mut self,
        seen: &Observation,
        in_flight: u32,
        limit: f64,
        need: &Need,
    ) -> Option<Slice> {
        let latency = seen.latency.as_secs_f64().max(1e-6);
        let weight = if self.latency > 0.0 { 0.1 } else { 1.0 };
        self.latency += (latency - self.latency) * weight;
        // Completions of several lanes may come in a little out of order.
        let passed = (seen.at.as_secs_f64() - self.last).max(0.0);
        self.last += passed;
        let Some(since) = self.since else {
            let few = f64::from(self.older) <= need.older_share * f64::from(in_flight);
            if few || self.last - self.changed > need.latencies_max * self.latency {
                self.since = Some(self.last);
                self.skip = (need.skip * f64::from(in_flight)).round() as u32;
            }
            return None;
        };
        self.completions += 1;
        self.rows += u64::from(seen.rows);
        let seconds = self.last - since;
        self.late += u32::from(latency > limit);
        if self.skip > 0 && seconds < need.seconds_max {
            self.skip -= 1;
            return None;
        }
        self.latencies.push(latency.ln());
        self.told_s += passed;
        self.out += passed * f64::from(seen.in_flight.clamp(1, in_flight.max(1)));
        let told = self.latencies.count();
        let whole = told.is_multiple_of(in_flight.max(1));
        let enough = told >= need.completions.max(need.turns * in_flight) && whole;
        let slow =
            seconds >= need.seconds_max && self.completions >= in_flight.min(need.completions);
        let over = (enough && seconds >= need.seconds) || slow;
        let early =
            need.early.filter(|early| whole && told >= early.completions && seconds >= EARLY_S);
        if !over && early.is_none() || seconds <= 0.0 {
            return None;
        }
        let slice = self.finished(seconds, f64::from(in_flight));
        let is_clear = |early: Early| slice.log_rate >= early.high || slice.log_rate <= early.low;
        if !over && !early.is_some_and(is_clear) {
            return None;
        }
        self.next();
        Some(slice)
    }

    fn finished(&self, seconds: f64, in_flight: f64) -> Slice {
        let (all, told) = (f64::from(self.completions), f64::from(self.latencies.count()));
        let (mean, variance) = self.latencies.told();
        let out = if self.told_s > 0.0 { self.out / self.told_s } else { in_flight };
        let rows = self.rows.max(1) as f64;
        let counted = (rows / seconds).ln();
        // The mean of a log-normal latency, and Little's law.
        let little = (rows / all * out).ln() - mean - 0.5 * variance;
        let edge = EDGE_TURNS / (all / in_flight) + EDGE_MIN;
        Slice {
            log_rate: little + (counted - little + edge).min(0.0),
            seconds,
            completions: self.completions,
            log_latency: mean,
            log_spread: variance.sqrt(),
            log_error: (variance / told).sqrt(),
            late: self.late,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Verdict;

    #[test]
    fn lanes_that_are_idle_are_not_counted_as_busy() {
        let need = Need {
            completions: 16,
            turns: 1,
            seconds: 0.0,
            seconds_max: 3.0,
            older_share: 0.0,
            skip: 1.0,
            latencies_max: 3.0,
            early: None,
        };
        // Eight lanes, of which the client keeps two at work: 1,000 rows every 5 ms.
        let mut slicer = Slicer::default();
        slicer.restart(0.0, 0);
        let slice = (1..100).find_map(|batch| {
            let seen = Observation {
                at: Duration::from_millis(5 * batch),
                latency: Duration::from_millis(10),
                rows: 1_000,
                bytes: 100_000,
                in_flight: 2,
                decision: 1,
                verdict: Verdict::Done,
            };
            slicer.push(&seen, 8, f64::INFINITY, &need)
        });
        let rate = slice.expect("sixteen batches are enough").log_rate.exp();
        assert!((rate / 200_000.0 - 1.0).abs() < 0.01, "{rate}");
    }
}
