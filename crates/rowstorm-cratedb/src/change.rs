//! Rows that change: `bulk_args` of one statement for each group, every row found by its primary key, with a result for each.
//!
//! A statement with an exact match on all columns of the primary key sees what was written before it, refreshed or not: that is
//! what puts groups in order here. There are no transactions.

pub(crate) mod event;
mod query;

use std::collections::HashSet;
use std::sync::Arc;

use rowstorm_gen::TablePlan;
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{
    Change, ChangeLimits, Changed, Changer, Encoder, End, Outcome, Payload, Queried, Reaction,
    SinkError, Statement, Transaction, Writer,
};
use serde_json::Value;

use crate::answer::{Answer, Failed};
use crate::connect::Server;
use crate::encode::{CrateDbEncoder, head_of, lines};
use crate::place::Method;
use crate::replay::{self, LOOKED_UP, Row, row, select_some};
use crate::write::{self, CrateDbWriter, Sent};
use crate::{BODY_BYTES_MAX, ROWS_MAX, WRITERS_MAX, dialect};

/// Changes rows of some tables. Connections are the client's own, kept open between requests.
#[derive(Debug)]
pub struct CrateDbChanger {
    server: Arc<Server>,
    mix: Arc<[Statement]>,
    lanes: Vec<Lane>,
}

/// One statement of the mix.
#[derive(Debug)]
struct Lane {
    encoder: CrateDbEncoder,
    writer: CrateDbWriter,
}

/// The facts, or what of the mix this database cannot do.
pub(crate) fn limits(mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
    for statement in mix {
        if statement.query.is_some() {
            query::check(statement)?;
            continue;
        }
        let (name, word) = (dialect::quote(&statement.table.name), statement.kind.word());
        if statement.kind == OpKind::Rekey {
            let message = format!(
                "table {name}: CrateDB cannot change the columns of a primary key: leave `rekey:` out"
            );
            return Err(SinkError::fatal("usage", message));
        }
        if statement.kind != OpKind::Insert && dialect::partition(&statement.table).is_some() {
            let message = format!(
                "table {name}: `partition_by` puts a column into the primary key that `{word}:` does not know, so a row that \
                 was just written is not found: leave one of both out"
            );
            return Err(SinkError::fatal("usage", message));
        }
    }
    Ok(ChangeLimits { rows: ROWS_MAX, changers: WRITERS_MAX, transactions: false, pipeline: 1 })
}

impl CrateDbChanger {
    pub(crate) async fn open(
        server: &Arc<Server>,
        mix: &Arc<[Statement]>,
        is_ready: impl Fn(&TablePlan) -> bool,
    ) -> Result<CrateDbChanger, SinkError> {
        let mut lanes = Vec::with_capacity(mix.len());
        for statement in mix.iter() {
            let head = head_of(&wording(server.schema(), statement), Method::BulkArgs);
            let encoder = CrateDbEncoder::of_rows(head.clone(), &statement.columns);
            let ready = is_ready(&statement.table);
            let (server, table) = (Arc::clone(server), Arc::clone(&statement.table));
            let mut writer =
                CrateDbWriter::with(server, table, Method::BulkArgs, head, ready).await?;
            writer.steady = statement.steady(mix);
            lanes.push(Lane { encoder, writer });
        }
        Ok(CrateDbChanger { server: Arc::clone(server), mix: Arc::clone(mix), lanes })
    }

    async fn group(
        &mut self,
        group: &Change<'_>,
        gone: u64,
        attempt: rowstorm_sink::Attempt,
    ) -> Result<Changed, SinkError> {
        let statement = &self.mix[group.statement];
        let Lane { encoder, writer } = &mut self.lanes[group.statement];
        let rows = group.batch.len() as u64;
        let mut payload = Payload { rows: 0..rows, attempt, ..Payload::default() };
        encoder.begin(&mut payload);
        encoder.encode(group.batch, &mut payload);
        encoder.end(&mut payload);
        payload.check_bytes(BODY_BYTES_MAX)?;
        match statement.kind {
            OpKind::Insert => {
                let outcome = writer.write(&payload).await?;
                let mut changed = Changed::matched(outcome.accepted);
                changed.confirmed = outcome.confirmed;
                changed.rejected = outcome.rejected;
                Ok(changed)
            }
            OpKind::Update | OpKind::Delete => {
                let outcome = found(writer, statement, &payload).await?;
                let looked_for = rows - outcome.rejected.count;
                let found = Changed::found(outcome.accepted, looked_for, gone)?;
                Ok(Changed { rejected: outcome.rejected, ..found })
            }
            OpKind::Read => {
                let found = read(&self.server, &statement.table, &payload).await?;
                Changed::found(found, rows, gone)
            }
            OpKind::Rekey => unreachable!("`limits` refuses such a mix"),
        }
    }
}

/// The statement that changes or reads one row: `$1` and so on are the columns that travel.
pub(crate) fn wording(schema: &str, statement: &Statement) -> String {
    let (table, keys) = (&statement.table, statement.keys());
    if statement.query.is_some() {
        return query::explain(schema, statement);
    }
    let name = dialect::table_name(schema, table);
    let assigned = |places: std::ops::Range<usize>, between: &str| {
        let columns = &statement.columns.columns;
        let one = |at: usize| format!("{} = ${}", dialect::quote(&columns[at].name), at + 1);
        places.map(one).collect::<Vec<_>>().join(between)
    };
    let found = assigned(0..keys, " AND ");
    match statement.kind {
        OpKind::Insert => dialect::insert(schema, table),
        OpKind::Update | OpKind::Rekey => {
            let set = assigned(keys..statement.columns.columns.len(), ", ");
            format!("UPDATE {name} SET {set} WHERE {found}")
        }
        OpKind::Delete => format!("DELETE FROM {name} WHERE {found}"),
        OpKind::Read => format!("{} WHERE {found}", dialect::select(schema, table)),
    }
}

/// Rows that were found and changed, and rows that were refused; the others were not found.
async fn found(
    writer: &CrateDbWriter,
    statement: &Statement,
    payload: &Payload,
) -> Result<Outcome, SinkError> {
    let body = payload.body.as_slice();
    let mut answer = match writer.send(body).await? {
        Sent::Done(answer) => write::read(&answer)?,
        Sent::Refused(trouble, error) => match trouble.reaction {
            Reaction::Sift => writer.sift(&lines(body).collect::<Vec<_>>(), error).await?,
            Reaction::Refuse | Reaction::Fail(_) => {
                return trouble.for_all(payload.len(), "CrateDB");
            }
        },
    };
    let lines: Vec<&[u8]> = lines(body).collect();
    let missed = take_missed(&writer.server, statement, &lines, &mut answer).await?;
    let mut outcome = write::book(&answer, payload.len())?;
    outcome.accepted -= missed;
    Ok(outcome)
}

/// Takes out the rows that were not found; how many. CrateDB says so for the first ten of each shard: of the others
/// without a reason, those are missed that are not there.
async fn take_missed(
    server: &Server,
    statement: &Statement,
    lines: &[&[u8]],
    answer: &mut Answer,
) -> Result<u64, SinkError> {
    let table = &statement.table;
    let before = answer.failed.len();
    answer.failed.retain(|failed| failed.is_missing() != Some(true));
    let is_untold = |failed: &Failed| failed.is_missing().is_none();
    // A line starts with the key; the other cells are of no use here.
    let of_key = |failed: &Failed| {
        let mut whole = vec![Value::Null; table.columns.len()];
        for (&place, cell) in table.key.iter().zip(row(lines[failed.row])?) {
            whole[place] = cell;
        }
        Some(whole)
    };
    let untold = answer.failed.iter().filter(|failed| is_untold(failed));
    let untold: Vec<Row> = untold.filter_map(of_key).collect();
    let mut there = HashSet::new();
    for some in untold.chunks(LOOKED_UP) {
        there.extend(replay::standing(server, table, some).await?.into_keys());
    }
    let stays = |row: Row| there.contains(&replay::key(table, &row));
    answer.failed.retain(|failed| !is_untold(failed) || of_key(failed).is_none_or(stays));
    Ok((before - answer.failed.len()) as u64)
}

/// How many rows are there of those whose keys are the lines of a body.
async fn read(server: &Server, table: &TablePlan, payload: &Payload) -> Result<u64, SinkError> {
    let keys: Vec<Vec<Value>> = lines(payload.body.as_slice()).filter_map(row).collect();
    let mut found = 0;
    for some in keys.chunks(LOOKED_UP) {
        let select = select_some(server.schema(), table, some.len());
        found += server.rows(&select, &some.concat()).await?.len() as u64;
    }
    Ok(found)
}

impl Changer for CrateDbChanger {
    async fn change(
        &mut self,
        mut transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        if transaction.end == End::RollBack {
            let message = "CrateDB has no transactions, so nothing can be rolled back";
            return Err(SinkError::fatal("no transactions", message));
        }
        let mut changed = Vec::with_capacity(transaction.groups.len());
        for (at, group) in transaction.groups.iter().enumerate() {
            let gone = transaction.gone(at, &self.mix);
            let answer = self.group(group, gone, transaction.attempt).await;
            changed.push(answer.map_err(|error| if at > 0 { error.in_part() } else { error })?);
        }
        if let Some(hold) = transaction.hold.take() {
            hold.await;
        }
        Ok(changed)
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        self.ask(query).await
    }
}
