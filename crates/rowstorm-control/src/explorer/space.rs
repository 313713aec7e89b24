//! The space that is searched: rows per batch and batches in flight, within the limits of server, table and budget.

use super::ExplorerOptions;
use crate::{Bounds, Direction, Point};

#[derive(Debug, Clone)]
pub(super) struct Space {
    bounds: Bounds,
    bytes_per_row: f64,
    batch_rows: Option<u32>,
    in_flight: Option<u32>,
}

impl Space {
    pub(super) fn new(options: &ExplorerOptions) -> Space {
        Space {
            bounds: options.bounds,
            bytes_per_row: options.bytes_per_row.max(1.0),
            batch_rows: options.batch_rows,
            in_flight: options.in_flight,
        }
    }

    /// The nearest setting within the bounds. What is not given by the user gives way first: rows before lanes.
    pub(super) fn project(&self, wanted: Point) -> Point {
        let bounds = &self.bounds;
        let wanted_rows = self.batch_rows.unwrap_or(wanted.batch_rows);
        let wanted_lanes = self.in_flight.unwrap_or(wanted.in_flight);
        let mut rows = wanted_rows.clamp(1, bounds.rows_max.max(1));
        let mut in_flight = wanted_lanes.clamp(1, bounds.in_flight_max.max(1));
        let rows_in_flight_max = self.rows_in_flight_max();
        if self.batch_rows.is_none() {
            rows = rows.min((rows_in_flight_max / f64::from(in_flight)) as u32).max(1);
        }
        in_flight = in_flight.min((rows_in_flight_max / f64::from(rows)) as u32).max(1);
        rows = rows.min(rows_in_flight_max as u32).max(1);
        Point { batch_rows: rows, in_flight }
    }

    /// The nearest setting that takes at most this share of the budget, fewer rows if need be.
    pub(super) fn project_within(&self, wanted: Point, share: f64) -> Point {
        let rows = share * self.rows_in_flight_max();
        let rows = (rows / f64::from(wanted.in_flight)) as u32;
        self.project(Point { batch_rows: wanted.batch_rows.min(rows.max(1)), ..wanted })
    }

    /// Rows that the budget has room for.
    fn rows_in_flight_max(&self) -> f64 {
        self.bounds.bytes_max as f64 / self.bytes_per_row
    }

    /// A row had this many bytes; whether that is more than was thought.
    pub(super) fn saw_row_bytes(&mut self, bytes: f64) -> bool {
        let more = bytes > self.bytes_per_row;
        if more {
            self.bytes_per_row = bytes;
        }
        more
    }

    /// A batch of so many rows was too large.
    pub(super) fn too_large(&mut self, rows: u32) {
        self.bounds.rows_max = self.bounds.rows_max.min((rows / 2).max(1));
    }

    pub(super) fn rows_are_given(&self) -> bool {
        self.batch_rows.is_some()
    }

    pub(super) fn lanes_are_given(&self) -> bool {
        self.in_flight.is_some()
    }

    /// The neighbour of a setting in a direction, `octaves` away; `None` if a bound or the user stands in between,
    /// or where the direction is a place and no way.
    pub(super) fn neighbour(
        &self,
        from: Point,
        direction: Direction,
        octaves: f64,
    ) -> Option<Point> {
        let factor = octaves.exp2();
        let lanes_up = || more(from.in_flight, factor);
        let lanes_down =
            || ((f64::from(from.in_flight) / factor).round() as u32).min(from.in_flight - 1);
        let rows = |factor: f64| (f64::from(from.batch_rows) * factor).round() as u32;
        // Both change by the same factor, as far as lanes can be divided.
        let traded = |lanes: u32| Point {
            batch_rows: rows(f64::from(from.in_flight) / f64::from(lanes.max(1))),
            in_flight: lanes,
        };
        let wanted = match direction {
            Direction::MoreRows => Point { batch_rows: rows(factor), ..from },
            Direction::LessRows => Point { batch_rows: rows(1.0 / factor), ..from },
            Direction::MoreInFlight => Point { in_flight: lanes_up(), ..from },
            Direction::LessInFlight => Point { in_flight: lanes_down(), ..from },
            Direction::Split => traded(lanes_up()),
            Direction::Join => traded(lanes_down()),
            Direction::Leap => Point { batch_rows: rows(4.0), ..from },
            Direction::Guess => return None,
        };
        let wanted = self.within_budget(from, wanted);
        // Where the lanes are at their bound, what would move them is only a step of the rows, and that is another direction.
        let is_of_lanes = wanted.in_flight != from.in_flight;
        self.allowed(from, wanted).filter(|point| !is_of_lanes || point.in_flight != from.in_flight)
    }

    /// A step of the rows, or of the lanes, that would cross the budget ends at it.
    fn within_budget(&self, from: Point, wanted: Point) -> Point {
        let most = self.rows_in_flight_max();
        let room = |with: u32, from: u32| ((most / f64::from(with)) as u32).max(from);
        let Point { batch_rows, in_flight } = wanted;
        if in_flight == from.in_flight {
            Point { batch_rows: batch_rows.min(room(in_flight, from.batch_rows)), in_flight }
        } else if batch_rows == from.batch_rows {
            Point { batch_rows, in_flight: in_flight.min(room(batch_rows, from.in_flight)) }
        } else {
            wanted
        }
    }

    /// A setting that differs from another and is within the bounds as it stands, or nearly.
    pub(super) fn allowed(&self, from: Point, wanted: Point) -> Option<Point> {
        if wanted.in_flight == 0 || wanted.batch_rows == 0 {
            return None;
        }
        // A step that would cross a bound ends at it.
        let wanted = Point {
            batch_rows: wanted.batch_rows.min(self.bounds.rows_max.max(1)),
            in_flight: wanted.in_flight.min(self.bounds.in_flight_max.max(1)),
        };
        let point = self.project(wanted);
        let kept = point.in_flight == wanted.in_flight
            && f64::from(point.batch_rows) > 0.85 * f64::from(wanted.batch_rows);
        let ratio = f64::from(point.batch_rows) / f64::from(from.batch_rows);
        let differs = point.in_flight != from.in_flight || !(0.93..=1.07).contains(&ratio);
        (kept && differs).then_some(point)
    }
}

/// More lanes by a factor, and one more at least.
fn more(lanes: u32, factor: f64) -> u32 {
    ((f64::from(lanes) * factor).round() as u32).max(lanes + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_would_cross_the_budget_ends_at_it() {
        let bounds = Bounds { rows_max: 100_000, in_flight_max: 64, bytes_max: 5_600_000 };
        let space = Space::new(&ExplorerOptions::new(bounds, 100.0));
        let from = Point { batch_rows: 1_000, in_flight: 40 };
        let step = |direction| space.neighbour(from, direction, 0.5);
        assert_eq!(step(Direction::MoreRows), Some(Point { batch_rows: 1_400, in_flight: 40 }));
        assert_eq!(step(Direction::MoreInFlight), Some(Point { batch_rows: 1_000, in_flight: 56 }));
        assert_eq!(step(Direction::Leap), Some(Point { batch_rows: 1_400, in_flight: 40 }));
        // Nearer than a fifteenth it is no step any more.
        let near = Point { batch_rows: 1_330, in_flight: 40 };
        assert_eq!(space.neighbour(near, Direction::MoreRows, 0.5), None);
    }
}
