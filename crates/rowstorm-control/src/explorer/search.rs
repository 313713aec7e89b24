//! The search: seven directions from what is kept, each tried as a paired trial, the most hopeful first.

use super::slice::{Early, Need, Slice};
use super::trial::{self, Trial, Verdict};
use super::{Explorer, Mode, Objective};
use crate::{Direction, Point, Reason};

const DIRECTIONS: [Direction; 7] = [
    Direction::MoreRows,
    Direction::MoreInFlight,
    Direction::Split,
    Direction::Join,
    Direction::LessInFlight,
    Direction::LessRows,
    Direction::Leap,
];
/// Half an octave: the step of the search.
const STEP: f64 = 0.5;
/// A whole octave: only where the model expects a gain of it, and for more rows before it knows enough.
const STEP_LONG: f64 = 1.0;
/// Between two trials while holding: first, growth per failure, most.
const PROBE_S: f64 = 15.0;
const PROBE_GROWTH: f64 = 1.25;
const PROBE_MAX_S: f64 = 60.0;
/// While holding, the model is asked this often whether it is sure of a gain: then nothing waits.
const ASK_S: f64 = 3.0;
/// What doubling must gain to be worth its rows in flight; what a knee asks for.
const WORTH: f64 = 0.015;
const WORTH_KNEE: f64 = 0.10;
/// The same for a candidate whose batches would take longer than this.
const WORTH_SLOW: f64 = 0.03;
const SLOW_S: f64 = 1.5;
/// Errors of what is foreseen beyond this make nobody more curious.
const ERROR_MAX: f64 = 0.3;
/// A slice of a slow server ends here: fewer batches, and a change is seen sooner.
pub(super) const SLICE_MAX_S: f64 = 3.0;
/// The first step in a server that has become slower.
const STEP_FALLEN: f64 = 0.7;
/// No leap to batches that would take longer.
const LEAP_MAX_S: f64 = 1.0;
/// While holding, this share of the rows may be lost in trials; what changing costs beside the candidate's own loss.
const COST_SHARE: f64 = 0.004;
pub(super) const COST_MIN: f64 = 0.01;
const GAP_MIN_S: f64 = 10.0;
const GAP_MAX_S: f64 = 180.0;
/// A change by more than this share makes all that was learnt void.
const CHANGE_LARGE: f64 = 0.15;
/// What the model must expect to be lost for a neighbour to be looked at briefly first: batches and seconds of that look.
const DOUBTED: f64 = 0.10;
const LOOK: u32 = 8;
const LOOK_S: f64 = 0.2;
/// While holding, less hope than this is not worth a look.
const HOPE_MIN: f64 = -0.05;
/// What a trial's gain may be above what was foreseen, in standard errors, of which this one is the law's that it does not know.
const SURPRISE_ERRORS: f64 = 2.0;
const SURPRISE_ERROR: f64 = 0.05;
/// Noise that a slice of the plain length is meant for.
const NOISE: f64 = 0.08;
/// Alarms that found nothing keep quiet for so long, doubled each time; a large change is heard all the same.
const QUIET_S: f64 = 20.0;
const QUIET_MAX_S: f64 = 240.0;

/// How neighbours are ordered, and for how long they are looked for.
struct Manner {
    /// Refining ends after this long in any case.
    refine_max_s: f64,
    /// By how much the model's expectation of a neighbour is lowered for every doubling of its rows in flight.
    doubled: f64,
    /// The share of its error by which it is raised: what is hardly known may be much better.
    curious: f64,
}

const PLAIN: Manner = Manner { refine_max_s: 60.0, doubled: 0.02, curious: 0.6 };
/// Where batches take longer than this a run has time for few trials: each goes where most may be found.
const SLOW: Manner = Manner { refine_max_s: 120.0, doubled: 0.01, curious: 1.3 };
const SLOW_FROM_S: f64 = 0.3;

#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    pub(super) trial: Option<Trial>,
    /// Where the start's guess stands, if one slice could not tell, or if it is far below what the start has kept: tried before
    /// all else.
    pub(super) leap: Option<Point>,
    since: f64,
    trial_since: f64,
    probe_at: f64,
    probe_gap: f64,
    ask_at: f64,
    quiet_until: f64,
    quiet: f64,
    /// Whether anything was found since the last alarm.
    moved: bool,
    /// The last slice, if nothing has come since.
    last: Option<(Point, f64)>,
    /// Whether the server has become slower, and nothing was tried since.
    fell: bool,
}

impl Default for Search {
    fn default() -> Search {
        Search {
            trial: None,
            leap: None,
            since: 0.0,
            trial_since: 0.0,
            probe_at: 0.0,
            probe_gap: PROBE_S,
            ask_at: 0.0,
            quiet_until: 0.0,
            quiet: QUIET_S,
            moved: false,
            last: None,
            fell: false,
        }
    }
}

impl Explorer {
    pub(super) fn search_need(&self) -> Need {
        let scale = (self.noise / NOISE).powi(2).clamp(1.0, 4.0);
        let (completions, turns, seconds) = match (self.mode, self.search.trial) {
            (Mode::Hold, None) => (32.0, 4, 1.0),
            // There is time: what is left to be found is small.
            (Mode::Hold, Some(_)) => (16.0, 1, 0.8),
            (Mode::Startup(_) | Mode::Refine | Mode::Frozen, _) => (16.0, 1, 0.3),
        };
        let tried = self.search.trial.filter(|_| self.point() != self.kept);
        let is_look = tried.is_some_and(|trial| trial.is_doubted && trial.pairs() == 0);
        let (completions, seconds) =
            if is_look { (LOOK, LOOK_S) } else { ((completions * scale) as u32, seconds * scale) };
        // What loses so much is not looked at any longer than it takes to see it.
        let early = tried.map(|trial| {
            let low = trial.reference().unwrap_or(self.rate.ln()) - trial::LOST;
            Early { completions: LOOK, high: f64::INFINITY, low }
        });
        Need {
            completions,
            turns,
            seconds,
            seconds_max: SLICE_MAX_S,
            skip: 1.0,
            older_share: 0.03,
            latencies_max: 3.0,
            early,
        }
    }

    fn worth(&self) -> f64 {
        match self.objective {
            Objective::Throughput | Objective::P99Below(_) => WORTH,
            Objective::Knee => WORTH_KNEE,
        }
    }

    /// What a candidate must gain: more for a longer way, and for one whose batches would take very long.
    fn worth_of(&self, candidate: Point) -> f64 {
        let growth = candidate.footprint() / self.kept.footprint();
        let worth = self.worth() * (0.5 + growth.log2().max(STEP));
        let slow = growth > 1.1 && self.latency * growth > SLOW_S;
        if slow { worth.max(WORTH_SLOW) } else { worth }
    }

    /// Looks around from what is kept.
    pub(super) fn refine(&mut self) {
        self.mode = Mode::Refine;
        self.search.since = self.now;
        self.search.trial = None;
        self.watch.restart();
        self.begin_trial();
    }

    /// A slice of a search is over.
    pub(super) fn explore(&mut self, slice: &Slice) {
        let point = self.point();
        if point == self.kept {
            self.latency = slice.log_latency.exp();
            self.rate = slice.log_rate.exp();
        }
        self.search.last = Some((point, slice.log_rate));
        self.rate_now = slice.log_rate.exp();
        if self.block() || self.stepped_back(slice) {
            return;
        }
        let Some(mut trial) = self.search.trial else {
            self.watch(slice);
            return;
        };
        // Latencies that differ by this much make this much noise in a slice, whatever two lucky pairs say.
        self.spread = slice.log_error;
        let complete = trial.push(slice.log_rate);
        self.search.trial = Some(trial);
        if !complete {
            self.continue_trial();
            return;
        }
        self.learn(&trial);
        // On a server that stands again and again, a trial may take minutes, and say nothing.
        if self.begin_block() {
            return;
        }
        // Two slices make a difference.
        match trial.verdict(self.pooled()) {
            Verdict::Open if self.is_too_late(&trial) => self.break_off(&trial),
            Verdict::Open => self.continue_trial(),
            Verdict::Accepted => self.accept(&trial),
            Verdict::Refused => self.refuse(&trial),
        }
    }

    /// Puts in force what the trial wants to see next.
    fn continue_trial(&mut self) {
        let Some(trial) = self.search.trial else { return };
        if trial.wants_candidate() {
            let reason =
                Reason::Try { direction: trial.direction, kept: self.kept, rate: self.rate };
            self.go(trial.candidate, reason);
        } else {
            self.go(self.kept, Reason::Compare { pairs: trial.pairs() });
        }
    }

    /// Noise of a pair: as learnt, and no less than the spread of latencies makes.
    pub(super) fn pooled(&self) -> f64 {
        self.noise.max(std::f64::consts::SQRT_2 * self.spread)
    }

    fn learn_noise(&mut self, trial: &Trial) {
        if let Some(variance) = trial.variance() {
            self.noise = (0.8 * self.noise * self.noise + 0.2 * variance).sqrt().clamp(0.01, 0.5);
        }
    }

    /// A neighbour is so much faster than what is known allows: the server has become faster in mid-trial, and that is no longer
    /// known.
    fn is_surprised(&self, trial: &Trial) -> bool {
        trial.foreseen.is_some_and(|foreseen| {
            let off = trial.gain() - foreseen.gain;
            let error = trial.error(self.pooled()).hypot(foreseen.error).hypot(SURPRISE_ERROR);
            off > SURPRISE_ERRORS * error
        })
    }

    fn accept(&mut self, trial: &Trial) {
        self.learn_noise(trial);
        if self.is_surprised(trial) {
            self.memory.forget();
            self.model.forget();
        }
        let before = self.kept;
        self.memory.lost(before, trial.gain(), self.now);
        self.kept = trial.candidate;
        self.model.level += trial.gain();
        self.search.trial = None;
        self.search.moved = true;
        self.watch.restart();
        let gain = trial.gain();
        let reason = if self.kept.footprint() < before.footprint() {
            Reason::Smaller { before, gain }
        } else {
            Reason::Better { before, gain }
        };
        self.go(self.kept, reason);
        if self.mode == Mode::Hold {
            // What has moved once is worth a closer look.
            self.mode = Mode::Refine;
            self.search.since = self.now;
        }
        self.begin_trial();
    }

    fn refuse(&mut self, trial: &Trial) {
        self.give_up(trial, Reason::Back { tried: trial.candidate, gain: trial.gain() });
    }

    /// What is left of the run is too short for the trial to pay.
    fn break_off(&mut self, trial: &Trial) {
        self.give_up(trial, Reason::Ending { tried: trial.candidate, gain: trial.gain() });
    }

    fn give_up(&mut self, trial: &Trial, reason: Reason) {
        self.learn_noise(trial);
        self.memory.lost(trial.candidate, -trial.gain(), self.now);
        let half = (self.now - self.search.trial_since) / 2.0;
        let cost = half * ((-trial.gain()).max(0.0) + COST_MIN);
        self.abandon();
        if self.mode == Mode::Hold {
            let gap = (cost / COST_SHARE).clamp(GAP_MIN_S, GAP_MAX_S);
            self.search.probe_at = self.now + gap;
        }
        self.go(self.kept, reason);
        if self.mode == Mode::Refine {
            self.begin_trial();
        }
    }

    /// The trial is over without a gain.
    pub(super) fn abandon(&mut self) {
        self.search.trial = None;
        if self.mode == Mode::Hold {
            self.search.probe_gap = (self.search.probe_gap * PROBE_GROWTH).min(PROBE_MAX_S);
            self.search.probe_at = self.now + self.search.probe_gap;
        }
    }

    /// Begins the next trial that is possible; settles if there is none.
    pub(super) fn begin_trial(&mut self) {
        if self.begin_block() {
            return;
        }
        let over = self.now - self.search.since > self.manner().refine_max_s;
        self.model.fit(self.kept);
        if let Some(point) = self.search.leap.take()
            && !(0.5..=2.0).contains(&(point.footprint() / self.kept.footprint()))
            && !self.is_closed(point)
        {
            self.try_candidate(Direction::Guess, point);
            return;
        }
        let first = std::mem::take(&mut self.search.fell).then(|| self.after_fall()).flatten();
        let next = if over && self.mode == Mode::Refine { None } else { self.most_hopeful() };
        match first.or(next) {
            Some((direction, candidate)) => self.try_candidate(direction, candidate),
            None => self.settle(),
        }
    }

    /// Where to look first in a server that has become slower: its batches queue, and less in flight is as fast, or faster, and
    /// makes every later trial shorter.
    fn after_fall(&self) -> Option<(Direction, Point)> {
        let step =
            |way| self.space.neighbour(self.kept, way, STEP_FALLEN).map(|point| (way, point));
        let ways = [Direction::LessInFlight, Direction::LessRows].into_iter();
        ways.filter_map(step).find(|(_, point)| !self.is_closed(*point))
    }

    fn manner(&self) -> Manner {
        if self.latency > SLOW_FROM_S { SLOW } else { PLAIN }
    }

    /// The neighbour of which the model hopes most, in the order of the directions where it knows too little.
    fn most_hopeful(&self) -> Option<(Direction, Point)> {
        let Manner { doubled, curious, .. } = self.manner();
        let mut most: Option<(Direction, Point, f64)> = None;
        for direction in DIRECTIONS {
            for octaves in [STEP, STEP_LONG] {
                let Some(point) = self.candidate(direction, octaves) else { continue };
                let foreseen = self.foreseen(point);
                if foreseen.is_some_and(|seen| self.is_hopeless(point, seen))
                    || !self.can_pay(point, foreseen)
                {
                    continue;
                }
                let growth = (point.footprint() / self.kept.footprint()).log2();
                let hoped = foreseen
                    .map(|seen| seen.gain - doubled * growth + curious * seen.error.min(ERROR_MAX));
                let hope = hoped.unwrap_or(0.0);
                let open = match hoped {
                    Some(gain) => octaves <= STEP || gain > 0.0,
                    None => (octaves > STEP) == (direction == Direction::MoreRows),
                };
                let open = open && (self.mode != Mode::Hold || hope > HOPE_MIN);
                if open && most.is_none_or(|(.., best)| hope > best) {
                    most = Some((direction, point, hope));
                }
            }
        }
        most.map(|(direction, point, _)| (direction, point))
    }

    fn try_candidate(&mut self, direction: Direction, candidate: Point) {
        let worth = self.worth_of(candidate);
        let mut trial = Trial::new(direction, self.kept, candidate, worth);
        // The start's guess is tried against what the start has seen, and so against what the model knows from there.
        let foreseen = self.foreseen(candidate).filter(|_| direction != Direction::Guess);
        trial.foreseen = foreseen;
        trial.is_doubted = foreseen.is_some_and(|seen| seen.gain < -DOUBTED);
        // What was measured just now is the first half of the first pair.
        if let Some((point, log_rate)) = self.search.last.take()
            && point == self.kept
            && self.point() == self.kept
        {
            trial.push(log_rate);
        }
        self.search.trial = Some(trial);
        self.search.trial_since = self.now;
        self.continue_trial();
    }

    fn settle(&mut self) {
        if self.mode == Mode::Refine {
            self.search.probe_gap = PROBE_S;
        }
        self.mode = Mode::Hold;
        self.search.trial = None;
        self.search.probe_at = self.now + self.search.probe_gap;
        self.go(self.kept, Reason::Settled { rate: self.rate });
    }

    fn candidate(&self, direction: Direction, octaves: f64) -> Option<Point> {
        let point = self.space.neighbour(self.kept, direction, octaves)?;
        let long = direction == Direction::Leap && self.latency * 4.0 > LEAP_MAX_S;
        (!self.is_closed(point) && !long).then_some(point)
    }

    /// Whether a setting is left alone: too small to tell, behind a wall, or known to lose.
    fn is_closed(&self, point: Point) -> bool {
        let shrinks = point.footprint() < 0.9 * self.kept.footprint();
        let too_small = shrinks && point.footprint() < 0.99 * self.footprint_min;
        let growth = point.footprint() / self.kept.footprint();
        let held = self.is_held() && growth > 0.95;
        let hidden = held || self.walls.hide(point, self.now) || self.memory.knows(point, self.now);
        hidden || too_small
    }

    /// A slice of what is kept, while nothing is tried.
    fn watch(&mut self, slice: &Slice) {
        if let Some(by) = self.watch.push(slice.log_rate, self.noise)
            && (self.now >= self.search.quiet_until || by.abs() > CHANGE_LARGE)
        {
            self.search.quiet = if self.search.moved {
                QUIET_S
            } else {
                (self.search.quiet * 2.0).min(QUIET_MAX_S)
            };
            self.search.quiet_until = self.now + self.search.quiet;
            self.search.moved = false;
            self.go(self.kept, Reason::Changed { by });
            if by.abs() > CHANGE_LARGE {
                self.walls.fall();
                self.memory.forget();
                self.model.forget();
                self.model.level = slice.log_rate;
                self.search.fell = by < 0.0;
            }
            self.refine();
            return;
        }
        if self.step_back() || self.begin_block() {
            return;
        }
        if self.now >= self.search.probe_at || self.is_promising() {
            self.begin_trial();
        }
    }

    /// Whether the model is sure, while holding, that a neighbour gains.
    fn is_promising(&mut self) -> bool {
        if self.mode != Mode::Hold || self.way.is_some() || self.now < self.search.ask_at {
            return false;
        }
        self.search.ask_at = self.now + ASK_S;
        self.model.fit(self.kept);
        let hopeful = self.most_hopeful();
        let seen = hopeful.and_then(|(_, point)| self.foreseen(point));
        seen.is_some_and(|seen| seen.gain > seen.error)
    }
}

impl Explorer {
    /// Stays where it is for so long before the next trial.
    pub(super) fn hold_for(&mut self, seconds: f64) {
        self.mode = Mode::Hold;
        self.search.trial = None;
        self.search.probe_at = self.now + seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, ExplorerOptions};

    #[test]
    fn alarms_that_found_nothing_do_not_hide_a_large_change() {
        for (fallen, heard) in [(0.1, false), (0.5, true)] {
            let bounds = Bounds { rows_max: 50_000, in_flight_max: 16, bytes_max: 1 << 28 };
            let mut explorer = Explorer::new(ExplorerOptions::new(bounds, 100.0));
            explorer.mode = Mode::Hold;
            explorer.search.probe_at = f64::INFINITY;
            explorer.search.ask_at = f64::INFINITY;
            explorer.search.quiet_until = f64::INFINITY;
            for slice in 0..60 {
                let log_rate = if slice < 20 { 10.0 } else { 10.0 - fallen };
                explorer.watch(&Slice { log_rate, ..Slice::default() });
            }
            assert_eq!(explorer.mode == Mode::Refine, heard, "{fallen}");
        }
    }
}
