//! What was tried and refused of late: a neighbour that lost is not tried again for some minutes.

use crate::Point;

const LOSERS: usize = 16;
/// A neighbour that lost nothing is left alone for so long, and for so much more if it had lost everything.
const REMEMBERED_S: f64 = 60.0;
const REMEMBERED_PER_LOSS_S: f64 = 500.0;

#[derive(Debug, Clone, Copy)]
struct Loser {
    point: Point,
    until: f64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    losers: [Option<Loser>; LOSERS],
    next: usize,
}

impl Memory {
    /// A neighbour was slower by this share. The more it lost, the longer it is left alone.
    pub(super) fn lost(&mut self, point: Point, loss: f64, now: f64) {
        let remembered = REMEMBERED_S + REMEMBERED_PER_LOSS_S * loss.clamp(0.0, 0.4);
        self.losers[self.next] = Some(Loser { point, until: now + remembered });
        self.next = (self.next + 1) % LOSERS;
    }

    /// Whether a neighbour of the same place has lost.
    pub(super) fn knows(&self, point: Point, now: f64) -> bool {
        let near = |left: u32, right: u32| (f64::from(left) / f64::from(right)).log2().abs() < 0.3;
        self.losers.iter().flatten().any(|loser| {
            now < loser.until
                && near(loser.point.batch_rows, point.batch_rows)
                && near(loser.point.in_flight, point.in_flight)
        })
    }

    pub(super) fn forget(&mut self) {
        self.losers = [None; LOSERS];
    }
}
