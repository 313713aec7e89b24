//! MongoDB for Rowstorm: rows go in as raw BSON, an `insert` command for some thousand rows of a payload.
//!
//! Commands are encoded in place, documents and all, and the driver sends their bytes as they are: typed documents cost
//! ten times as much of the client's time. Each document has an `_id` of our own, made of the table's key or of the row's
//! number, so that a payload that is sent twice leaves one copy of each row, and the insert is unordered, so that a row
//! that is refused stops no other.

mod answer;
mod catalogue;
mod change;
mod connect;
mod dialect;
mod encode;
mod error;
mod identity;
mod json;
mod notes;
mod scan;
mod value;
mod wire;
mod write;

use std::sync::Arc;

use mongodb::bson::{Document, doc};
use rowstorm_gen::TablePlan;
use rowstorm_sink::{
    Audit, BoxScan, ChangeLimits, ConnectOptions, Event, Explanation, IndexTime, Limits, Prepare,
    PrepareMode, Scope, ServerFact, Sink, SinkError, Statement,
};

use catalogue::Kind;
pub use change::MongodbChanger;
use connect::Server;
pub use encode::InsertEncoder;
pub use write::MongodbWriter;

/// The server's own limit on one command (`maxWriteBatchSize`).
pub(crate) const ROWS_MAX: u32 = 100_000;
/// A command is one document, and a document has at most 16 MiB (`maxBsonObjectSize`); the server leaves 16 KiB more for
/// what a driver adds. A message may be larger (48,000,000 bytes), by sections that the driver's raw commands do not have.
pub(crate) const BYTES_MAX: u64 = 16 << 20;
/// A payload of more rows is several commands, one after another: servers take a long array more slowly than several short ones,
/// and the driver copies what is short within the processor's cache (docs/decisions/0006).
pub(crate) const COMMAND_ROWS: u32 = 1_000;
/// Connections: as many as a server of a few cores has use for.
pub(crate) const WRITERS_MAX: u32 = 64;

/// Codes of what was done already, by another shard or before.
const NAMESPACE_EXISTS: i32 = 48;
const NAMESPACE_NOT_FOUND: i32 = 26;

/// A MongoDB server, replica set or cluster, or one that speaks its protocol.
#[derive(Debug, Clone)]
pub struct Mongodb {
    server: Server,
}

impl Mongodb {
    /// Reads where to connect to; opens nothing yet.
    ///
    /// # Errors
    /// Fatal, if the URL is not one of MongoDB, or asks for no answers (`w=0`). No error quotes a password.
    ///
    /// ```
    /// use rowstorm_mongodb::Mongodb;
    /// use rowstorm_sink::ConnectOptions;
    /// let options = ConnectOptions { url: "mongodb://me:secret@localhost/shop".into(), ..Default::default() };
    /// let sink = Mongodb::new(&options)?;
    /// assert!(!format!("{sink:?}").contains("secret"));
    /// # Ok::<(), rowstorm_sink::SinkError>(())
    /// ```
    pub fn new(options: &ConnectOptions) -> Result<Mongodb, SinkError> {
        Ok(Mongodb { server: Server::new(options)? })
    }

    /// [`Mongodb::connect_with`] a URL alone.
    ///
    /// # Errors
    /// As there.
    pub async fn connect(url: &str) -> Result<Mongodb, SinkError> {
        Mongodb::connect_with(&ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() })
            .await
    }

    /// Asks the server once, to see that it is there and lets us in.
    ///
    /// # Errors
    /// Fatal for a wrong user or password; lost if nobody answers.
    pub async fn connect_with(options: &ConnectOptions) -> Result<Mongodb, SinkError> {
        let sink = Mongodb::new(options)?;
        catalogue::find(&sink.server, "").await?;
        Ok(sink)
    }

    /// What its connections are called in the server's log: `rowstorm`, or `rowstorm/RUN`.
    pub fn app_name(&self) -> &str {
        self.server.app_name()
    }

    /// The database that its collections are in.
    pub fn database(&self) -> &str {
        self.server.database()
    }

    async fn create(&self, table: &TablePlan, mode: PrepareMode) -> Result<(), SinkError> {
        let name = dialect::collection(table);
        let mut create = dialect::create(table);
        // Asked first: whoever may only write has no right to make a collection.
        let mut found = catalogue::find(&self.server, &name).await?;
        let is_new = found.is_none() || mode == PrepareMode::Recreate;
        if found.is_none() {
            catalogue::make(&self.server, create.clone(), Some(NAMESPACE_EXISTS)).await?;
            found = catalogue::find(&self.server, &name).await?;
        }
        // SecantusDB 0.7, beside transactions, now and then has a collection again that was dropped, without its validator.
        if let Some(validator) = create.remove("validator")
            && is_new
            && found.is_some_and(|found| !found.is_checked)
        {
            self.make(Some(doc! { "collMod": &name, "validator": validator })).await?;
        }
        let wanted =
            if dialect::is_timeseries(table) { Kind::Timeseries } else { Kind::Collection };
        match found {
            Some(found) if found.kind != wanted => {
                let message = format!(
                    "{name} is there as a {}, and the schema makes a {}: choose another name, or --table-mode recreate",
                    found.kind.words(),
                    wanted.words()
                );
                Err(SinkError::fatal("collection", message))
            }
            Some(_) | None => self.make(dialect::constraints(table)).await,
        }
    }

    async fn make(&self, command: Option<Document>) -> Result<(), SinkError> {
        match command {
            Some(command) => catalogue::make(&self.server, command, None).await,
            None => Ok(()),
        }
    }
}

impl Sink for Mongodb {
    type Writer = MongodbWriter;
    type Encoder = InsertEncoder;
    type Changer = MongodbChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        let idempotent = !dialect::is_timeseries(table);
        Limits { rows: ROWS_MAX, bytes: BYTES_MAX, writers: WRITERS_MAX, idempotent }
    }

    fn encoder(&self, table: &TablePlan) -> InsertEncoder {
        let concern = self.server.write_concern();
        InsertEncoder::new(table, dialect::insert_bytes(table, concern.as_ref()))
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        let concern = self.server.write_concern();
        Explanation {
            method: "insert of raw BSON, unordered".into(),
            ddl: dialect::statements(table, prepare),
            statement: dialect::statement(table, concern.as_ref()),
            notes: notes::notes(table),
        }
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        dialect::check(table, self.server.database())?;
        if prepare.mode == PrepareMode::Recreate {
            catalogue::make(&self.server, dialect::drop(table), Some(NAMESPACE_NOT_FOUND)).await?;
        }
        self.create(table, prepare.mode).await?;
        let name = dialect::collection(table);
        if prepare.mode == PrepareMode::Create
            && catalogue::has_rows(&self.server, name.clone()).await?
        {
            let message = format!(
                "collection {name} has documents: --table-mode append adds to them, recreate drops them"
            );
            return Err(SinkError::fatal("table has rows", message));
        }
        match prepare.indexes {
            IndexTime::Before => self.make(dialect::indexes(table)).await,
            IndexTime::After | IndexTime::None => Ok(()),
        }
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<MongodbWriter, SinkError> {
        // An insert would make it, without its key's columns checked and without its indexes.
        catalogue::must_be(&self.server, table).await?;
        Ok(MongodbWriter::new(self.server.clone(), table))
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        match prepare.indexes {
            IndexTime::After => self.make(dialect::indexes(table)).await,
            IndexTime::Before | IndexTime::None => Ok(()),
        }
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        catalogue::audit(&self.server, table, scope).await
    }

    fn change_limits(&self, mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
        change::limits(mix, self.server.has_transactions())
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        let concern =
            if self.server.has_transactions() { None } else { self.server.write_concern() };
        Some(change::explain(statement, concern.as_ref()))
    }

    async fn changer(&self, mix: &Arc<[Statement]>) -> Result<MongodbChanger, SinkError> {
        for statement in mix.iter() {
            catalogue::must_be(&self.server, &statement.table).await?;
        }
        if self.server.has_transactions() {
            catalogue::must_have_transactions(&self.server).await?;
        }
        Ok(MongodbChanger::new(self.server.clone(), mix))
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        change::event::words(&self.server, event)
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        change::event::once(&self.server, event).await
    }

    async fn scan(&self, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
        // A collection that is not there reads as an empty one.
        catalogue::must_be(&self.server, table).await?;
        scan::open(&self.server, table).await
    }

    async fn server(&self) -> Result<Vec<ServerFact>, SinkError> {
        catalogue::facts(&self.server).await
    }

    async fn close(&self) {
        self.server.close().await;
    }
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::Collection => "collection",
            Kind::Timeseries => "time-series collection",
            Kind::View => "view",
        }
    }
}
