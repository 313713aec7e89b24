//! The survey: every setting of a grid, several times, in rounds.

use std::collections::BTreeMap;

use super::grid::{REFERENCE, Setting, shuffled};
use super::sample::Sample;
use super::trial::{Bench, Choice, Trial};

/// Settings between two runs of the reference.
const BLOCK: usize = 7;

/// What a survey found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The runs of each setting.
    pub(super) cells: BTreeMap<Setting, Cell>,
    /// The runs of the reference, in order: how far they lie apart is the machine's own noise.
    pub(super) reference: Vec<Trial>,
}

/// The runs of one setting.
#[derive(Debug, Default)]
pub(super) struct Cell {
    /// Each run, and its rows per second as a share of the reference's around it.
    pub(super) trials: Vec<(Trial, f64)>,
    /// Why there is none, or no further one.
    pub(super) out: Option<Out>,
}

/// Why a setting is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Out {
    /// It, or a smaller one, is more than the target or the budget of memory takes at once.
    TooLarge,
    /// It failed.
    Failed(String),
}

impl Survey {
    /// Runs all rounds.
    ///
    /// # Errors
    /// Only if the reference fails: a setting that fails is a finding.
    pub(super) fn run(
        bench: Bench<'_>,
        settings: &[Setting],
        rounds: usize,
        seconds: u32,
    ) -> anyhow::Result<Survey> {
        let mut survey = Survey::default();
        let mut before = survey.refer(bench, seconds)?;
        for round in 0..rounds {
            // In the first round from small to large: what a target does not take is found once.
            let order =
                if round == 0 { settings.to_vec() } else { shuffled(settings, round as u64) };
            for block in order.chunks(BLOCK) {
                let mut found = Vec::new();
                for setting in block {
                    found.extend(
                        survey.attempt(bench, *setting, seconds).map(|trial| (*setting, trial)),
                    );
                }
                let after = survey.refer(bench, seconds)?;
                for (setting, trial) in found {
                    let share = trial.rows_per_second / f64::midpoint(before, after);
                    eprintln!(
                        "  round {} of {rounds}  {setting:>12}  {:>9.0} rows/s  {share:.2} of {REFERENCE}",
                        round + 1,
                        trial.rows_per_second,
                    );
                    survey.cells.entry(setting).or_default().trials.push((trial, share));
                }
                before = after;
            }
        }
        Ok(survey)
    }

    /// The settings that were fastest, the best first, by their share of the reference.
    pub(super) fn best(&self, count: usize) -> Vec<Setting> {
        let mut ranked: Vec<(f64, Setting)> = self
            .cells
            .iter()
            .filter(|(_, cell)| cell.out.is_none() && !cell.trials.is_empty())
            .map(|(setting, cell)| (cell.share().median(), *setting))
            .collect();
        // Of equals, the smaller.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.footprint().cmp(&b.1.footprint())));
        ranked.into_iter().take(count).map(|(_, setting)| setting).collect()
    }

    fn refer(&mut self, bench: Bench<'_>, seconds: u32) -> anyhow::Result<f64> {
        let run = || bench.run(Choice::Fixed(REFERENCE), seconds);
        let trial = run().or_else(|error| {
            eprintln!("  {REFERENCE}: {error:#}; once more");
            run()
        })?;
        let rate = trial.rows_per_second;
        self.reference.push(trial);
        Ok(rate)
    }

    /// Runs a setting, unless it is known to be out.
    fn attempt(&mut self, bench: Bench<'_>, setting: Setting, seconds: u32) -> Option<Trial> {
        if self.cells.get(&setting).is_some_and(|cell| cell.out.is_some()) {
            return None;
        }
        if self.is_too_large(setting) {
            self.cells.entry(setting).or_default().out = Some(Out::TooLarge);
            return None;
        }
        let result = bench.run(Choice::Fixed(setting), seconds);
        let out = match result {
            Ok(trial) if trial.chosen == setting => return Some(trial),
            Ok(trial) => {
                eprintln!("  {setting}: no more than {} at once", trial.chosen);
                Out::TooLarge
            }
            Err(error) => {
                eprintln!("  {setting}: {error:#}");
                Out::Failed(format!("{error:#}"))
            }
        };
        self.cells.entry(setting).or_default().out = Some(out);
        None
    }

    fn is_too_large(&self, setting: Setting) -> bool {
        self.cells.iter().any(|(other, cell)| {
            cell.out == Some(Out::TooLarge)
                && other.batch <= setting.batch
                && other.in_flight <= setting.in_flight
        })
    }
}

impl Cell {
    /// Shares of the reference.
    pub(super) fn share(&self) -> Sample {
        self.trials.iter().map(|(_, share)| *share).collect()
    }

    /// A figure of each run.
    pub(super) fn sample(&self, figure: fn(&Trial) -> f64) -> Sample {
        self.trials.iter().map(|(trial, _)| figure(trial)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(cells: &[(u32, u32, &[f64])]) -> Survey {
        let mut survey = Survey::default();
        for &(batch, in_flight, shares) in cells {
            let cell = survey.cells.entry(Setting { batch, in_flight }).or_default();
            cell.trials = shares.iter().map(|share| (Trial::default(), *share)).collect();
        }
        survey
    }

    #[test]
    fn the_best_are_the_best_by_their_middle_and_the_smaller_of_equals() {
        let survey = survey(&[
            (100, 1, &[0.1, 9.0, 0.1]),
            (1000, 4, &[1.0, 1.0, 1.0]),
            (1000, 2, &[1.0, 1.0, 1.0]),
            (300, 2, &[0.9, 1.1, 1.2]),
            (30000, 8, &[]),
        ]);
        let best: Vec<String> = survey.best(3).iter().map(Setting::to_string).collect();
        assert_eq!(best, ["300 × 2", "1000 × 2", "1000 × 4"]);
    }

    #[test]
    fn what_is_larger_than_too_large_is_not_tried() {
        let mut survey = survey(&[(1000, 8, &[])]);
        let cell = survey.cells.values_mut().next().expect("it has one");
        cell.out = Some(Out::TooLarge);
        for (batch, in_flight, is) in
            [(1000, 16, true), (3000, 8, true), (100, 16, false), (3000, 4, false)]
        {
            assert_eq!(
                survey.is_too_large(Setting { batch, in_flight }),
                is,
                "{batch} {in_flight}"
            );
        }
    }
}
