//! One connection that changes rows: a transaction is one round trip where nothing speaks against it.
//!
//! A statement by itself is a transaction by itself. Several go in one packet, with BEGIN before them and COMMIT behind; the server
//! does not come to it if one fails. Only a *warning* would come too late. In strict mode the server warns instead of failing where it leaves out digits of a decimal or spaces at
//! the end of a text. So statements go one by one, and the COMMIT last, where a column has too few digits, where a text ends in
//! a space, and for the first time that an entry of the mix is done: what warns always (a trigger, a word that is deprecated) is known then.

mod again;
mod bulk;
pub(crate) mod event;
mod mix;
mod packed;
mod query;
mod script;
mod wording;

use std::sync::Arc;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{
    Answers, Attempt, Change, Changed, Changer, Delivery, End, Hold, Queried, Reaction, SinkError,
    SinkErrorKind, Statement, Transaction, Trouble,
};

use crate::catalogue;
use crate::connect::{Server, Session};
use crate::error::{class, failed, into_error, is_beside, read};
use crate::literals::statement_bytes;

use mix::Mix;
use script::{Said, Script, surprised};
pub(crate) use wording::Wording;

const LOG_FORMAT: &str = "SHOW VARIABLES LIKE 'binlog_format'";
/// Without locks on the gaps between keys, where others insert. A binary log of statements could not be replayed so: the server
/// would refuse.
const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// One connection that changes rows.
#[derive(Debug)]
pub struct MysqlChanger {
    server: Server,
    mix: Mix,
    lane: Option<Lane>,
    /// Opened by the first query.
    asker: Option<Conn>,
}

/// A connection and what is known of it.
#[derive(Debug)]
struct Lane {
    connection: Conn,
    /// Does a prepared statement for many rows of parameters in one command.
    takes_bulk: bool,
    bytes_max: usize,
    /// A stored decimal has fewer digits than the schema's.
    is_coarse: bool,
    /// By entry: its statements were done without a warning.
    is_quiet: Vec<bool>,
    /// By entry: the temporary table of its replays is there.
    is_staged: Vec<bool>,
    /// By entry: its statement for one row, once it was needed.
    prepared: Vec<Option<mysql_async::Statement>>,
    /// A COMMIT is on its way.
    is_ending: bool,
}

/// Why a transaction must be undone.
enum Failure {
    Server(Error),
    /// Rows are refused, by their class and the server's words.
    Refused(String, String),
    Sink(SinkError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Server(error)
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Failure {
        Failure::Sink(error)
    }
}

impl MysqlChanger {
    pub(crate) async fn open(
        server: Server,
        statements: &Arc<[Statement]>,
    ) -> Result<MysqlChanger, SinkError> {
        let lane = Lane::open(&server, statements).await?;
        Ok(MysqlChanger { server, mix: Mix::new(statements), lane: Some(lane), asker: None })
    }

    /// The connection, taken out of its place: if a future is dropped half-way, the connection is dropped with it.
    async fn lane(&mut self) -> Result<Lane, SinkError> {
        match self.lane.take() {
            Some(lane) => Ok(lane),
            None => Lane::open(&self.server, &self.mix.statements).await,
        }
    }

    /// Undoes what is left of a transaction that failed, and says what became of its rows.
    async fn undo(
        &mut self,
        mut lane: Lane,
        failure: Failure,
        groups: &[Change<'_>],
        attempt: Attempt,
    ) -> Result<Vec<Changed>, SinkError> {
        let delivery = if lane.is_ending { Delivery::InDoubt } else { Delivery::None };
        let trouble = match failure {
            Failure::Server(error) => read(&error, delivery),
            Failure::Refused(class, message) => {
                Trouble { reaction: Reaction::Sift, class, message }
            }
            Failure::Sink(error) => return Err(error),
        };
        let is_lost = matches!(trouble.reaction, Reaction::Fail(SinkErrorKind::Lost(_)));
        // All of it, whatever the server undid by itself: after a lock wait that took too long that is one statement.
        if !is_lost && lane.connection.query_drop("ROLLBACK").await.is_ok() {
            lane.is_ending = false;
            self.lane = Some(lane);
        }
        match (trouble.reaction, attempt) {
            (Reaction::Sift, _) | (Reaction::Refuse, Attempt::First) => {
                let Trouble { class, message, .. } = trouble;
                let refused = |group: &Change<'_>| {
                    Changed::refused(group.batch.len() as u64, &class, &message)
                };
                Ok(groups.iter().map(refused).collect())
            }
            // What is refused whatever the rows hold says nothing of an earlier attempt.
            (Reaction::Fail(_), _) | (Reaction::Refuse, Attempt::Replay) => {
                Err(into_error(trouble))
            }
        }
    }
}

impl Changer for MysqlChanger {
    async fn change(&mut self, transaction: Transaction<'_>) -> Result<Vec<Changed>, SinkError> {
        let mut lane = self.lane().await?;
        let (groups, attempt) = (transaction.groups, transaction.attempt);
        let done = match attempt {
            Attempt::First => lane.change(&mut self.mix, transaction).await,
            Attempt::Replay => again::replay(&mut lane, &mut self.mix, transaction).await,
        };
        match done {
            Ok(changed) => {
                lane.is_ending = false;
                self.lane = Some(lane);
                Ok(changed)
            }
            Err(failure) => self.undo(lane, failure, groups, attempt).await,
        }
    }

    async fn change_each(
        &mut self,
        transactions: &[&[Change<'_>]],
        answered: Answers<'_>,
    ) -> Result<(), SinkError> {
        self.each(transactions, answered).await
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        self.ask(query).await
    }
}

impl Lane {
    async fn open(server: &Server, statements: &[Statement]) -> Result<Lane, SinkError> {
        let Session { mut connection, packet_bytes, is_mariadb, .. } = server.open().await?;
        // Each look at a table by itself: the second of a transaction does not wait for DDL on it, and is refused (1684).
        let mut is_coarse = false;
        for (at, Statement { table, .. }) in statements.iter().enumerate() {
            if statements[..at].iter().all(|other| other.table.name != table.name) {
                is_coarse |= catalogue::check(&mut connection, table).await?.is_coarse;
            }
        }
        let log: Option<(String, String)> =
            connection.query_first(LOG_FORMAT).await.map_err(failed)?;
        if log.is_none_or(|(_, format)| format != "STATEMENT") {
            connection.query_drop(READ_COMMITTED).await.map_err(failed)?;
        }
        // Whatever the server's own setting: what is alone is committed without more words.
        connection.query_drop("SET autocommit = 1").await.map_err(failed)?;
        Ok(Lane {
            connection,
            takes_bulk: is_mariadb,
            bytes_max: statement_bytes(packet_bytes),
            is_coarse,
            is_quiet: vec![false; statements.len()],
            is_staged: vec![false; statements.len()],
            prepared: vec![None; statements.len()],
            is_ending: false,
        })
    }

    /// Does a transaction for the first time.
    async fn change(
        &mut self,
        mix: &mut Mix,
        transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, Failure> {
        let Transaction { groups, end, hold, .. } = transaction;
        let mut one_by_one = self.is_coarse || hold.is_some();
        mix.script.begin();
        for (at, group) in groups.iter().enumerate() {
            let may_be_cut = mix.add(at, group, self.bytes_max);
            one_by_one |= may_be_cut || !self.is_quiet[group.statement];
        }
        let mut found = vec![0; groups.len()];
        if one_by_one {
            for step in 0..mix.script.len() {
                let said = self.say(&mix.script, step..step + 1).await?;
                if let Some(group) = mix.script.group(step) {
                    found[group] += said.found;
                    self.is_quiet[groups[group].statement] = said.warnings == 0;
                }
            }
            let changed = count(&mix.statements, groups, &found)?;
            self.end(end, hold).await?;
            return Ok(changed);
        }
        let mut step = mix.script.end(end);
        while step < mix.script.len() {
            let packet = mix.script.packet(step, self.bytes_max);
            self.is_ending = end == End::Commit && packet.end == mix.script.len();
            let (script, mut has_warned) = (&mix.script, false);
            let heard = |step, said: Said| {
                if let Some(group) = script.group(step) {
                    found[group] += said.found;
                    has_warned |= said.warnings > 0;
                }
            };
            script.send(packet.clone(), &mut self.connection, heard).await?;
            if has_warned {
                return Err(surprised(self.is_ending).into());
            }
            step = packet.end;
        }
        Ok(count(&mix.statements, groups, &found)?)
    }

    /// Does one statement, and reads its warnings: a value that was changed to fit is refused.
    async fn say(
        &mut self,
        script: &Script,
        step: std::ops::Range<usize>,
    ) -> Result<Said, Failure> {
        let mut said = Said::default();
        script.send(step, &mut self.connection, |_, answer| said = answer).await?;
        if said.warnings > 0 {
            let listed: Vec<(String, u16, String)> = self.connection.query("SHOW WARNINGS").await?;
            if let Some((_, code, message)) =
                listed.into_iter().find(|(_, code, _)| !is_beside(*code))
            {
                return Err(Failure::Refused(class(code), message));
            }
        }
        Ok(said)
    }

    /// Ends the transaction, after what holds it.
    async fn end(&mut self, end: End, hold: Option<Hold<'_>>) -> Result<(), Failure> {
        if let Some(hold) = hold {
            hold.await;
        }
        self.is_ending = end == End::Commit;
        Ok(self.connection.query_drop(script::words(end)).await?)
    }
}

/// What became of the groups' rows.
fn count(
    mix: &[Statement],
    groups: &[Change<'_>],
    found: &[u64],
) -> Result<Vec<Changed>, SinkError> {
    let of = |(group, found): (&Change<'_>, &u64)| {
        counted(&mix[group.statement], *found, group.batch.len() as u64, 0)
    };
    groups.iter().zip(found).map(of).collect()
}

/// What became of one group's rows, of which so many were found, or inserted, and so many may be gone.
fn counted(statement: &Statement, found: u64, rows: u64, gone: u64) -> Result<Changed, SinkError> {
    let mut changed = Changed::found(found, rows, gone)?;
    if statement.kind == OpKind::Insert {
        changed.rejected.add_suppressed(std::mem::take(&mut changed.missed));
    }
    Ok(changed)
}
