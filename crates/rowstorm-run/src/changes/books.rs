//! The accounts of changes: every row that was handed out stands in exactly one place, by entry of the mix.

use rowstorm_gen::changes::{Entry, OpKind};
use rowstorm_report::{ChangeRows, TableKind, Transactions};
use rowstorm_sink::Changed;

/// The accounts of all entries.
#[derive(Debug)]
pub(crate) struct Books {
    entries: Vec<Entry>,
    rows: Vec<ChangeRows>,
    pub(crate) transactions: Transactions,
}

impl Books {
    pub(crate) fn new(entries: &[Entry]) -> Books {
        Books {
            entries: entries.to_vec(),
            rows: vec![ChangeRows::default(); entries.len()],
            transactions: Transactions::default(),
        }
    }

    pub(crate) fn kind(&self, entry: usize) -> OpKind {
        self.entries[entry].kind
    }

    /// Rows of a transaction that is sent now.
    pub(crate) fn plan(&mut self, entry: usize, rows: u64) {
        self.rows[entry].planned += rows;
    }

    /// Nothing of them was done.
    pub(crate) fn put_back(&mut self, entry: usize, rows: u64) {
        let account = &mut self.rows[entry];
        account.planned -= rows;
        assert!(settled(account) <= account.planned, "only rows that are not settled come back");
    }

    /// The database answered.
    pub(crate) fn settle(&mut self, entry: usize, changed: &Changed) {
        let account = &mut self.rows[entry];
        account.matched += changed.matched;
        account.confirmed += changed.confirmed;
        account.missed += changed.missed;
        account.rejected += changed.rejected.count;
        assert!(settled(account) <= account.planned, "a row is settled once");
    }

    /// Nobody can tell.
    pub(crate) fn lose_sight(&mut self, entry: usize, rows: u64) {
        let account = &mut self.rows[entry];
        account.unknown += rows;
        assert!(settled(account) <= account.planned, "a row is settled once");
    }

    /// Nobody can tell of anything that is not settled.
    pub(crate) fn write_off(&mut self) {
        for account in &mut self.rows {
            account.unknown += account.planned - settled(account);
        }
    }

    /// Whether every row that was sent stands somewhere: true whenever no lane holds a job.
    pub(crate) fn balance(&self) -> bool {
        self.rows.iter().all(ChangeRows::balances)
    }

    /// All entries together.
    pub(crate) fn total(&self) -> ChangeRows {
        self.sum(|_| true)
    }

    /// What was read.
    pub(crate) fn read(&self) -> ChangeRows {
        self.sum(|entry| entry.kind == OpKind::Read)
    }

    /// The kinds of a table, in the mix's order.
    pub(crate) fn kinds(&self, table: usize) -> Vec<TableKind> {
        let mut kinds: Vec<TableKind> = Vec::new();
        for (entry, rows) in
            self.entries.iter().zip(&self.rows).filter(|(entry, _)| entry.table == table)
        {
            let word = entry.word();
            match kinds.iter_mut().find(|known| known.kind == word) {
                Some(known) => known.rows += *rows,
                None => kinds.push(TableKind { kind: word.to_owned(), rows: *rows }),
            }
        }
        kinds
    }

    /// One kind of one table.
    pub(crate) fn of(&self, table: usize, kind: OpKind) -> ChangeRows {
        self.sum(|entry| entry.table == table && entry.kind == kind)
    }

    fn sum(&self, fits: impl Fn(&Entry) -> bool) -> ChangeRows {
        let mut sum = ChangeRows::default();
        for (_, rows) in self.entries.iter().zip(&self.rows).filter(|(entry, _)| fits(entry)) {
            sum += *rows;
        }
        sum
    }
}

fn settled(rows: &ChangeRows) -> u64 {
    rows.done() + rows.bad()
}
