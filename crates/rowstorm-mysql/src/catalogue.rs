//! What the server says of a table: whether rows fit it, and what is in it.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row, TxOpts};
use rowstorm_gen::TablePlan;
use rowstorm_sink::sql::{AuditSql, StoredColumn, check_columns, identity};
use rowstorm_sink::{Audit, Scope, ServerFact, SinkError};

use crate::dialect::{COUNTING, NAMES, literal, quote, table_name};
use crate::error::failed;
use crate::types::{DATABASE, misfit, rounds};

/// Settings that change what a figure means: durability, and room for what was written.
const FACTS: &str = "
SHOW GLOBAL VARIABLES WHERE variable_name IN ('version', 'version_comment', 'innodb_flush_log_at_trx_commit',
  'sync_binlog', 'log_bin', 'binlog_format', 'innodb_doublewrite', 'innodb_buffer_pool_size', 'max_allowed_packet',
  'local_infile')";

/// Refuses names that the server would refuse in other words.
pub(crate) fn check_names(table: &TablePlan) -> Result<(), SinkError> {
    NAMES.check(table)?;
    let columns = table.columns.iter().map(|column| &*column.name);
    for name in columns.chain([&*table.name]) {
        if name.ends_with(' ') || name.chars().any(|letter| letter > '\u{ffff}') {
            let message = format!(
                "the name {} does not fit MySQL: no space at the end, and no character beyond U+FFFF",
                quote(name)
            );
            return Err(SinkError::fatal("name", message));
        }
    }
    Ok(())
}

/// What a table's columns make of values without an error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    /// A decimal has fewer digits behind its point than the schema says.
    pub(crate) is_coarse: bool,
}

/// Refuses a table that cannot undo, whose columns do not take what is sent, or that would keep a row twice.
pub(crate) async fn check(connection: &mut Conn, table: &TablePlan) -> Result<Checked, SinkError> {
    check_engine(connection, table).await?;
    let name = table_name(table);
    let show = format!("SHOW COLUMNS FROM {name}");
    let rows: Vec<Row> = connection.query(show).await.map_err(failed)?;
    let text = |row: &Row, name: &str| row.get::<String, _>(name).unwrap_or_default();
    let stored = rows.iter().map(|row| StoredColumn {
        name: text(row, "Field"),
        declared: text(row, "Type"),
        detail: (),
    });
    let stored: Vec<StoredColumn> = stored.collect();
    check_columns(&NAMES, (&name, DATABASE), table, &stored, |column, there| {
        misfit(column, &there.declared)
    })?;
    check_identity(connection, table).await?;
    let is_coarse = table.columns.iter().any(|column| {
        let there = stored.iter().find(|there| there.name.eq_ignore_ascii_case(&column.name));
        there.is_none_or(|there| rounds(column, &there.declared))
    });
    Ok(Checked { is_coarse })
}

/// The names of a table's columns, in its own order.
pub(crate) async fn columns(
    connection: &mut Conn,
    table: &TablePlan,
) -> Result<Vec<String>, SinkError> {
    let show = format!("SHOW COLUMNS FROM {}", table_name(table));
    let rows: Vec<Row> = connection.query(show).await.map_err(failed)?;
    Ok(rows.iter().map(|row| row.get("Field").unwrap_or_default()).collect())
}

/// Without transactions, rows that must be undone stay, and a payload whose connection breaks stays in part.
async fn check_engine(connection: &mut Conn, table: &TablePlan) -> Result<(), SinkError> {
    let ask = format!(
        "SELECT engines.engine FROM information_schema.tables AS tables JOIN information_schema.engines AS engines \
         ON engines.engine = tables.engine WHERE table_schema = DATABASE() AND table_name = {} AND transactions <> 'YES'",
        literal(&table.name)
    );
    let engine: Option<String> = connection.query_first(ask).await.map_err(failed)?;
    let Some(engine) = engine else { return Ok(()) };
    let message = format!(
        "table {} is kept by the engine {engine}, which has no transactions: rows that are refused could not be undone, \
         nor rows sent again be told apart. Use one that has them, such as InnoDB",
        table_name(table)
    );
    Err(SinkError::fatal("engine", message))
}

/// A payload is sent again only because an index keeps one copy of each row.
async fn check_identity(connection: &mut Conn, table: &TablePlan) -> Result<(), SinkError> {
    let identity = identity(table);
    if identity.is_empty() {
        return Ok(());
    }
    let show = format!("SHOW INDEX FROM {} WHERE non_unique = 0", table_name(table));
    let rows: Vec<Row> = connection.query(show).await.map_err(failed)?;
    let key = |name: &str| {
        let same = |place: &usize| table.columns[*place].name.to_lowercase() == name.to_lowercase();
        identity.iter().any(same)
    };
    let mut indexes: Vec<(String, bool)> = Vec::new();
    for row in &rows {
        let index: String = row.get("Key_name").unwrap_or_default();
        let column: Option<String> = row.get::<Option<String>, _>("Column_name").flatten();
        let part: Option<u64> = row.get::<Option<u64>, _>("Sub_part").flatten();
        let holds = column.is_some_and(|column| key(&column)) && part.is_none();
        match indexes.iter_mut().find(|(name, _)| *name == index) {
            Some((_, keeps)) => *keeps &= holds,
            None => indexes.push((index, holds)),
        }
    }
    if indexes.iter().any(|(_, keeps)| *keeps) {
        return Ok(());
    }
    let message = format!(
        "table {} has no unique index on ({}), the schema's key: rows that are sent again after a lost connection \
         would be doubled. Make one, or leave the key out of the schema",
        table_name(table),
        NAMES.places(table, &identity)
    );
    Err(SinkError::fatal("key", message))
}

/// Whether an index of this name is there.
pub(crate) async fn has_index(
    connection: &mut Conn,
    table: &TablePlan,
    name: &str,
) -> Result<bool, SinkError> {
    let show = format!("SHOW INDEX FROM {} WHERE key_name = {}", table_name(table), literal(name));
    let row: Option<Row> = connection.query_first(show).await.map_err(failed)?;
    Ok(row.is_some())
}

/// Counts what is there, in one snapshot.
pub(crate) async fn audit(
    connection: &mut Conn,
    table: &TablePlan,
    scope: &Scope,
) -> Result<Audit, SinkError> {
    let audit = AuditSql::new(&COUNTING, &table_name(table), table, scope);
    let mut options = TxOpts::default();
    options.with_consistent_snapshot(true);
    let mut snapshot = connection.start_transaction(options).await.map_err(failed)?;
    let mut answers = Vec::with_capacity(audit.statements().len());
    for statement in audit.statements() {
        let row: Option<Row> = snapshot.query_first(statement.as_str()).await.map_err(failed)?;
        let cells = row.map(Row::unwrap).unwrap_or_default();
        let text = |cell| mysql_async::from_value::<Option<String>>(cell);
        answers.push(cells.into_iter().map(text).collect::<Vec<_>>());
    }
    snapshot.rollback().await.map_err(failed)?;
    audit.read(&answers)
}

/// The server's own settings, by its own names.
pub(crate) async fn facts(connection: &mut Conn) -> Result<Vec<ServerFact>, SinkError> {
    let rows: Vec<(String, String)> = connection.query(FACTS).await.map_err(failed)?;
    let fact = |(name, value): (String, String)| ServerFact {
        name,
        value: if value.is_empty() { "''".to_owned() } else { value },
    };
    Ok(rows.into_iter().map(fact).collect())
}
