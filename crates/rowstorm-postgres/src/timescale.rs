//! Hypertables of TimescaleDB: tables that the extension keeps in chunks of time.

use std::time::Duration;

use rowstorm_gen::TablePlan;
use rowstorm_gen::schema::HypertableOptions;
use rowstorm_sink::SinkError;
use sqlx::postgres::PgConnection;

use crate::catalogue::failed;
use crate::dialect::{literal, quote, table_name};

/// What the extension calls itself in `pg_extension`.
const EXTENSION: &str = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'";

/// Asked of the catalogue, which is the same in every release of 2.x.
const IS_HYPERTABLE: &str = "
SELECT EXISTS (SELECT FROM timescaledb_information.hypertables
  WHERE format('%I.%I', hypertable_schema, hypertable_name)::regclass = to_regclass($1))";

/// What the schema asks for.
pub(crate) fn options(table: &TablePlan) -> Option<&HypertableOptions> {
    table.spec.postgres.as_ref()?.hypertable.as_ref()
}

/// The statement that makes a hypertable of a plain table that was just made. Indexes are the schema's alone: the
/// extension's own on time would be one more to write that nobody asked for.
pub(crate) fn create(table: &TablePlan) -> Option<String> {
    let options = options(table)?;
    let chunk = options.chunk.map_or_else(String::new, |chunk| interval(chunk.0));
    Some(format!(
        "SELECT create_hypertable({}, {}::name, {chunk}create_default_indexes => FALSE, if_not_exists => TRUE)",
        literal(&table_name(table)),
        literal(&options.time),
    ))
}

fn interval(chunk: Duration) -> String {
    format!("chunk_time_interval => INTERVAL '{} microseconds', ", chunk.as_micros())
}

/// Refuses a database without the extension, before anything is made in it.
pub(crate) async fn check_extension(
    connection: &mut PgConnection,
    table: &TablePlan,
) -> Result<(), SinkError> {
    if options(table).is_none() || version(connection).await?.is_some() {
        return Ok(());
    }
    let message = format!(
        "table {} is to be a hypertable, and this database has no TimescaleDB: `CREATE EXTENSION timescaledb` in it (the \
         server must load the library: `shared_preload_libraries`), or leave `hypertable` out of the schema",
        table_name(table)
    );
    Err(SinkError::fatal("no timescaledb", message))
}

/// Refuses a table that stands there as a plain one.
pub(crate) async fn check(
    connection: &mut PgConnection,
    table: &TablePlan,
) -> Result<(), SinkError> {
    let Some(options) = options(table) else { return Ok(()) };
    let query = sqlx::query_scalar(IS_HYPERTABLE).bind(table_name(table));
    if query.fetch_one(connection).await.map_err(failed)? {
        return Ok(());
    }
    let message = format!(
        "table {} is there and is no hypertable over {}: --table-mode recreate makes it anew, or leave `hypertable` out \
         of the schema",
        table_name(table),
        quote(&options.time)
    );
    Err(SinkError::fatal("no hypertable", message))
}

/// The extension's version, where the database has it.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<Option<String>, SinkError> {
    sqlx::query_scalar(EXTENSION).fetch_optional(connection).await.map_err(failed)
}
