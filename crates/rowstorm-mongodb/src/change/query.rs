//! Queries: a `find` over a range, or a command of the user's own; the parameters are BSON of the columns' types.

use mongodb::Database;
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use rowstorm_gen::Batch;
use rowstorm_gen::changes::Query;
use rowstorm_gen::schema::Command;
use rowstorm_sink::rows::Item;
use rowstorm_sink::{Buffer, Change, Queried, SinkError, Statement};

use super::MongodbChanger;
use crate::connect::failed;
use crate::dialect;
use crate::value::{close, element, open};
use crate::wire::{Wire, c_string};

/// The command with something for each parameter, by its place among the statement's columns; `None` if the statement is no
/// query.
pub(super) fn command(
    statement: &Statement,
    parameter: &impl Fn(usize) -> Bson,
) -> Result<Option<Document>, SinkError> {
    let table = &statement.table;
    match &statement.query {
        None => Ok(None),
        Some(Query::Range { column, .. }) => {
            let name = &*table.columns[*column].name;
            let between = doc! { "$gte": parameter(0), "$lte": parameter(1) };
            Ok(Some(doc! { "find": dialect::collection(table), "filter": { name: between } }))
        }
        Some(Query::Given { words, .. }) => {
            let Some(words) = words.command() else {
                let message = format!(
                    "the `statement:` that reads {:?} has no words for MongoDB: add `mongodb: {{ find: {:?}, filter: {{ … }} }}`",
                    table.name, table.name
                );
                return Err(SinkError::fatal("usage", message));
            };
            let mut command: Document = serde_json::from_str(&words.0)
                .map_err(|error| SinkError::fatal("usage", format!("{}: {error}", words.0)))?;
            let place = |name: &str| {
                statement.columns.columns.iter().position(|column| *column.name == *name)
            };
            let value = |name: &str| place(name).map(parameter);
            command.iter_mut().for_each(|(_, node)| fill(node, &value));
            Ok(Some(command))
        }
    }
}

/// Puts values where parameters stand; doubled braces become single ones.
fn fill(node: &mut Bson, value: &impl Fn(&str) -> Option<Bson>) {
    match node {
        Bson::Document(inner) => inner.iter_mut().for_each(|(_, node)| fill(node, value)),
        Bson::Array(items) => items.iter_mut().for_each(|item| fill(item, value)),
        Bson::String(text) => {
            if let Some(found) = Command::parameter(text).and_then(value) {
                *node = found;
            } else if text.starts_with("{{") && text.ends_with("}}") {
                *text = text[1..text.len() - 1].to_owned();
            }
        }
        _ => {}
    }
}

/// The values of the one row, as the rows' own encoder has them.
fn values(statement: &Statement, batch: &Batch) -> Result<Vec<Bson>, SinkError> {
    let unreadable = |error: mongodb::bson::error::Error| {
        SinkError::fatal("command", "a parameter is no BSON").because(error)
    };
    let mut out = Buffer::default();
    let start = open(&mut out);
    for (place, column) in statement.columns.columns.iter().enumerate() {
        let wire = Wire::of(&statement.columns, column);
        let item = Item { data: &batch.columns[place], index: 0, series: &batch.series };
        element(&c_string(&place.to_string()), item, &wire, &mut out);
    }
    close(start, &mut out);
    let raw = RawDocumentBuf::from_bytes(out.as_slice().to_vec()).map_err(unreadable)?;
    let document = Document::try_from(raw).map_err(unreadable)?;
    Ok(document.into_iter().map(|(_, value)| value).collect())
}

impl MongodbChanger {
    /// Asks a query, and counts what comes.
    pub(super) async fn ask(&self, query: Change<'_>) -> Result<Queried, SinkError> {
        let statement = &self.mix[query.statement];
        let values = values(statement, query.batch)?;
        let Some(command) = command(statement, &|place| values[place].clone())? else {
            return Err(SinkError::fatal("command", "only a query is asked"));
        };
        let count = |db: Database| async move {
            let name = command.keys().next().map(String::as_str);
            if !matches!(name, Some("find" | "aggregate")) {
                let answer = db.run_command(command).await?;
                // The values of a `distinct`; else the answer itself.
                return Ok(answer.get_array("values").map_or(1, |values| values.len() as u64));
            }
            let mut rows = db.run_cursor_command(command).await?;
            let mut count = 0;
            while rows.advance().await? {
                count += 1;
            }
            Ok(count)
        };
        let counted = self.link.server().run(count).await?.map_err(failed);
        counted.map(Queried::Rows).or_else(Queried::of)
    }
}

/// A query for people.
pub(super) fn explain(statement: &Statement) -> String {
    let alias = |place: usize| {
        let column = &statement.columns.columns[place];
        Bson::String(format!("<{}>", Wire::of(&statement.columns, column).alias()))
    };
    match command(statement, &alias) {
        Ok(command) => format!("db.runCommand({})", command.unwrap_or_default()),
        Err(error) => error.message,
    }
}
