//! PostgreSQL for Rowstorm: rows go in as `COPY … (FORMAT binary)`.
//!
//! Literal or bound INSERTs cost the server 3 to 15 times as much for each row, and multi-row binds cost the client 20
//! times as much. COPY is all or nothing, so a payload that is refused goes through a temporary table once more, where
//! the rows at fault are found and counted.

mod catalogue;
pub mod cdc;
mod change;
mod connect;
mod dialect;
mod encode;
mod error;
mod scan;
mod sift;
mod timescale;
mod wire;
mod write;

use std::sync::Arc;

use rowstorm_gen::TablePlan;
pub use rowstorm_sink::ConnectOptions;
use rowstorm_sink::sql::{any_row, check_words, has_rows, identity, replay_note};
use rowstorm_sink::{
    Audit, BoxChangeLog, BoxScan, ChangeLimits, Delivery, Event, Explanation, Guess, IndexTime,
    Limits, Prepare, PrepareMode, Scope, ServerFact, Sink, SinkError, Statement,
};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use catalogue::failed;
pub use change::PostgresChanger;
use connect::{Server, run};
use dialect::NAMES;
pub use encode::CopyEncoder;
use error::{into_error, trouble};
use scan::TableScan;
pub use write::PostgresWriter;

/// Rows of one payload: a refused payload is sent twice, and its rows are held by the server's transaction.
const ROWS_MAX: u32 = 1_000_000;
/// Bytes of one payload: 64 MiB, a quarter of what a run may have in flight unless it says more. Larger ones gain
/// nothing: the server is as fast from 10,000 rows on.
pub(crate) const BYTES_MAX: u64 = 64 << 20;
/// A COPY of more is no faster: rows of 1 KB are written at the disk's speed, whatever their number.
const GUESS_BYTES: u64 = 8_000_000;
/// Rows that one group of a transaction may have. More only lengthen transactions.
const GROUP_ROWS_MAX: u32 = 100_000;
/// The server's `max_connections` is 100 unless set, and others need some.
const WRITERS_MAX: u32 = 64;

/// Settings that change what a figure means: durability, and room for what was written.
const FACTS: &str = "
SELECT name, current_setting(name) FROM unnest(ARRAY['server_version', 'fsync', 'synchronous_commit',
  'full_page_writes', 'wal_level', 'shared_buffers', 'max_wal_size']) AS name";

/// A PostgreSQL server, or one that speaks its protocol and knows COPY BINARY.
#[derive(Debug, Clone)]
pub struct Postgres {
    server: Server,
}

impl Postgres {
    /// Reads where to connect to; opens nothing yet.
    ///
    /// `sslmode=` in the URL is as libpq's, but for `verify-ca`, which is as strict as `verify-full`: the driver compares
    /// the certificate's name, too.
    ///
    /// # Errors
    /// Fatal, if the URL is not one of PostgreSQL. No error quotes a password.
    ///
    /// ```
    /// use rowstorm_postgres::{ConnectOptions, Postgres};
    /// let options = ConnectOptions { url: "postgres://me:secret@localhost/shop".into(), ..Default::default() };
    /// let sink = Postgres::new(options)?;
    /// assert!(!format!("{sink:?}").contains("secret"));
    /// # Ok::<(), rowstorm_sink::SinkError>(())
    /// ```
    pub fn new(options: ConnectOptions) -> Result<Postgres, SinkError> {
        Ok(Postgres { server: Server::new(options)? })
    }

    /// [`Postgres::connect_with`] a URL alone.
    ///
    /// # Errors
    /// As there.
    pub async fn connect(url: &str) -> Result<Postgres, SinkError> {
        Postgres::connect_with(ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() })
            .await
    }

    /// Connects once, to see that the server is there and lets us in.
    ///
    /// # Errors
    /// Fatal for a wrong user, password or database; lost if nobody answers; busy if the server starts up or has no
    /// connection free.
    pub async fn connect_with(options: ConnectOptions) -> Result<Postgres, SinkError> {
        let sink = Postgres::new(options)?;
        let connection = sink.server.open().await?;
        connection.close().await.map_err(failed)?;
        Ok(sink)
    }

    /// What its connections are called in `pg_stat_activity`: `rowstorm`, or `rowstorm/RUN`.
    pub fn application_name(&self) -> &str {
        self.server.application_name()
    }

    async fn create(
        &self,
        connection: &mut PgConnection,
        table: &TablePlan,
    ) -> Result<(), SinkError> {
        // Asked first: whoever may only write has no right to CREATE … IF NOT EXISTS.
        if !exists(connection, &dialect::table_name(table)).await? {
            make(connection, &dialect::create(table)).await?;
        }
        Ok(())
    }

    async fn index(
        &self,
        connection: &mut PgConnection,
        table: &TablePlan,
    ) -> Result<(), SinkError> {
        for index in dialect::indexes(table) {
            if !exists(connection, &dialect::index_place(table, &index)).await? {
                make(connection, &index.create).await?;
            }
        }
        Ok(())
    }
}

impl Sink for Postgres {
    type Writer = PostgresWriter;
    type Encoder = CopyEncoder;
    type Changer = PostgresChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        let idempotent = !identity(table).is_empty();
        Limits { rows: ROWS_MAX, bytes: BYTES_MAX, writers: WRITERS_MAX, idempotent }
    }

    fn guess(&self, table: &TablePlan) -> Option<Guess> {
        // COPY is 1 to 5 % faster with 30,000 rows than with 10,000, unless an index is written, too (hypertables have one).
        let has_index = !identity(table).is_empty()
            || !table.spec.indexes.is_empty()
            || timescale::options(table).is_some();
        let rows = if has_index { 10_000 } else { 30_000 };
        Some(Guess { rows, bytes: GUESS_BYTES, writers: 4 })
    }

    fn encoder(&self, table: &TablePlan) -> CopyEncoder {
        CopyEncoder::new(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        let mut notes = vec![
            "COPY answers with the number of rows, and takes all of a payload or nothing".to_owned(),
            "a refused payload goes through a temporary table: rows at fault are counted by their code, the others \
             are written"
                .to_owned(),
            replay_note(table),
        ];
        if table.spec.postgres.as_ref().is_some_and(|options| options.unlogged) {
            notes.push("UNLOGGED: a crash of the server empties the table".into());
        }
        if timescale::options(table).is_some() {
            notes.push(
                "hypertable: TimescaleDB parts rows by time into chunks, made as rows come".into(),
            );
        }
        Explanation {
            method: "COPY BINARY".into(),
            ddl: dialect::statements(table, prepare),
            statement: dialect::copy(table),
            notes,
        }
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        NAMES.check(table)?;
        let name = dialect::table_name(table);
        let mut connection = self.server.open().await?;
        timescale::check_extension(&mut connection, table).await?;
        match prepare.mode {
            PrepareMode::Create => {
                self.create(&mut connection, table).await?;
                let any = sqlx::query(&any_row(&name)).fetch_optional(&mut connection).await;
                if any.map_err(failed)?.is_some() {
                    return Err(has_rows(&name));
                }
            }
            PrepareMode::Append => self.create(&mut connection, table).await?,
            PrepareMode::Recreate => {
                // One message, one transaction: nobody sees the table missing.
                let anew = format!("{}; {}", dialect::drop(table), dialect::create(table));
                make(&mut connection, &anew).await?;
            }
        }
        catalogue::check(&mut connection, table).await?;
        timescale::check(&mut connection, table).await?;
        if prepare.indexes == IndexTime::Before {
            self.index(&mut connection, table).await?;
        }
        connection.close().await.map_err(failed)
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<PostgresWriter, SinkError> {
        PostgresWriter::open(self.server.clone(), Arc::clone(table)).await
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        let mut connection = self.server.open().await?;
        if prepare.indexes == IndexTime::After {
            self.index(&mut connection, table).await?;
        }
        let analyze = format!("ANALYZE {}", dialect::table_name(table));
        match run(&mut connection, &analyze).await {
            Ok(_) => {}
            // Statistics are a courtesy; a read-only server has no use for them.
            Err(error) if trouble(&error, Delivery::None).class.starts_with("25006") => {}
            Err(error) => return Err(failed(error)),
        }
        connection.close().await.map_err(failed)
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        let mut connection = self.server.open().await?;
        let audit = catalogue::audit(&mut connection, table, scope).await?;
        connection.close().await.map_err(failed)?;
        Ok(audit)
    }

    async fn server(&self) -> Result<Vec<ServerFact>, SinkError> {
        let mut connection = self.server.open().await?;
        let facts: Vec<(String, String)> =
            sqlx::query_as(FACTS).fetch_all(&mut connection).await.map_err(failed)?;
        let timescale = timescale::version(&mut connection).await?;
        let facts = facts.into_iter().chain(timescale.map(|it| ("timescaledb".to_owned(), it)));
        connection.close().await.map_err(failed)?;
        Ok(facts.map(|(name, value)| ServerFact { name, value }).collect())
    }

    fn change_limits(&self, mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
        check_words(mix, "postgres")?;
        Ok(ChangeLimits {
            rows: GROUP_ROWS_MAX,
            changers: WRITERS_MAX,
            transactions: true,
            pipeline: 1,
        })
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        Some(change::explain(statement))
    }

    async fn changer(&self, statements: &Arc<[Statement]>) -> Result<PostgresChanger, SinkError> {
        PostgresChanger::open(self.server.clone(), Arc::clone(statements)).await
    }

    async fn change_log(&self, tables: &[Arc<TablePlan>]) -> Result<BoxChangeLog, SinkError> {
        Ok(Box::new(cdc::Decoding::open(&self.server, tables).await?))
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        change::event::words(event)
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        change::event::once(&self.server, event).await
    }

    async fn scan(&self, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
        Ok(Box::new(TableScan::open(&self.server, Arc::clone(table)).await?))
    }
}

async fn exists(connection: &mut PgConnection, name: &str) -> Result<bool, SinkError> {
    let query = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(name);
    query.fetch_one(connection).await.map_err(failed)
}

/// Makes a table or an index; another shard may make it at the same time, which IF NOT EXISTS does not see.
async fn make(connection: &mut PgConnection, sql: &str) -> Result<(), SinkError> {
    match run(connection, sql).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let trouble = trouble(&error, Delivery::None);
            let made = match trouble.class.split(' ').next() {
                // The table's own row type comes first: 42710.
                Some("42P07" | "42710") => true,
                Some("23505") => trouble.message.contains("\"pg_"),
                Some(_) | None => false,
            };
            if made { Ok(()) } else { Err(into_error(trouble)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use rowstorm_gen::schema::{Format, Schema};
    use rowstorm_gen::{Plan, PlanOptions};

    use super::*;

    #[test]
    fn larger_batches_are_guessed_good_where_no_index_is_written() {
        let yaml = "
version: 1
tables:
  plain: { columns: { n: { type: int, gen: sequence } } }
  keyed: { key: [n], columns: { n: { type: int, gen: sequence } } }
  found: { indexes: [{ on: [n] }], columns: { n: { type: int, gen: sequence } } }
";
        let schema = Schema::parse(yaml, Format::Yaml, "case.yaml").unwrap();
        let options = PlanOptions { rows: Some(1), ..PlanOptions::default() };
        let plan = Plan::new(&schema, options).unwrap();
        let url = "postgres://localhost/none".to_owned();
        let sink = Postgres::new(ConnectOptions { url, ..ConnectOptions::default() }).unwrap();
        let guess = |table| sink.guess(plan.table(table).unwrap()).unwrap().rows;
        assert_eq!(["plain", "keyed", "found"].map(guess), [30_000, 10_000, 10_000]);
    }
}
