//! CrateDB for Rowstorm: rows go in over HTTP, as `bulk_args` (a result for every row) or as the columns of UNNEST, or over
//! the PostgreSQL wire, as one bulk that has a count for every row.
//!
//! An answer of status 200 says nothing yet: rows that were refused have `"rowcount": -2` inside it, and every one of
//! them is read. What cannot be read from an answer (a shard's queue was full, and the server tried again by itself) is
//! told by the cluster's own counters, in the record.

mod answer;
mod catalogue;
mod change;
mod connect;
mod deferred;
mod dialect;
mod encode;
mod error;
mod message;
mod notes;
mod place;
mod query;
mod release;
mod replay;
mod scan;
mod session;
mod types;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use rowstorm_gen::TablePlan;
use rowstorm_sink::sql::{any_row, has_rows};
use rowstorm_sink::{
    Audit, BoxScan, ChangeLimits, ConnectOptions, Event, Explanation, Limits, Prepare, PrepareMode,
    Scope, ServerCounters, ServerFact, Sink, SinkError, Statement,
};

pub use change::CrateDbChanger;
use connect::Server;
pub use encode::CrateDbEncoder;
use place::{Compression, Method};
use query::Unanswered;
pub use write::CrateDbWriter;

/// Rows of one payload. The server's time for refused rows grows with their square: it took 12 s for 40,000 on one shard.
const ROWS_MAX: u32 = 50_000;
/// The longest body that a server takes unless told otherwise: `http.max_content_length`, 100 MB.
pub(crate) const BODY_BYTES_MAX: u64 = 100 << 20;
/// More requests at once than a cluster's write queue (200 on each node) is of use for.
const WRITERS_MAX: u32 = 128;

/// A CrateDB cluster.
#[derive(Debug, Clone)]
pub struct CrateDb {
    server: Arc<Server>,
    known: Arc<Mutex<Known>>,
}

/// What was learned on the way, for the record.
#[derive(Debug, Default)]
struct Known {
    /// The tables that were made ready.
    tables: Vec<String>,
    /// Rejected writes when the first facts were asked for.
    rejected: Option<u64>,
}

impl CrateDb {
    /// Reads where to connect to; opens nothing yet.
    ///
    /// # Errors
    /// Fatal, if the URL is not one of CrateDB. No error quotes a password.
    ///
    /// ```
    /// use rowstorm_cratedb::CrateDb;
    /// use rowstorm_sink::ConnectOptions;
    /// let options = ConnectOptions { url: "crate://me:secret@h1:4200,h2:4200".into(), ..Default::default() };
    /// let sink = CrateDb::new(&options)?;
    /// assert!(!format!("{sink:?}").contains("secret"));
    /// # Ok::<(), rowstorm_sink::SinkError>(())
    /// ```
    pub fn new(options: &ConnectOptions) -> Result<CrateDb, SinkError> {
        let server = Arc::new(Server::new(options)?);
        Ok(CrateDb { server, known: Arc::default() })
    }

    fn schema(&self) -> &str {
        self.server.schema()
    }

    /// Makes the table, unless it is there: whoever may only write has no right to `CREATE … IF NOT EXISTS`.
    async fn create(&self, table: &TablePlan) -> Result<(), SinkError> {
        let name = dialect::table_name(self.schema(), table);
        match self.server.query(&any_row(&name), &[]).await {
            Ok(_) => Ok(()),
            Err(Unanswered::Refused(error, _)) if error::UNKNOWN.contains(&error.code) => {
                self.make(table).await
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn make(&self, table: &TablePlan) -> Result<(), SinkError> {
        match self.server.query(&dialect::create(self.schema(), table), &[]).await {
            Ok(_) => Ok(()),
            // Another shard was faster.
            Err(Unanswered::Refused(error, _)) if error.code == error::EXISTS => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    fn is_ready(&self, table: &TablePlan) -> bool {
        self.known().tables.contains(&table.name.to_string())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for CrateDb {
    type Writer = CrateDbWriter;
    type Encoder = CrateDbEncoder;
    type Changer = CrateDbChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        // Only a primary key keeps rows apart: there are no unique constraints.
        let idempotent = !table.key.is_empty();
        Limits { rows: ROWS_MAX, bytes: BODY_BYTES_MAX, writers: WRITERS_MAX, idempotent }
    }

    fn encoder(&self, table: &TablePlan) -> CrateDbEncoder {
        let method = dialect::method(self.server.method(), table);
        CrateDbEncoder::new(self.schema(), table, method)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        let method = dialect::method(self.server.method(), table);
        let (words, statement) = match method {
            Method::BulkArgs => ("HTTP bulk_args", dialect::insert(self.schema(), table)),
            Method::Unnest => ("HTTP UNNEST", dialect::insert_columns(self.schema(), table)),
            Method::Postgres => {
                ("PostgreSQL wire, one bulk", dialect::insert(self.schema(), table))
            }
        };
        let words = match self.server.compression() {
            Compression::Gzip if method != Method::Postgres => format!("{words}, gzip"),
            Compression::None | Compression::Gzip => words.to_owned(),
        };
        Explanation {
            method: words,
            ddl: dialect::statements(self.schema(), table, prepare),
            statement,
            notes: self.notes(table, method),
        }
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        dialect::check_names(self.schema(), table)?;
        let name = dialect::table_name(self.schema(), table);
        match prepare.mode {
            PrepareMode::Create => {
                self.create(table).await?;
                self.server.rows(&dialect::refresh(self.schema(), table), &[]).await?;
                if !self.server.rows(&any_row(&name), &[]).await?.is_empty() {
                    return Err(has_rows(&name));
                }
            }
            PrepareMode::Append => self.create(table).await?,
            PrepareMode::Recreate => {
                self.server.rows(&dialect::drop(self.schema(), table), &[]).await?;
                self.make(table).await?;
            }
        }
        catalogue::check(&self.server, table).await?;
        let table = table.name.to_string();
        let mut known = self.known();
        if !known.tables.contains(&table) {
            known.tables.push(table);
        }
        Ok(())
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<CrateDbWriter, SinkError> {
        let is_ready = self.is_ready(table);
        CrateDbWriter::open(Arc::clone(&self.server), Arc::clone(table), is_ready).await
    }

    fn change_limits(&self, mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
        change::limits(mix)
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        Some(change::wording(self.schema(), statement))
    }

    async fn changer(&self, mix: &Arc<[Statement]>) -> Result<CrateDbChanger, SinkError> {
        CrateDbChanger::open(&self.server, mix, |table| self.is_ready(table)).await
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        change::event::words(self.schema(), event)
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        change::event::once(&self.server, event).await
    }

    async fn scan(&self, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
        scan::open(&self.server, table).await
    }

    async fn finish(&self, table: &TablePlan, _: &Prepare) -> Result<(), SinkError> {
        // Every column is indexed as it is written: there is nothing to make afterwards.
        self.server.rows(&dialect::refresh(self.schema(), table), &[]).await?;
        Ok(())
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        catalogue::audit(&self.server, table, scope).await
    }

    async fn counters(&self) -> Result<Option<ServerCounters>, SinkError> {
        Ok(Some(catalogue::writes(&self.server).await?.1))
    }

    async fn server(&self) -> Result<Vec<ServerFact>, SinkError> {
        let version = catalogue::version(&self.server).await?;
        let (nodes, ServerCounters { rejected, .. }) = catalogue::writes(&self.server).await?;
        let (before, tables) = {
            let mut known = self.known();
            (*known.rejected.get_or_insert(rejected), known.tables.clone())
        };
        let mut facts: Vec<ServerFact> = [
            ("version", version),
            ("nodes", nodes.to_string()),
            ("hosts in turn", self.server.hosts().to_string()),
            // A node that was started anew counts from nothing.
            ("thread_pools.write.rejected", rejected.saturating_sub(before).to_string()),
        ]
        .into_iter()
        .map(|(name, value)| ServerFact { name: name.to_owned(), value })
        .collect();
        facts.extend(catalogue::settings(&self.server, &tables).await?);
        Ok(facts)
    }
}
