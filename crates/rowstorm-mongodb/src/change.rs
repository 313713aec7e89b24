//! Rows that change: one command for each group, every row found by its `_id`.
//!
//! There are no transactions: they need a replica set, and which server is there is not known before the run. Groups are done in
//! order, and what is refused is refused alone.

mod command;
mod explain;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mongodb::Database;
use mongodb::bson::{Bson, RawDocument, RawDocumentBuf, doc};
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{
    Attempt, Change, ChangeLimits, Changed, Changer, Delivery, End, SinkError, Statement,
    Transaction,
};

use crate::answer::{Answer, DUPLICATE_KEY};
use crate::connect::{Server, failed};
use crate::identity::ID;
use crate::{ROWS_MAX, WRITERS_MAX, dialect, error};
use command::{Command, Piece};
pub(crate) use explain::explain;

/// Documents that are looked for at once.
const FIND_ROWS: usize = 1000;

/// Changes rows of some collections. The connection is one of the driver's pool, taken for each command.
#[derive(Debug)]
pub struct MongodbChanger {
    server: Server,
    mix: Arc<[Statement]>,
    commands: Vec<Command>,
}

/// The facts, or what of the mix this database cannot do.
pub(crate) fn limits(mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
    for statement in mix {
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
    }
    Ok(ChangeLimits { rows: ROWS_MAX, changers: WRITERS_MAX, transactions: false })
}

impl MongodbChanger {
    pub(crate) fn new(server: Server, mix: &Arc<[Statement]>) -> MongodbChanger {
        let concern = server.write_concern();
        let command = |statement: &Statement| Command::new(statement, mix, concern.as_ref());
        let commands = mix.iter().map(command).collect();
        MongodbChanger { server, mix: Arc::clone(mix), commands }
    }

    /// Does one group; `done` tells whether an earlier command may have written.
    async fn group(
        &self,
        group: &Change<'_>,
        gone: u64,
        attempt: Attempt,
        done: &mut bool,
    ) -> Result<Changed, SinkError> {
        let statement = &self.mix[group.statement];
        let command = &self.commands[group.statement];
        let mut changed = Changed::default();
        for piece in command.pieces(group.batch)? {
            let one = match statement.kind {
                OpKind::Read => self.read(&statement.table.name, &piece).await?,
                OpKind::Insert | OpKind::Update | OpKind::Delete => {
                    let one = self.write(command, &piece, attempt).await;
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
        }
        let settled = changed.confirmed + changed.rejected.count;
        let found = Changed::found(changed.matched, group.batch.len() as u64 - settled, gone)?;
        let confirmed = changed.confirmed + found.confirmed;
        Ok(Changed { confirmed, rejected: changed.rejected, ..found })
    }

    /// One command: rows that were found or taken, and those that were refused.
    async fn write(
        &self,
        command: &Command,
        piece: &Piece,
        attempt: Attempt,
    ) -> Result<Changed, SinkError> {
        let text = RawDocumentBuf::from_bytes(piece.bytes.clone()).map_err(|error| {
            SinkError::fatal("command", "the command is no BSON").because(error)
        })?;
        let run = |db: Database| async move { db.run_raw_command(text).await };
        let answer = match self.server.run(run).await? {
            Ok(answer) if command.kind == OpKind::Insert => Answer::read(&answer, piece.rows)?,
            Ok(answer) => Answer::found(&answer)?,
            Err(error) => {
                let refused = error::read(&error, Delivery::InDoubt).refuse(piece.rows);
                let rejected = refused.map_err(error::into_error)?.rejected;
                return Ok(Changed { rejected, ..Changed::default() });
            }
        };
        let mut changed = Changed::matched(answer.accepted);
        let standing = match attempt {
            Attempt::Replay if command.kind == OpKind::Insert => {
                let taken = answer.refused.iter().filter(|row| row.code == DUPLICATE_KEY);
                let places: Vec<usize> = taken.map(|row| row.place).collect();
                self.standing(command, piece, &places).await?
            }
            Attempt::Replay | Attempt::First => HashSet::new(),
        };
        for row in answer.refused {
            if standing.contains(&row.place) {
                changed.confirmed += 1;
            } else {
                changed.rejected.add(row.class(), 1, row.message);
            }
        }
        Ok(changed)
    }

    /// Which of some inserted documents stand there with this content in the fields that no update sets.
    async fn standing(
        &self,
        command: &Command,
        piece: &Piece,
        places: &[usize],
    ) -> Result<HashSet<usize>, SinkError> {
        let sent = piece.documents("documents")?;
        let mut standing = HashSet::new();
        for places in places.chunks(FIND_ROWS) {
            let ids = places.iter().filter_map(|place| id_of(sent[*place])).collect();
            let there = self.find(&command.collection, ids).await?;
            let there: HashMap<Vec<u8>, &RawDocumentBuf> =
                there.iter().map(|row| (field(row, ID), row)).collect();
            standing.extend(places.iter().filter(|place| {
                let row = sent[**place];
                there.get(&field(row, ID)).is_some_and(|twin| {
                    command.steady.iter().all(|name| field(row, name) == field(twin, name))
                })
            }));
        }
        Ok(standing)
    }

    async fn read(&self, collection: &str, piece: &Piece) -> Result<Changed, SinkError> {
        let mut found = 0;
        let wanted = piece.documents("reads")?;
        for wanted in wanted.chunks(FIND_ROWS) {
            let ids = wanted.iter().filter_map(|row| id_of(row)).collect();
            found += self.find(collection, ids).await?.len() as u64;
        }
        Ok(Changed::matched(found))
    }

    /// Documents by their `_id`.
    async fn find(
        &self,
        collection: &str,
        ids: Vec<Bson>,
    ) -> Result<Vec<RawDocumentBuf>, SinkError> {
        let name = collection.to_owned();
        let find = |db: Database| async move {
            let collection = db.collection::<RawDocumentBuf>(&name);
            let mut found = collection.find(doc! { ID: { "$in": ids } }).await?;
            let mut there = Vec::new();
            while found.advance().await? {
                there.push(found.current().to_owned());
            }
            Ok(there)
        };
        self.server.run(find).await?.map_err(failed)
    }
}

impl Changer for MongodbChanger {
    async fn change(
        &mut self,
        mut transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        if transaction.end == End::RollBack {
            let message = "MongoDB is changed without transactions, so nothing can be rolled back";
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
}

/// A field's type and value, as bytes; none of a field that is not there.
fn field(document: &RawDocument, name: &str) -> Vec<u8> {
    let Ok(Some(value)) = document.get(name) else { return Vec::new() };
    let mut alone = RawDocumentBuf::new();
    alone.append(mongodb::bson::cstr!("field"), value);
    alone.into_bytes()
}

fn id_of(document: &RawDocument) -> Option<Bson> {
    Bson::try_from(document.get(ID).ok().flatten()?).ok()
}
