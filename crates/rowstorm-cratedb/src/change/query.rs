//! Queries. The answer is one document, whose rows are counted; rows that were not refreshed yet are not in it.

use rowstorm_gen::changes::Query;
use rowstorm_sink::sql::{self, QueryPart, check_words, worded};
use rowstorm_sink::{Change, Encoder as _, Payload, Queried, SinkError, Statement};
use serde_json::Value;

use super::CrateDbChanger;
use crate::dialect::{self, NAMES};
use crate::encode::lines;
use crate::replay::row;

/// What a statement that reads begins with: CrateDB knows no session that only reads.
const READING: [&str; 6] = ["select", "with", "values", "table", "show", "explain"];

/// Refuses a query that has no words, or words that write.
pub(super) fn check(statement: &Statement) -> Result<(), SinkError> {
    check_words(std::slice::from_ref(statement), "cratedb")?;
    let Some(Query::Given { words, .. }) = &statement.query else { return Ok(()) };
    let text = words.sql("cratedb").unwrap_or_default();
    let first = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let first = first.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if READING.contains(&first.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let message = format!("`{text}` writes, and a query only reads: it begins with SELECT");
    Err(SinkError::fatal("usage", message))
}

/// A query for people.
pub(super) fn explain(schema: &str, statement: &Statement) -> String {
    let parts = parts(schema, statement);
    parts.map_or_else(|error| error.message, |parts| worded(&parts, |_| "?".to_owned()))
}

fn parts(schema: &str, statement: &Statement) -> Result<Vec<QueryPart>, SinkError> {
    let table = dialect::table_name(schema, &statement.table);
    sql::query(statement, "cratedb", &NAMES, &table)
}

impl CrateDbChanger {
    /// Asks a query, and counts its rows.
    pub(super) async fn ask(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        let statement = &self.mix[query.statement];
        let parts = parts(self.server.schema(), statement)?;
        let mut payload = Payload { rows: 0..1, ..Payload::default() };
        if !statement.columns.columns.is_empty() {
            let encoder = &mut self.lanes[query.statement].encoder;
            encoder.begin(&mut payload);
            encoder.encode(query.batch, &mut payload);
            encoder.end(&mut payload);
        }
        let cells = lines(payload.body.as_slice()).next().and_then(row).unwrap_or_default();
        let used = parts.iter().filter_map(|part| match part {
            QueryPart::Text(_) => None,
            QueryPart::Parameter(at) => Some(cells[*at].clone()),
        });
        let arguments: Vec<Value> = used.collect();
        let text = worded(&parts, |_| "?".to_owned());
        let answer = self.server.rows(&text, &arguments).await;
        answer.map(|rows| Queried::Rows(rows.len() as u64)).or_else(Queried::of)
    }
}
