//! How many ops a batch has, and how many lanes work: by the controller that loads have where there is no schedule, by rule
//! where there is one.
//!
//! Under a schedule the size of a batch follows from the rate, so only lanes can lack: while ops begin late and every lane is at
//! work, a few are added, and they stay.

use std::time::Duration;

use rowstorm_control::{
    Bounds, Controller, Explorer, ExplorerOptions, Fixed, Observation, Point, Reason, Verdict,
};
use rowstorm_gen::schema::Transaction;
use rowstorm_report::Batching;

use super::options::ChangeOptions;
use super::work::Work;
use crate::decisions::{self, Decisions};
use crate::{RunOptions, Setting};

/// Ops of a batch that the controller may try: a transaction keeps what it changes locked, and is done again whole.
const BATCH_ROWS_MAX: u32 = 10_000;
/// What an op is taken to need before one was made.
const OP_BYTES: f64 = 64.0;
/// Ops that begin so late have waited for a lane: several times what a batch takes to form.
const LAG_OF_FEW: Duration = Duration::from_millis(50);
/// Lanes are added no faster than this: the last ones need some time to show.
const GROW_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Tuner {
    controller: Box<dyn Controller>,
    /// What the controller decided; `None` where both are given.
    story: Option<Decisions>,
    /// Ops that were done under it.
    done: u64,
    /// Whether the controller explores no more once it has settled.
    freezes: bool,
    /// Whether it has seen anything.
    is_used: bool,
    /// Whether the stage at hand has a rate; true before the first.
    is_paced: bool,
    /// Lanes under a schedule.
    paced_lanes: u32,
    grown_at: Duration,
    lanes_max: u32,
    /// Ops of a batch under a schedule, at most.
    paced_batch: u64,
    /// Falls where the server takes less.
    ceiling: u64,
}

impl Tuner {
    pub(crate) fn new(work: &Work, options: &RunOptions, asked: &ChangeOptions) -> Tuner {
        let given = |setting: Setting| match setting {
            Setting::Auto | Setting::AutoFreeze => None,
            Setting::Fixed(number) => Some(number),
        };
        let rows = match work.transaction {
            Transaction::Batch => given(asked.batch),
            Transaction::Row => Some(1),
            Transaction::Rows(rows) => Some(rows),
        };
        let lanes = given(asked.in_flight).map(|_| work.in_flight);
        let bounds = Bounds {
            rows_max: rows.unwrap_or(BATCH_ROWS_MAX),
            in_flight_max: work.lanes_max,
            bytes_max: options.bytes_in_flight_max,
        };
        let start = Point { batch_rows: rows.unwrap_or(work.batch), in_flight: work.in_flight };
        let controller: Box<dyn Controller> = match (rows, lanes) {
            (Some(rows), Some(lanes)) => Box::new(Fixed::new(rows, lanes)),
            (batch_rows, in_flight) => Box::new(Explorer::new(ExplorerOptions {
                batch_rows,
                in_flight,
                objective: crate::open::objective(options),
                start: Some(start),
                ..ExplorerOptions::new(bounds, OP_BYTES)
            })),
        };
        Tuner {
            controller,
            story: (rows.is_none() || lanes.is_none()).then(Decisions::default),
            done: 0,
            freezes: [asked.batch, asked.in_flight].contains(&Setting::AutoFreeze),
            is_used: false,
            is_paced: true,
            paced_lanes: work.in_flight,
            grown_at: Duration::ZERO,
            lanes_max: work.lanes_max,
            paced_batch: u64::from(work.batch),
            ceiling: u64::MAX,
        }
    }

    /// Whether what is handed out now has a schedule.
    pub(crate) fn enter(&mut self, now: Duration, is_paced: bool) {
        if self.is_paced == is_paced {
            return;
        }
        self.is_paced = is_paced;
        if !is_paced {
            self.tell(now);
        } else if let Some(story) = &mut self.story {
            story.close(now, self.done);
        }
    }

    fn tell(&mut self, at: Duration) {
        if let Some(story) = &mut self.story {
            story.add(at, self.done, self.controller.as_ref());
        }
    }

    /// How many lanes may work now.
    pub(crate) fn width(&self) -> u32 {
        let wanted =
            if self.is_paced { self.paced_lanes } else { self.controller.decision().in_flight };
        wanted.clamp(1, self.lanes_max)
    }

    /// Ops of a batch, at most.
    pub(crate) fn batch(&self) -> u64 {
        let wanted = if self.is_paced {
            self.paced_batch
        } else {
            u64::from(self.controller.decision().batch_rows)
        };
        wanted.min(self.ceiling).max(1)
    }

    /// What a job without a schedule is sent under: the decision's number, and how long it waits before.
    pub(crate) fn decision(&self) -> (u64, Duration) {
        let decision = self.controller.decision();
        (decision.number, decision.pause)
    }

    /// An op of a schedule is handed out so late, and so many lanes are at work, its own among them.
    pub(crate) fn late(&mut self, now: Duration, lag: Duration, at_work: u32) {
        let few = at_work >= self.width() && lag > LAG_OF_FEW;
        if few && now >= self.grown_at + GROW_EVERY {
            let more = (self.paced_lanes / 4).max(1);
            self.paced_lanes = (self.paced_lanes + more).min(self.lanes_max);
            self.grown_at = now;
        }
    }

    /// A transaction without a schedule ended.
    pub(crate) fn observe(&mut self, seen: &Observation) {
        self.is_used = true;
        if seen.verdict == Verdict::Done {
            self.done += u64::from(seen.rows);
        }
        if decisions::observe(&mut *self.controller, seen) {
            self.tell(seen.at);
        }
        let settled = matches!(self.controller.decision().reason, Reason::Settled { .. });
        if self.freezes && settled {
            self.freezes = false;
            self.controller.freeze();
            self.tell(seen.at);
        }
    }

    /// A batch of so many ops was too large for the server.
    pub(crate) fn too_large(&mut self, ops: u64) {
        self.ceiling = self.ceiling.min(ops / 2).max(1);
    }

    /// The server refused another connection.
    pub(crate) fn cap_lanes(&mut self, lanes: u32) {
        self.lanes_max = self.lanes_max.min(lanes).max(1);
    }

    /// For the record: how the controller came to what it keeps; `None` where it was not asked.
    pub(crate) fn story(&mut self, now: Duration) -> Option<Batching> {
        let kept = self.kept();
        let story = self.story.as_mut()?;
        story.close(now, self.done);
        let told = story.batching(Some(kept), 0);
        (!told.decisions.is_empty()).then_some(told)
    }

    /// For the record: what the controller keeps, or the rule where it was not asked.
    pub(crate) fn kept(&self) -> Point {
        let Point { batch_rows, in_flight } = if self.is_used {
            self.controller.kept()
        } else {
            Point { batch_rows: self.paced_batch as u32, in_flight: self.paced_lanes }
        };
        let ceiling = u32::try_from(self.ceiling).unwrap_or(u32::MAX);
        Point { batch_rows: batch_rows.min(ceiling), in_flight: in_flight.clamp(1, self.lanes_max) }
    }
}
