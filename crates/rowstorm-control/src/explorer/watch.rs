//! The watch over what is kept: has the server changed, and does it collapse from time to time?

/// A change below this share is not looked for: capacity wanders that much.
const CHANGE_MIN: f64 = 0.08;
/// How much change, summed over slices, is an alarm, in units of the noise of one slice.
const ALARM: f64 = 8.0;
/// Slices in which a level is learnt.
const LEARN: f64 = 8.0;
/// How fast the level follows.
const FOLLOW: f64 = 0.03;

/// Two one-sided cumulative sums of the logarithm of goodput (Page 1954).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    level: f64,
    slices: f64,
    noise: f64,
    up: f64,
    down: f64,
    recent: f64,
}

impl Watch {
    /// Another setting is kept, or the server is another: its level has to be learnt.
    pub(super) fn restart(&mut self) {
        *self = Watch { noise: self.noise, ..Watch::default() };
    }

    /// A slice of what is kept; the change if there is one.
    pub(super) fn push(&mut self, log_rate: f64, pooled: f64) -> Option<f64> {
        self.slices += 1.0;
        let off = log_rate - self.level;
        self.recent += (log_rate - self.recent) * if self.slices < 2.0 { 1.0 } else { 0.3 };
        if self.slices <= LEARN {
            self.level += off / self.slices;
            return None;
        }
        let noise = pooled.max(0.02);
        // A single slice cannot raise the alarm by itself: a stall is no change.
        let off_bounded = off.clamp(-3.0 * noise - CHANGE_MIN, 3.0 * noise + CHANGE_MIN);
        self.up = (self.up + off_bounded - CHANGE_MIN / 2.0).max(0.0);
        self.down = (self.down - off_bounded - CHANGE_MIN / 2.0).max(0.0);
        self.level += off * FOLLOW;
        let alarm = ALARM * noise + CHANGE_MIN;
        if self.up > alarm || self.down > alarm {
            let change = self.recent - self.level;
            self.restart();
            return Some(change.exp() - 1.0);
        }
        None
    }
}
