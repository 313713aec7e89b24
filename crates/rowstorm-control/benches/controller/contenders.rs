//! Who is judged: ours, and everybody else with the start that its author gave it.

use rowstorm_control::sim::baselines::{
    AdaptiveConcurrency, Aimd, Automator, Climb, ClimbOptions, Golden, Gradient2, HillClimb, Knobs,
    RandomSearch, Spsa, Vegas,
};
use rowstorm_control::sim::{Scenario, Schedule, Surface};
use rowstorm_control::{Controller, End, Explorer, ExplorerOptions, Fixed, Objective, Point};
use std::time::Duration;

/// What a contender is made from.
pub(crate) struct Given<'a> {
    pub(crate) surface: &'a Surface,
    pub(crate) scenario: &'a Scenario,
    /// The best fixed setting of each regime.
    pub(crate) bests: &'a [Point],
    pub(crate) seed: u64,
    /// Seconds of the run.
    pub(crate) seconds: f64,
}

impl Given<'_> {
    /// The best fixed setting of the first regime.
    fn best(&self) -> Point {
        self.bests[0]
    }

    /// A run of so many seconds is told when it ends.
    fn end(&self) -> End {
        End { at: Some(Duration::from_secs_f64(self.seconds)), rows: None }
    }

    /// Starts where ours starts, and is told the best so many seconds into each regime.
    fn told_after(&self, seconds: f64) -> Box<dyn Controller> {
        let start = explorer(self, End::default()).kept();
        Box::new(Schedule::told_after(seconds, start, self.scenario, self.bests))
    }
}

/// A controller that is judged.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// Whether it is given something that only an oracle knows.
    pub(crate) oracle: bool,
    pub(crate) make: fn(&Given<'_>) -> Box<dyn Controller>,
}

/// All of them, ours first.
pub(crate) const ALL: [Contender; 24] = [
    ours("rowstorm", |given| Box::new(explorer(given, given.end()))),
    ours("rowstorm, no end told", |given| Box::new(explorer(given, End::default()))),
    rival("fixed 1,000 x 1", |_| Box::new(Fixed::new(1_000, 1))),
    rival("fixed 10,000 x 4", |given| fixed(given, 10_000, 4)),
    rival("fixed 10,000 x 20", |given| fixed(given, 10_000, 20)),
    rival("tsperf, 2 in flight", |given| Box::new(Automator::new(knobs(given, 2_500, 2)))),
    rival("tsperf, 8 in flight", |given| Box::new(Automator::new(knobs(given, 2_500, 8)))),
    rival("AIMD, 10,000 rows", |given| Box::new(Aimd::new(knobs(given, 10_000, 4)))),
    rival("Vegas, 10,000 rows", |given| Box::new(Vegas::new(knobs(given, 10_000, 4)))),
    rival("Gradient2, 10,000 rows", |given| Box::new(Gradient2::new(knobs(given, 10_000, 4)))),
    rival("Vector ARC, 10,000 rows", |given| {
        Box::new(AdaptiveConcurrency::new(knobs(given, 10_000, 4)))
    }),
    rival("golden section", |given| Box::new(Golden::new(knobs(given, 1_000, 4)))),
    rival("hill climb", |given| Box::new(HillClimb::new(knobs(given, 1_000, 4)))),
    rival("SPSA", |given| Box::new(Spsa::new(knobs(given, 2_000, 4), given.seed))),
    rival("random search", |given| Box::new(RandomSearch::new(knobs(given, 2_000, 4), given.seed))),
    rival("climb (first auto)", |given| Box::new(climb(given))),
    oracle("told the best after 2 s", |given| given.told_after(2.0)),
    oracle("told the best after 5 s", |given| given.told_after(5.0)),
    oracle("told the best after 10 s", |given| given.told_after(10.0)),
    oracle("tsperf, oracle c", |given| {
        Box::new(Automator::new(knobs(given, 2_500, given.best().in_flight)))
    }),
    oracle("AIMD, oracle rows", |given| {
        Box::new(Aimd::new(knobs(given, given.best().batch_rows, 4)))
    }),
    oracle("Vegas, oracle rows", |given| {
        Box::new(Vegas::new(knobs(given, given.best().batch_rows, 4)))
    }),
    oracle("Gradient2, oracle rows", |given| {
        Box::new(Gradient2::new(knobs(given, given.best().batch_rows, 4)))
    }),
    oracle("Vector ARC, oracle rows", |given| {
        Box::new(AdaptiveConcurrency::new(knobs(given, given.best().batch_rows, 4)))
    }),
];

type Make = fn(&Given<'_>) -> Box<dyn Controller>;

const fn ours(name: &'static str, make: Make) -> Contender {
    rival(name, make)
}

const fn rival(name: &'static str, make: Make) -> Contender {
    Contender { name, oracle: false, make }
}

const fn oracle(name: &'static str, make: Make) -> Contender {
    Contender { name, oracle: true, make }
}

fn knobs(given: &Given<'_>, batch_rows: u32, in_flight: u32) -> Knobs {
    let start = Point { batch_rows, in_flight };
    Knobs::new(given.surface.bounds(), given.surface.row_bytes, start)
}

fn fixed(given: &Given<'_>, batch_rows: u32, in_flight: u32) -> Box<dyn Controller> {
    let knobs = knobs(given, batch_rows, in_flight);
    Box::new(knobs.fixed())
}

fn climb(given: &Given<'_>) -> Climb {
    Climb::new(ClimbOptions {
        bounds: given.surface.bounds(),
        bytes_per_row: given.surface.row_bytes,
        batch_rows: None,
        in_flight: None,
    })
}

pub(crate) fn explorer(given: &Given<'_>, end: End) -> Explorer {
    let limit = given.surface.p99_ms;
    let objective = if limit > 0.0 {
        Objective::P99Below(Duration::from_secs_f64(limit * 1e-3))
    } else {
        Objective::Throughput
    };
    let options = ExplorerOptions::new(given.surface.bounds(), given.surface.row_bytes);
    Explorer::new(ExplorerOptions { objective, end, ..options })
}
