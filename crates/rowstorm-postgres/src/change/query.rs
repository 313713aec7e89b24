//! Queries: on a connection of their own that only reads, with the server's own settings for its plans.

use futures_util::StreamExt as _;
use rowstorm_sink::sql::{QueryPart, query, worded};
use rowstorm_sink::{Change, Delivery, Queried, SinkError, SinkErrorKind, Statement};
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgConnection, PgTypeInfo, Postgres};
use sqlx::{Arguments as _, Connection as _, Type};

use super::{PostgresChanger, Words};
use crate::connect::run;
use crate::dialect::{NAMES, table_name};
use crate::error::{into_error, trouble};

/// What would write is refused by the server, whatever its words.
const READ_ONLY: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY";

/// A query's parts; none of another statement.
pub(super) fn parts(statement: &Statement) -> Result<Vec<QueryPart>, SinkError> {
    query(statement, "postgres", &NAMES, &table_name(&statement.table))
}

/// A query's text, its parameters numbered.
pub(super) fn text(parts: &[QueryPart]) -> String {
    worded(parts, |at| format!("${}", at + 1))
}

impl PostgresChanger {
    /// Asks a query, and counts its rows as they come.
    pub(super) async fn ask(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        let failed = |error: sqlx::Error| into_error(trouble(&error, Delivery::None));
        let Some(words) = self.lane.as_ref().map(|lane| &lane.words[query.statement]) else {
            // A connection that was lost comes back with the next transaction, and the stored types with it.
            self.lane = Some(super::Lane::open(&self.server, &self.statements).await?);
            return Box::pin(self.ask(query)).await;
        };
        let mut asker = if let Some(asker) = self.asker.take() {
            asker
        } else {
            let mut asker = self.server.open().await?;
            run(&mut asker, READ_ONLY).await.map_err(failed)?;
            asker
        };
        let encoder = &mut self.encoders[query.statement];
        encoder.clear();
        encoder.encode(query.batch);
        let arguments = arguments(words, encoder.columns())?;
        let mut counted = count(&mut asker, &words.text, arguments.clone()).await;
        if counted.as_ref().is_err_and(is_outdated) {
            // `SELECT *` of a table that has another column now.
            asker.clear_cached_statements().await.map_err(failed)?;
            counted = count(&mut asker, &words.text, arguments).await;
        }
        let counted = counted.map_err(failed);
        let is_lost = |error: &SinkError| matches!(error.kind, SinkErrorKind::Lost(_));
        if !counted.as_ref().is_err_and(is_lost) {
            self.asker = Some(asker);
        }
        counted.map(Queried::Rows).or_else(Queried::of)
    }
}

/// A statement that was prepared before its table was altered: nothing is wrong with its words.
fn is_outdated(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| {
        error.code().as_deref() == Some("0A000") && error.message().contains("cached plan")
    })
}

async fn count(
    asker: &mut PgConnection,
    text: &str,
    arguments: PgArguments,
) -> Result<u64, sqlx::Error> {
    let mut rows = sqlx::query_with(text, arguments).fetch(asker);
    let mut count = 0;
    while let Some(row) = rows.next().await {
        row?;
        count += 1;
    }
    Ok(count)
}

fn arguments<'a>(
    words: &Words,
    cells: impl Iterator<Item = &'a [u8]>,
) -> Result<PgArguments, SinkError> {
    let mut arguments = PgArguments::default();
    for (cell, array) in cells.zip(&words.arrays) {
        let added = arguments.add(Parameter { element: array.element, cell });
        added.map_err(|error| SinkError::fatal("parameter", error.to_string()))?;
    }
    Ok(arguments)
}

/// One value: its cell of COPY BINARY, without the length in front.
struct Parameter<'a> {
    element: Oid,
    cell: &'a [u8],
}

impl Encode<'_, Postgres> for Parameter<'_> {
    fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let (length, value) =
            self.cell.split_at_checked(4).ok_or("a cell has its length before it")?;
        if length == (-1_i32).to_be_bytes() {
            return Ok(IsNull::Yes);
        }
        out.extend_from_slice(value);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(self.element))
    }
}

impl Type<Postgres> for Parameter<'_> {
    /// Asked for only where a value does not say it by itself.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("text")
    }
}
