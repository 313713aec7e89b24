//! What the server's write-ahead log says of tables: inserts, updates and deletes, counted apart from the tables themselves.
//!
//! Rows can come out right although an event too many, or one too few, went to whoever listens. Logical decoding reads the log
//! that replication and change data capture read, by the plugin that comes with the server (`pgoutput`), through SQL functions: no
//! replication connection is needed. Counting is done in the server; values stay there.

use std::collections::HashMap;
use std::sync::Arc;

use rowstorm_gen::TablePlan;
pub use rowstorm_sink::Events;
use rowstorm_sink::sql::identity;
use rowstorm_sink::{ChangeLog, ConnectOptions, Counting, SinkError};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::catalogue::failed;
use crate::connect::{Server, run};
use crate::dialect::table_name;

/// Events that the server holds in memory at once; a transaction is never parted.
const EVENTS_AT_ONCE: i32 = 100_000;

/// Under `synchronous_commit = off` an answered commit may not be on disk yet, and what is not is not decoded. A transaction that writes, if only a
/// message that nobody reads, takes everything before it to the disk.
const FLUSH: &str =
    "SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'rowstorm', '')";

/// Each event by its relation and kind. The messages' forms:
/// <https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>; the key as it was (`K`) comes with an
/// update that changes it. A truncation names several relations.
const COUNT: &str = "
WITH message AS (
  SELECT data, chr(get_byte(data, 0)) AS kind
  FROM pg_logical_slot_get_binary_changes($1, NULL, $2, 'proto_version', '1', 'publication_names', $1)),
event AS (
  SELECT kind, substring(data FROM 2 FOR 4) AS relation, get_byte(data, 5) = ascii('K') AS old
  FROM message WHERE kind IN ('I', 'U', 'D')
  UNION ALL
  SELECT kind, substring(data FROM 7 + 4 * place FOR 4), false
  FROM message, generate_series(0, get_byte(data, 4) - 1) AS place WHERE kind = 'T'
  UNION ALL
  SELECT kind, NULL, false FROM message WHERE kind = 'C')
SELECT CASE WHEN kind = 'U' AND old THEN 'K' ELSE kind END,
  coalesce(('x' || encode(relation, 'hex'))::bit(32)::bigint, 0), count(*)
FROM event GROUP BY 1, 2";

/// A reader of the log, from a point on: a temporary replication slot, which goes with its connection, and a publication of the
/// tables.
///
/// Until it is [ended](ChangeLog::end) or dropped, the server keeps the log that was not read.
#[derive(Debug)]
pub struct Decoding {
    connection: PgConnection,
    /// Of the slot and of the publication.
    name: String,
    /// By the relation's number.
    events: HashMap<i64, Events>,
    tables: HashMap<Arc<str>, i64>,
    transactions: u64,
}

impl Decoding {
    /// Begins to read: what is committed from now on is counted. Waits for transactions that are under way.
    ///
    /// # Errors
    /// Fatal where the server does not decode (`wal_level = logical`), or the user may not (`REPLICATION`, and ownership
    /// of the tables); for a table that is not there, or has no key: PostgreSQL refuses to update published tables without one.
    pub async fn begin(
        options: ConnectOptions,
        tables: &[Arc<TablePlan>],
    ) -> Result<Decoding, SinkError> {
        Decoding::open(&Server::new(options)?, tables).await
    }

    pub(crate) async fn open(
        server: &Server,
        tables: &[Arc<TablePlan>],
    ) -> Result<Decoding, SinkError> {
        let mut connection = server.open().await?;
        let level = sqlx::query_scalar("SHOW wal_level").fetch_one(&mut connection).await;
        let level: String = level.map_err(failed)?;
        if level != "logical" {
            let message = format!(
                "the write-ahead log cannot be decoded: wal_level is {level}; set wal_level = logical, and start the server anew"
            );
            return Err(SinkError::fatal("wal_level", message));
        }
        let mut numbers = HashMap::new();
        let mut names = Vec::new();
        for table in tables {
            let name = table_name(table);
            if identity(table).is_empty() {
                let message = format!("table {name} has no key: its updates cannot be published");
                return Err(SinkError::fatal("no key", message));
            }
            let number = sqlx::query_scalar("SELECT to_regclass($1)::oid::bigint").bind(&name);
            let number: Option<i64> = number.fetch_one(&mut connection).await.map_err(failed)?;
            let absent = || SinkError::fatal("no table", format!("table {name} is not there"));
            numbers.insert(Arc::clone(&table.name), number.ok_or_else(absent)?);
            names.push(name);
        }
        let own = sqlx::query_scalar("SELECT 'rowstorm_' || pg_backend_pid()");
        let name: String = own.fetch_one(&mut connection).await.map_err(failed)?;
        // The publication first: the log is decoded as of its own time. A slot of this name went with its connection; a publication may
        // have stayed.
        let publish = format!(
            "DROP PUBLICATION IF EXISTS {name}; CREATE PUBLICATION {name} FOR TABLE {}",
            names.join(", ")
        );
        run(&mut connection, &publish).await.map_err(failed)?;
        let mut decoding =
            Decoding { connection, name, events: HashMap::new(), tables: numbers, transactions: 0 };
        let slot = sqlx::query("SELECT pg_create_logical_replication_slot($1, 'pgoutput', true)")
            .bind(&decoding.name)
            .execute(&mut decoding.connection)
            .await;
        match slot.map_err(failed) {
            Ok(_) => Ok(decoding),
            Err(error) => {
                decoding.unpublish().await?;
                Err(error)
            }
        }
    }

    async fn count(&mut self) -> Result<u64, SinkError> {
        run(&mut self.connection, FLUSH).await.map_err(failed)?;
        let before = self.transactions;
        loop {
            let query = sqlx::query_as(COUNT).bind(&self.name).bind(EVENTS_AT_ONCE);
            let counts: Vec<(String, i64, i64)> =
                query.fetch_all(&mut self.connection).await.map_err(failed)?;
            if counts.is_empty() {
                return Ok(self.transactions - before);
            }
            for (kind, relation, count) in counts {
                let events = self.events.entry(relation).or_default();
                let place = match kind.as_str() {
                    "I" => &mut events.inserted,
                    "U" => &mut events.updated,
                    "K" => &mut events.rekeyed,
                    "D" => &mut events.deleted,
                    "T" => &mut events.truncated,
                    _ => &mut self.transactions,
                };
                *place += count.unsigned_abs();
            }
        }
    }

    async fn unpublish(&mut self) -> Result<(), SinkError> {
        let drop = format!("DROP PUBLICATION {}", self.name);
        run(&mut self.connection, &drop).await.map_err(failed).map(|_| ())
    }
}

impl ChangeLog for Decoding {
    fn read(&mut self) -> Counting<'_, u64> {
        Box::pin(self.count())
    }

    fn events(&self, table: &str) -> Events {
        let relation = self.tables.get(table);
        relation.and_then(|relation| self.events.get(relation)).copied().unwrap_or_default()
    }

    fn transactions(&self) -> u64 {
        self.transactions
    }

    fn has_unchanged(&self) -> bool {
        true
    }

    /// A publication may be left where the server does not answer; it holds nothing.
    fn end(mut self: Box<Self>) -> Counting<'static, ()> {
        Box::pin(async move {
            self.unpublish().await?;
            self.connection.close().await.map_err(failed)
        })
    }
}
