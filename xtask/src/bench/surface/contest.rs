//! The contest: the best settings of a survey against `auto`, in turn, all for the same time.

use super::grid::{REFERENCE, Setting};
use super::sample::Sample;
use super::trial::{Bench, Choice, Trial};

/// What takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entrant {
    /// Finds its setting as it goes, exploration included.
    Auto,
    /// What the last `auto` had chosen in the end, pinned.
    Tuned,
    /// A setting of the survey, or the reference.
    Fixed(Setting),
}

/// How long a contest is led in: PostgreSQL makes files for its log until the first checkpoint lets it use old ones again,
/// which costs a tenth of its speed for the first 80 s.
const SETTLE_SECONDS: u32 = 90;
/// The same, in runs of a contest whose runs are short.
const SETTLE_RUNS: u32 = 5;

/// What a contest found.
#[derive(Debug, Default)]
pub(super) struct Contest {
    pub(super) entrants: Vec<Entrant>,
    /// A run of each entrant, round by round; nothing where it failed.
    pub(super) rounds: Vec<Vec<Option<Trial>>>,
    /// Who failed, and why.
    pub(super) failures: Vec<String>,
}

impl Contest {
    /// Runs all rounds: in the second one backwards, and so on, so that nobody always follows the same one.
    pub(super) fn run(
        bench: Bench<'_>,
        finalists: &[Setting],
        rounds: usize,
        seconds: u32,
    ) -> Contest {
        let mut contest = Contest::of(finalists);
        let mut tuned = REFERENCE;
        // Counts for nobody: what was written before the contest may not be on the disk yet.
        let led_in = SETTLE_SECONDS.min(SETTLE_RUNS * seconds);
        if rounds > 0
            && let Err(error) = bench.run(Choice::Fixed(REFERENCE), led_in)
        {
            contest.failures.push(format!("the run before the contest failed: {error:#}"));
        }
        for round in 0..rounds {
            let count = contest.entrants.len();
            let mut trials = vec![None; count];
            for step in 0..count {
                let place = if round % 2 == 0 { step } else { count - 1 - step };
                let entrant = contest.entrants[place];
                let choice = match entrant {
                    Entrant::Auto => Choice::Auto,
                    Entrant::Tuned => Choice::Fixed(tuned),
                    Entrant::Fixed(setting) => Choice::Fixed(setting),
                };
                let trial = match bench.run(choice, seconds) {
                    Ok(trial) => trial,
                    Err(error) => {
                        let failure =
                            format!("{} failed in round {}: {error:#}", entrant.name(), round + 1);
                        eprintln!("  {failure}");
                        contest.failures.push(failure);
                        continue;
                    }
                };
                eprintln!(
                    "  contest, round {} of {rounds}  {:>16}  {:>9.0} rows/s  {}",
                    round + 1,
                    entrant.name(),
                    trial.rows_per_second,
                    trial.chosen,
                );
                if entrant == Entrant::Auto {
                    tuned = trial.chosen;
                }
                trials[place] = Some(trial);
            }
            contest.rounds.push(trials);
        }
        contest
    }

    /// `auto` stands before what it chose: the first round goes forwards. And it stands beside the survey's best setting: a
    /// machine that is faster in the middle of a contest is so for both.
    fn of(finalists: &[Setting]) -> Contest {
        let others = finalists.iter().filter(|setting| **setting != REFERENCE);
        let mut others = others.map(|setting| Entrant::Fixed(*setting));
        let mut entrants: Vec<Entrant> = others.next().into_iter().collect();
        entrants.extend([Entrant::Auto, Entrant::Tuned, Entrant::Fixed(REFERENCE)]);
        entrants.extend(others);
        Contest { entrants, ..Contest::default() }
    }

    /// The fixed setting that was fastest in the contest, the smaller of equals.
    pub(super) fn best(&self) -> Option<Setting> {
        if self.rounds.is_empty() {
            return None;
        }
        let fixed = self.entrants.iter().filter_map(|entrant| match entrant {
            Entrant::Fixed(setting) => Some(*setting),
            Entrant::Auto | Entrant::Tuned => None,
        });
        let rate = |setting: &Setting| {
            self.sample(Entrant::Fixed(*setting), |trial| trial.rows_per_second).median()
        };
        let smaller = |setting: &Setting| std::cmp::Reverse(setting.footprint());
        let fixed = fixed.filter(|setting| rate(setting).is_finite());
        fixed.max_by(|a, b| rate(a).total_cmp(&rate(b)).then(smaller(a).cmp(&smaller(b))))
    }

    /// A figure of each of an entrant's runs.
    pub(super) fn sample(&self, entrant: Entrant, figure: fn(&Trial) -> f64) -> Sample {
        self.trials(entrant).map(figure).collect()
    }

    /// An entrant's rows per second as a share of another's in the same round.
    pub(super) fn ratio(&self, of: Entrant, to: Entrant) -> Sample {
        let pairs = self.column(of).zip(self.column(to));
        let pairs = pairs.filter_map(|(of, to)| Some((of?, to?)));
        pairs.map(|(of, to)| of.rows_per_second / to.rows_per_second).collect()
    }

    /// An entrant's runs that ended well.
    pub(super) fn trials(&self, entrant: Entrant) -> impl Iterator<Item = &Trial> {
        self.column(entrant).flatten()
    }

    fn column(&self, entrant: Entrant) -> impl Iterator<Item = Option<&Trial>> {
        let place = self.entrants.iter().position(|other| *other == entrant);
        self.rounds.iter().map(move |round| round.get(place?)?.as_ref())
    }
}

impl Entrant {
    /// What it is called in a table.
    pub(super) fn name(self) -> String {
        match self {
            Entrant::Auto => "auto".to_owned(),
            Entrant::Tuned => "tuned".to_owned(),
            Entrant::Fixed(setting) => setting.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Setting = Setting { batch: 3000, in_flight: 2 };

    fn contest(rounds: &[[f64; 4]]) -> Contest {
        let mut contest = Contest::of(&[SMALL, REFERENCE]);
        let trial = |rate: &f64| Some(Trial { rows_per_second: *rate, ..Trial::default() });
        contest.rounds = rounds.iter().map(|rates| rates.iter().map(trial).collect()).collect();
        contest
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        // The machine is twice as fast in the second round; nobody's share changes.
        let contest = contest(&[[100.0, 90.0, 95.0, 80.0], [200.0, 180.0, 190.0, 160.0]]);
        assert_eq!(contest.best(), Some(SMALL));
        let ratio = contest.ratio(Entrant::Auto, Entrant::Fixed(SMALL));
        assert_eq!((ratio.low(), ratio.high()), (0.9, 0.9));
        assert!(contest.sample(Entrant::Auto, |trial| trial.rows_per_second).noise() > 0.3);
    }

    #[test]
    fn a_run_that_failed_has_no_ratio() {
        let mut contest = contest(&[[100.0, 90.0, 95.0, 80.0], [200.0, 10.0, 190.0, 160.0]]);
        contest.rounds[1][1] = None;
        assert_eq!(contest.ratio(Entrant::Auto, Entrant::Fixed(SMALL)).len(), 1);
        assert_eq!(contest.ratio(Entrant::Tuned, Entrant::Fixed(SMALL)).len(), 2);
    }

    #[test]
    fn of_equals_the_smaller_is_the_best() {
        assert_eq!(contest(&[[5.0, 1.0, 1.0, 5.0]]).best(), Some(SMALL));
    }
}
