//! The pulse: goodput second by second, whatever the setting, for what only long looks show.
//!
//! A server that is pushed for long can stop now and then (dirty pages that must be written, an overfull write-ahead log): in
//! short slices pushing harder looks faster, and over a minute it is slower. A batch's rows count for all the time it was
//! under way, so that large batches do not look like a pulse of their own.

const SECONDS: usize = 96;
/// In a second below this share of the upper quartile the server stood.
const STANDS: f64 = 0.3;
/// From this share of it on it was at work.
const WORKS: f64 = 0.7;

#[derive(Debug, Clone)]
pub(super) struct Pulse {
    rows: [f32; SECONDS],
    /// The second that the last entry stands for.
    last: u64,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse { rows: [0.0; SECONDS], last: 0 }
    }
}

impl Pulse {
    /// A batch arrived.
    pub(super) fn beat(&mut self, at: f64, latency: f64, rows: u32) {
        let second = at as u64;
        // What lies further back than is kept is cleared at once.
        let cleared = (second.saturating_sub(self.last)).min(SECONDS as u64);
        for back in 0..cleared {
            self.rows[(second - back) as usize % SECONDS] = 0.0;
        }
        self.last = self.last.max(second);
        let span = latency.clamp(1e-3, (SECONDS - 2) as f64);
        let from = (at - span).max(0.0);
        for entry in from as u64..=second {
            let (start, end) = (entry as f64, (entry + 1) as f64);
            let part = (at.min(end) - from.max(start)).max(0.0) / span;
            self.rows[entry as usize % SECONDS] += (f64::from(rows) * part) as f32;
        }
    }

    /// The first second between two moments in which the server was at work: a server that has become much faster has not
    /// stood before.
    pub(super) fn first_works(&self, from: f64, to: f64) -> f64 {
        let Some((_, upper)) = self.between(from, to) else { return from };
        let mut seconds = from.ceil().max(0.0) as u64..to.floor().max(0.0) as u64;
        let works =
            |second: &u64| f64::from(self.rows[*second as usize % SECONDS]) >= WORKS * upper;
        seconds.find(works).map_or(from, |second| second as f64)
    }

    /// Share of the seconds in which hardly anything arrived, if it came back to life after such; else nothing.
    pub(super) fn stood(&self, from: f64, to: f64) -> f64 {
        let Some((_, upper)) = self.between(from, to) else { return 0.0 };
        let (first, end) = (from.ceil().max(0.0) as u64, to.floor().max(0.0) as u64);
        let (mut stood, mut fell, mut rose, mut lives) = (0u32, false, false, false);
        for second in first..end {
            let stands = f64::from(self.rows[second as usize % SECONDS]) < STANDS * upper;
            stood += u32::from(stands);
            fell |= stands && lives;
            rose |= fell && !stands;
            lives = !stands;
        }
        if rose { f64::from(stood) / (end - first) as f64 } else { 0.0 }
    }

    /// Mean and upper quartile of the rows of whole seconds between two moments; `None` if they are few or forgotten.
    pub(super) fn between(&self, from: f64, to: f64) -> Option<(f64, f64)> {
        let (first, end) = (from.ceil().max(0.0) as u64, to.floor().max(0.0) as u64);
        let count = end.saturating_sub(first) as usize;
        if count < 8 || first + (SECONDS as u64) <= self.last || end > self.last + 1 {
            return None;
        }
        let mut sorted = [0.0f32; SECONDS];
        for (entry, second) in sorted.iter_mut().zip(first..end) {
            *entry = self.rows[second as usize % SECONDS];
        }
        let seen = &mut sorted[..count];
        seen.sort_unstable_by(f32::total_cmp);
        let mean = seen.iter().map(|rows| f64::from(*rows)).sum::<f64>() / count as f64;
        Some((mean, f64::from(seen[count * 3 / 4])))
    }
}
