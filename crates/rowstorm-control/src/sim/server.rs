//! The simulated server: a pool of workers that share the processor, a queue with a limit, a commit that is flushed.
//!
//! Batches that run share the speed equally (processor sharing), so each has its finish on a common clock of work done,
//! and one heap holds them all whatever the speed is.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::Surface;

/// A time or an amount of work that can stand in a heap, the smallest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Smallest(pub(super) f64);

impl Eq for Smallest {}

impl PartialOrd for Smallest {
    fn partial_cmp(&self, other: &Smallest) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Smallest {
    fn cmp(&self, other: &Smallest) -> Ordering {
        other.0.total_cmp(&self.0)
    }
}

/// What the server does with a batch that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Taken,
    Refused,
    TooLarge,
}

#[derive(Debug, Default)]
pub(super) struct Server {
    running: BinaryHeap<(Smallest, usize)>,
    queue: VecDeque<(usize, f64)>,
    /// Batches whose work is done and whose commit is not.
    waiting: Vec<usize>,
    flushing: Vec<usize>,
    /// When the flush under way ends.
    flush_ends: Option<f64>,
    done: f64,
    since: f64,
    factor: f64,
    bytes: f64,
    dirty: f64,
    stands: bool,
}

impl Server {
    /// A batch comes in, with the seconds of work it is.
    pub(super) fn enter(
        &mut self,
        surface: &Surface,
        batch: usize,
        bytes: f64,
        work: f64,
    ) -> Entry {
        if bytes > surface.packet_bytes {
            return Entry::TooLarge;
        }
        if self.bytes + bytes > surface.breaker_bytes {
            return Entry::Refused;
        }
        if (self.held() as f64) < surface.pool {
            self.running.push((Smallest(self.done + work), batch));
        } else if (self.queue.len() as f64) < surface.queue {
            self.queue.push_back((batch, work));
        } else {
            return Entry::Refused;
        }
        self.bytes += bytes;
        Entry::Taken
    }

    /// Batches that hold a place in the pool.
    fn held(&self) -> usize {
        self.running.len() + self.waiting.len() + self.flushing.len()
    }

    fn speed(&self, surface: &Surface) -> f64 {
        self.factor * surface.speed(self.running.len() as f64)
    }

    /// Works until `now`; the caller stops at every event.
    pub(super) fn advance(&mut self, surface: &Surface, now: f64) {
        self.done += (now - self.since) * self.speed(surface);
        self.since = now;
    }

    /// When the next batch's work or the flush under way ends, if nothing else happens.
    pub(super) fn next(&self, surface: &Surface) -> f64 {
        let flush = self.flush_ends.unwrap_or(f64::INFINITY);
        let Some((Smallest(finish), _)) = self.running.peek() else { return flush };
        let work = self.since + (finish - self.done).max(0.0) / self.speed(surface).max(1e-9);
        work.min(flush)
    }

    /// Takes what ended just now: batches that are committed go to `ended`.
    pub(super) fn settle(
        &mut self,
        surface: &Surface,
        now: f64,
        flush_s: f64,
        ended: &mut Vec<usize>,
    ) {
        if self.flush_ends.is_some_and(|end| end <= now + 1e-12) {
            self.flush_ends = None;
            ended.append(&mut self.flushing);
        }
        while let Some((Smallest(finish), batch)) = self.running.peek().copied() {
            if finish > self.done + 1e-12 {
                break;
            }
            self.running.pop();
            if surface.flush_ms > 0.0 {
                self.waiting.push(batch);
            } else {
                ended.push(batch);
            }
        }
        if self.flush_ends.is_none() && !self.waiting.is_empty() {
            std::mem::swap(&mut self.waiting, &mut self.flushing);
            self.flush_ends = Some(now + flush_s);
        }
        while (self.held() as f64) < surface.pool {
            let Some((batch, work)) = self.queue.pop_front() else { break };
            self.running.push((Smallest(self.done + work), batch));
        }
    }

    /// A batch is answered: its bytes are no longer held, and its pages are dirty.
    pub(super) fn leave(&mut self, bytes: f64) {
        self.bytes -= bytes;
        self.dirty += bytes;
    }

    /// A tenth of a second is over: `capacity` is what time has made of the server by now.
    pub(super) fn tick(&mut self, surface: &Surface, capacity: f64, seconds: f64) {
        let drain = surface.drain_bytes * if self.stands { 0.5 } else { 1.0 };
        self.dirty = (self.dirty - drain * seconds).max(0.0);
        if self.dirty > surface.dirty_bytes {
            self.stands = true;
        } else if self.dirty < 0.6 * surface.dirty_bytes {
            self.stands = false;
        }
        let fullness = self.dirty / surface.dirty_bytes;
        let brake = if self.stands {
            0.03
        } else if fullness > 0.7 {
            1.0 - (fullness - 0.7)
        } else {
            1.0
        };
        self.factor = capacity * brake;
    }
}
