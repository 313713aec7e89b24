//! MySQL and MariaDB for Rowstorm: rows go in as `LOAD DATA LOCAL`, streamed from memory.
//!
//! Literal INSERTs cost the server 1.6 times as much for each row, bound ones the client 15 times as much. LOCAL has a
//! trap: it turns errors into warnings, leaves rows out and *changes* values that do not fit. So a payload is a
//! transaction that is committed only when the rows that were taken and the warnings account for every row; changed
//! values are undone, and their rows refused and counted.
//!
//! Where the server does not let a client send files (`local_infile`), the same bytes go in as multi-row INSERTs.

mod catalogue;
pub mod cdc;
mod change;
mod connect;
mod dialect;
mod encode;
mod error;
mod literals;
mod replay;
mod scan;
mod send;
mod sift;
mod types;
mod url;
mod write;

use std::sync::Arc;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use rowstorm_gen::TablePlan;
use rowstorm_schema::MysqlMethod;
pub use rowstorm_sink::ConnectOptions;
use rowstorm_sink::sql::{any_row, check_words, has_rows, identity, replay_note, statements};
use rowstorm_sink::{
    Audit, BoxChangeLog, BoxScan, ChangeLimits, Delivery, Event, Explanation, IndexTime, Limits,
    Prepare, PrepareMode, Reaction, Scope, ServerFact, Sink, SinkError, Statement,
};

pub use change::MysqlChanger;
use connect::{Server, Session};
pub use encode::LoadEncoder;
use error::{failed, read};
pub use write::MysqlWriter;

/// Rows of one payload: they are held by the server's transaction, and read again where one is refused.
const ROWS_MAX: u32 = 1_000_000;
/// Bytes of one payload: 64 MiB, a quarter of what a run may have in flight unless it says more. Larger ones gain
/// nothing: the server is as fast from 1,000 rows on.
pub(crate) const BYTES_MAX: u64 = 64 << 20;
/// Rows of one group of changes: they go in statements of at most 1,024.
/// Transactions of one packet: at sixteen the way there and back is a few percent of what it was.
const PIPELINE: u32 = 16;
const GROUP_ROWS_MAX: u32 = 65_536;
/// The server's `max_connections` is 151 unless set, and others need some.
const WRITERS_MAX: u32 = 64;

/// A MySQL or MariaDB server, or one that speaks their protocol.
#[derive(Debug, Clone)]
pub struct Mysql {
    server: Server,
}

impl Mysql {
    /// Reads where to connect to; opens nothing yet.
    ///
    /// # Errors
    /// Fatal, if the URL is not one of MySQL, or names no database. No error quotes a password.
    ///
    /// ```
    /// use rowstorm_mysql::{ConnectOptions, Mysql};
    /// let options = ConnectOptions { url: "mysql://me:secret@localhost/shop".into(), ..Default::default() };
    /// let sink = Mysql::new(options)?;
    /// assert!(!format!("{sink:?}").contains("secret"));
    /// # Ok::<(), rowstorm_sink::SinkError>(())
    /// ```
    pub fn new(options: ConnectOptions) -> Result<Mysql, SinkError> {
        Ok(Mysql { server: Server::new(options)? })
    }

    /// [`Mysql::connect_with`] a URL alone.
    ///
    /// # Errors
    /// As there.
    pub async fn connect(url: &str) -> Result<Mysql, SinkError> {
        Mysql::connect_with(ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() })
            .await
    }

    /// Connects once, to see that the server is there and lets us in.
    ///
    /// # Errors
    /// Fatal for a wrong user, password or database, or a server that is too old; lost if nobody answers; busy if the
    /// server has no connection free.
    pub async fn connect_with(options: ConnectOptions) -> Result<Mysql, SinkError> {
        let sink = Mysql::new(options)?;
        let session = sink.server.open().await?;
        session.connection.disconnect().await.map_err(failed)?;
        Ok(sink)
    }

    /// What its connections are called (`program_name` in `performance_schema.session_connect_attrs`): `rowstorm`, or
    /// `rowstorm/RUN`.
    pub fn application_name(&self) -> &str {
        self.server.application_name()
    }
}

impl Sink for Mysql {
    type Writer = MysqlWriter;
    type Encoder = LoadEncoder;
    type Changer = MysqlChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        let idempotent = !identity(table).is_empty();
        Limits { rows: ROWS_MAX, bytes: BYTES_MAX, writers: WRITERS_MAX, idempotent }
    }

    fn encoder(&self, table: &TablePlan) -> LoadEncoder {
        LoadEncoder::new(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        let name = dialect::table_name(table);
        let load = dialect::load(table, &name);
        let insert = format!("{}(…), (…), …", dialect::insert(table, &name));
        let (way, statement) = match self.server.method(table) {
            MysqlMethod::Auto => (
                "LOAD DATA LOCAL, or multi-row INSERT where the server's local_infile is off",
                load,
            ),
            MysqlMethod::Load => ("LOAD DATA LOCAL", load),
            MysqlMethod::Insert => ("multi-row INSERT", insert),
        };
        let notes = vec![
            "one payload is one transaction; it is committed when the rows taken and the server's warnings account for \
             every row"
                .to_owned(),
            "a value that the server would change to fit is undone, and its row refused and counted by its code"
                .to_owned(),
            replay_note(table),
        ];
        let indexes = dialect::indexes(table).into_iter().map(|index| index.create);
        let drop = dialect::drop(table);
        let mut ddl = statements(prepare, drop, dialect::create(table), indexes);
        ddl.push(format!("ANALYZE TABLE {name}"));
        Explanation { method: way.into(), ddl, statement, notes }
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        catalogue::check_names(table)?;
        let Session { mut connection, .. } = self.server.open().await?;
        if prepare.mode == PrepareMode::Recreate {
            connection.query_drop(dialect::drop(table)).await.map_err(failed)?;
        }
        let name = dialect::table_name(table);
        match connection.query_first::<u8, _>(any_row(&name)).await {
            Ok(Some(_)) if prepare.mode == PrepareMode::Create => return Err(has_rows(&name)),
            Ok(_) => {}
            // Asked first: whoever may only write has no right to CREATE … IF NOT EXISTS.
            Err(Error::Server(error)) if error.code == NO_SUCH_TABLE => {
                connection.query_drop(dialect::create(table)).await.map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        catalogue::check(&mut connection, table).await?;
        if prepare.indexes == IndexTime::Before {
            index(&mut connection, table).await?;
        }
        connection.disconnect().await.map_err(failed)
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<MysqlWriter, SinkError> {
        MysqlWriter::open(self.server.clone(), Arc::clone(table)).await
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        let Session { mut connection, .. } = self.server.open().await?;
        if prepare.indexes == IndexTime::After {
            index(&mut connection, table).await?;
        }
        let analyze = format!("ANALYZE TABLE {}", dialect::table_name(table));
        match connection.query_drop(analyze).await {
            Ok(()) => {}
            // Statistics are a courtesy; who may not ask for them, or on a read-only server, goes without.
            Err(error) if read(&error, Delivery::None).reaction == Reaction::Refuse => {}
            Err(error) => return Err(failed(error)),
        }
        connection.disconnect().await.map_err(failed)
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        let Session { mut connection, .. } = self.server.open().await?;
        let audit = catalogue::audit(&mut connection, table, scope).await?;
        connection.disconnect().await.map_err(failed)?;
        Ok(audit)
    }

    async fn server(&self) -> Result<Vec<ServerFact>, SinkError> {
        let Session { mut connection, has_local_infile, sql_mode, .. } = self.server.open().await?;
        let mut facts = catalogue::facts(&mut connection).await?;
        connection.disconnect().await.map_err(failed)?;
        let way = match (self.server.asked(), has_local_infile) {
            (MysqlMethod::Load, _) | (MysqlMethod::Auto, true) => "LOAD DATA LOCAL",
            (MysqlMethod::Insert, _) | (MysqlMethod::Auto, false) => "multi-row INSERT",
        };
        for (name, value) in
            [("session sql_mode", sql_mode.as_str()), ("way in, unless the schema says", way)]
        {
            facts.push(ServerFact { name: name.to_owned(), value: value.to_owned() });
        }
        Ok(facts)
    }

    fn change_limits(&self, mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
        check_words(mix, "mysql")?;
        Ok(ChangeLimits {
            rows: GROUP_ROWS_MAX,
            changers: WRITERS_MAX,
            transactions: true,
            pipeline: PIPELINE,
        })
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        Some(change::Wording::explain(statement))
    }

    async fn changer(&self, statements: &Arc<[Statement]>) -> Result<MysqlChanger, SinkError> {
        MysqlChanger::open(self.server.clone(), statements).await
    }

    async fn change_log(&self, tables: &[Arc<TablePlan>]) -> Result<BoxChangeLog, SinkError> {
        Ok(Box::new(cdc::Decoding::open(self.server.clone(), tables).await?))
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        change::event::words(event)
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        change::event::once(&self.server, event).await
    }

    async fn scan(&self, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
        scan::open(&self.server, table).await
    }
}

const NO_SUCH_TABLE: u16 = 1146;
const INDEX_EXISTS: u16 = 1061;

/// Makes the secondary indexes that are missing; another shard may make them at the same time.
async fn index(connection: &mut Conn, table: &TablePlan) -> Result<(), SinkError> {
    for index in dialect::indexes(table) {
        if catalogue::has_index(connection, table, &index.name).await? {
            continue;
        }
        match connection.query_drop(index.create).await {
            Ok(()) => {}
            Err(Error::Server(error)) if error.code == INDEX_EXISTS => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}
