//! What an adapter implements.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use rowstorm_gen::{Batch, TablePlan};

use crate::{
    Audit, BoxChangeLog, BoxScan, ChangeLimits, Changer, Event, NoChanger, Outcome, Payload, Scope,
    SinkError, Statement,
};

/// One database, connected.
///
/// Each method states promises; the conformance suite has a case of the same wording for each.
pub trait Sink: Debug + Send + Sync + 'static {
    /// One connection that writes.
    type Writer: Writer;
    /// Rows to bytes, for one table.
    type Encoder: Encoder;
    /// One connection that changes rows: [`NoChanger`] where only rows are taken.
    type Changer: Changer;

    /// The facts that bound a payload. Pure.
    fn limits(&self, table: &TablePlan) -> Limits;

    /// What is good on most servers of this kind: `auto` looks there early, and stays only if it is faster. `None` where
    /// nothing more is known than of any server. Pure.
    fn guess(&self, _: &TablePlan) -> Option<Guess> {
        None
    }

    /// An encoder for a table. Pure: no IO, and equal batches give equal bytes.
    fn encoder(&self, table: &TablePlan) -> Self::Encoder;

    /// What would be done, for people: DDL, statement, method. Pure.
    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation;

    /// Makes the table ready.
    ///
    /// Promises: preparing twice is harmless; recreating empties; [`PrepareMode::Create`] refuses a table that has rows;
    /// nothing is ever dropped but by [`PrepareMode::Recreate`].
    fn prepare(
        &self,
        table: &TablePlan,
        prepare: &Prepare,
    ) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Opens one connection that writes into a table.
    ///
    /// Promises: a dead server, a wrong password or a missing table is an error here or in the first write, never a
    /// hang; no password is printed.
    fn writer(
        &self,
        table: &Arc<TablePlan>,
    ) -> impl Future<Output = Result<Self::Writer, SinkError>> + Send;

    /// Does what waits for the end of the load: secondary indexes that come after, refresh, statistics.
    ///
    /// Promises: finishing twice is harmless.
    fn finish(
        &self,
        table: &TablePlan,
        prepare: &Prepare,
    ) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Whether rows can be found again. Where nothing is stored there is nothing to count, and the runner claims nothing.
    fn keeps_rows(&self) -> bool {
        true
    }

    /// Counts in the database, by its own means, what is there.
    ///
    /// Promises: every row of every write that was answered is seen, right after the answer.
    fn audit(
        &self,
        table: &TablePlan,
        scope: &Scope,
    ) -> impl Future<Output = Result<Audit, SinkError>> + Send;

    /// What the server says of itself: version, settings that change what a figure means (durability), counters of what
    /// happened since it was first asked. Empty where there is no server. The runner asks before and after the load.
    fn server(&self) -> impl Future<Output = Result<Vec<ServerFact>, SinkError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// What the server counted of its own work since it started, where it refuses and tries again in silence; `None` for the
    /// others. Asked about once a second while a run goes on.
    ///
    /// # Errors
    /// When the server cannot be asked: the run goes on without.
    fn counters(&self) -> impl Future<Output = Result<Option<ServerCounters>, SinkError>> + Send {
        async { Ok(None) }
    }

    /// Whether this database takes the statements of a mix, and the facts that bound its transactions. Pure.
    ///
    /// # Errors
    /// A fatal one that names the entry's table and what it cannot do.
    fn change_limits(&self, _: &[Statement]) -> Result<ChangeLimits, SinkError> {
        NoChanger::refuse(&format!("{self:?}"))
    }

    /// A statement as it is sent, for `explain`: placeholders stand where values go. Pure.
    fn explain_change(&self, _: &Statement) -> Option<String> {
        None
    }

    /// Opens one connection that changes, with the statements of a mix ready.
    ///
    /// # Errors
    /// As [`writer`](Sink::writer).
    fn changer(
        &self,
        _: &Arc<[Statement]>,
    ) -> impl Future<Output = Result<Self::Changer, SinkError>> + Send {
        let refused = NoChanger::refuse(&format!("{self:?}"));
        async { refused }
    }

    /// Opens a reader of the server's own log, which counts what is done to some tables from now on.
    ///
    /// # Errors
    /// Fatal where the server keeps no such log, or not so that it can be read, or not for this user; for a table that is not
    /// there. The message says what would be right.
    fn change_log(
        &self,
        _: &[Arc<TablePlan>],
    ) -> impl Future<Output = Result<BoxChangeLog, SinkError>> + Send {
        let message = format!("{self:?} has no log of changes that is read here");
        async { Err(SinkError::fatal("no log", message)) }
    }

    /// An event as it is sent, for records and for people. Pure.
    ///
    /// # Errors
    /// A fatal one if this database cannot do it, or the document has no words for it.
    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        let message = format!("{self:?} knows no `{}` among changes", event.word());
        Err(SinkError::fatal("no events", message))
    }

    /// Does an event, on a connection of its own: how many rows it took, where the database says so.
    ///
    /// Promises, each a conformance case:
    /// - a table that is emptied has no rows afterwards, and takes new ones;
    /// - emptying it once more is harmless;
    /// - changers that are open go on after it, also where a column was added that the schema does not know;
    /// - a statement that the database refuses is a fatal error in its words.
    ///
    /// # Errors
    /// As [`Changer::change`]; whoever lost the connection does not know whether it was done.
    fn event(&self, event: &Event) -> impl Future<Output = Result<Option<u64>, SinkError>> + Send {
        let refused = self.explain_event(event).map(|_| None);
        async { refused }
    }

    /// Reads all rows of a table back, each with the columns of the plan. Rows that come while it reads may be in it or not.
    ///
    /// # Errors
    /// When the table is not there, or this target cannot read.
    fn scan(&self, _: &Arc<TablePlan>) -> impl Future<Output = Result<BoxScan, SinkError>> + Send {
        let message = format!("{self:?} cannot be read back");
        async { Err(SinkError::fatal("no scan", message)) }
    }

    /// Waits until the driver's own tasks are over: a runtime may end right after. The runner calls it last.
    ///
    /// Promises: closing twice is harmless; writers, changers and scans that are left go on; whoever uses the sink
    /// afterwards connects anew.
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Rows to bytes, in the wire's own format, once.
pub trait Encoder: Send + 'static {
    /// Starts a payload: header and opening. The payload was cleared by the caller.
    fn begin(&mut self, payload: &mut Payload);

    /// Adds a batch. Called several times, with ranges that follow each other.
    fn encode(&mut self, batch: &Batch, payload: &mut Payload);

    /// Ends the payload: trailer and closing.
    fn end(&mut self, payload: &mut Payload);
}

/// One connection that writes.
pub trait Writer: Send + 'static {
    /// Writes a payload and waits for the answer.
    ///
    /// Promises: every row is accounted for (`outcome.rows() == payload.rows`); a refused row is no error; after a
    /// refusal the writer goes on; after [`SinkErrorKind::Lost`](crate::SinkErrorKind::Lost) it is thrown away;
    /// dropping the future half-way leaves the sink usable and writes all rows of the payload or none where the
    /// database has transactions.
    fn write(
        &mut self,
        payload: &Payload,
    ) -> impl Future<Output = Result<Outcome, SinkError>> + Send;
}

/// Facts about one payload. The runner keeps within them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most rows of one payload.
    pub rows: u32,
    /// The most bytes of one payload.
    pub bytes: u64,
    /// The most connections that help; more are refused or wait (SQLite: 1).
    pub writers: u32,
    /// Whether sending a payload twice leaves one copy of each row: the table has a key that the database enforces
    /// and the generator does not repeat by accident.
    pub idempotent: bool,
}

/// Sizes that are good on most servers of a kind, as they were measured.
///
/// ```
/// use rowstorm_sink::Guess;
///
/// let guess = Guess { rows: 30_000, bytes: 6_000_000, writers: 4 };
/// // Rows of 195 bytes, and of 1 KB.
/// assert_eq!((guess.rows_of(195.0), guess.rows_of(1_073.0)), (30_000, 5_591));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess {
    /// Rows of one payload.
    pub rows: u32,
    /// No more than so many bytes of one payload: rows of wide tables are fewer.
    pub bytes: u64,
    /// Connections.
    pub writers: u32,
}

impl Guess {
    /// Rows of one payload, if a row has so many bytes: one at least.
    pub fn rows_of(&self, row_bytes: f64) -> u32 {
        let fit = self.bytes as f64 / row_bytes.max(1.0);
        self.rows.min(fit as u32).max(1)
    }
}

/// How a table is made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepare {
    /// What is done with a table that is there.
    pub mode: PrepareMode,
    /// When secondary indexes are made.
    pub indexes: IndexTime,
}

pub use rowstorm_gen::schema::IndexTime;

/// What is done with a table that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrepareMode {
    /// Make it if it is missing; refuse if it has rows.
    Create,
    /// Make it if it is missing; write into it as it is.
    Append,
    /// Drop it and make it anew.
    Recreate,
}

impl PrepareMode {
    /// As the command line and the record have it.
    pub fn word(self) -> &'static str {
        match self {
            PrepareMode::Create => "create",
            PrepareMode::Append => "append",
            PrepareMode::Recreate => "recreate",
        }
    }
}

/// What an adapter would do, for `rowstorm explain`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The way in, in a few words: "COPY BINARY".
    pub method: String,
    /// The statements that make the table and its indexes, in order.
    pub ddl: Vec<String>,
    /// The statement of one payload.
    pub statement: String,
    /// What to mind: what the database answers and what it does not.
    pub notes: Vec<String>,
}

/// What a server counted of its own work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerCounters {
    /// Requests that were worked on.
    pub requests: u64,
    /// Requests that a part of the server refused, whoever tried them again.
    pub rejected: u64,
}

/// One fact about the server, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFact {
    /// The setting's own name: "version", "fsync".
    pub name: String,
    /// Its value, as the server prints it.
    pub value: String,
}
