//! Rows that change: one command for each group, every row found by its `_id`.
//!
//! Where the URL says that the server is a replica set or a cluster, the groups of a transaction are kept or undone together.
//! Anywhere else they are done in order, and what is refused is refused alone.

mod command;
pub(crate) mod event;
mod explain;
mod link;
mod query;
mod replay;

use std::collections::HashSet;
use std::sync::Arc;

use mongodb::bson::{Bson, Document, RawDocumentBuf};
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{
    Attempt, Change, ChangeLimits, Changed, Changer, Delivery, End, Queried, SinkError,
    SinkErrorKind, Statement, Transaction,
};

use crate::answer::{Answer, DUPLICATE_KEY};
use crate::connect::Server;
use crate::error::{self, BUSY};
use crate::{ROWS_MAX, WRITERS_MAX, dialect};
use command::{Command, Piece};
pub(crate) use explain::explain;
use link::{Link, undone};
use replay::{id_of, replay, standing};

/// Documents that are looked for at once.
const FIND_ROWS: usize = 1000;

/// Changes rows of some collections. The connection is one of the driver's pool, taken for each command.
#[derive(Debug)]
pub struct MongodbChanger {
    link: Link,
    mix: Arc<[Statement]>,
    commands: Vec<Command>,
}

/// The facts, or what of the mix this database cannot do.
pub(crate) fn limits(mix: &[Statement], transactions: bool) -> Result<ChangeLimits, SinkError> {
    for statement in mix {
        if query::command(statement, &|_| Bson::Null)?.is_some() {
            continue;
        }
        let name = &statement.table.name;
        if statement.kind == OpKind::Rekey {
            let message = format!(
                "table {name:?}: MongoDB cannot change the `_id` of a document, and it is made of the key: leave `rekey:` out"
            );
            return Err(SinkError::fatal("usage", message));
        }
        if statement.kind != OpKind::Insert && dialect::is_timeseries(&statement.table) {
            let message = format!(
                "table {name:?}: a time-series collection keeps no key by which to {} a row",
                statement.kind.word()
            );
            return Err(SinkError::fatal("usage", message));
        }
        if transactions && dialect::is_timeseries(&statement.table) {
            let message = format!(
                "table {name:?}: a time-series collection takes no part in transactions: say `?transactions=false` in the URL"
            );
            return Err(SinkError::fatal("usage", message));
        }
    }
    Ok(ChangeLimits { rows: ROWS_MAX, changers: WRITERS_MAX, transactions, pipeline: 1 })
}

impl MongodbChanger {
    pub(crate) fn new(server: Server, mix: &Arc<[Statement]>) -> MongodbChanger {
        // A command within a transaction has no concern of its own: the commit has the URL's.
        let concern = if server.has_transactions() { None } else { server.write_concern() };
        let command = |statement: &Statement| Command::new(statement, mix, concern.as_ref());
        let commands = mix.iter().map(command).collect();
        MongodbChanger { link: Link::new(server), mix: Arc::clone(mix), commands }
    }

    /// Does the groups one after another; what is done stays.
    async fn in_order(
        &mut self,
        mut transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        if transaction.end == End::RollBack {
            let message = "without a replica set in the URL MongoDB is changed without transactions, so nothing can be rolled back";
            return Err(SinkError::fatal("no transactions", message));
        }
        let mut done = false;
        let mut changed = Vec::with_capacity(transaction.groups.len());
        for (at, group) in transaction.groups.iter().enumerate() {
            let gone = transaction.gone(at, &self.mix);
            let answer = self.group(group, gone, transaction.attempt, &mut done).await;
            changed.push(answer.map_err(|error| if done { error.in_part() } else { error })?);
        }
        if let Some(hold) = transaction.hold.take() {
            hold.await;
        }
        Ok(changed)
    }

    /// Does the groups as one transaction; it is still open if it is not told to have failed.
    async fn together(
        &mut self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        let mut changed = Vec::with_capacity(transaction.groups.len());
        for (at, group) in transaction.groups.iter().enumerate() {
            let gone = transaction.gone(at, &self.mix);
            let one = self.group(group, gone, transaction.attempt, &mut false).await?;
            if let Some(refusal) = one.rejected.refusals.first() {
                let refused = transaction.refused(&refusal.class, &refusal.sample);
                self.link.abort().await?;
                return Ok(refused);
            }
            changed.push(one);
        }
        if let Some(hold) = transaction.hold.take() {
            hold.await;
        }
        Ok(changed)
    }

    /// Does one group; `done` tells whether an earlier command may have written.
    async fn group(
        &mut self,
        group: &Change<'_>,
        gone: u64,
        attempt: Attempt,
        done: &mut bool,
    ) -> Result<Changed, SinkError> {
        let MongodbChanger { link, mix, commands } = self;
        let statement = &mix[group.statement];
        let command = &commands[group.statement];
        let mut changed = Changed::default();
        for piece in command.pieces(group.batch)? {
            let one = match statement.kind {
                OpKind::Read => read(link, &statement.table.name, &piece).await?,
                OpKind::Insert if link.is_open() && attempt == Attempt::Replay => {
                    replay(link, command, piece).await?
                }
                OpKind::Insert | OpKind::Update | OpKind::Delete => {
                    let one = write(link, command, &piece, attempt).await;
                    *done |= one.is_ok();
                    one?
                }
                OpKind::Rekey => unreachable!("`limits` refuses such a mix"),
            };
            changed.matched += one.matched;
            changed.confirmed += one.confirmed;
            for refusal in one.rejected.refusals {
                changed.rejected.add(refusal.class, refusal.count, refusal.sample);
            }
            if link.is_open() && changed.rejected.count > 0 {
                return Ok(changed);
            }
        }
        let settled = changed.confirmed + changed.rejected.count;
        let found = Changed::found(changed.matched, group.batch.len() as u64 - settled, gone)?;
        let confirmed = changed.confirmed + found.confirmed;
        Ok(Changed { confirmed, rejected: changed.rejected, ..found })
    }
}

/// One command: rows that were found or taken, and those that were refused.
async fn write(
    link: &mut Link,
    command: &Command,
    piece: &Piece,
    attempt: Attempt,
) -> Result<Changed, SinkError> {
    let text = RawDocumentBuf::from_bytes(piece.bytes.clone())
        .map_err(|error| SinkError::fatal("command", "the command is no BSON").because(error))?;
    let answer = match link.command(text).await? {
        Ok(answer) if link.is_open() => return within(&answer, command.kind, piece.rows),
        Ok(answer) if command.kind == OpKind::Insert => Answer::read(&answer, piece.rows)?,
        Ok(answer) => Answer::found(&answer)?,
        Err(error) => {
            let delivery = if link.is_open() { Delivery::None } else { Delivery::InDoubt };
            let refused = error::read(&error, delivery).refuse(piece.rows);
            let rejected = refused.map_err(|_| undone(&error, delivery))?.rejected;
            return Ok(Changed { rejected, ..Changed::default() });
        }
    };
    let mut changed = Changed::matched(answer.accepted);
    let standing = match attempt {
        Attempt::Replay if command.kind == OpKind::Insert => {
            let taken = answer.refused.iter().filter(|row| row.code == DUPLICATE_KEY);
            let places: Vec<usize> = taken.map(|row| row.place).collect();
            standing(link, command, piece, &places).await?.same
        }
        Attempt::Replay | Attempt::First => HashSet::new(),
    };
    for row in answer.refused {
        if standing.contains(&row.place) {
            changed.confirmed += 1;
        } else {
            changed.rejected.add(row.class, 1, row.message);
        }
    }
    Ok(changed)
}

/// An answer within a transaction: the first row that is refused ends it.
fn within(answer: &Document, kind: OpKind, rows: u64) -> Result<Changed, SinkError> {
    let found = Answer::found(answer).map_err(|mut error| {
        // What passes in a while: nothing is kept, and it begins again.
        if error.kind == SinkErrorKind::Lost(Delivery::InDoubt) {
            error.kind = BUSY;
        }
        error
    })?;
    let mut changed = Changed::matched(found.accepted);
    for row in found.refused {
        changed.rejected.add(row.class, 1, row.message);
    }
    if changed.rejected.count == 0 && kind == OpKind::Insert && found.accepted != rows {
        let text = format!("the server took {} documents of {rows}", found.accepted);
        return Err(SinkError::fatal("accounting", text));
    }
    Ok(changed)
}

async fn read(link: &mut Link, collection: &str, piece: &Piece) -> Result<Changed, SinkError> {
    let mut found = 0;
    let wanted = piece.documents("reads")?;
    for wanted in wanted.chunks(FIND_ROWS) {
        let ids = wanted.iter().filter_map(|row| id_of(row)).collect();
        found += link.find(collection, ids).await?.len() as u64;
    }
    Ok(Changed::matched(found))
}

impl Changer for MongodbChanger {
    async fn change(
        &mut self,
        mut transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        if !self.link.has_transactions() {
            return self.in_order(transaction).await;
        }
        self.link.begin().await?;
        let changed = self.together(&mut transaction).await;
        match (transaction.end, changed.is_ok() && self.link.is_open()) {
            (End::Commit, true) => self.link.commit().await?,
            (End::RollBack, true) | (_, false) => self.link.abort().await?,
        }
        changed
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        self.ask(query).await
    }
}
