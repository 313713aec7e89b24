//! The way back: a server that took most of its lanes away for a while gives them back as suddenly.
//!
//! Trials would need a minute for it. So after what is kept has lost much to refusals, it is doubled towards where it was, one
//! slice a step, for as long as nothing is refused; a refusal puts the next attempt off, longer each time.

use super::Explorer;
use super::slice::Slice;
use crate::{Point, Reason};

/// Less than this was lost: that was the edge of what the server takes, and not the server.
const LOST_MIN: f64 = 1.6;
/// The first attempt comes so long after the last refusal; later ones are put off by this factor.
const FIRST_S: f64 = 4.0;
const PUT_OFF: f64 = 1.4;
const WAIT_MAX_S: f64 = 120.0;
/// A step up may be slower by this much in its one slice.
const SLOWER_MAX: f64 = 0.05;

#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// Where it was.
    to: Point,
    at: f64,
    wait: f64,
    /// Whether a step is in force.
    pub(super) steps: bool,
}

impl Explorer {
    /// What was kept has just been given up for less.
    pub(super) fn lost_ground(&mut self, before: Point) {
        let to = match self.way {
            Some(way) if way.to.footprint() > before.footprint() => way.to,
            Some(_) | None => before,
        };
        self.long_later();
        let wait = self.way.map_or(FIRST_S, |way| way.wait);
        self.way = Some(Way { to, at: self.now + wait, wait, steps: false });
    }

    /// Takes a step back if it is time; whether it did.
    pub(super) fn step_back(&mut self) -> bool {
        let Some(mut way) = self.way else { return false };
        let kept = self.kept;
        if way.to.footprint() < LOST_MIN * kept.footprint() && !way.steps {
            return false;
        }
        let wanted = Point {
            batch_rows: kept
                .batch_rows
                .saturating_mul(2)
                .min(way.to.batch_rows.max(kept.batch_rows)),
            in_flight: kept.in_flight.saturating_mul(2).min(way.to.in_flight.max(kept.in_flight)),
        };
        let point = self.space.project(wanted);
        if self.now < way.at || point.footprint() <= kept.footprint() {
            return false;
        }
        way.steps = true;
        self.way = Some(way);
        self.search.trial = None;
        self.go(point, Reason::WayBack { to: way.to });
        true
    }

    /// A slice of a step is over; whether there was a step.
    pub(super) fn stepped_back(&mut self, slice: &Slice) -> bool {
        let Some(mut way) = self.way.filter(|way| way.steps) else { return false };
        if slice.log_rate < self.rate.ln() - SLOWER_MAX {
            self.way = None;
            self.go(self.kept, Reason::Settled { rate: self.rate });
            return true;
        }
        self.kept = self.point();
        self.rate = slice.log_rate.exp();
        self.latency = slice.log_latency.exp();
        self.watch.restart();
        if !self.step_back() {
            way.steps = false;
            self.way = (self.kept.footprint() < way.to.footprint()).then_some(way);
            self.walls.fall();
            self.go(self.kept, Reason::Settled { rate: self.rate });
        }
        true
    }

    /// A step was refused.
    pub(super) fn step_refused(&mut self) {
        if let Some(way) = self.way.as_mut().filter(|way| way.steps) {
            way.steps = false;
            way.wait = (way.wait * PUT_OFF).min(WAIT_MAX_S);
            way.at = self.now + way.wait;
        }
    }
}
