//! Walls: settings that the server refused, or that were too slow to answer. Whatever is larger in both coordinates lies behind
//! them. A wall falls after a while, because servers change; one that is hit again stands twice as long.

use crate::Point;

const WALLS: usize = 8;
const STANDS_S: f64 = 45.0;
const HITS_MAX: u32 = 5;

#[derive(Debug, Clone, Copy)]
struct Wall {
    at: Point,
    until: f64,
    hits: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Walls {
    walls: [Option<Wall>; WALLS],
    next: usize,
}

impl Walls {
    /// The server refused this setting.
    pub(super) fn build(&mut self, at: Point, now: f64) {
        let near = |wall: &Wall| {
            let same =
                |left: u32, right: u32| (f64::from(left) / f64::from(right)).ln().abs() < 0.2;
            same(wall.at.batch_rows, at.batch_rows) && same(wall.at.in_flight, at.in_flight)
        };
        if let Some(wall) = self.walls.iter_mut().flatten().find(|wall| near(wall)) {
            wall.hits = (wall.hits + 1).min(HITS_MAX);
            wall.at.batch_rows = wall.at.batch_rows.min(at.batch_rows);
            wall.at.in_flight = wall.at.in_flight.min(at.in_flight);
            wall.until = now + STANDS_S * f64::from(1 << wall.hits);
            return;
        }
        self.walls[self.next] = Some(Wall { at, until: now + STANDS_S, hits: 0 });
        self.next = (self.next + 1) % WALLS;
    }

    /// Whether a setting lies behind a wall.
    pub(super) fn hide(&self, point: Point, now: f64) -> bool {
        self.walls.iter().flatten().any(|wall| {
            now < wall.until
                && point.batch_rows >= wall.at.batch_rows
                && point.in_flight >= wall.at.in_flight
        })
    }

    /// The server is another.
    pub(super) fn fall(&mut self) {
        self.walls = [None; WALLS];
    }
}
