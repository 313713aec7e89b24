//! What the server's binary log says of tables: inserts, updates and deletes, apart from the tables themselves.
//!
//! Rows can come out right although an event too many, or one too few, went to whoever listens. The log is read as a replica reads it,
//! by row: [`Decoding`] counts, [`Follower`] hands out the rows.
//!
//! It takes `binlog_format=ROW`, `binlog_row_image=FULL` and the privileges `REPLICATION SLAVE` and `REPLICATION CLIENT`
//! (MariaDB: `BINLOG MONITOR`). Places in the log are files and offsets, which MySQL and MariaDB have alike; their GTIDs differ, and are not
//! needed as long as the server is the same. MariaDB's compressed row events (`log_bin_compress`) are refused. A `TRUNCATE` is no event of rows, and an update that leaves its row as it was is none either.

mod log;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt as _;
use mysql_async::BinlogStream;
use rowstorm_gen::{TablePlan, Value};
pub use rowstorm_sink::Events;
use rowstorm_sink::{ChangeLog, ConnectOptions, Counting, SinkError};

use crate::connect::Server;
use crate::error::failed;
use log::{Log, Wait};

/// What the log says next.
#[derive(Debug, Clone, PartialEq)]
pub enum Logged {
    /// A row of a transaction that was committed.
    Row(RowChange),
    /// The end of a transaction that changed one of the tables.
    Commit,
}

/// One row as it was and as it is, a value for each of the plan's columns, as [`Scan`](rowstorm_sink::Scan) has them.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// The table's name.
    pub table: Arc<str>,
    /// Nothing before an insert.
    pub before: Option<Vec<Value>>,
    /// Nothing after a delete.
    pub after: Option<Vec<Value>>,
}

/// Counts events, from a point on.
#[derive(Debug)]
pub struct Decoding {
    log: Log,
    events: HashMap<Arc<str>, Events>,
    transactions: u64,
}

/// Hands out rows as they are committed, from a point on.
pub struct Follower {
    log: Log,
    stream: BinlogStream,
    queue: VecDeque<Logged>,
}

impl fmt::Debug for Follower {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.log.fmt(out)
    }
}

impl Decoding {
    /// Begins: what is committed from now on is counted.
    ///
    /// # Errors
    /// Fatal where the log is off, not of whole rows, or not for this user; for a table that is not there.
    pub async fn begin(
        options: ConnectOptions,
        tables: &[Arc<TablePlan>],
    ) -> Result<Decoding, SinkError> {
        Decoding::open(Server::new(options)?, tables).await
    }

    pub(crate) async fn open(
        server: Server,
        tables: &[Arc<TablePlan>],
    ) -> Result<Decoding, SinkError> {
        let log = Log::begin(server, tables).await?;
        Ok(Decoding { log, events: HashMap::new(), transactions: 0 })
    }

    /// Lost with the connection: call again, nothing is counted twice. Fatal if the server removed the log that was not read.
    async fn count_on(&mut self) -> Result<u64, SinkError> {
        let before = self.transactions;
        let mut stream = self.log.stream(Wait::No).await?;
        let mut rows = Vec::new();
        while let Some(event) = stream.next().await {
            for logged in self.log.read(&event.map_err(failed)?, &stream)? {
                match logged {
                    Logged::Row(row) => rows.push(row),
                    Logged::Commit => {
                        self.transactions += 1;
                        rows.drain(..).for_each(|row| self.count(&row));
                    }
                }
            }
        }
        stream.close().await.map_err(failed)?;
        Ok(self.transactions - before)
    }

    fn count(&mut self, row: &RowChange) {
        let table = &self.log.tables[&*row.table].table;
        let events = self.events.entry(Arc::clone(&row.table)).or_default();
        *match (&row.before, &row.after) {
            (None, _) => &mut events.inserted,
            (Some(_), None) => &mut events.deleted,
            (Some(before), Some(after))
                if table.key.iter().all(|&key| before[key] == after[key]) =>
            {
                &mut events.updated
            }
            (Some(_), Some(_)) => &mut events.rekeyed,
        } += 1;
    }
}

impl ChangeLog for Decoding {
    fn read(&mut self) -> Counting<'_, u64> {
        Box::pin(self.count_on())
    }

    fn events(&self, table: &str) -> Events {
        self.events.get(table).copied().unwrap_or_default()
    }

    fn transactions(&self) -> u64 {
        self.transactions
    }

    fn has_unchanged(&self) -> bool {
        false
    }

    fn end(self: Box<Self>) -> Counting<'static, ()> {
        Box::pin(async { Ok(()) })
    }
}

impl Follower {
    /// Begins: what is committed from now on is handed out.
    ///
    /// # Errors
    /// As [`Decoding::begin`].
    pub async fn begin(
        options: ConnectOptions,
        tables: &[Arc<TablePlan>],
    ) -> Result<Follower, SinkError> {
        let log = Log::begin(Server::new(options)?, tables).await?;
        let stream = log.stream(Wait::Yes).await?;
        Ok(Follower { log, stream, queue: VecDeque::new() })
    }

    /// Goes on where another has ended: what was committed behind its [`position`](Follower::position) is handed out.
    ///
    /// # Errors
    /// As [`Follower::begin`]; and fatal, from [`next`](Follower::next) on, where the server has removed the log from there on, or there is
    /// no such place in it.
    pub async fn begin_at(
        options: ConnectOptions,
        tables: &[Arc<TablePlan>],
        (file, offset): (&str, u64),
    ) -> Result<Follower, SinkError> {
        let mut log = Log::begin(Server::new(options)?, tables).await?;
        (log.file, log.offset) = (file.to_owned(), offset);
        let stream = log.stream(Wait::Yes).await?;
        Ok(Follower { log, stream, queue: VecDeque::new() })
    }

    /// What comes next, in the log's order; waits for it.
    ///
    /// # Errors
    /// Lost with the connection.
    pub async fn next(&mut self) -> Result<Logged, SinkError> {
        loop {
            if let Some(logged) = self.queue.pop_front() {
                return Ok(logged);
            }
            let Some(event) = self.stream.next().await else {
                self.stream = self.log.stream(Wait::Yes).await?;
                continue;
            };
            let logged = self.log.read(&event.map_err(failed)?, &self.stream)?;
            self.queue.extend(logged);
        }
    }

    /// The log's file, and the offset behind the last transaction that was read whole. After a [`Logged::Commit`] everything before it
    /// has been handed out.
    pub fn position(&self) -> (&str, u64) {
        (&self.log.file, self.log.offset)
    }
}
