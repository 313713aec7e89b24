//! What the server's catalogue says of a table: whether the bytes of a COPY fit it, and what is in it.

use rowstorm_gen::TablePlan;
use rowstorm_sink::sql::{AuditSql, Fault, StoredColumn, check_columns, identity};
use rowstorm_sink::{Audit, Delivery, Scope, SinkError};
use sqlx::Row as _;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgConnection, PgRow};

use crate::connect::run;
use crate::dialect::{COUNTING, NAMES, table_name};
use crate::error::{into_error, trouble};
use crate::wire::{Wire, type_name};

/// What a COPY must know of a stored column.
pub(crate) struct Form {
    /// The type without domains, length and precision.
    pub(crate) base: String,
    /// The function that reads its binary form.
    pub(crate) reader: String,
    /// The base type, and the type of its arrays.
    pub(crate) element: Oid,
    pub(crate) array: Oid,
}

pub(crate) type Stored = StoredColumn<Form>;

/// A domain is read as the type that it stands on; without a modifier (-1) a type bounds nothing.
const COLUMNS: &str = "
WITH RECURSIVE base AS (
  SELECT attnum, attname, format_type(atttypid, atttypmod) AS declared, atttypid AS type
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT attnum, attname, declared, typbasetype FROM base JOIN pg_type ON oid = type WHERE typtype = 'd')
SELECT attname::text, declared, format_type(oid, -1), typreceive::text, oid, typarray
FROM base JOIN pg_type ON oid = type WHERE typtype <> 'd' ORDER BY attnum";

/// Whether an index over nothing but these columns keeps rows apart.
const KEPT_APART: &str = "
SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = to_regclass($1) AND indisunique AND indisvalid
  AND indpred IS NULL AND (SELECT bool_and(coalesce(attname::text = ANY($2), false))
    FROM unnest((indkey::int2[])[0:indnkeyatts - 1]) AS part
    LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = part))";

/// The columns of a table; none if it is not there.
pub(crate) async fn columns(
    connection: &mut PgConnection,
    table: &TablePlan,
) -> Result<Vec<Stored>, sqlx::Error> {
    let rows = sqlx::query(COLUMNS).bind(table_name(table)).fetch_all(connection).await?;
    let stored = |row: &PgRow| {
        Ok(Stored {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            detail: Form {
                base: row.try_get(2)?,
                reader: row.try_get(3)?,
                element: row.try_get(4)?,
                array: row.try_get(5)?,
            },
        })
    };
    rows.iter().map(stored).collect()
}

/// Refuses a table whose columns do not read what the encoder writes, or that would keep a row twice.
pub(crate) async fn check(
    connection: &mut PgConnection,
    table: &TablePlan,
) -> Result<(), SinkError> {
    let stored = columns(connection, table).await.map_err(failed)?;
    let place = (&*table_name(table), "postgres");
    check_columns(&NAMES, place, table, &stored, |column, there| {
        let reader = there.detail.reader.rsplit('.').next().unwrap_or_default();
        let reads = Wire::of(column).readers().contains(&reader);
        (!reads).then(|| Fault::Type { sent: type_name(column) })
    })?;
    check_identity(connection, table).await
}

/// A payload is sent again only because an index keeps one copy of each row.
async fn check_identity(connection: &mut PgConnection, table: &TablePlan) -> Result<(), SinkError> {
    let key = identity(table);
    if key.is_empty() {
        return Ok(());
    }
    let columns: Vec<&str> = key.iter().map(|&place| &*table.columns[place].name).collect();
    let query = sqlx::query_scalar(KEPT_APART).bind(table_name(table)).bind(columns);
    if query.fetch_one(connection).await.map_err(failed)? {
        return Ok(());
    }
    let message = format!(
        "table {} has no unique index on ({}), the schema's key: rows that are sent again after a lost connection \
         would be doubled. Make one, or leave the key out of the schema",
        table_name(table),
        NAMES.places(table, &key)
    );
    Err(SinkError::fatal("key", message))
}

/// Counts what is there, at one instant.
pub(crate) async fn audit(
    connection: &mut PgConnection,
    table: &TablePlan,
    scope: &Scope,
) -> Result<Audit, SinkError> {
    let audit = AuditSql::new(&COUNTING, &table_name(table), table, scope);
    let mut answers = Vec::new();
    run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
    for sql in audit.statements() {
        let row = sqlx::query(sql).fetch_one(&mut *connection).await.map_err(failed)?;
        let cells: Result<_, _> = (0..row.len()).map(|place| row.try_get(place)).collect();
        answers.push(cells.map_err(failed)?);
    }
    run(connection, "COMMIT").await.map_err(failed)?;
    audit.read(&answers)
}

/// A column that is not there, perhaps because the table is not.
pub(crate) fn missing(table: &TablePlan, column: &str) -> SinkError {
    let message = format!("table {} has no column `{column}`, or is not there", table_name(table));
    SinkError::fatal("missing column", message)
}

/// Nothing was written by what failed here.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn failed(error: sqlx::Error) -> SinkError {
    into_error(trouble(&error, Delivery::None))
}
