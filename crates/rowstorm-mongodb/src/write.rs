//! One writer: a payload is some `insert`s, one after another, and a replay looks for what stands there already.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mongodb::Database;
use mongodb::bson::{Bson, RawBsonRef, RawDocument, RawDocumentBuf, doc};
use rowstorm_gen::TablePlan;
use rowstorm_sink::{Attempt, Delivery, Outcome, Payload, SinkError, SinkErrorKind, Writer};

use crate::answer::{Answer, DUPLICATE_KEY, RefusedRow};
use crate::connect::{Server, failed};
use crate::error;
use crate::identity::ID;
use crate::{BYTES_MAX, COMMAND_ROWS, ROWS_MAX, dialect};

/// Documents that are looked for at once.
const FIND_ROWS: usize = 1000;

/// A writer into one collection. The connection is one of the driver's pool, taken for each command.
#[derive(Debug)]
pub struct MongodbWriter {
    server: Server,
    collection: String,
    /// Whether the server keeps one document of each `_id`.
    is_keyed: bool,
}

impl MongodbWriter {
    pub(crate) fn new(server: Server, table: &Arc<TablePlan>) -> MongodbWriter {
        let is_keyed = !dialect::is_timeseries(table);
        MongodbWriter { server, collection: dialect::collection(table), is_keyed }
    }

    /// Counts refused rows; of a replay, those that stand there as they were sent are no refusals.
    async fn settle(&self, answer: Answer, payload: &Payload) -> Result<Outcome, SinkError> {
        let mut outcome = Outcome::accepted(answer.accepted);
        let mut there = match payload.attempt {
            Attempt::Replay if self.is_keyed => self.standing(&answer.refused, payload).await?,
            Attempt::Replay | Attempt::First => HashSet::new(),
        };
        for row in answer.refused {
            if there.remove(&row.place) {
                outcome.confirmed += 1;
            } else {
                outcome.rejected.add(row.class, 1, row.message);
            }
        }
        Ok(outcome)
    }

    /// The places of refused duplicates that stand there as they were sent, one for each `_id`.
    async fn standing(
        &self,
        refused: &[RefusedRow],
        payload: &Payload,
    ) -> Result<HashSet<usize>, SinkError> {
        let duplicates: HashSet<usize> =
            refused.iter().filter(|row| row.code == DUPLICATE_KEY).map(|row| row.place).collect();
        if duplicates.is_empty() {
            return Ok(HashSet::new());
        }
        let sent = documents(payload.body.as_slice())?;
        let refused: HashSet<usize> = refused.iter().map(|row| row.place).collect();
        // A row that this very payload brought in is no earlier attempt's: its twin is a duplicate of the data.
        let mut taken: HashSet<Vec<u8>> = (0..sent.len())
            .filter(|place| !refused.contains(place))
            .map(|it| id(sent[it]))
            .collect();
        let mut places: Vec<usize> = duplicates.into_iter().collect();
        places.sort_unstable();
        let mut standing = HashSet::new();
        for places in places.chunks(FIND_ROWS) {
            let ids = places.iter().filter_map(|&place| id_value(sent[place])).collect();
            let there = self.find(ids).await?;
            for &place in places {
                let id = id(sent[place]);
                let same =
                    there.get(&id).is_some_and(|row| row.as_bytes() == sent[place].as_bytes());
                if same && taken.insert(id) {
                    standing.insert(place);
                }
            }
        }
        Ok(standing)
    }

    /// Documents by their `_id`.
    async fn find(&self, ids: Vec<Bson>) -> Result<HashMap<Vec<u8>, RawDocumentBuf>, SinkError> {
        let name = self.collection.clone();
        let find = |db: Database| async move {
            let collection = db.collection::<RawDocumentBuf>(&name);
            let mut found = collection.find(doc! { ID: { "$in": ids } }).await?;
            let mut there = HashMap::new();
            while found.advance().await? {
                there.insert(id(found.current()), found.current().to_owned());
            }
            Ok(there)
        };
        // The insert before it may have written: the payload stays in doubt.
        self.server.run(find).await?.map_err(|error| {
            let mut error = failed(error);
            error.kind = match error.kind {
                SinkErrorKind::Busy { .. } | SinkErrorKind::Lost(_) => {
                    SinkErrorKind::Lost(Delivery::InDoubt)
                }
                SinkErrorKind::TooLarge | SinkErrorKind::Fatal => SinkErrorKind::Fatal,
            };
            error
        })
    }
}

impl Writer for MongodbWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        if payload.is_empty() {
            return Ok(Outcome::default());
        }
        payload.check_bytes(BYTES_MAX)?;
        let rows = payload.len();
        if rows > u64::from(ROWS_MAX) {
            let message = format!("{rows} rows; one command holds at most {ROWS_MAX}");
            return Err(SinkError::new(SinkErrorKind::TooLarge, "payload", message));
        }
        // The driver takes a command for itself: one copy here, and its own.
        let commands: Vec<RawDocumentBuf> = commands(payload.body.as_slice())
            .map(|it| Ok(it?.to_owned()))
            .collect::<Result<_, SinkError>>()?;
        let insert = |db: Database| async move { Ok(insert(db, commands, rows).await) };
        let answer = self.server.run(insert).await?.map_err(failed)??;
        self.settle(answer, payload).await
    }
}

/// Sends the commands of a payload of so many rows, one after another, to the first that fails. Rows that a command was refused
/// with are those rows' refusals.
async fn insert(
    db: Database,
    commands: Vec<RawDocumentBuf>,
    rows: u64,
) -> Result<Answer, SinkError> {
    let mut whole = Answer::default();
    let (count, mut left) = (commands.len(), rows);
    for (at, command) in commands.into_iter().enumerate() {
        let first = rows - left;
        let rows = if at + 1 < count { left.min(COMMAND_ROWS.into()) } else { left };
        left -= rows;
        let answer = match db.run_raw_command(command).await {
            Ok(answer) => Answer::read(&answer, rows),
            Err(error) => Answer::refused(error::read(&error, Delivery::InDoubt), rows),
        };
        // What went before stays: the payload is in there in part.
        whole.add(answer.map_err(|error| if at > 0 { error.in_part() } else { error })?, first);
    }
    Ok(whole)
}

/// The commands of a payload, in their order.
fn commands(mut body: &[u8]) -> impl Iterator<Item = Result<&RawDocument, SinkError>> {
    std::iter::from_fn(move || {
        let length = u32::from_le_bytes(*body.first_chunk()?) as usize;
        let (command, rest) = body.split_at_checked(length.max(4)).unwrap_or((body, &[]));
        body = rest;
        Some(
            RawDocument::from_bytes(command).map_err(|error| {
                SinkError::fatal("payload", "the payload is no BSON").because(error)
            }),
        )
    })
}

/// The documents of a payload, in their order.
fn documents(body: &[u8]) -> Result<Vec<&RawDocument>, SinkError> {
    let broken = || SinkError::fatal("payload", "the payload is no insert");
    let mut documents = Vec::new();
    for command in commands(body) {
        let rows = command?.get_array("documents").map_err(|_| broken())?;
        for row in rows {
            documents.push(row.ok().and_then(RawBsonRef::as_document).ok_or_else(broken)?);
        }
    }
    Ok(documents)
}

/// A document's `_id`, as bytes that are equal where it is.
fn id(document: &RawDocument) -> Vec<u8> {
    let Some(value) = id_ref(document) else { return Vec::new() };
    let mut alone = RawDocumentBuf::new();
    alone.append(mongodb::bson::cstr!("_id"), value);
    alone.into_bytes()
}

fn id_value(document: &RawDocument) -> Option<Bson> {
    Bson::try_from(id_ref(document)?).ok()
}

fn id_ref(document: &RawDocument) -> Option<RawBsonRef<'_>> {
    document.get(ID).ok().flatten()
}
