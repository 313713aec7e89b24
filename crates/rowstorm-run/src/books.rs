//! The accounts: every row that was handed out stands in exactly one place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rowstorm_report::{ErrorEntry, RangeDone, Rows, TableRows};
use rowstorm_sink::{Outcome, REFUSALS_MAX, Rejected, SinkError};

use crate::ranges::Ranges;

/// Classes of errors that are kept apart; what comes later is counted together.
const CLASSES_MAX: usize = 64;

/// The accounts of all tables.
#[derive(Debug, Default)]
pub(crate) struct Books {
    accounts: Vec<Account>,
    errors: BTreeMap<String, Trouble>,
}

#[derive(Debug)]
struct Account {
    table: Arc<str>,
    rows: Rows,
    before: u64,
    done: Ranges,
    /// Whether the table is no part of the run.
    left_out: bool,
}

#[derive(Debug, Default)]
struct Trouble {
    count: u64,
    samples: Vec<String>,
}

impl Books {
    pub(crate) fn new(tables: impl Iterator<Item = Arc<str>>) -> Books {
        let accounts = tables
            .map(|table| Account {
                table,
                rows: Rows::default(),
                before: 0,
                done: Ranges::default(),
                left_out: false,
            })
            .collect();
        Books { accounts, errors: BTreeMap::new() }
    }

    /// Rows are handed out.
    pub(crate) fn plan(&mut self, table: usize, rows: u64) {
        self.accounts[table].rows.planned += rows;
    }

    /// This table is no part of the run: nothing is said of it.
    pub(crate) fn leave_out(&mut self, table: usize) {
        self.accounts[table].left_out = true;
    }

    fn parts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| !account.left_out)
    }

    /// Rows that were handed out were not begun.
    pub(crate) fn put_back(&mut self, table: usize, rows: u64) {
        let account = &mut self.accounts[table].rows;
        account.planned -= rows;
        assert!(settled(account) <= account.planned, "only rows that are not settled come back");
    }

    /// The database answered.
    pub(crate) fn settle(&mut self, table: usize, rows: Range<u64>, outcome: &Outcome) {
        assert_eq!(outcome.rows(), rows.end - rows.start, "an outcome accounts for every row");
        let account = &mut self.accounts[table];
        account.rows.accepted += outcome.accepted;
        account.rows.confirmed += outcome.confirmed;
        account.rows.rejected += outcome.rejected.count;
        assert!(settled(&account.rows) <= account.rows.planned, "a row is settled once");
        account.done.add(rows);
        self.refused(&outcome.rejected);
    }

    /// Rows were sent, and nobody can tell what became of them.
    pub(crate) fn lose_sight(&mut self, table: usize, rows: u64) {
        let account = &mut self.accounts[table].rows;
        account.unknown += rows;
        assert!(settled(account) <= account.planned, "a row is settled once");
    }

    /// An attempt failed as a whole.
    pub(crate) fn trouble(&mut self, error: &SinkError) {
        self.note(&error.class, 1, &error.message);
    }

    /// What was said of rows that were refused.
    pub(crate) fn refused(&mut self, rejected: &Rejected) {
        let mut named = 0;
        for refusal in &rejected.refusals {
            named += refusal.count;
            self.note(&refusal.class, refusal.count, &refusal.sample);
        }
        if rejected.count > named {
            self.note("other", rejected.count - named, "");
        }
    }

    /// What went wrong, counted by class, with a sample.
    pub(crate) fn note(&mut self, class: &str, count: u64, sample: &str) {
        let known = self.errors.contains_key(class) || self.errors.len() < CLASSES_MAX;
        let class = if known { class } else { "other" };
        let trouble = self.errors.entry(class.to_owned()).or_default();
        trouble.count += count;
        let fresh = !sample.is_empty() && !trouble.samples.iter().any(|said| said == sample);
        if fresh && trouble.samples.len() < REFUSALS_MAX {
            trouble.samples.push(sample.to_owned());
        }
    }

    pub(crate) fn set_before(&mut self, table: usize, rows: u64) {
        self.accounts[table].before = rows;
    }

    pub(crate) fn before(&self, table: usize) -> u64 {
        self.accounts[table].before
    }

    pub(crate) fn set_audited(&mut self, table: usize, rows: Option<u64>) {
        self.accounts[table].rows.audited = rows;
    }

    pub(crate) fn table(&self, table: usize) -> &Rows {
        &self.accounts[table].rows
    }

    /// All tables together; audited if all of them are.
    pub(crate) fn total(&self) -> Rows {
        let mut total = Rows { audited: Some(0), ..Rows::default() };
        for Account { rows, .. } in self.parts() {
            total.planned += rows.planned;
            total.accepted += rows.accepted;
            total.confirmed += rows.confirmed;
            total.rejected += rows.rejected;
            total.unknown += rows.unknown;
            total.audited = total.audited.zip(rows.audited).map(|(sum, rows)| sum + rows);
        }
        total
    }

    /// Whether every row that was handed out stands somewhere: true whenever no lane holds a job.
    pub(crate) fn balance(&self) -> bool {
        self.accounts.iter().all(|account| settled(&account.rows) == account.rows.planned)
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &Rows)> {
        self.parts().map(|account| (&*account.table, &account.rows))
    }

    pub(crate) fn name(&self, table: usize) -> Option<Arc<str>> {
        self.accounts.get(table).map(|account| Arc::clone(&account.table))
    }

    pub(crate) fn table_rows(&self) -> Vec<TableRows> {
        self.parts()
            .map(|account| TableRows {
                table: account.table.to_string(),
                rows: account.rows.clone(),
                before: account.before,
            })
            .collect()
    }

    pub(crate) fn ranges_done(&self) -> Vec<RangeDone> {
        let ranges = |account: &Account| {
            let table = account.table.to_string();
            let done = account.done.iter();
            done.map(move |rows| RangeDone { table: table.clone(), from: rows.start, to: rows.end })
                .collect::<Vec<_>>()
        };
        self.accounts.iter().flat_map(ranges).collect()
    }

    /// What went wrong, the most frequent first.
    pub(crate) fn errors(&self) -> Vec<ErrorEntry> {
        let entry = |(class, trouble): (&String, &Trouble)| ErrorEntry {
            class: class.clone(),
            count: trouble.count,
            samples: trouble.samples.clone(),
        };
        let mut errors: Vec<_> = self.errors.iter().map(entry).collect();
        errors.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        errors
    }
}

fn settled(rows: &Rows) -> u64 {
    rows.accepted + rows.confirmed + rows.rejected + rows.unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_by_class_and_sampled_ten_times() {
        let mut books = Books::new(["t".into()].into_iter());
        books.plan(0, 20);
        for row in 0..20u64 {
            let outcome = Outcome::refused(1, "23505 unique_violation", format!("key {row}"));
            books.settle(0, row..row + 1, &outcome);
        }
        let errors = books.errors();
        assert_eq!((errors[0].count, errors[0].samples.len()), (20, REFUSALS_MAX));
        assert!(books.balance());
        assert_eq!(books.total().rejected, 20);
    }
}
