//! SQLite for Rowstorm: the embedded default.
//!
//! Each connection is a plain thread that owns it: SQLite blocks, and no runtime's thread may. A payload crosses to
//! that thread once and becomes one transaction of a prepared single-row `INSERT`, which is the fastest way in that
//! SQLite has short of its C API and the only one that says which row was refused and why.

mod change;
mod dialect;
mod encode;
mod error;
mod scan;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rowstorm_gen::TablePlan;
use rowstorm_gen::schema::IndexTime;
use rowstorm_sink::sql::{self, AuditSql};
use rowstorm_sink::{
    Audit, BoxScan, ChangeLimits, Event, Explanation, Guess, Limits, Prepare, PrepareMode, Scope,
    ServerFact, Sink, SinkError, Statement,
};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tempfile::TempDir;

pub use change::SqliteChanger;
use dialect::COUNTING;
pub use encode::SqliteEncoder;
pub use write::SqliteWriter;
use write::Worker;

/// A SQLite database in a file.
///
/// ```
/// # fn main() -> Result<(), rowstorm_sink::SinkError> {
/// let sqlite = rowstorm_sqlite::Sqlite::temporary()?;
/// assert!(sqlite.path().ends_with("rowstorm.db"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sqlite {
    path: PathBuf,
    /// How long a connection waits for another's write lock before it says busy.
    lock_wait: Duration,
    /// The most pages that the file may have.
    pages_max: Option<u32>,
    /// Removed with the last clone.
    temporary: Option<Arc<TempDir>>,
}

/// A body is copied once to the connection's thread; more would only cost memory.
const BODY_BYTES_MAX: u64 = 64 << 20;
/// Another writer's transaction is over by then, or it is not going to be.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// One transaction holds the write lock: beyond this nothing is gained, and readers see less.
const ROWS_MAX: u32 = 100_000;
/// Wide rows do not hold the write lock for longer than those of a narrow table.
const GUESS_BYTES: u64 = 8_000_000;

impl Sqlite {
    /// A database file: made when the table is, nothing is touched before. `file:` URIs with parameters work, too.
    ///
    /// # Errors
    /// If the path is no file's: each connection to `:memory:` is a database of its own.
    pub fn open(path: impl AsRef<Path>) -> Result<Sqlite, SinkError> {
        let path = path.as_ref();
        let text = path.to_string_lossy();
        if text.is_empty() || text.contains(":memory:") || text.contains("mode=memory") {
            return Err(SinkError::fatal(
                "no_file",
                "SQLite in memory cannot be shared by connections: name a file, or use memory:",
            ));
        }
        Ok(Sqlite { path: path.to_owned(), lock_wait: LOCK_WAIT, pages_max: None, temporary: None })
    }

    /// A database file in a directory of its own, removed with the last clone of this.
    ///
    /// # Errors
    /// If the system's directory for such files cannot be written to.
    pub fn temporary() -> Result<Sqlite, SinkError> {
        let directory =
            tempfile::Builder::new().prefix("rowstorm-").tempdir().map_err(|error| {
                SinkError::fatal("no_directory", format!("no temporary directory: {error}"))
            })?;
        let path = directory.path().join("rowstorm.db");
        let temporary = Some(Arc::new(directory));
        Ok(Sqlite { path, lock_wait: LOCK_WAIT, pages_max: None, temporary })
    }

    /// Waits so long for another's write lock, and then answers busy.
    #[must_use]
    pub fn with_lock_wait(self, lock_wait: Duration) -> Sqlite {
        Sqlite { lock_wait, ..self }
    }

    /// Lets the file grow to so many pages and no further; what is beyond is refused, as on a full disk.
    #[must_use]
    pub fn with_pages_max(self, pages: u32) -> Sqlite {
        Sqlite { pages_max: Some(pages), ..self }
    }

    /// The database's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection on a thread of its own; `create` makes the file.
    async fn connect(&self, create: OpenFlags) -> Result<Worker, SinkError> {
        let Sqlite { path, lock_wait, pages_max, temporary: _ } = self.clone();
        Worker::start(move || open(&path, create, lock_wait, pages_max)).await
    }

    /// One job on a connection of its own, to a file that is there.
    async fn once<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SinkError> {
        let worker = self.connect(OpenFlags::empty()).await?;
        worker.run(job).await?.map_err(error::fatal)
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sqlite({})", self.path.display())
    }
}

/// Write-ahead log, flushed at checkpoints: a killed process loses nothing, a power cut the last transactions at most.
fn open(
    path: &Path,
    create: OpenFlags,
    lock_wait: Duration,
    pages_max: Option<u32>,
) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI
        | create;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(lock_wait)?;
    match connection.pragma_update(None, "journal_mode", "wal") {
        // A read-only file keeps the mode that it has; its writes are refused, and counted. A busy one is being switched
        // by another connection, for all of them (SQLite does not wait here); `server` tells the mode that came of it.
        Err(error) if error::is_unwritable(&error) || error::is_busy(&error) => {}
        other => other?,
    }
    connection.pragma_update(None, "synchronous", "normal")?;
    if let Some(pages) = pages_max {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(connection)
}

impl Sink for Sqlite {
    type Writer = SqliteWriter;
    type Encoder = SqliteEncoder;
    type Changer = SqliteChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        Limits {
            rows: ROWS_MAX,
            bytes: BODY_BYTES_MAX,
            writers: 1,
            idempotent: !table.key.is_empty(),
        }
    }

    fn guess(&self, _: &TablePlan) -> Option<Guess> {
        // As fast as 10,000 rows, and 1.4 times as fast where a secondary index is in place.
        Some(Guess { rows: 30_000, bytes: GUESS_BYTES, writers: 1 })
    }

    fn encoder(&self, table: &TablePlan) -> SqliteEncoder {
        SqliteEncoder::new(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        Explanation {
            method: "prepared INSERT, one transaction for each payload".to_owned(),
            ddl: sql::statements(
                prepare,
                dialect::drop_table(table),
                dialect::create_table(table),
                dialect::create_indexes(table),
            ),
            statement: dialect::insert(table),
            notes: vec![
                "one writer: SQLite locks the whole database, so more in flight gain nothing"
                    .to_owned(),
                "journal_mode=WAL, synchronous=NORMAL: a power cut may take the last transactions"
                    .to_owned(),
                "a refused row is counted with SQLite's own code, the others of its payload stay"
                    .to_owned(),
            ],
        }
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        let mode = prepare.mode;
        let names = (table.name.to_string(), dialect::quote(&table.name));
        let create = dialect::create_table(table);
        let indexes = match prepare.indexes {
            IndexTime::Before => dialect::create_indexes(table),
            IndexTime::After | IndexTime::None => Vec::new(),
        };
        let worker = self.connect(OpenFlags::SQLITE_OPEN_CREATE).await?;
        let ready = worker.run(move |connection| make(connection, mode, &names, &create, &indexes));
        match ready.await?.map_err(error::fatal)? {
            Made::Ready => Ok(()),
            Made::HasRows => Err(sql::has_rows(&dialect::quote(&table.name))),
        }
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<SqliteWriter, SinkError> {
        let worker = self.connect(OpenFlags::empty()).await?;
        Ok(SqliteWriter::new(worker, table, self.temporary.clone()))
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        let indexes = match prepare.indexes {
            IndexTime::After => dialect::create_indexes(table),
            IndexTime::Before | IndexTime::None => Vec::new(),
        };
        let analyze = format!("ANALYZE {}", dialect::quote(&table.name));
        self.once(move |connection| {
            for index in indexes {
                connection.execute_batch(&index)?;
            }
            // Enough for the planner; a whole scan would take as long as a part of the load.
            connection.pragma_update(None, "analysis_limit", 1000)?;
            match connection.execute_batch(&analyze) {
                // Statistics help readers; a table that could take no rows needs none.
                Err(error) if error::is_unwritable(&error) => {}
                other => other?,
            }
            // A read-only connection cannot write the log back: SQLITE_IOERR_WRITE, if there is anything in it.
            if connection.is_readonly("main")? {
                return Ok(());
            }
            // What is left in the log is a part of the load, too. Readers are not waited for.
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        })
        .await
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        let audit =
            AuditSql::new(&COUNTING, &dialect::quote(&table.name), table, scope).with_distinct();
        let statements = audit.statements().to_vec();
        let answers = self.once(move |connection| answers(connection, &statements)).await?;
        audit.read(&answers)
    }

    fn change_limits(&self, mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
        sql::check_words(mix, "sqlite")?;
        Ok(ChangeLimits { rows: ROWS_MAX, changers: 1, transactions: true, pipeline: 1 })
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        Some(dialect::change(statement))
    }

    async fn changer(&self, mix: &Arc<[Statement]>) -> Result<SqliteChanger, SinkError> {
        let worker = self.connect(OpenFlags::empty()).await?;
        SqliteChanger::new(worker, mix, self.temporary.clone()).await
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        change::event::words(event)
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        change::event::once(self, event).await
    }

    async fn scan(&self, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
        let worker = self.connect(OpenFlags::empty()).await?;
        Ok(Box::new(scan::SqliteScan::start(&worker, table, self.temporary.clone())?))
    }

    async fn server(&self) -> Result<Vec<ServerFact>, SinkError> {
        let fact =
            |name: &str, value: &str| ServerFact { name: name.to_owned(), value: value.to_owned() };
        let mut facts = vec![fact("version", &format!("SQLite {}", rusqlite::version()))];
        let asked = self.once(|connection| {
            let journal = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
            let level = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
            Ok((
                connection.query_row("PRAGMA journal_mode", [], journal)?,
                connection.query_row("PRAGMA synchronous", [], level)?,
            ))
        });
        match asked.await {
            Ok((journal, synchronous)) => {
                let levels = ["off", "normal", "full", "extra"];
                let level = usize::try_from(synchronous).ok().and_then(|level| levels.get(level));
                facts.push(fact("journal_mode", &journal));
                facts.push(fact("synchronous", level.unwrap_or(&"unknown")));
            }
            // Before the first preparation there is no file, and asking makes none.
            Err(error) if error.class.ends_with("SQLITE_CANTOPEN") => {}
            Err(error) => return Err(error),
        }
        Ok(facts)
    }
}

/// What came of making a table.
enum Made {
    Ready,
    HasRows,
}

/// Makes the table, unless rows stand in the way.
fn make(
    connection: &mut Connection,
    mode: PrepareMode,
    (name, quoted): &(String, String),
    create: &str,
    indexes: &[String],
) -> rusqlite::Result<Made> {
    // A table that is there needs no lock, and a read-only database has none to give. One that is missing is looked for
    // again under the lock: another shard may have made it meanwhile.
    let is_kept =
        mode != PrepareMode::Recreate && indexes.is_empty() && is_there(connection, name)?;
    let behavior =
        if is_kept { TransactionBehavior::Deferred } else { TransactionBehavior::Immediate };
    let transaction = connection.transaction_with_behavior(behavior)?;
    let mut there = is_there(&transaction, name)?;
    match mode {
        PrepareMode::Create if there => {
            if transaction.prepare(&sql::any_row(quoted))?.exists([])? {
                return Ok(Made::HasRows);
            }
        }
        PrepareMode::Create | PrepareMode::Append => {}
        PrepareMode::Recreate => {
            transaction.execute_batch(&format!("DROP TABLE IF EXISTS {quoted}"))?;
            there = false;
        }
    }
    if !there {
        transaction.execute_batch(create)?;
    }
    for index in indexes {
        transaction.execute_batch(index)?;
    }
    transaction.commit()?;
    Ok(Made::Ready)
}

fn is_there(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let find = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE)";
    connection.query_row(find, [table], |row| row.get(0))
}

/// Runs the audit's statements in one snapshot.
fn answers(
    connection: &mut Connection,
    statements: &[String],
) -> rusqlite::Result<Vec<Vec<Option<String>>>> {
    let snapshot = connection.transaction()?;
    let answer = |sql: &String| {
        let mut statement = snapshot.prepare(sql)?;
        let cells = 0..statement.column_count();
        statement.query_row([], |row| cells.map(|place| row.get(place)).collect())
    };
    statements.iter().map(answer).collect()
}
