//! The explorer: what `auto` means. It finds rows per batch and batches in flight together, and keeps looking.
//!
//! It measures goodput in [slices](slice), compares neighbours with what is kept in [pairs](trial) of them, and keeps what is
//! faster, or as fast and smaller. docs/controller.md tells the whole in words, with the sources of the numbers.
//!
//! It deliberately knows nothing of any one database, only what is plausible of all of them (the law's numbers): what a server
//! refuses, how its speed bends and where it stalls is learnt from its answers. It never waits, draws or allocates: all memory is in this struct.

mod late;
mod latencies;
mod law;
mod long;
mod memory;
mod model;
mod options;
mod overload;
mod pulse;
mod search;
mod slice;
mod space;
mod stakes;
mod startup;
mod trial;
mod triangle;
mod walls;
mod watch;
mod way;

use std::time::Duration;

pub use options::{End, ExplorerOptions, Objective};

use crate::{Controller, Counters, Decision, Observation, Point, Reason, State, Verdict};
use long::Long;
use memory::Memory;
use model::Model;
use pulse::Pulse;
use search::Search;
use slice::{Need, Slicer};
use space::Space;
use stakes::Stakes;
use startup::Startup;
use walls::Walls;
use watch::Watch;
use way::Way;

/// Rows and batches in flight of the first decision: small for any server, and not PostgreSQL's notch at 1,000 rows.
const START: Point = Point { batch_rows: 500, in_flight: 2 };
/// No more than this share of the budget is taken at the start.
const START_BUDGET: f64 = 0.25;

/// Finds rows per batch and batches in flight by paired experiments, and follows a server that changes.
///
/// ```
/// use std::time::Duration;
/// use rowstorm_control::{Bounds, Controller, Explorer, ExplorerOptions, Observation, Verdict};
///
/// let bounds = Bounds { rows_max: 50_000, in_flight_max: 16, bytes_max: 1 << 28 };
/// let mut explorer = Explorer::new(ExplorerOptions::new(bounds, 100.0));
/// // A server that needs 5 ms for every batch, whatever its size, one after another.
/// for batch in 1..4_000u64 {
///     let sent = explorer.decision().clone();
///     explorer.observe(&Observation {
///         at: Duration::from_millis(5 * batch),
///         latency: Duration::from_millis(5),
///         rows: sent.batch_rows,
///         bytes: u64::from(sent.batch_rows) * 100,
///         in_flight: sent.in_flight,
///         decision: sent.number,
///         verdict: Verdict::Done,
///     });
/// }
/// assert!(explorer.kept().batch_rows > 25_000, "{:?}", explorer.decision());
/// ```
#[derive(Debug, Clone)]
pub struct Explorer {
    space: Space,
    objective: Objective,
    /// What is good on most servers of the kind.
    guess: Point,
    decision: Decision,
    /// Reasons given since the last observation came: whether there was one, and the first that was overtaken.
    told: bool,
    overtaken: Option<Reason>,
    now: f64,
    /// The setting before the one in force.
    before: Point,
    kept: Point,
    /// Ties do not shrink below this footprint: where everything is equally fast, nothing is gained by less.
    footprint_min: f64,
    mode: Mode,
    slicer: Slicer,
    walls: Walls,
    memory: Memory,
    model: Model,
    pulse: Pulse,
    long: Long,
    way: Option<Way>,
    watch: Watch,
    stakes: Stakes,
    search: Search,
    /// Pooled noise of a pair's difference.
    noise: f64,
    /// Latency and rows per second of what is kept, by its last slice.
    latency: f64,
    rate: f64,
    /// Rows per second of the last slice, whatever the setting.
    rate_now: f64,
    /// Noise of a slice, by the spread of its latencies.
    spread: f64,
    lateness: late::Lateness,
    counted: overload::Counted,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Doubles while that pays.
    Startup(Startup),
    /// Tries one neighbour after the other.
    Refine,
    /// Watches, and tries a neighbour from time to time.
    Hold,
    Frozen,
}

impl Explorer {
    /// Starts at the given place, else small, within the bounds.
    pub fn new(options: ExplorerOptions) -> Explorer {
        let space = Space::new(&options);
        let cold = options.start.is_none();
        let kept = match options.start {
            Some(start) => space.project(start),
            None => space.project_within(START, START_BUDGET),
        };
        let decision = Decision {
            number: 0,
            batch_rows: kept.batch_rows,
            in_flight: kept.in_flight,
            pause: Duration::ZERO,
            reason: Reason::Start,
        };
        let given = space.rows_are_given() && space.lanes_are_given();
        let mode = match (given, cold) {
            (true, _) => Mode::Hold,
            (false, true) => Mode::Startup(Startup::new(&space)),
            (false, false) => Mode::Refine,
        };
        Explorer {
            footprint_min: kept.footprint().min(START.footprint()),
            space,
            objective: options.objective,
            guess: options.guess,
            decision,
            told: false,
            overtaken: None,
            now: 0.0,
            before: kept,
            kept,
            mode,
            slicer: Slicer::default(),
            walls: Walls::default(),
            memory: Memory::default(),
            model: Model::default(),
            pulse: Pulse::default(),
            long: Long::default(),
            way: None,
            watch: Watch::default(),
            stakes: Stakes::new(options.end),
            search: Search::default(),
            noise: 0.05,
            latency: 0.0,
            rate: 0.0,
            rate_now: 0.0,
            spread: 0.0,
            lateness: late::Lateness::default(),
            counted: overload::Counted::default(),
        }
    }

    /// The setting in force.
    fn point(&self) -> Point {
        Point { batch_rows: self.decision.batch_rows, in_flight: self.decision.in_flight }
    }

    /// Puts a setting in force. The same one again is no change: its slices go on.
    fn go(&mut self, point: Point, reason: Reason) {
        if self.told {
            self.overtaken = self.overtaken.or(Some(self.decision.reason));
        }
        self.told = true;
        let before = self.point();
        if point == before {
            self.decision.reason = reason;
            return;
        }
        self.decision.number += 1;
        self.decision.batch_rows = point.batch_rows;
        self.decision.in_flight = point.in_flight;
        self.decision.reason = reason;
        self.before = before;
        self.slicer.restart(self.now, before.in_flight.saturating_sub(1));
        self.counted.in_force(point);
    }

    fn begin_telling(&mut self) {
        self.told = false;
        self.overtaken = None;
    }

    fn latency_limit(&self) -> f64 {
        match self.objective {
            Objective::P99Below(limit) => limit.as_secs_f64(),
            Objective::Throughput | Objective::Knee => f64::INFINITY,
        }
    }

    fn need(&self) -> Need {
        match self.mode {
            Mode::Startup(startup) => startup.need(),
            Mode::Refine | Mode::Hold | Mode::Frozen => self.search_need(),
        }
    }

    fn measure(&mut self, seen: &Observation) {
        let need = self.need();
        let limit = self.latency_limit();
        let Some(slice) = self.slicer.push(seen, self.decision.in_flight, limit, &need) else {
            return;
        };
        if self.is_late(&slice) {
            self.overloaded(Reason::Late);
            return;
        }
        match self.mode {
            Mode::Startup(startup) => self.double(startup, &slice),
            Mode::Refine | Mode::Hold => self.explore(&slice),
            Mode::Frozen => {}
        }
    }
}

impl Controller for Explorer {
    fn decision(&self) -> &Decision {
        &self.decision
    }

    fn observe(&mut self, seen: &Observation) -> &Decision {
        self.begin_telling();
        self.now = self.now.max(seen.at.as_secs_f64());
        if seen.rows > 0 {
            let per_row = seen.bytes as f64 / f64::from(seen.rows);
            if self.space.saw_row_bytes(per_row) {
                self.shrink_to_bounds(Reason::Budget);
            }
        }
        let current = seen.decision == self.decision.number;
        if seen.verdict == Verdict::Done {
            self.pulse.beat(self.now, seen.latency.as_secs_f64(), seen.rows);
            self.stakes.wrote(seen.rows);
            if !current {
                self.slicer.older();
            }
        }
        match seen.verdict {
            // A size that is refused once is refused always, under whatever decision it was sent.
            Verdict::TooLarge => {
                self.space.too_large(seen.rows);
                self.shrink_to_bounds(Reason::TooLarge);
            }
            Verdict::Busy if current && !self.is_aftermath() => self.overloaded(Reason::Busy),
            Verdict::Done if current => self.measure(seen),
            Verdict::Busy | Verdict::Failed | Verdict::Done => {}
        }
        &self.decision
    }

    fn count(&mut self, seen: &Counters) -> &Decision {
        self.begin_telling();
        self.now = self.now.max(seen.at.as_secs_f64());
        self.counted(seen);
        &self.decision
    }

    fn freeze(&mut self) -> &Decision {
        self.begin_telling();
        if self.mode != Mode::Frozen {
            self.mode = Mode::Frozen;
            self.search.trial = None;
            self.go(self.kept, Reason::Frozen);
        }
        &self.decision
    }

    fn overtaken(&self) -> Option<Reason> {
        self.overtaken
    }

    fn kept(&self) -> Point {
        self.kept
    }

    fn state(&self) -> State {
        match self.mode {
            Mode::Startup(_) | Mode::Refine => State::Exploring,
            Mode::Hold => State::Settled,
            Mode::Frozen => State::Frozen,
        }
    }
}
