//! How many rows of one table a round of the pattern brings and takes, and when.

use super::entry::{Entry, OpKind};
use super::order::SHUFFLED;
use super::pattern::Pattern;

/// Births and deletes of one table.
#[derive(Debug, Clone, Default)]
pub(super) struct Turnover {
    /// Rows that are born in a round.
    pub(super) inserts: u64,
    /// Rows that are deleted in a round.
    pub(super) deletes: u64,
    /// Births and deletes before each place of the round; empty if nothing is done to the table.
    before: Vec<(u32, u32)>,
    /// The places of the round where rows are born.
    births: Vec<u32>,
    /// The first entry that inserts.
    pub(super) insert: Option<usize>,
    /// Whether rows get other keys.
    pub(super) is_rekeyed: bool,
    /// Whether deletes go through the rows in a shuffled order.
    pub(super) is_shuffled: bool,
    /// For each place of the round whose op needs live rows: the place, and how many.
    needs: Vec<(u64, u64)>,
}

impl Turnover {
    /// The turnover of the table at this place of the plan.
    pub(super) fn new(
        table: usize,
        entries: &[Entry],
        pattern: &Pattern,
        is_shuffled: bool,
    ) -> Turnover {
        let mut turnover = Turnover { is_shuffled, ..Turnover::default() };
        let of = |kind: OpKind| {
            entries
                .iter()
                .enumerate()
                .filter(move |(_, entry)| entry.table == table && entry.kind == kind)
                .map(|(at, _)| at)
        };
        turnover.insert = of(OpKind::Insert).next();
        let share = |kind| of(kind).map(|at| pattern.share(at)).sum::<u64>();
        // A rekey ends one key and begins another.
        turnover.inserts = share(OpKind::Insert) + share(OpKind::Rekey);
        turnover.deletes = share(OpKind::Delete) + share(OpKind::Rekey);
        turnover.is_rekeyed = share(OpKind::Rekey) > 0;
        // A shuffled delete takes from complete groups only.
        let delete = if is_shuffled && turnover.inserts > 0 { SHUFFLED } else { 1 };
        if entries.iter().all(|entry| entry.table != table) {
            // A document may have a thousand tables, and a round ten thousand places.
            return turnover;
        }
        let (mut born, mut gone) = (0, 0);
        for place in 0..pattern.len() {
            turnover.before.push((born, gone));
            let entry = &entries[pattern.entry(place)];
            if entry.table != table {
                continue;
            }
            match entry.kind {
                OpKind::Insert => {
                    turnover.births.push(place as u32);
                    born += 1;
                }
                OpKind::Delete => {
                    turnover.needs.push((place, delete));
                    gone += 1;
                }
                OpKind::Rekey => {
                    turnover.needs.push((place, delete));
                    turnover.births.push(place as u32);
                    born += 1;
                    gone += 1;
                }
                OpKind::Update | OpKind::Read => turnover.needs.push((place, 1)),
            }
        }
        turnover
    }

    /// Births and deletes before a place of the round.
    #[inline]
    pub(super) fn before(&self, place: u64) -> (u64, u64) {
        let (born, gone) = self.before.get(place as usize).copied().unwrap_or_default();
        (u64::from(born), u64::from(gone))
    }

    /// The rows that must be there when the first round begins, so that no op of it lacks one.
    pub(super) fn needed(&self) -> u64 {
        let need = |(place, rows): &(u64, u64)| {
            let (born, gone) = self.before(*place);
            (rows + gone).saturating_sub(born)
        };
        self.needs.iter().map(need).max().unwrap_or(0)
    }

    /// The first op of the pattern that lacks a row, if there are `base` rows when it begins.
    pub(super) fn runs_dry(&self, base: u64, round: u64) -> Option<u64> {
        let net = self.deletes.checked_sub(self.inserts).filter(|net| *net > 0)?;
        self.needs
            .iter()
            .map(|(place, rows)| {
                let (born, gone) = self.before(*place);
                let spare = (base + born).checked_sub(rows + gone);
                spare.map_or(0, |spare| spare / net + 1).saturating_mul(round) + place
            })
            .min()
    }

    /// The op of the pattern that bears the `nth` row, counted from 0.
    pub(super) fn birth(&self, nth: u64, round: u64) -> u64 {
        nth / self.inserts * round + u64::from(self.births[(nth % self.inserts) as usize])
    }
}
