//! Long blocks: where the pulse falters, less in flight for most of a minute, against the minute before.
//!
//! What was won so is held for a while: short slices would want it back.

use super::{Explorer, Mode};
use crate::{Point, Reason};

/// The pulse falters when the server stood for this share of the time.
const STOOD: f64 = 0.18;
/// How far it is looked back, and how long a block is at most.
const LOOK_S: f64 = 75.0;
const BLOCK_S: f64 = 40.0;
/// From so many seconds of a block on it can be given up.
const BLOCK_MIN_S: f64 = 10.0;
/// What a block must gain.
const GAIN_MIN: f64 = 0.05;
/// A second below this share of the mean before is one in which the server stood.
const STANDS: f64 = 0.3;
/// The next block comes no earlier than this, doubled after each that won nothing.
const AGAIN_S: f64 = 90.0;
/// So long nothing more is tried than what a block has won.
const HELD_S: f64 = 240.0;

/// A block under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    point: Point,
    since: f64,
    /// When the server was first seen at work on it.
    from: Option<f64>,
    /// Mean of the minute before.
    before: f64,
}

/// What is known of long blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Long {
    pub(super) block: Option<Block>,
    /// When what is kept came into force, or was last left alone.
    again_at: f64,
    again: f64,
    /// Until then nothing larger is tried.
    held_until: f64,
    won: u32,
}

impl Default for Long {
    fn default() -> Long {
        Long { block: None, again_at: LOOK_S + 10.0, again: AGAIN_S, held_until: 0.0, won: 0 }
    }
}

impl Explorer {
    /// Whether larger settings are left alone, because less was better in the long run.
    pub(super) fn is_held(&self) -> bool {
        self.now < self.long.held_until
    }

    /// What was refused a moment ago makes no pulse.
    pub(super) fn long_later(&mut self) {
        self.long.again_at = self.long.again_at.max(self.now + LOOK_S + AGAIN_AFTER_S);
    }

    /// Begins a block if the pulse falters; whether it did.
    pub(super) fn begin_block(&mut self) -> bool {
        let to = self.now - self.latency - 1.0;
        if self.now < self.long.again_at || self.mode == Mode::Frozen {
            return false;
        }
        let from = self.pulse.first_works(to - LOOK_S, to);
        let Some((mean, _)) = self.pulse.between(from, to) else { return false };
        if self.pulse.stood(from, to) < STOOD || mean <= 0.0 {
            return false;
        }
        let Some(point) = self.lesser() else { return false };
        self.mode = Mode::Hold;
        self.search.trial = None;
        self.long.block = Some(Block { point, since: self.now, from: None, before: mean });
        self.go(point, Reason::Long { kept: self.kept, rate: mean });
        true
    }

    /// Half of what is in flight.
    fn lesser(&self) -> Option<Point> {
        let Point { batch_rows, in_flight } = self.kept;
        let fewer = Point { batch_rows, in_flight: (in_flight / 2).max(1) };
        let smaller = Point { batch_rows: (batch_rows / 2).max(1), in_flight };
        let allowed = |point| self.space.allowed(self.kept, point);
        allowed(fewer).or_else(|| allowed(smaller))
    }

    /// A slice of a block is over; whether there was a block.
    pub(super) fn block(&mut self) -> bool {
        let Some(mut block) = self.long.block else { return false };
        let to = self.now - 1.0;
        if block.from.is_none() {
            let works = self.rate_now > STANDS * block.before;
            if works {
                block.from = Some(self.now);
                self.long.block = Some(block);
            } else if self.now - block.since > BLOCK_S {
                self.end_block(block, None);
            }
            return true;
        }
        let from = block.from.unwrap_or(block.since);
        let Some((mean, upper)) = self.pulse.between(from, to) else { return true };
        let needed = block.before * (1.0 + GAIN_MIN);
        let over = to - from >= BLOCK_S;
        let hopeless = to - from >= BLOCK_MIN_S && upper < needed;
        if over || hopeless {
            self.end_block(block, (mean > needed).then_some(mean));
        }
        true
    }

    fn end_block(&mut self, block: Block, won: Option<f64>) {
        self.long.block = None;
        let before = self.kept;
        if let Some(mean) = won {
            self.kept = block.point;
            self.long.won += 1;
            self.long.again = AGAIN_S;
            self.long.held_until = self.now + HELD_S * f64::from(self.long.won.min(4));
            self.long.again_at = self.now + 5.0;
            self.memory.forget();
            self.watch.restart();
            self.hold_for(LOOK_S);
            let gain = mean / block.before - 1.0;
            self.go(self.kept, Reason::Smaller { before, gain });
            return;
        }
        self.long.again_at = self.now + self.long.again;
        self.long.again *= 2.0;
        let gain = self.pulse.between(block.since, self.now - 1.0);
        let gain = gain.map_or(0.0, |(mean, _)| mean / block.before - 1.0);
        self.hold_for(AGAIN_AFTER_S);
        self.go(self.kept, Reason::Back { tried: block.point, gain });
    }
}

/// Seconds to the next trial after a block.
const AGAIN_AFTER_S: f64 = 5.0;
