//! A transaction once more whose answer was lost: it may have been committed.
//!
//! What is updated or deleted twice ends as if once. Rows that are inserted go through a temporary table, and those that the table
//! has already are confirmed if they stand there with this content.

use std::collections::HashSet;

use mysql_async::prelude::Queryable as _;
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::sql::identity;
use rowstorm_sink::{Change, Changed, Statement, Transaction};

use super::mix::Mix;
use super::script::BEGIN;
use super::wording::Wording;
use super::{Failure, Lane, counted};
use crate::dialect;
use crate::error::class;

/// Does a transaction that may have been done before.
pub(super) async fn replay(
    lane: &mut Lane,
    mix: &mut Mix,
    transaction: Transaction<'_>,
) -> Result<Vec<Changed>, Failure> {
    let groups = transaction.groups;
    let gone: Vec<u64> =
        (0..groups.len()).map(|group| transaction.gone(group, &mix.statements)).collect();
    let Transaction { end, hold, .. } = transaction;
    let mut changed = Vec::with_capacity(groups.len());
    lane.connection.query_drop(BEGIN).await?;
    // The keys that it inserts, by table.
    let mut made: HashSet<(String, Vec<u8>)> = HashSet::new();
    for (group, gone) in groups.iter().zip(gone) {
        let statement = mix.statements[group.statement].clone();
        if statement.kind == OpKind::Insert && !identity(&statement.table).is_empty() {
            let (_, grid) = mix.encode(group);
            for row in 0..grid.rows() {
                made.insert((
                    statement.table.name.to_string(),
                    grid.key(row, &statement.table.key),
                ));
            }
            changed.push(insert(lane, mix, group, &statement).await?);
            continue;
        }
        mix.script.clear();
        if statement.kind == OpKind::Rekey {
            let keys: Vec<usize> = (0..statement.keys()).collect();
            let (wording, grid) = mix.encode(group);
            let name = statement.table.name.to_string();
            let is_made = |row: &usize| made.contains(&(name.clone(), grid.key(*row, &keys)));
            let mut again = Vec::new();
            for row in (0..grid.rows()).filter(is_made) {
                let mut text = Vec::new();
                wording.unmake(&grid, row, &mut text);
                again.push(text);
            }
            for text in again {
                lane.connection.query_drop(text).await?;
            }
        }
        mix.add(0, group, lane.bytes_max);
        let mut found = 0;
        for step in 0..mix.script.len() {
            found += lane.say(&mix.script, step..step + 1).await?.found;
        }
        changed.push(counted(&statement, found, group.batch.len() as u64, gone)?);
    }
    lane.end(end, hold).await?;
    Ok(changed)
}

/// Inserts rows that may stand there, by a temporary table that holds the types.
async fn insert(
    lane: &mut Lane,
    mix: &mut Mix,
    group: &Change<'_>,
    statement: &Statement,
) -> Result<Changed, Failure> {
    let table = &*statement.table;
    let identity = identity(table);
    let stage = dialect::quote(&format!("rowstorm_stage_{}", group.statement));
    if !lane.is_staged[group.statement] {
        lane.connection.query_drop(dialect::stage(table, &identity, &stage)).await?;
        lane.is_staged[group.statement] = true;
    }
    lane.connection.query_drop(format!("DELETE FROM {stage}")).await?;
    let wording = Wording::new(statement).into_table(stage.clone());
    mix.stage(group, &wording, lane.bytes_max);
    for step in 0..mix.script.len() {
        lane.say(&mix.script, step..step + 1).await?;
    }
    lane.connection.query_drop(dialect::unstage(table, &stage)).await?;
    let taken = lane.connection.affected_rows();
    let mut steady = identity.clone();
    steady.extend(statement.steady(&mix.statements));
    let standing = dialect::standing(table, &identity, &steady, &stage);
    let rows = group.batch.len() as u64;
    let left_out: Vec<(String, u16, String)> = lane.connection.query("SHOW WARNINGS").await?;
    let standing: Option<u64> = lane.connection.query_first(standing).await?;
    if standing.unwrap_or(0) < rows {
        // Which of the warnings are of rows that do not stand there is not said; any of them tells the reason.
        let (class, message) = left_out.into_iter().next().map_or_else(
            || (class(1062), "a key is taken by a row of other content".to_owned()),
            |(_, code, message)| (class(code), message),
        );
        return Err(Failure::Refused(class, message));
    }
    Ok(Changed { matched: taken, confirmed: rows - taken, ..Changed::default() })
}
