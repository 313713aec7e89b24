//! Queries: on a connection of their own that only reads, outside of any transaction; parameters are literals, written by the
//! encoder of the rows.

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use rowstorm_sink::sql::{QueryPart, query};
use rowstorm_sink::{Change, Queried, SinkError, SinkErrorKind, Statement};

use super::MysqlChanger;
use crate::dialect::{NAMES, table_name};
use crate::error::failed;

/// What would write is refused by the server, whatever its words.
const READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY";

/// A query's parts; none of another statement.
pub(super) fn parts(statement: &Statement) -> Result<Vec<QueryPart>, SinkError> {
    query(statement, "mysql", &NAMES, &table_name(&statement.table))
}

impl MysqlChanger {
    /// Asks a query, and counts its rows as they come.
    pub(super) async fn ask(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        let mut asker = if let Some(asker) = self.asker.take() {
            asker
        } else {
            let mut asker = self.server.open().await?.connection;
            asker.query_drop(READ_ONLY).await.map_err(failed)?;
            asker
        };
        let parts = parts(&self.mix.statements[query.statement])?;
        let mut text = Vec::new();
        self.mix.ask(&query, &parts, &mut text);
        let counted = count(&mut asker, &text).await.map_err(failed);
        let is_lost = |error: &SinkError| matches!(error.kind, SinkErrorKind::Lost(_));
        if !counted.as_ref().is_err_and(is_lost) {
            self.asker = Some(asker);
        }
        counted.map(Queried::Rows).or_else(Queried::of)
    }
}

async fn count(asker: &mut Conn, text: &[u8]) -> Result<u64, mysql_async::Error> {
    let mut result = asker.query_iter(text).await?;
    let mut count = 0;
    while result.next().await?.is_some() {
        count += 1;
    }
    // Whatever stands behind a semicolon.
    result.drop_result().await?;
    Ok(count)
}
