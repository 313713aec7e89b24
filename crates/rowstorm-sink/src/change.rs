//! Changes: transactions of inserts, updates, deletes, rekeys and reads, and what became of each of their rows.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rowstorm_gen::changes::{ChangePlan, OpKind, Query};
use rowstorm_gen::{Batch, TablePlan};

use crate::{Attempt, Rejected, SinkError, SinkErrorKind};

/// One entry of the mix, as an adapter needs it to word its statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What is done.
    pub kind: OpKind,
    /// The whole table: names, types, key, this database's options.
    pub table: Arc<TablePlan>,
    /// The columns that travel ([`ChangePlan::statement`]): a row that is inserted whole; of an update the key's columns first and
    /// then what it sets; of a rekey the key twice, as it is and as it becomes; of a delete and a read the key; of a query its
    /// parameters.
    pub columns: Arc<TablePlan>,
    /// What a read asks for, if it is no row by its key: [`Changer::query`] does it.
    pub query: Option<Query>,
}

impl Statement {
    /// The statements of a plan's mix, in its order: one for each entry.
    pub fn all(changes: &ChangePlan) -> Arc<[Statement]> {
        let of = |(entry, spec): (usize, &rowstorm_gen::changes::Entry)| Statement {
            kind: spec.kind,
            table: Arc::clone(changes.table(spec.table)),
            columns: Arc::clone(changes.statement(entry)),
            query: spec.query.clone(),
        };
        changes.entries().iter().enumerate().map(of).collect()
    }

    /// How many of the first `columns` are the key by which a row is found. An insert finds none, nor does a query.
    pub fn keys(&self) -> usize {
        match self.kind {
            OpKind::Insert => 0,
            OpKind::Read if self.query.is_some() => 0,
            OpKind::Update | OpKind::Delete | OpKind::Rekey | OpKind::Read => self.table.key.len(),
        }
    }

    /// Where `columns` stand in `table`. A rekey has the key's places twice.
    pub fn places(&self) -> Vec<usize> {
        let (table, keys) = (&self.table, self.keys());
        let place = |(at, column): (usize, &rowstorm_gen::ColumnPlan)| match self.kind {
            OpKind::Insert => at,
            OpKind::Rekey => table.key[at % keys],
            OpKind::Update | OpKind::Delete | OpKind::Read => {
                let found = table.columns.iter().position(|whole| whole.name == column.name);
                found.expect("a statement's columns are its table's")
            }
        };
        self.columns.columns.iter().enumerate().map(place).collect()
    }

    /// The columns of `table` by which a row that is inserted once more is known to stand already: those that no update of the mix
    /// sets. What is updated later in a transaction that was committed, the replay of its insert finds with the later values.
    pub fn steady(&self, mix: &[Statement]) -> Vec<usize> {
        let of_table = |other: &&Statement| {
            other.kind == OpKind::Update && other.table.name == self.table.name
        };
        let set: HashSet<usize> = mix
            .iter()
            .filter(of_table)
            .flat_map(|update| update.places().split_off(update.keys()))
            .collect();
        (0..self.table.columns.len()).filter(|place| !set.contains(place)).collect()
    }

    /// The keys by which a batch finds its rows, told apart by their values.
    fn keys_of(&self, batch: &Batch) -> Vec<String> {
        self.values_of(batch, &(0..self.keys()).collect::<Vec<_>>())
    }

    /// The keys that rows of a batch have afterwards and did not have before.
    fn keys_made(&self, batch: &Batch) -> Vec<String> {
        match self.kind {
            OpKind::Insert => self.values_of(batch, &self.table.key),
            OpKind::Rekey => {
                self.values_of(batch, &(self.keys()..2 * self.keys()).collect::<Vec<_>>())
            }
            OpKind::Update | OpKind::Delete | OpKind::Read => Vec::new(),
        }
    }

    fn values_of(&self, batch: &Batch, places: &[usize]) -> Vec<String> {
        let rows = self.columns.read(batch);
        let of = |row: &rowstorm_gen::Row| {
            let values: Vec<_> = places.iter().map(|place| &row.values()[*place]).collect();
            format!("{values:?}")
        };
        rows.iter().map(of).collect()
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
    /// Transactions of a few rows that one message takes: [`Changer::change_each`] gains nothing by more. 1 where it does them
    /// one after another.
    pub pipeline: u32,
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
    ///   content in their [steady](Statement::steady) columns, are confirmed, and so are rows that are
    ///   [gone](Transaction::gone) by what the transaction itself does, or were [made anew](Transaction::remade);
    /// - columns that do not travel keep their values.
    ///
    /// # Errors
    /// As [`Writer::write`](crate::Writer::write): a transaction that fails has left nothing, unless its connection was lost
    /// [in doubt](crate::Delivery::InDoubt).
    fn change(
        &mut self,
        transaction: Transaction<'_>,
    ) -> impl Future<Output = Result<Vec<Changed>, SinkError>> + Send;

    /// Does transactions one after another, each for the first time and kept by itself, as [`change`](Changer::change) of each; but
    /// all may be on their way at once. `answered` is given what `change` answers, as it comes and in order.
    ///
    /// Promises, each a conformance case:
    /// - one that is refused is answered; it undoes none before it, and those behind it are done;
    /// - where one fails, all before it were answered, and none behind it was done, unless the connection was lost
    ///   [in doubt](crate::Delivery::InDoubt): then each without an answer may have been.
    ///
    /// Two things that a database may do stand beside this, and no case of the conformance suite plays them. One that warns, too late, of what it has
    /// committed (MariaDB): that is a fatal error, and those behind it may have been done. One that answers several updates at once
    /// (MariaDB), and is busy when they are done again by themselves: those without an answer may have been done, and end the same
    /// when they are done again.
    ///
    /// # Errors
    /// As [`change`](Changer::change), of the first that has no answer.
    fn change_each(
        &mut self,
        transactions: &[&[Change<'_>]],
        answered: Answers<'_>,
    ) -> impl Future<Output = Result<(), SinkError>> + Send {
        async move {
            for groups in transactions {
                answered(self.change(Transaction::once(groups)).await?);
            }
            Ok(())
        }
    }

    /// Asks a query of the mix ([`Statement::query`]), whose parameters are the columns of the one row of `query`, and reads the
    /// answer to its end.
    ///
    /// Promises, each a conformance case:
    /// - it sees what was committed before, and stands in no transaction;
    /// - every row of the answer is counted, and none is kept in memory;
    /// - parameters are values, whatever they hold: never text of the statement;
    /// - it changes nothing: what would is refused, as far as the database can tell;
    /// - a statement that the database refuses is refused in its words, and the changer goes on.
    ///
    /// # Errors
    /// As [`change`](Changer::change), but for being in doubt: a query leaves nothing.
    fn query(
        &mut self,
        query: Change<'_>,
    ) -> impl Future<Output = Result<Queried, SinkError>> + Send;
}

/// Takes the answers of [`Changer::change_each`], one for each transaction.
pub type Answers<'a> = &'a mut (dyn FnMut(Vec<Changed>) + Send);

/// What became of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queried {
    /// So many rows came.
    Rows(u64),
    /// The database refused it.
    Refused {
        /// The database's code and its name.
        class: String,
        /// Its words.
        sample: String,
    },
}

impl Queried {
    /// What an error says of a query: whatever is neither busy nor lost refuses it.
    ///
    /// ```
    /// use rowstorm_sink::{Queried, SinkError};
    ///
    /// let refused = Queried::of(SinkError::fatal("42601 syntax_error", "at or near"))?;
    /// let (class, sample) = ("42601 syntax_error".to_owned(), "at or near".to_owned());
    /// assert_eq!(refused, Queried::Refused { class, sample });
    /// # Ok::<(), SinkError>(())
    /// ```
    ///
    /// # Errors
    /// The error itself, where the query may be asked again.
    pub fn of(error: SinkError) -> Result<Queried, SinkError> {
        match error.kind {
            SinkErrorKind::Busy { .. } | SinkErrorKind::Lost(_) => Err(error),
            SinkErrorKind::TooLarge | SinkErrorKind::Fatal => {
                Ok(Queried::Refused { class: error.class, sample: error.message })
            }
        }
    }
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

impl<'a> Transaction<'a> {
    /// What is done for the first time, and kept.
    pub fn once(groups: &'a [Change<'a>]) -> Transaction<'a> {
        Transaction { groups, end: End::Commit, attempt: Attempt::First, hold: None }
    }

    /// How many rows of a group need not be found, because what the transaction does may have been done before: none under
    /// [`Attempt::First`]. In a replay, all rows that the group deletes or gives another key, and of an update or a read those that
    /// a later group takes away. `mix` is what the changer was opened with.
    pub fn gone(&self, group: usize, mix: &[Statement]) -> u64 {
        let change = &self.groups[group];
        let statement = &mix[change.statement];
        match (self.attempt, statement.kind) {
            (Attempt::First, _) | (Attempt::Replay, OpKind::Insert) => 0,
            (Attempt::Replay, OpKind::Delete | OpKind::Rekey) => change.batch.len() as u64,
            (Attempt::Replay, OpKind::Update | OpKind::Read) => {
                let is_taker = |later: &&Change<'_>| {
                    let other = &mix[later.statement];
                    matches!(other.kind, OpKind::Delete | OpKind::Rekey)
                        && other.table.name == statement.table.name
                };
                let later = self.groups[group + 1..].iter().filter(is_taker);
                let taken: HashSet<String> =
                    later.flat_map(|later| mix[later.statement].keys_of(later.batch)).collect();
                let keys = statement.keys_of(change.batch);
                keys.iter().filter(|key| taken.contains(*key)).count() as u64
            }
        }
    }

    /// In a replay, which rows of a rekey earlier groups of the transaction made: none of another kind. Where such a row's new key
    /// stands, the transaction was committed before, and the row was made anew: it is to be deleted, and confirmed.
    pub fn remade(&self, group: usize, mix: &[Statement]) -> Vec<bool> {
        let change = &self.groups[group];
        let statement = &mix[change.statement];
        if self.attempt == Attempt::First || statement.kind != OpKind::Rekey {
            return vec![false; change.batch.len()];
        }
        let made: HashSet<String> = self.groups[..group]
            .iter()
            .filter(|earlier| mix[earlier.statement].table.name == statement.table.name)
            .flat_map(|earlier| mix[earlier.statement].keys_made(earlier.batch))
            .collect();
        statement.keys_of(change.batch).iter().map(|key| made.contains(key)).collect()
    }

    /// The answer of a database that undid all of it: every row of every group is rejected, for one reason.
    pub fn refused(&self, class: &str, sample: &str) -> Vec<Changed> {
        let all = |group: &Change<'_>| Changed::refused(group.batch.len() as u64, class, sample);
        self.groups.iter().map(all).collect()
    }
}

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

    /// So many rows of a group were found. Of the others as many are confirmed as may be [gone](Transaction::gone); the rest is
    /// missed.
    ///
    /// ```
    /// let changed = rowstorm_sink::Changed::found(3, 6, 2)?;
    /// assert_eq!((changed.matched, changed.confirmed, changed.missed), (3, 2, 1));
    /// # Ok::<(), rowstorm_sink::SinkError>(())
    /// ```
    ///
    /// # Errors
    /// A fatal one if more were found than were asked for: the key is not unique in the database.
    pub fn found(found: u64, rows: u64, gone: u64) -> Result<Changed, SinkError> {
        let Some(rest) = rows.checked_sub(found) else {
            let message = format!(
                "{found} rows were found by {rows} keys: the key is not unique in the database"
            );
            return Err(SinkError::fatal("count", message));
        };
        let confirmed = rest.min(gone);
        let missed = rest - confirmed;
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

    async fn query(&mut self, _: Change<'_>) -> Result<Queried, SinkError> {
        match self.0 {}
    }
}
