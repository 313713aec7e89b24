//! Updates of one row each in one command: MariaDB does a prepared statement for every row of parameters
//! (`COM_STMT_BULK_EXECUTE`), commits each by itself, stops at the first that fails, and answers once: how many rows it found in all.
//!
//! A key finds one row at most, so as many rows as updates means that each found its own. If fewer were found, or one was refused,
//! the server does not say which: each is done once more by itself. A row that is set to its values twice is as if set once.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Error, Params};
use rowstorm_gen::changes::OpKind;
use rowstorm_schema::DataType;
use rowstorm_sink::{
    Answers, Change, Changed, Changer as _, Delivery, Reaction, SinkError, SinkErrorKind,
    Statement, Transaction,
};

use super::mix::Mix;
use super::script::surprised;
use super::{Lane, MysqlChanger};
use crate::error::{into_error, read};
use crate::types::Cell;

/// Whether updates of this entry may go as parameters: no column is written as hexadecimal digits, and keys are compared as the types they
/// are, never a decimal with a text.
pub(super) fn is_fit(statement: &Statement) -> bool {
    let columns = &statement.columns.columns;
    let compares =
        |of: DataType| matches!(of, DataType::Int(_) | DataType::Text { .. } | DataType::Uuid);
    statement.kind == OpKind::Update
        && columns.iter().all(|column| Cell::of(column) == Cell::Plain)
        && columns[..statement.keys()].iter().all(|column| compares(column.data_type))
}

/// The parameters of transactions that are all the same update, of one row each; `None` if any is something else, or has no value.
pub(super) fn parameters(
    lane: &Lane,
    mix: &mut Mix,
    transactions: &[&[Change<'_>]],
) -> Option<(usize, Vec<Params>)> {
    let statement = transactions.first()?.first()?.statement;
    let is_same = |groups: &&[Change<'_>]| matches!(groups, [group] if group.statement == statement && group.batch.len() == 1);
    let may_go = lane.takes_bulk && !lane.is_coarse && lane.is_quiet[statement];
    if transactions.len() < 2
        || !may_go
        || !mix.is_fit(statement)
        || !transactions.iter().all(is_same)
    {
        return None;
    }
    let (mut bytes, mut all) = (0, Vec::with_capacity(transactions.len()));
    for groups in transactions {
        let (wording, grid) = mix.encode(&groups[0]);
        if wording.may_be_cut(&grid) {
            return None;
        }
        let row = wording.parameters(&grid)?;
        // Its bytes, the length before them, and whether there is a value.
        bytes += row.iter().map(|value| value.bin_len() as usize + 1).sum::<usize>();
        all.push(Params::Positional(row));
    }
    (bytes <= lane.bytes_max).then_some((statement, all))
}

impl MysqlChanger {
    /// Does updates in one command, and if the server's answer leaves a doubt, each by itself.
    pub(super) async fn bulk(
        &mut self,
        mut lane: Lane,
        (statement, rows): (usize, Vec<Params>),
        transactions: &[&[Change<'_>]],
        answered: Answers<'_>,
    ) -> Result<(), SinkError> {
        let done = lane.execute(&self.mix, statement, rows).await;
        if let Err(error) = &done {
            let trouble = read(error, Delivery::InDoubt);
            if matches!(trouble.reaction, Reaction::Fail(SinkErrorKind::Lost(_))) {
                return Err(into_error(trouble));
            }
        }
        let has_warned = done.is_ok() && lane.connection.get_warnings() > 0;
        self.lane = Some(lane);
        if has_warned {
            return Err(surprised(true));
        }
        let are_all_found = done.is_ok_and(|found| found == transactions.len() as u64);
        for groups in transactions {
            answered(if are_all_found {
                vec![Changed::matched(1)]
            } else {
                self.change(Transaction::once(groups)).await?
            });
        }
        Ok(())
    }
}

impl Lane {
    /// Does a statement for each row of parameters; how many rows were found.
    async fn execute(
        &mut self,
        mix: &Mix,
        statement: usize,
        rows: Vec<Params>,
    ) -> Result<u64, Error> {
        let known = self.prepared[statement].take();
        let prepared = if let Some(known) = known {
            known
        } else {
            let prepared = self.connection.prep(mix.prepared(statement)).await;
            // One that cannot prepare goes on in packets.
            self.takes_bulk = !matches!(prepared, Err(Error::Server(_)));
            prepared?
        };
        let prepared = self.prepared[statement].insert(prepared).clone();
        self.connection.exec_batch(prepared, rows).await?;
        Ok(self.connection.affected_rows())
    }
}
