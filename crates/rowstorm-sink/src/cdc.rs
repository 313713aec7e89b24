//! The server's own log of changes: what was done, counted apart from the tables themselves.
//!
//! Rows can come out right although an event too many, or one too few, went to whoever listens.

use std::future::Future;
use std::pin::Pin;

use crate::SinkError;

/// Events of one table.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Events {
    /// Rows that were inserted.
    pub inserted: u64,
    /// Rows that were updated and kept their key.
    pub updated: u64,
    /// Rows that were given another key.
    pub rekeyed: u64,
    /// Rows that were deleted.
    pub deleted: u64,
    /// Truncations, whatever rows there were, where the log has them.
    pub truncated: u64,
}

/// A reader of the server's log, from the moment on in which it was opened.
///
/// Promises: everything that is committed from then on is counted once, whoever did it, when
/// [`read`](ChangeLog::read) is called after its commit was answered; nothing of what is rolled back is.
pub trait ChangeLog: Send {
    /// Counts what was committed since the last call; how many transactions there were that changed one of the tables.
    ///
    /// # Errors
    /// When the log cannot be read to its end: what was counted is not all.
    fn read(&mut self) -> Counting<'_, u64>;

    /// What was counted of a table, by its name; nothing for a table that is not read.
    fn events(&self, table: &str) -> Events;

    /// The transactions that were counted.
    fn transactions(&self) -> u64;

    /// Whether an update that leaves its row as it was is an event.
    fn has_unchanged(&self) -> bool;

    /// Ends the reading, and leaves nothing in the server.
    ///
    /// # Errors
    /// When the server does not answer.
    fn end(self: Box<Self>) -> Counting<'static, ()>;
}

/// Counting that is under way.
pub type Counting<'a, T> = Pin<Box<dyn Future<Output = Result<T, SinkError>> + Send + 'a>>;

/// Any [`ChangeLog`].
pub type BoxChangeLog = Box<dyn ChangeLog>;
