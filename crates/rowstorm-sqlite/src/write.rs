//! A connection's thread, and payloads as transactions.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use rowstorm_gen::TablePlan;
use rowstorm_sink::{Attempt, Outcome, Payload, SinkError, SinkErrorKind, Writer};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::encode::take;
use crate::{BODY_BYTES_MAX, dialect, error};

/// A write that was dropped may still be under way, and another behind it; a third has to wait.
const JOBS_MAX: usize = 1;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A thread that owns a connection. It ends when this is dropped and its work is done.
pub(crate) struct Worker {
    jobs: SyncSender<Job>,
}

impl Worker {
    /// Opens a connection on a new thread.
    pub(crate) async fn start(
        open: impl FnOnce() -> rusqlite::Result<Connection> + Send + 'static,
    ) -> Result<Worker, SinkError> {
        let (jobs, inbox) = sync_channel::<Job>(JOBS_MAX);
        let (opened, answer) = oneshot::channel();
        let thread = move || match open() {
            Err(error) => {
                let _ = opened.send(Err(error::fatal(error)));
            }
            Ok(mut connection) => {
                if opened.send(Ok(())).is_ok() {
                    for job in inbox {
                        job(&mut connection);
                    }
                }
            }
        };
        std::thread::Builder::new().name("rowstorm-sqlite".to_owned()).spawn(thread).map_err(
            |error| SinkError::fatal("no_thread", "no thread for the connection").because(error),
        )?;
        answer.await.unwrap_or_else(|_| Err(error::thread_gone()))?;
        Ok(Worker { jobs })
    }

    /// Runs a job on the connection and waits for its answer; dropped, it still runs to its end.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, SinkError> {
        let (done, answer) = oneshot::channel();
        self.begin(Box::new(move |connection| {
            let _ = done.send(job(connection));
        }))?;
        answer.await.map_err(|_| error::thread_gone())
    }

    /// Gives a job to the connection, which does it to its end.
    pub(crate) fn begin(&self, job: Job) -> Result<(), SinkError> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => SinkError::new(
                SinkErrorKind::Busy { retry_after: None },
                "earlier_writes",
                "writes that were given up are still under way on this connection",
            ),
            TrySendError::Disconnected(_) => error::thread_gone(),
        })
    }
}

/// One connection that writes into one table.
pub struct SqliteWriter {
    worker: Worker,
    statements: Arc<Statements>,
    /// The last body's memory, for the next one.
    spare: Vec<u8>,
    _temporary: Option<Arc<TempDir>>,
}

struct Statements {
    columns: usize,
    insert: String,
    find: String,
}

impl SqliteWriter {
    pub(crate) fn new(
        worker: Worker,
        table: &TablePlan,
        temporary: Option<Arc<TempDir>>,
    ) -> SqliteWriter {
        let statements = Statements {
            columns: table.columns.len(),
            insert: dialect::insert(table),
            find: dialect::find(table),
        };
        SqliteWriter {
            worker,
            statements: Arc::new(statements),
            spare: Vec::new(),
            _temporary: temporary,
        }
    }
}

impl Writer for SqliteWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        payload.check_bytes(BODY_BYTES_MAX)?;
        if payload.is_empty() {
            return Ok(Outcome::default());
        }
        // The thread outlives a dropped future, so it owns its bytes: one copy, at a hundredth of the row's cost.
        let mut body = std::mem::take(&mut self.spare);
        body.clear();
        body.extend_from_slice(payload.body.as_slice());
        let (rows, attempt) = (payload.len(), payload.attempt);
        let statements = self.statements.clone();
        let job = move |connection: &mut Connection| {
            (transact(connection, &statements, rows, attempt, &body), body)
        };
        let (answer, body) = self.worker.run(job).await?;
        self.spare = body;
        answer
    }
}

/// A payload as one transaction.
fn transact(
    connection: &Connection,
    statements: &Statements,
    rows: u64,
    attempt: Attempt,
    body: &[u8],
) -> Result<Outcome, SinkError> {
    let run = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    // IMMEDIATE: a transaction that waits for the lock at its first row could not go on after another's commit.
    let written = run("BEGIN IMMEDIATE")
        .and_then(|_| insert(connection, statements, rows, attempt, body))
        .and_then(|outcome| run("COMMIT").map(|_| outcome));
    written.or_else(|failure| {
        if !connection.is_autocommit() {
            run("ROLLBACK").map_err(error::fatal)?;
        }
        error::whole(failure, rows)
    })
}

/// Inserts row by row. An error is the payload's; a refused row is counted.
fn insert(
    connection: &Connection,
    statements: &Statements,
    rows: u64,
    attempt: Attempt,
    mut body: &[u8],
) -> rusqlite::Result<Outcome> {
    let mut insert = connection.prepare_cached(&statements.insert)?;
    let mut outcome = Outcome::default();
    // SQLite copies each string that is bound and keeps it over the rows: one that repeats is not bound again.
    let mut bound: Vec<Option<(u8, &[u8])>> = vec![None; statements.columns];
    // Rows of a replay that stand there now: an equal one after them is a duplicate of the data, not of the sending.
    let mut here: HashSet<&[u8]> = HashSet::new();
    for _ in 0..rows {
        let start = body;
        for (place, bound) in bound.iter_mut().enumerate() {
            let cell = take(&mut body);
            let string = cell.string();
            if string.is_none() || *bound != string {
                insert.raw_bind_parameter(place + 1, cell)?;
                *bound = string;
            }
        }
        let row = &start[..start.len() - body.len()];
        match insert.raw_execute() {
            Ok(0) => outcome.rejected.add_suppressed(1),
            Ok(_) => {
                outcome.accepted += 1;
                if attempt == Attempt::Replay {
                    here.insert(row);
                }
            }
            Err(failure) => {
                // A trigger can roll the transaction back: then every row of it is gone.
                let error::Verdict::Row { class, message } = error::verdict(&failure) else {
                    return Err(failure);
                };
                if connection.is_autocommit() {
                    return Err(failure);
                }
                if attempt == Attempt::Replay
                    && error::is_duplicate(&failure)
                    && is_there(connection, statements, row)?
                    && here.insert(row)
                {
                    outcome.confirmed += 1;
                } else {
                    outcome.rejected.add(class, 1, message);
                }
            }
        }
    }
    Ok(outcome)
}

/// Whether a row stands there with this very content.
fn is_there(
    connection: &Connection,
    statements: &Statements,
    mut row: &[u8],
) -> rusqlite::Result<bool> {
    let mut find = connection.prepare_cached(&statements.find)?;
    for place in 1..=statements.columns {
        find.raw_bind_parameter(place, take(&mut row))?;
    }
    let mut rows = find.raw_query();
    rows.next()?.map_or(Ok(false), |row| row.get(0))
}
