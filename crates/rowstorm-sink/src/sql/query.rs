//! Queries of a mix as SQL: text, with places where parameters go.

use rowstorm_gen::changes::Query;
use rowstorm_gen::schema::{Template, TemplatePart};

use super::Names;
use crate::{SinkError, Statement};

/// One part of a query's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryPart {
    /// As written.
    Text(String),
    /// The parameter at this place of the statement's columns.
    Parameter(usize),
}

/// A query's words for a database, by its name in the document; `table` is the table's, quoted. Empty for a statement that is no
/// query.
///
/// # Errors
/// A fatal one if the document has no words for this database.
pub fn query(
    statement: &Statement,
    database: &str,
    names: &Names,
    table: &str,
) -> Result<Vec<QueryPart>, SinkError> {
    let text = |text: String| QueryPart::Text(text);
    let words = match &statement.query {
        None => return Ok(Vec::new()),
        Some(Query::Range { column, .. }) => {
            let name = (names.quote)(&statement.table.columns[*column].name);
            let all = names.columns(&statement.table);
            return Ok(vec![
                text(format!("SELECT {all} FROM {table} WHERE {name} BETWEEN ")),
                QueryPart::Parameter(0),
                text(" AND ".to_owned()),
                QueryPart::Parameter(1),
            ]);
        }
        Some(Query::Given { words, .. }) => words.sql(database),
    };
    let words = words.ok_or_else(|| without_words(statement, database))?;
    let template: Template =
        words.parse().map_err(|error| SinkError::fatal("usage", format!("`{words}`: {error}")))?;
    let part = |part| match part {
        TemplatePart::Text(text) => Ok(QueryPart::Text(text)),
        TemplatePart::Column(name) => {
            let columns = &statement.columns.columns;
            let place = columns.iter().position(|column| *column.name == *name);
            place.map(QueryPart::Parameter).ok_or_else(|| {
                SinkError::fatal("usage", format!("`{words}`: there is no column `{name}`"))
            })
        }
        TemplatePart::Range { .. } | TemplatePart::Row | TemplatePart::Series => {
            let message = format!("`{words}`: a parameter is a column of the table");
            Err(SinkError::fatal("usage", message))
        }
    };
    template.parts.into_iter().map(part).collect()
}

/// A query's words with something in the place of each parameter.
///
/// ```
/// use rowstorm_sink::sql::{QueryPart, worded};
///
/// let parts = [QueryPart::Text("SELECT a FROM t WHERE b = ".to_owned()), QueryPart::Parameter(0)];
/// assert_eq!(worded(&parts, |at| format!("${}", at + 1)), "SELECT a FROM t WHERE b = $1");
/// ```
pub fn worded(parts: &[QueryPart], place: impl Fn(usize) -> String) -> String {
    let one = |part: &QueryPart| match part {
        QueryPart::Text(text) => text.clone(),
        QueryPart::Parameter(at) => place(*at),
    };
    parts.iter().map(one).collect()
}

/// Refuses a mix with a query that has no words for a database.
///
/// # Errors
/// A fatal one that says what is missing.
pub fn check_words(mix: &[Statement], database: &str) -> Result<(), SinkError> {
    for statement in mix {
        if let Some(Query::Given { words, .. }) = &statement.query
            && words.sql(database).is_none()
        {
            return Err(without_words(statement, database));
        }
    }
    Ok(())
}

fn without_words(statement: &Statement, database: &str) -> SinkError {
    let message = format!(
        "the `statement:` that reads {:?} has no words for {database}: add `{database}: SELECT …`",
        statement.table.name
    );
    SinkError::fatal("usage", message)
}
