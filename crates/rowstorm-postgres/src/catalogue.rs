//! What the server's catalogue says of a table: whether the bytes of a COPY fit it, and what is in it.

use rowstorm_gen::TablePlan;
use rowstorm_schema::DataType;
use rowstorm_sink::{Audit, ColumnAudit, Delivery, Scope, SinkError};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use crate::dialect::{NAME_BYTES_MAX, identity, names, quote, table_name};
use crate::error::{Trouble, class};
use crate::wire::{Wire, type_name};

/// A column as it is stored.
pub(crate) struct Stored {
    pub(crate) name: String,
    /// Its type as declared: "numeric(10,2)".
    declared: String,
    /// The type without domains, length and precision.
    pub(crate) base: String,
    /// The function that reads its binary form.
    reader: String,
}

/// A domain is read as the type that it stands on; without a modifier (-1) a type bounds nothing.
const COLUMNS: &str = "
WITH RECURSIVE base AS (
  SELECT attnum, attname, format_type(atttypid, atttypmod) AS declared, atttypid AS type
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT attnum, attname, declared, typbasetype FROM base JOIN pg_type ON oid = type WHERE typtype = 'd')
SELECT attname::text, declared, format_type(oid, -1), typreceive::text
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
            base: row.try_get(2)?,
            reader: row.try_get(3)?,
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
    for column in &table.columns {
        let Some(there) = stored.iter().find(|stored| stored.name == *column.name) else {
            let names =
                stored.iter().map(|stored| stored.name.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!(
                "table {} has no column {}; it has: {names}",
                table_name(table),
                quote(&column.name)
            );
            return Err(SinkError::fatal(class("42703"), message));
        };
        let reader = there.reader.rsplit('.').next().unwrap_or_default();
        if !Wire::of(column).readers().contains(&reader) {
            let message = format!(
                "column {} of table {} is {}, and the schema's `{}` is sent as {}: give both the same type \
                 (`ddl: {{postgres: {}}}` in the schema names another)",
                quote(&column.name),
                table_name(table),
                there.declared,
                column.data_type,
                type_name(column),
                there.declared,
            );
            return Err(SinkError::fatal(class("42804"), message));
        }
    }
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
        names(table, &key)
    );
    Err(SinkError::fatal("key", message))
}

/// Refuses names that the server would cut off: two of them could become the same.
pub(crate) fn check_names(table: &TablePlan) -> Result<(), SinkError> {
    let columns = table.columns.iter().map(|column| &*column.name);
    for name in columns.chain([&*table.name]) {
        if name.len() > NAME_BYTES_MAX || name.contains('\0') {
            let message = format!(
                "the name {} does not fit PostgreSQL: at most {NAME_BYTES_MAX} bytes, none of them zero",
                quote(name)
            );
            return Err(SinkError::fatal(class("42622"), message));
        }
    }
    Ok(())
}

/// Counts what is there, in one statement and so at one instant.
pub(crate) async fn audit(
    connection: &mut PgConnection,
    table: &TablePlan,
    scope: &Scope,
) -> Result<Audit, SinkError> {
    let integers: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| matches!(column.data_type, DataType::Int(_)))
        .map(|column| &*column.name)
        .collect();
    let row = sqlx::query(&counting(table, scope, &integers)).fetch_one(connection).await;
    let row = row.map_err(failed)?;
    let read = || -> Result<Audit, sqlx::Error> {
        let mut audit = Audit {
            rows: row.try_get::<i64, _>(0)?.unsigned_abs(),
            distinct_keys: row.try_get::<Option<i64>, _>(1)?.map(i64::unsigned_abs),
            columns: Vec::with_capacity(integers.len()),
        };
        for (place, name) in integers.iter().enumerate() {
            let sum: Option<String> = row.try_get(2 + 3 * place)?;
            let sum =
                sum.map(|sum| sum.parse().map_err(|error| sqlx::Error::Decode(Box::new(error))));
            audit.columns.push(ColumnAudit {
                name: (*name).to_owned(),
                sum: sum.transpose()?,
                min: row.try_get(3 + 3 * place)?,
                max: row.try_get(4 + 3 * place)?,
            });
        }
        Ok(audit)
    };
    read().map_err(failed)
}

fn counting(table: &TablePlan, scope: &Scope, integers: &[&str]) -> String {
    let from = match scope {
        Scope::Table => table_name(table),
        Scope::Between { column, low, high } => {
            let column = quote(&table.columns[*column].name);
            format!("{} WHERE {column} BETWEEN {low} AND {high}", table_name(table))
        }
    };
    // Grouping, unlike count(DISTINCT …), can read the key's index or hash, on several cores.
    let distinct = if table.key.is_empty() {
        "NULL::bigint".to_owned()
    } else {
        let key = names(table, &table.key);
        format!("(SELECT count(*) FROM (SELECT {key} FROM {from} GROUP BY {key}) AS keys)")
    };
    let each = integers.iter().map(|name| {
        let name = quote(name);
        // As numeric: a bigint's own sum is, too, and an i128 holds it.
        format!(", sum({name})::text, min({name})::bigint, max({name})::bigint")
    });
    format!("SELECT count(*), {distinct}{} FROM {from}", each.collect::<String>())
}

/// Nothing was written by what failed here.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn failed(error: sqlx::Error) -> SinkError {
    Trouble::of(&error, Delivery::None).into_error()
}
