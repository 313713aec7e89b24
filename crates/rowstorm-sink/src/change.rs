//! Changes: transactions of inserts, updates, deletes, rekeys and reads, and what became of each of their rows.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rowstorm_gen::changes::{ChangePlan, OpKind};
use rowstorm_gen::{Batch, TablePlan};

use crate::{Attempt, Rejected, SinkError};

/// One entry of the mix, as an adapter needs it to word its statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What is done.
    pub kind: OpKind,
    /// The whole table: names, types, key, this database's options.
    pub table: Arc<TablePlan>,
    /// The columns that travel ([`ChangePlan::statement`]): a row that is inserted whole; of an update the key's columns first and
    /// then what it sets; of a rekey the key twice, as it is and as it becomes; of a delete and a read the key.
    pub columns: Arc<TablePlan>,
}

impl Statement {
    /// The statements of a plan's mix, in its order: one for each entry.
    pub fn all(changes: &ChangePlan) -> Arc<[Statement]> {
        let of = |(entry, spec): (usize, &rowstorm_gen::changes::Entry)| Statement {
            kind: spec.kind,
            table: Arc::clone(changes.table(spec.table)),
            columns: Arc::clone(changes.statement(entry)),
        };
        changes.entries().iter().enumerate().map(of).collect()
    }

    /// How many of the first `columns` are the key by which a row is found. An insert finds none.
    pub fn keys(&self) -> usize {
        match self.kind {
            OpKind::Insert => 0,
            OpKind::Update | OpKind::Delete | OpKind::Rekey | OpKind::Read => self.table.key.len(),
        }
    }
}

/// Facts about how a database takes a mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeLimits {
    /// Rows that one group may have.
    pub rows: u32,
    /// Changers open at once.
    pub changers: u32,
    /// Whether several groups are kept or undone together. Without, a transaction is only an order: rows are refused one by one, and
    /// [`End::RollBack`] is never asked for.
    pub transactions: bool,
}

/// One connection that changes rows, with the statements of a mix ready.
pub trait Changer: Send + 'static {
    /// Does the groups of a transaction in order, ends it, and waits for the answer: one [`Changed`] for each group.
    ///
    /// Promises, each a conformance case:
    /// - every row is accounted for: [`Changed::rows`] is the group's length;
    /// - a row that is not there is missed, never inserted, and a row that is there counts as matched although it comes out the same;
    /// - a transaction that is rolled back leaves nothing, and its counts are what they would have been;
    /// - where the database has transactions and refuses one row, all is undone and every row of every group is
    ///   rejected, for the reason of the one; without transactions rows are rejected one by one;
    /// - under [`Attempt::Replay`] everything may have been committed before: rows that are inserted and stand already, with this
    ///   content, are confirmed, and so are rows that are to go, or to have another key, and are not found under the old one;
    /// - columns that do not travel keep their values.
    ///
    /// # Errors
    /// As [`Writer::write`](crate::Writer::write): a transaction that fails has left nothing, unless its connection was lost
    /// [in doubt](crate::Delivery::InDoubt).
    fn change(
        &mut self,
        transaction: Transaction<'_>,
    ) -> impl Future<Output = Result<Vec<Changed>, SinkError>> + Send;
}

/// Some rows of one statement: no row twice.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The statement, by its place among those that the changer was opened with.
    pub statement: usize,
    /// Its columns, a value for each row.
    pub batch: &'a Batch,
}

/// What is done together.
pub struct Transaction<'a> {
    /// In order.
    pub groups: &'a [Change<'a>],
    /// How it ends.
    pub end: End,
    /// Whether it was tried before.
    pub attempt: Attempt,
    /// Waited for between the last group's answer and the end: a transaction that is held open.
    pub hold: Option<Hold<'a>>,
}

/// What keeps a transaction open until it is ready.
pub type Hold<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transaction { groups, end, attempt, hold } = self;
        write!(out, "{} groups, {end:?}, {attempt:?}, held: {}", groups.len(), hold.is_some())
    }
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What it did is kept.
    Commit,
    /// What it did is undone.
    RollBack,
}

/// What became of a group's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Inserted, or found and updated, deleted, given another key, read.
    pub matched: u64,
    /// Found as a replay would leave them.
    pub confirmed: u64,
    /// No row had the key.
    pub missed: u64,
    /// Refused.
    pub rejected: Rejected,
}

impl Changed {
    /// All rows were found.
    pub fn matched(rows: u64) -> Changed {
        Changed { matched: rows, ..Changed::default() }
    }

    /// Some rows of a group were found; the others are missed or, where `gone_is_done` (a replay of what takes a key away),
    /// confirmed.
    ///
    /// # Errors
    /// A fatal one if more were found than were asked for: the key is not unique in the database.
    pub fn found(found: u64, rows: u64, gone_is_done: bool) -> Result<Changed, SinkError> {
        let Some(rest) = rows.checked_sub(found) else {
            let message = format!(
                "{found} rows were found by {rows} keys: the key is not unique in the database"
            );
            return Err(SinkError::fatal("count", message));
        };
        let (confirmed, missed) = if gone_is_done { (rest, 0) } else { (0, rest) };
        Ok(Changed { matched: found, confirmed, missed, ..Changed::default() })
    }

    /// Every row is refused for one reason.
    pub fn refused(rows: u64, class: &str, sample: &str) -> Changed {
        let mut changed = Changed::default();
        changed.rejected.add(class, rows, sample);
        changed
    }

    /// The rows that were accounted for.
    pub fn rows(&self) -> u64 {
        self.matched + self.confirmed + self.missed + self.rejected.count
    }
}

/// What a sink without changes opens: nothing.
#[derive(Debug)]
pub struct NoChanger(Infallible);

impl NoChanger {
    /// The answer of a sink that takes no changes.
    ///
    /// # Errors
    /// Always, a fatal one.
    pub fn refuse<T>(target: &str) -> Result<T, SinkError> {
        Err(SinkError::fatal(
            "no changes",
            format!("{target} takes no changes, only rows: leave `changes:` out"),
        ))
    }
}

impl Changer for NoChanger {
    async fn change(&mut self, _: Transaction<'_>) -> Result<Vec<Changed>, SinkError> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_not_found_are_missed_or_in_a_replay_of_a_delete_confirmed() {
        let missed = Changed::found(3, 5, false).unwrap();
        assert_eq!((missed.matched, missed.missed, missed.rows()), (3, 2, 5));
        let confirmed = Changed::found(3, 5, true).unwrap();
        assert_eq!((confirmed.matched, confirmed.confirmed, confirmed.rows()), (3, 2, 5));
        assert_eq!(Changed::found(6, 5, true).unwrap_err().class, "count");
        assert_eq!(Changed::refused(4, "23505", "key").rows(), 4);
    }
}
