//! What the controller decided, and what each setting gave: bounded, however long the run.
//!
//! A controller that keeps looking decides a few times a minute for as long as the run lasts. The story is kept whole as
//! long as there is room; then the measurements of old trials give way, then every other of the old entries, and what was
//! left out is counted. What each setting gave is summed up apart, so that it stays exact.

use std::time::Duration;

use rowstorm_control::{Controller, Observation, Point, Reason, State};
use rowstorm_report::steps::Step;
use rowstorm_report::{Batching, DecisionEntry};

/// Entries that are kept.
const ENTRIES_MAX: usize = 1_000;
/// Settings of which the yield is kept: more than an explorer visits in days.
const TRIED_MAX: usize = 500;

/// The decisions of a run, in order.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    entries: Vec<DecisionEntry>,
    left_out: u64,
    tried: Vec<Step>,
    /// Since when the setting in force holds, and how many rows had arrived then.
    since: Option<(Duration, u64, Point)>,
    /// When the controller of the table at hand settled, froze, and was changed by overload nevertheless.
    pub(crate) settled_at: Option<Duration>,
    pub(crate) frozen_at: Option<Duration>,
    pub(crate) tainted_at: Option<Duration>,
}

impl Decisions {
    /// Another table, another controller.
    pub(crate) fn next_table(&mut self) {
        (self.settled_at, self.frozen_at, self.tainted_at) = (None, None, None);
    }

    /// The controller decided: its reason, and the one that it overtook.
    pub(crate) fn add(&mut self, at: Duration, arrived: u64, controller: &dyn Controller) {
        self.note(at, controller);
        let decision = controller.decision();
        let point = Point { batch_rows: decision.batch_rows, in_flight: decision.in_flight };
        if self.since.is_none_or(|(_, _, before)| before != point) {
            self.close(at, arrived);
            self.since = Some((at, arrived, point));
        }
        let entry = |point: Point, reason: Reason| DecisionEntry {
            at_s: at.as_secs_f64(),
            rows: arrived,
            batch_rows: point.batch_rows,
            in_flight: point.in_flight,
            kind: kind(reason).to_owned(),
            reason: reason.to_string(),
        };
        if let Some(overtaken) = controller.overtaken() {
            self.entries.push(entry(controller.kept(), overtaken));
        }
        self.entries.push(entry(point, decision.reason));
        if self.entries.len() > ENTRIES_MAX {
            self.thin();
        }
    }

    fn note(&mut self, at: Duration, controller: &dyn Controller) {
        match controller.state() {
            State::Settled => self.settled_at = self.settled_at.or(Some(at)),
            State::Exploring => self.settled_at = None,
            State::Frozen if self.frozen_at.is_none() => {
                self.settled_at = self.settled_at.or(Some(at));
                self.frozen_at = Some(at);
            }
            State::Frozen => self.tainted_at = self.tainted_at.or(Some(at)),
            State::Pinned => {}
        }
    }

    /// The setting in force is over, or the run is.
    pub(crate) fn close(&mut self, at: Duration, arrived: u64) {
        let Some((from, rows, point)) = self.since.take() else { return };
        let (seconds, rows) = (at.saturating_sub(from).as_secs_f64(), arrived - rows);
        let known = self
            .tried
            .iter_mut()
            .find(|one| (one.batch_rows, one.in_flight) == (point.batch_rows, point.in_flight));
        if let Some(known) = known {
            known.seconds += seconds;
            known.rows += rows;
            return;
        }
        if self.tried.len() >= TRIED_MAX {
            let shortest = (0..self.tried.len())
                .min_by(|a, b| self.tried[*a].seconds.total_cmp(&self.tried[*b].seconds));
            self.tried.swap_remove(shortest.expect("there are some"));
        }
        let Point { batch_rows, in_flight } = point;
        self.tried.push(Step { batch_rows, in_flight, seconds, rows });
    }

    /// Makes room in the older half.
    fn thin(&mut self) {
        let before = self.entries.len();
        let recent = self.entries.split_off(before / 2);
        let measures = |entry: &DecisionEntry| matches!(entry.kind.as_str(), "try" | "compare");
        let old = std::mem::take(&mut self.entries);
        self.entries = if old.iter().any(measures) {
            old.into_iter().filter(|entry| !measures(entry)).collect()
        } else {
            // The first one says where it all began.
            old.into_iter().step_by(2).collect()
        };
        self.entries.extend(recent);
        self.left_out += (before - self.entries.len()) as u64;
    }

    /// What the record has of them, beside what is kept now.
    pub(crate) fn batching(&self, kept: Option<Point>, in_flight_bytes_max: u64) -> Batching {
        let seconds = |at: Option<Duration>| at.map(|at| at.as_secs_f64());
        Batching {
            chosen_rows: kept.map_or(0, |kept| kept.batch_rows),
            chosen_in_flight: kept.map_or(0, |kept| kept.in_flight),
            settled_at_s: seconds(self.settled_at),
            frozen_at_s: seconds(self.frozen_at),
            tainted_at_s: seconds(self.tainted_at),
            in_flight_bytes_max,
            decisions: self.entries.clone(),
            decisions_left_out: self.left_out,
            tried: self.tried.clone(),
        }
    }

    /// The entries, and how many are not among them.
    pub(crate) fn entries(&self) -> (&[DecisionEntry], u64) {
        (&self.entries, self.left_out)
    }

    /// What each setting gave.
    #[cfg(test)]
    pub(crate) fn tried(&self) -> &[Step] {
        &self.tried
    }
}

/// Tells a controller; whether it decided something, be it only to stay.
pub(crate) fn observe(controller: &mut dyn Controller, seen: &Observation) -> bool {
    let said = |controller: &dyn Controller| {
        let decision = controller.decision();
        (decision.number, decision.reason)
    };
    let before = said(controller);
    controller.observe(seen);
    let after = said(controller);
    // A further measurement of the trial under way is no decision.
    let same_trial = after.0 == before.0 && matches!(after.1, Reason::Compare { .. });
    after != before && !same_trial
}

/// The word for a reason in records.
fn kind(reason: Reason) -> &'static str {
    match reason {
        Reason::Start => "start",
        Reason::Pinned => "pinned",
        Reason::Frozen => "frozen",
        Reason::Guess { .. } => "guess",
        Reason::Doubling { .. } => "doubling",
        Reason::Try { .. } => "try",
        Reason::Compare { .. } => "compare",
        Reason::Long { .. } => "long",
        Reason::WayBack { .. } => "way_back",
        Reason::Better { .. } => "better",
        Reason::Smaller { .. } => "smaller",
        Reason::Back { .. } => "back",
        Reason::Ending { .. } => "ending",
        Reason::Busy => "busy",
        Reason::Rejected => "rejected",
        Reason::Late => "late",
        Reason::TooLarge => "too_large",
        Reason::Budget => "budget",
        Reason::Changed { .. } => "changed",
        Reason::Settled { .. } => "settled",
        Reason::Other(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use rowstorm_control::{Decision, Fixed};

    use super::*;

    /// A controller that has decided this.
    #[derive(Debug)]
    struct Decided(Decision);

    impl Controller for Decided {
        fn decision(&self) -> &Decision {
            &self.0
        }

        fn observe(&mut self, _: &rowstorm_control::Observation) -> &Decision {
            &self.0
        }

        fn state(&self) -> State {
            State::Exploring
        }
    }

    #[test]
    fn a_long_run_keeps_a_bounded_story_and_every_row() {
        let mut decisions = Decisions::default();
        let mut decided = Decided(Fixed::new(1, 1).decision().clone());
        for minute in 0..20_000_u32 {
            decided.0.batch_rows = 100 + minute % 7;
            decided.0.reason = match minute % 4 {
                0 => Reason::Settled { rate: f64::from(minute) },
                _ => Reason::Compare { pairs: minute % 4 },
            };
            decisions.add(Duration::from_secs(minute.into()), u64::from(minute) * 10, &decided);
        }
        decisions.close(Duration::from_secs(20_000), 200_000);
        let (entries, left_out) = decisions.entries();
        assert!(entries.len() <= ENTRIES_MAX, "{}", entries.len());
        assert_eq!(entries.len() as u64 + left_out, 20_000);
        assert!(entries.windows(2).all(|pair| pair[0].at_s < pair[1].at_s));
        assert_eq!((entries[0].at_s, entries[0].kind.as_str()), (0.0, "settled"));
        let tried = decisions.tried();
        assert_eq!(tried.len(), 7);
        assert_eq!(tried.iter().map(|one| one.rows).sum::<u64>(), 200_000);
        let seconds: f64 = tried.iter().map(|one| one.seconds).sum();
        assert!((seconds - 20_000.0).abs() < 1e-6, "{seconds}");
    }
}
