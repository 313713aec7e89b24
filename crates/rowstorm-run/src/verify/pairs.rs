//! Rows without a key: one that was altered shows as a row that is missing and one that nobody wrote. Those that are alike in
//! most columns are told as one.

use std::collections::HashMap;
use std::mem;

use rowstorm_gen::Value;
use rowstorm_report::FindingKind;

use super::check::Check;
use super::digest::digest;
use super::findings::finding;
use super::judge::differences;

/// Rows of each kind that are kept back; more are told as they come.
const ROWS_MAX: usize = 10_000;

/// Missing rows that are looked at for one value of one column.
const ALIKE_MAX: usize = 32;

/// Rows that are kept back until all are known.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    missing: Vec<(u64, Vec<Value>)>,
    strays: Vec<Vec<Value>>,
}

impl Pairs {
    /// Keeps a missing row; `false` if there are too many.
    pub(super) fn missing(&mut self, row: u64, values: &[Value]) -> bool {
        let has_room = self.missing.len() < ROWS_MAX;
        if has_room {
            self.missing.push((row, values.to_vec()));
        }
        has_room
    }

    /// Keeps a row that nobody wrote, or gives it back if there are too many.
    pub(super) fn stray(&mut self, values: Vec<Value>) -> Option<Vec<Value>> {
        if self.strays.len() == ROWS_MAX {
            return Some(values);
        }
        self.strays.push(values);
        None
    }

    /// Tells of all rows that were kept.
    pub(super) fn tell(mut self, check: &Check) {
        let index = self.index(check);
        let mut taken = vec![false; self.missing.len()];
        for values in mem::take(&mut self.strays) {
            let Some(place) = Pairs::likest(&values, &index, &taken, check) else {
                check.findings.found(stray(check, &values));
                continue;
            };
            taken[place] = true;
            let (row, expected) = &self.missing[place];
            let why = format!("row {row}, the likest of those that are missing");
            let mut found = finding(check.plan(), FindingKind::Wrong, expected, why);
            found.columns = differences(check, expected, &values);
            check.findings.found(found);
        }
        for ((row, values), taken) in self.missing.iter().zip(taken) {
            if !taken {
                check.missing(*row, values);
            }
        }
    }

    /// Missing rows by each of their values.
    fn index(&self, check: &Check) -> HashMap<(usize, u128), Vec<usize>> {
        let mut index: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, (_, values)) in self.missing.iter().enumerate() {
            for key in forms(check, values) {
                let alike = index.entry(key).or_default();
                if alike.len() < ALIKE_MAX {
                    alike.push(place);
                }
            }
        }
        index
    }

    /// The missing row that is equal in most columns, if it is in more than half of them.
    fn likest(
        values: &[Value],
        index: &HashMap<(usize, u128), Vec<usize>>,
        taken: &[bool],
        check: &Check,
    ) -> Option<usize> {
        let mut votes: HashMap<usize, usize> = HashMap::new();
        for key in forms(check, values) {
            for place in index.get(&key).into_iter().flatten().filter(|place| !taken[**place]) {
                *votes.entry(*place).or_default() += 1;
            }
        }
        let best = votes.into_iter().max_by_key(|(place, votes)| (*votes, usize::MAX - place));
        best.filter(|(_, votes)| 2 * votes > values.len()).map(|(place, _)| place)
    }
}

/// A row that nobody wrote.
pub(super) fn stray(check: &Check, values: &[Value]) -> rowstorm_report::Finding {
    finding(check.plan(), FindingKind::Phantom, values, "no row has these values")
}

fn forms(check: &Check, values: &[Value]) -> Vec<(usize, u128)> {
    let mut form = Vec::new();
    let columns = check.compares.iter().zip(values).enumerate();
    columns
        .map(|(place, (compare, value))| {
            form.clear();
            compare.put(value, &mut form);
            (place, digest(&form))
        })
        .collect()
}
