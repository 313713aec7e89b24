//! Events as SQL.

use rowstorm_gen::TablePlan;

use crate::{Event, SinkError};

/// An event's words for a database, by its name in the document; `empty` words what takes a table's rows away.
///
/// # Errors
/// A fatal one if the document has no words for this database.
///
/// ```
/// use rowstorm_gen::schema::Words;
/// use rowstorm_sink::{Event, sql};
///
/// let event = Event::Statement(Words::Sql("VACUUM".to_owned()));
/// let empty = |table: &rowstorm_gen::TablePlan| format!("TRUNCATE TABLE {}", table.name);
/// assert_eq!(sql::event(&event, "postgres", empty)?, "VACUUM");
/// # Ok::<(), rowstorm_sink::SinkError>(())
/// ```
pub fn event(
    event: &Event,
    database: &str,
    empty: impl Fn(&TablePlan) -> String,
) -> Result<String, SinkError> {
    match event {
        Event::Truncate(table) => Ok(empty(table)),
        Event::Statement(words) => words.sql(database).map(str::to_owned).ok_or_else(|| {
            let message = format!(
                "a `statement:` of `changes.events` has no words for this database: add `{database}: …`"
            );
            SinkError::fatal("usage", message)
        }),
    }
}
