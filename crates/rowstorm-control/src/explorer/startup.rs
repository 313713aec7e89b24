//! The start: doubles both coordinates, then one, then the other, on one short slice each, for as long as that is clearly
//! faster; where that ends at little, one leap to what is good on many servers looks over whatever stood in the way.

use super::slice::{Early, Need, Slice};
use super::space::Space;
use super::{Explorer, Mode};
use crate::{Point, Reason};

/// The guess takes no more than this share of the budget, and is worth a leap when it is this much larger than what is kept.
const GUESS_BUDGET: f64 = 0.5;
const GUESS_MIN: f64 = 4.0;
/// A doubling must gain this much in logarithms.
const GAIN_MIN: f64 = 0.15;
/// Nothing is doubled whose batches would then take this long: a wrong step would cost too much.
const LATENCY_MAX_S: f64 = 1.0;
/// The same for the guess.
const GUESS_MAX_S: f64 = 2.0;
/// Where the last step of the rows that paid made batches longer by less than this share of it (in logarithms), it is not
/// their rows that take the time (a far network, a server that commits now and then): more rows are not feared then, up to
/// such a latency. Nor are they at the first step of all where batches take half of the plain bound and more.
const FLAT: f64 = 0.2;
const FLAT_MAX_S: f64 = 10.0;
/// A guess that lost less than this in its one slice is tried once more, in pairs.
const UNCLEAR: f64 = 0.15;
/// What a slice of the start is off by.
const ERROR: f64 = 0.15;
/// Short: a wrong step costs little here, and what follows looks again.
const NEED: Need = Need {
    skip: 0.0,
    completions: 10,
    turns: 1,
    seconds: 0.12,
    seconds_max: 4.0,
    older_share: 0.15,
    latencies_max: 2.0,
    early: None,
};
/// A step that gains this much pays, whatever its first batches are off by; the first setting of all is measured as briefly.
const CLEAR: f64 = 0.6;
const CLEAR_BATCHES: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Startup {
    /// Speed of what is kept, once it was measured.
    base: Option<f64>,
    /// Seconds of its batches.
    latency: f64,
    /// Whether more rows did not make batches longer, at the last step of them that paid.
    rows_are_flat: Option<bool>,
    step: Step,
    /// Whether doubling the rows, and the lanes, has not paid, or the user has given them.
    closed: [bool; 2],
    /// Whether the guess has had its turn.
    guessed: bool,
    /// The guess, its speed and the seconds of its batches, where it seemed to gain nothing.
    refused: Option<(Point, f64, f64)>,
}

/// What is in force, or comes next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Both,
    Rows,
    Lanes,
    Guess,
    /// The guess lost against what was measured before it, on a table that was empty yet: what is kept is measured again.
    Again,
}

impl Startup {
    pub(super) fn new(space: &Space) -> Startup {
        let given = space.rows_are_given() || space.lanes_are_given();
        Startup {
            base: None,
            latency: 0.0,
            rows_are_flat: None,
            step: if given { Step::Rows } else { Step::Both },
            closed: [space.rows_are_given(), space.lanes_are_given()],
            guessed: false,
            refused: None,
        }
    }

    /// What its slices have to be.
    pub(super) fn need(&self) -> Need {
        let high = self.base.map_or(f64::NEG_INFINITY, |base| base + CLEAR);
        let early = Early { completions: CLEAR_BATCHES, high, low: f64::NEG_INFINITY };
        Need { early: (self.step != Step::Again).then_some(early), ..NEED }
    }

    /// The step in force was refused by the server: its coordinate is closed.
    pub(super) fn refused(&mut self) {
        match self.step {
            Step::Rows => self.closed[0] = true,
            Step::Lanes => self.closed[1] = true,
            Step::Both | Step::Guess | Step::Again => {}
        }
        self.turn(false);
    }

    fn learn_flat(&mut self, is_flat: bool) {
        match self.step {
            Step::Rows => self.rows_are_flat = Some(is_flat),
            // Which of the two made them longer cannot be told.
            Step::Both if is_flat => self.rows_are_flat = Some(true),
            Step::Both | Step::Lanes | Step::Guess | Step::Again => {}
        }
    }

    /// Whether batches would not take too long with so many times as much in flight.
    fn may_grow(&self, longer: f64) -> bool {
        let is_flat = || self.rows_are_flat.unwrap_or(self.latency > LATENCY_MAX_S / 2.0);
        let latency_max =
            if self.step == Step::Rows && is_flat() { FLAT_MAX_S } else { LATENCY_MAX_S };
        self.latency * longer < latency_max
    }

    /// Whose turn it is after a step that paid, or did not.
    fn turn(&mut self, paid: bool) {
        self.step = match self.step {
            Step::Both if paid => Step::Both,
            Step::Both | Step::Lanes | Step::Guess | Step::Again => Step::Rows,
            Step::Rows => Step::Lanes,
        };
    }
}

impl Explorer {
    /// What the step in force must gain: as much for every doubling.
    fn gain_min(&self, startup: &Startup) -> f64 {
        match startup.step {
            Step::Guess | Step::Again => GAIN_MIN,
            Step::Both | Step::Rows | Step::Lanes => {
                GAIN_MIN * (self.point().footprint() / self.kept.footprint()).log2().max(1.0)
            }
        }
    }

    /// A slice of the start is over.
    pub(super) fn double(&mut self, mut startup: Startup, slice: &Slice) {
        self.model.saw(self.point(), slice.log_rate, ERROR);
        if startup.step == Step::Again {
            self.decide_again(startup, slice);
            return;
        }
        let gain = startup.base.map(|base| slice.log_rate - base);
        let paid = gain.is_none_or(|gain| gain >= self.gain_min(&startup));
        if paid {
            startup.base = Some(slice.log_rate);
            if gain.is_some() {
                let longer = slice.log_latency - startup.latency.ln();
                let step = (self.point().footprint() / self.kept.footprint()).ln();
                startup.learn_flat(longer < FLAT * step);
            }
            startup.latency = slice.log_latency.exp();
            self.latency = startup.latency;
            self.rate = slice.log_rate.exp();
            self.kept = self.point();
        }
        if gain.is_some() {
            match (startup.step, paid) {
                (Step::Rows, false) => startup.closed[0] = true,
                (Step::Lanes, false) => startup.closed[1] = true,
                (Step::Guess, true) => startup.closed = Startup::new(&self.space).closed,
                (Step::Rows | Step::Lanes, true) | (Step::Both | Step::Again, _) => {}
                (Step::Guess, false) => {
                    let guess = (self.point(), slice.log_rate, slice.log_latency.exp());
                    startup.refused = Some(guess);
                    startup.step = Step::Again;
                    self.mode = Mode::Startup(startup);
                    self.go(self.kept, Reason::Compare { pairs: 0 });
                    return;
                }
            }
            startup.turn(paid);
        }
        self.double_next(startup);
    }

    /// What is kept was measured again after the guess: the faster of the two is kept.
    fn decide_again(&mut self, mut startup: Startup, slice: &Slice) {
        startup.base = Some(slice.log_rate);
        startup.latency = slice.log_latency.exp();
        let tried = startup.refused.take();
        let guess = tried.filter(|(_, rate, _)| rate - slice.log_rate >= GAIN_MIN);
        let unclear = tried.filter(|(_, rate, _)| rate - slice.log_rate > -UNCLEAR);
        self.search.leap = unclear.map(|(point, ..)| point).filter(|_| guess.is_none());
        if let Some((point, rate, latency)) = guess {
            startup.base = Some(rate);
            startup.latency = latency;
            startup.closed = Startup::new(&self.space).closed;
            self.kept = point;
        }
        self.latency = startup.latency;
        self.rate = startup.base.unwrap_or(slice.log_rate).exp();
        startup.turn(guess.is_some());
        self.double_next(startup);
    }

    /// Where a step leads.
    fn stepped(&self, startup: &Startup) -> Option<Point> {
        let Point { batch_rows, in_flight } = self.kept;
        let (more_rows, more_lanes) = (batch_rows.saturating_mul(2), in_flight.saturating_mul(2));
        let wanted = match startup.step {
            Step::Both => Point { batch_rows: more_rows, in_flight: more_lanes },
            Step::Rows if !startup.closed[0] => Point { batch_rows: more_rows, in_flight },
            Step::Lanes if !startup.closed[1] => Point { batch_rows, in_flight: more_lanes },
            Step::Rows | Step::Lanes | Step::Guess | Step::Again => return None,
        };
        let longer = wanted.footprint() / self.kept.footprint();
        let open = self.space.allowed(self.kept, wanted).filter(|_| startup.may_grow(longer));
        open.filter(|point| !self.walls.hide(*point, self.now))
    }

    /// Tries the next step that is open, or begins to refine.
    pub(super) fn double_next(&mut self, mut startup: Startup) {
        let from = startup.base.unwrap_or(0.0).exp();
        // Both, rows, lanes, rows: once around from wherever it stands.
        for _ in 0..3 {
            if let Some(point) = self.stepped(&startup) {
                self.mode = Mode::Startup(startup);
                self.go(point, Reason::Doubling { from });
                return;
            }
            startup.turn(false);
        }
        if let Some(guess) = self.guess(&startup).filter(|_| !startup.guessed) {
            startup.guessed = true;
            startup.step = Step::Guess;
            self.mode = Mode::Startup(startup);
            self.go(guess, Reason::Guess { from });
            return;
        }
        self.search.leap = self.search.leap.or_else(|| self.fall());
        self.model.level = from.ln();
        self.refine();
    }

    /// What is good on many servers, if the start has doubled far beyond it in both: speeds that rose for another reason lead
    /// there, and single steps would take minutes to come back.
    fn fall(&self) -> Option<Point> {
        let guess = self.space.project_within(self.guess, GUESS_BUDGET);
        let within =
            guess.batch_rows <= self.kept.batch_rows && guess.in_flight <= self.kept.in_flight;
        (within && self.kept.footprint() >= GUESS_MIN * guess.footprint()).then_some(guess)
    }

    /// What is good on many servers, in batches that would not take too long, if it is much larger than what is kept.
    fn guess(&self, startup: &Startup) -> Option<Point> {
        let mut guess = self.space.project_within(self.guess, GUESS_BUDGET);
        let larger = |guess: Point| guess.footprint() / self.kept.footprint();
        let latency_max = GUESS_MAX_S.min(self.latency_limit());
        while startup.latency * larger(guess) > latency_max && larger(guess) >= GUESS_MIN {
            let fewer = Point { batch_rows: guess.batch_rows / 2, ..guess };
            let smaller = self.space.project(fewer);
            // Rows that are given, or one alone, cannot be fewer.
            if smaller.footprint() >= guess.footprint() {
                return None;
            }
            guess = smaller;
        }
        let much = larger(guess) >= GUESS_MIN && guess.batch_rows >= self.kept.batch_rows;
        (much && !self.walls.hide(guess, self.now)).then_some(guess)
    }
}
