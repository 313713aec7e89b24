//! Queries, on the connection that changes: SQLite says itself whether a statement only reads.

use rowstorm_sink::{Payload, SinkError};
use rusqlite::Connection;

use super::{Stop, Texts, roll_back};
use crate::encode::take;
use crate::error;

/// Asks a query, and counts its rows.
pub(super) fn ask(
    connection: &Connection,
    text: &Texts,
    cells: &Payload,
) -> Result<u64, SinkError> {
    // One that was held open when its future was dropped.
    roll_back(connection).map_err(|stop| match stop {
        Stop::Refused { class, sample } => SinkError::fatal(class, sample),
        Stop::Failed(error) => error,
    })?;
    let mut statement = connection.prepare_cached(&text.sql).map_err(error::fatal)?;
    if !statement.readonly() {
        return Err(SinkError::fatal(
            "usage",
            format!("`{}` writes, and a query only reads", text.sql),
        ));
    }
    let mut body = cells.body.as_slice();
    for place in 1..=text.columns {
        let cell = take(&mut body);
        // Words of other databases may have parameters that these do not.
        if place <= statement.parameter_count() {
            statement.raw_bind_parameter(place, cell).map_err(error::fatal)?;
        }
    }
    let (mut rows, mut count) = (statement.raw_query(), 0);
    while rows.next().map_err(error::fatal)?.is_some() {
        count += 1;
    }
    Ok(count)
}
