//! One connection that changes rows: a transaction is one call, in one round trip, wherever it can be.
//!
//! The driver waits for each answer, so BEGIN, five statements and COMMIT would be seven round trips, and most of the time
//! that client and server spend would go into them. Each statement of the mix therefore is a function of the session, too,
//! and a transaction is `SELECT f2(f0('{}', $1, $2), $3)`: inner functions run first, so the groups keep their order, and the
//! statement that has no BEGIN around it commits by itself. Rows that are read travel in the call's answer. Transactions that are
//! rolled back, held open, tried again or very large take BEGIN and an end of their own.

mod array;
mod course;
pub(crate) mod event;
mod query;
mod send;
mod statement;

use std::sync::Arc;

use rowstorm_gen::changes::OpKind;
use rowstorm_sink::rows::ColumnEncoder;
use rowstorm_sink::{
    Attempt, Change, Changed, Changer, Delivery, End, Queried, Reaction, SinkError, SinkErrorKind,
    Statement, Transaction, Trouble,
};
use sqlx::postgres::PgConnection;

use crate::catalogue::{self, Stored, failed};
use crate::connect::{Server, run};
use crate::encode::CopyFormat;
use crate::error::{into_error, trouble};
use crate::wire::{Wire, type_name};
use array::ArrayType;
use course::Failure;

/// Rows by key are looked up by its index, whatever the table's statistics say: a plan that was made while the table was small is kept, and
/// would scan the table for every group once it has grown.
const BY_INDEX: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";
/// One plan for a statement, kept: to the server's estimate a plan for the one row at hand is worth making anew for every transaction, and
/// making it costs more than the rows do. Releases before 12 do not know the setting.
const PLAN_ONCE: &str = "SELECT set_config(name, 'force_generic_plan', false) FROM pg_settings WHERE name = 'plan_cache_mode'";

/// One connection that changes rows of a mix's tables.
#[derive(Debug)]
pub struct PostgresChanger {
    server: Server,
    statements: Arc<[Statement]>,
    encoders: Vec<ColumnEncoder<CopyFormat>>,
    lane: Option<Lane>,
    /// Opened by the first query.
    asker: Option<PgConnection>,
}

/// A transaction, but for what holds it open.
#[derive(Clone, Copy)]
struct Ask<'a> {
    groups: &'a [Change<'a>],
    end: End,
    attempt: Attempt,
    /// Rows of each group that need not be found.
    gone: &'a [u64],
}

/// A connection, and the statements as this server is sent them.
#[derive(Debug)]
struct Lane {
    connection: PgConnection,
    words: Vec<Words>,
}

/// A statement of the mix, worded for the table that is there.
#[derive(Debug)]
struct Words {
    /// The stored types of the columns that travel, without length and precision.
    types: Vec<String>,
    arrays: Vec<ArrayType>,
    kind: OpKind,
    text: String,
    /// The function that does it as a part of a call.
    function: Option<String>,
}

/// A statement for people: the types are the schema's.
pub(crate) fn explain(statement: &Statement) -> String {
    if statement.query.is_some() {
        return query::parts(statement)
            .map_or_else(|error| error.message, |parts| query::text(&parts));
    }
    let types = statement.columns.columns.iter().map(type_name).map(|name| {
        let base = name.split('(').next().unwrap_or_default();
        base.trim().to_owned()
    });
    let types: Vec<String> = types.collect();
    statement::text(statement, &names(&types), 1)
}

impl PostgresChanger {
    pub(crate) async fn open(
        server: Server,
        statements: Arc<[Statement]>,
    ) -> Result<PostgresChanger, SinkError> {
        let encoder = |statement: &Statement| {
            let columns = &statement.columns;
            let wires = columns.columns.iter().map(Wire::of).collect();
            ColumnEncoder::new(columns, CopyFormat::new(wires))
        };
        let encoders = statements.iter().map(encoder).collect();
        let lane = Some(Lane::open(&server, &statements).await?);
        Ok(PostgresChanger { server, statements, encoders, lane, asker: None })
    }

    async fn change_on(
        &mut self,
        lane: &mut Lane,
        transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        let places = 0..transaction.groups.len();
        let gone: Vec<u64> =
            places.map(|group| transaction.gone(group, &self.statements)).collect();
        let Transaction { groups, end, attempt, hold } = transaction;
        let (failure, begun) =
            match self.send(lane, Ask { groups, end, attempt, gone: &gone }, hold).await {
                Ok(changed) => return Ok(changed),
                Err(failed) => failed,
            };
        let lost = matches!(
            &failure,
            Failure::Answer(Trouble { reaction: Reaction::Fail(SinkErrorKind::Lost(_)), .. })
        );
        if begun && !lost {
            // If this fails, too, the connection is gone, and the next transaction says so.
            let _ = run(&mut lane.connection, "ROLLBACK").await;
        }
        let trouble = match failure {
            Failure::Own(error) => return Err(error),
            Failure::Answer(trouble) => trouble,
        };
        match trouble.reaction {
            // What was tried before may stand there: nobody can say that it was refused.
            Reaction::Refuse if attempt == Attempt::Replay => Err(into_error(trouble)),
            Reaction::Sift | Reaction::Refuse => {
                let refused = |group: &Change<'_>| {
                    Changed::refused(group.batch.len() as u64, &trouble.class, &trouble.message)
                };
                Ok(groups.iter().map(refused).collect())
            }
            Reaction::Fail(_) => Err(into_error(trouble)),
        }
    }
}

impl Changer for PostgresChanger {
    async fn change(&mut self, transaction: Transaction<'_>) -> Result<Vec<Changed>, SinkError> {
        // As a writer's: a future that is dropped half-way takes the connection with it.
        let mut lane = match self.lane.take() {
            Some(lane) => lane,
            None => Lane::open(&self.server, &self.statements).await?,
        };
        let changed = self.change_on(&mut lane, transaction).await;
        let lost =
            changed.as_ref().is_err_and(|error| matches!(error.kind, SinkErrorKind::Lost(_)));
        if !lost {
            self.lane = Some(lane);
        }
        changed
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        self.ask(query).await
    }
}

impl Lane {
    /// Opens a connection and makes the statements' functions on it, where the database lets us.
    async fn open(server: &Server, statements: &[Statement]) -> Result<Lane, SinkError> {
        let mut connection = server.open().await?;
        run(&mut connection, BY_INDEX).await.map_err(failed)?;
        run(&mut connection, PLAN_ONCE).await.map_err(failed)?;
        let mut words = Vec::new();
        for statement in statements {
            let stored = catalogue::columns(&mut connection, &statement.table).await;
            words.push(Words::of(statement, &stored.map_err(failed)?)?);
        }
        let mut functions = Vec::new();
        for (at, (statement, words)) in statements.iter().zip(&mut words).enumerate() {
            let name = format!("pg_temp.rowstorm_change_{at}");
            if let Some(create) = statement::function(statement, &names(&words.types), &name) {
                words.function = Some(name);
                functions.push(create);
            }
        }
        if let Err(error) = run(&mut connection, &functions.join("; ")).await {
            let trouble = trouble(&error, Delivery::None);
            match trouble.class.split(' ').next() {
                // No TEMP privilege, no PL/pgSQL, read-only: statements one by one do the same.
                Some("42501" | "42704" | "25006") => {
                    for words in &mut words {
                        words.function = None;
                    }
                }
                Some(_) | None => return Err(into_error(trouble)),
            }
        }
        Ok(Lane { connection, words })
    }
}

impl Words {
    fn of(statement: &Statement, stored: &[Stored]) -> Result<Words, SinkError> {
        let (mut types, mut arrays) = (Vec::new(), Vec::new());
        for column in &statement.columns.columns {
            let there = stored.iter().find(|there| there.name == *column.name);
            let form =
                &there.ok_or_else(|| catalogue::missing(&statement.table, &column.name))?.detail;
            types.push(form.base.clone());
            arrays.push(ArrayType { array: form.array, element: form.element });
        }
        let text = match &statement.query {
            None => statement::text(statement, &names(&types), 1),
            Some(_) => query::text(&query::parts(statement)?),
        };
        Ok(Words { types, arrays, kind: statement.kind, text, function: None })
    }
}

fn names(types: &[String]) -> Vec<&str> {
    types.iter().map(String::as_str).collect()
}
