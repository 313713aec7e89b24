//! Transactions of prepared statements, row by row: there is no way to a server that batching would save, and each row
//! says for itself whether it was found.

pub(crate) mod event;
mod query;

use std::sync::Arc;

use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{
    Attempt, Change, Changed, Changer, Encoder, End, Payload, Queried, SinkError, Statement,
    Transaction,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::encode::{SqliteEncoder, take};
use crate::write::Worker;
use crate::{dialect, error};

/// One connection that changes rows.
pub struct SqliteChanger {
    worker: Worker,
    mix: Arc<[Statement]>,
    encoders: Vec<SqliteEncoder>,
    texts: Arc<[Texts]>,
    _temporary: Option<Arc<TempDir>>,
}

/// A statement's SQL.
struct Texts {
    kind: OpKind,
    columns: usize,
    sql: String,
    /// Whether a row stands that is inserted once more, or the row of a new key, by these of its columns.
    stands: String,
    by: Vec<usize>,
    /// Takes a row away by its key.
    unmake: String,
}

/// A group on its way to the connection's thread.
struct Group {
    statement: usize,
    rows: u64,
    gone: u64,
    remade: Vec<bool>,
    cells: Payload,
}

/// What stopped a transaction.
enum Stop {
    /// A row, or the database as a whole, refused it.
    Refused {
        class: String,
        sample: String,
    },
    Failed(SinkError),
}

impl SqliteChanger {
    pub(crate) async fn new(
        worker: Worker,
        mix: &Arc<[Statement]>,
        temporary: Option<Arc<TempDir>>,
    ) -> Result<SqliteChanger, SinkError> {
        let texts: Vec<Texts> = mix.iter().map(|statement| Texts::new(statement, mix)).collect();
        // What is prepared stays: three texts of each entry, and those that frame a transaction.
        let prepared = 3 * texts.len() + 3;
        worker
            .run(move |connection| connection.set_prepared_statement_cache_capacity(prepared))
            .await?;
        Ok(SqliteChanger {
            worker,
            mix: Arc::clone(mix),
            encoders: mix.iter().map(|entry| SqliteEncoder::new(&entry.columns)).collect(),
            texts: texts.into(),
            _temporary: temporary,
        })
    }
}

impl Texts {
    fn new(statement: &Statement, mix: &[Statement]) -> Texts {
        let keys = statement.keys();
        let (columns, by) = match statement.kind {
            OpKind::Rekey => (statement.table.key.clone(), (keys..2 * keys).collect()),
            OpKind::Insert | OpKind::Update | OpKind::Delete | OpKind::Read => {
                let steady = statement.steady(mix);
                (steady.clone(), steady)
            }
        };
        Texts {
            kind: statement.kind,
            columns: statement.columns.columns.len(),
            sql: dialect::change(statement),
            stands: dialect::stands(&statement.table, &columns),
            by,
            unmake: dialect::unmake(statement),
        }
    }
}

impl Changer for SqliteChanger {
    async fn change(
        &mut self,
        mut transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        let groups: Vec<Group> = (0..transaction.groups.len())
            .map(|at| {
                let change = &transaction.groups[at];
                let mut cells = Payload::default();
                self.encoders[change.statement].encode(change.batch, &mut cells);
                let rows = change.batch.len() as u64;
                let gone = transaction.gone(at, &self.mix);
                let remade = transaction.remade(at, &self.mix);
                Group { statement: change.statement, rows, gone, remade, cells }
            })
            .collect();
        let (texts, attempt) = (Arc::clone(&self.texts), transaction.attempt);
        let end = transaction.end;
        let done = match transaction.hold.take() {
            None => {
                let job = move |connection: &mut Connection| {
                    let changed = begin(connection, &texts, &groups, attempt)?;
                    finish(connection, end).map(|()| changed)
                };
                self.worker.run(job).await?
            }
            Some(hold) => {
                let job =
                    move |connection: &mut Connection| begin(connection, &texts, &groups, attempt);
                match self.worker.run(job).await? {
                    Ok(changed) => {
                        hold.await;
                        let ended = self.worker.run(move |connection| finish(connection, end));
                        ended.await?.map(|()| changed)
                    }
                    Err(stop) => Err(stop),
                }
            }
        };
        match done {
            Ok(changed) => Ok(changed),
            Err(Stop::Refused { class, sample }) => Ok(transaction.refused(&class, &sample)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        let (texts, at) = (Arc::clone(&self.texts), query.statement);
        let mut cells = Payload::default();
        if texts[at].columns > 0 {
            self.encoders[at].encode(query.batch, &mut cells);
        }
        let job = move |connection: &mut Connection| query::ask(connection, &texts[at], &cells);
        self.worker.run(job).await?.map(Queried::Rows).or_else(Queried::of)
    }
}

/// Opens a transaction and does its groups; what stops it undoes it.
fn begin(
    connection: &Connection,
    texts: &[Texts],
    groups: &[Group],
    attempt: Attempt,
) -> Result<Vec<Changed>, Stop> {
    // One that was held open when its future was dropped.
    roll_back(connection)?;
    // IMMEDIATE: a transaction that waits for the lock at its first row could not go on after another's commit.
    run(connection, "BEGIN IMMEDIATE")?;
    let done = groups.iter().map(|group| {
        let text = &texts[group.statement];
        change(connection, text, group, attempt)
    });
    done.collect::<Result<_, _>>().or_else(|stop| roll_back(connection).and(Err(stop)))
}

fn finish(connection: &Connection, end: End) -> Result<(), Stop> {
    let word = match end {
        End::Commit => "COMMIT",
        End::RollBack => "ROLLBACK",
    };
    run(connection, word).or_else(|stop| roll_back(connection).and(Err(stop)))
}

fn run(connection: &Connection, sql: &str) -> Result<(), Stop> {
    let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    done.map(|_| ()).map_err(Stop::whole)
}

fn roll_back(connection: &Connection) -> Result<(), Stop> {
    if connection.is_autocommit() { Ok(()) } else { run(connection, "ROLLBACK") }
}

/// Does one group row by row.
fn change(
    connection: &Connection,
    text: &Texts,
    group: &Group,
    attempt: Attempt,
) -> Result<Changed, Stop> {
    let mut statement = connection.prepare_cached(&text.sql).map_err(Stop::whole)?;
    let mut body = group.cells.body.as_slice();
    let (mut found, mut confirmed) = (0, 0);
    for is_remade in &group.remade {
        let row = body;
        for place in 1..=text.columns {
            statement.raw_bind_parameter(place, take(&mut body)).map_err(Stop::whole)?;
        }
        if *is_remade && stands(connection, text, row).map_err(Stop::whole)? {
            unmake(connection, text, row).map_err(Stop::whole)?;
            continue;
        }
        let done = match text.kind {
            OpKind::Read => statement.raw_query().next().map(|row| u64::from(row.is_some())),
            OpKind::Insert | OpKind::Update | OpKind::Delete | OpKind::Rekey => {
                statement.raw_execute().map(|rows| rows as u64)
            }
        };
        match (text.kind, done) {
            (OpKind::Insert, Ok(0)) => {
                let sample = "a trigger left the row out without an error".to_owned();
                return Err(Stop::Refused { class: "suppressed".to_owned(), sample });
            }
            (_, Ok(rows)) => found += rows,
            (OpKind::Insert, Err(failure))
                if attempt == Attempt::Replay
                    && error::is_duplicate(&failure)
                    && stands(connection, text, row).map_err(Stop::whole)? =>
            {
                confirmed += 1;
            }
            (_, Err(failure)) => return Err(Stop::row(failure)),
        }
    }
    let changed = Changed::found(found, group.rows - confirmed, group.gone);
    let changed = changed.map_err(Stop::Failed)?;
    Ok(Changed { confirmed: changed.confirmed + confirmed, ..changed })
}

/// Whether a row stands there with this content in the columns that no update sets, or with the new key.
fn stands(connection: &Connection, text: &Texts, mut row: &[u8]) -> rusqlite::Result<bool> {
    let mut find = connection.prepare_cached(&text.stands)?;
    let cells: Vec<_> = (0..text.columns).map(|_| take(&mut row)).collect();
    for (place, column) in text.by.iter().enumerate() {
        find.raw_bind_parameter(place + 1, cells[*column])?;
    }
    let mut rows = find.raw_query();
    rows.next()?.map_or(Ok(false), |row| row.get(0))
}

/// Takes away the row whose key comes first.
fn unmake(connection: &Connection, text: &Texts, mut row: &[u8]) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(&text.unmake)?;
    for place in 1..=text.by.len() {
        delete.raw_bind_parameter(place, take(&mut row))?;
    }
    delete.raw_execute().map(|_| ())
}

impl Stop {
    /// What a failed row means for its transaction.
    fn row(failure: rusqlite::Error) -> Stop {
        match error::verdict(&failure) {
            error::Verdict::Row { class, message } => Stop::Refused { class, sample: message },
            error::Verdict::Payload => Stop::whole(failure),
        }
    }

    fn whole(failure: rusqlite::Error) -> Stop {
        match error::whole(failure, 1).map(|outcome| outcome.rejected.refusals.into_iter().next()) {
            Ok(Some(refusal)) => Stop::Refused { class: refusal.class, sample: refusal.sample },
            Ok(None) => unreachable!("an outcome that is refused says why"),
            Err(error) => Stop::Failed(error),
        }
    }
}
