//! What the cluster says of itself and of a table: whether rows fit it, what is in it, and what a figure stands on.

use rowstorm_gen::TablePlan;
use rowstorm_sink::sql::{AuditSql, StoredColumn, check_columns};
use rowstorm_sink::{Audit, Scope, ServerCounters, ServerFact, SinkError};
use serde_json::Value;

use crate::connect::Server;
use crate::dialect::{COUNTING, NAMES, key, quote, refresh, table_name};
use crate::query::text;
use crate::types::{Stored, fault};

const COLUMNS: &str = "SELECT column_name, data_type, is_nullable, character_maximum_length \
     FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";
const KEY: &str = "SELECT column_name FROM information_schema.key_column_usage \
     WHERE table_schema = ? AND table_name = ?";
const NODES: &str = "SELECT name, thread_pools FROM sys.nodes";
const SETTINGS: &str = "SELECT settings FROM sys.cluster";
const TABLES: &str = "SELECT table_name, number_of_shards, number_of_replicas, settings \
     FROM information_schema.tables WHERE table_schema = ? ORDER BY table_name";

/// Refuses a table that would not take what is sent, or would keep a row twice.
pub(crate) async fn check(server: &Server, table: &TablePlan) -> Result<(), SinkError> {
    let place = [Value::from(server.schema()), Value::from(&*table.name)];
    let rows = server.rows(COLUMNS, &place).await?;
    let stored: Vec<StoredColumn<Stored>> = rows
        .iter()
        .map(|row| StoredColumn {
            name: text(row, 0).unwrap_or_default(),
            declared: text(row, 1).unwrap_or_default(),
            detail: Stored {
                is_nullable: text(row, 2).as_deref() != Some("NO"),
                characters_max: text(row, 3).and_then(|max| max.parse().ok()),
            },
        })
        .collect();
    let name = table_name(server.schema(), table);
    check_columns(&NAMES, (&name, "cratedb"), table, &stored, fault)?;
    let wanted = key(table);
    if wanted.is_empty() {
        return Ok(());
    }
    let there = server.rows(KEY, &place).await?;
    let there: Vec<String> = there.iter().filter_map(|row| text(row, 0)).collect();
    // A key of fewer columns keeps rows apart, too; one of none, or of others, does not.
    if !there.is_empty() && there.iter().all(|column| wanted.contains(column)) {
        return Ok(());
    }
    let message = format!(
        "table {name} has no primary key within ({}), the schema's key: rows that are sent again after a lost \
         connection would be doubled. Make one, or leave the key out of the schema",
        NAMES.list(wanted.iter().map(String::as_str))
    );
    Err(SinkError::fatal("key", message))
}

/// Counts what is there, once all that was answered is visible.
pub(crate) async fn audit(
    server: &Server,
    table: &TablePlan,
    scope: &Scope,
) -> Result<Audit, SinkError> {
    server.rows(&refresh(server.schema(), table), &[]).await?;
    let audit = AuditSql::new(&COUNTING, &table_name(server.schema(), table), table, scope);
    let mut answers = Vec::with_capacity(audit.statements().len());
    for statement in audit.statements() {
        let rows = server.rows(statement, &[]).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        answers.push((0..row.len()).map(|place| text(row, place)).collect());
    }
    audit.read(&answers)
}

/// The server's release.
pub(crate) async fn version(server: &Server) -> Result<String, SinkError> {
    let rows = server.rows("SELECT version()", &[]).await?;
    Ok(rows.first().and_then(|row| text(row, 0)).unwrap_or_default())
}

/// The nodes, and writes to shards since they started: those that were rejected because a queue was full are among them. The server sends them again
/// inside, so that a client sees only that answers take longer.
pub(crate) async fn writes(server: &Server) -> Result<(u64, ServerCounters), SinkError> {
    let nodes = server.rows(NODES, &[]).await?;
    let pools = nodes.iter().filter_map(|node| node.get(1)?.as_array()).flatten();
    let mut counted = ServerCounters::default();
    for pool in pools.filter(|pool| pool["name"] == "write") {
        let of = |name: &str| pool[name].as_u64().unwrap_or(0);
        counted.requests += of("completed") + of("rejected");
        counted.rejected += of("rejected");
    }
    Ok((nodes.len() as u64, counted))
}

/// Settings that change what a figure means: how durable a write is, how much is let in at once, how tables are cut.
pub(crate) async fn settings(
    server: &Server,
    tables: &[String],
) -> Result<Vec<ServerFact>, SinkError> {
    let mut facts = Vec::new();
    let rows = server.rows(SETTINGS, &[]).await?;
    let settings = rows.first().and_then(|row| row.first()).unwrap_or(&Value::Null);
    for path in [
        "indices.breaker.total.limit",
        "indices.breaker.query.limit",
        "indices.breaker.request.limit",
        "overload_protection.dml.initial_concurrency",
        "overload_protection.dml.max_concurrency",
        "overload_protection.dml.queue_size",
    ] {
        facts.extend(fact(path, settings.pointer(&format!("/{}", path.replace('.', "/")))));
    }
    for row in server.rows(TABLES, &[Value::from(server.schema())]).await? {
        let Some(name) = text(&row, 0).filter(|name| tables.contains(name)) else { continue };
        let settings = row.get(3).unwrap_or(&Value::Null);
        let name = quote(&name);
        facts.extend(fact(&format!("{name}.number_of_shards"), row.get(1)));
        facts.extend(fact(&format!("{name}.number_of_replicas"), row.get(2)));
        let translog = settings.pointer("/translog/durability");
        facts.extend(fact(&format!("{name}.translog.durability"), translog));
        facts.extend(fact(
            &format!("{name}.refresh_interval"),
            settings.pointer("/refresh_interval"),
        ));
    }
    Ok(facts)
}

fn fact(name: &str, value: Option<&Value>) -> Option<ServerFact> {
    let value = text(std::slice::from_ref(value?), 0)?;
    Some(ServerFact { name: name.to_owned(), value })
}
