//! Events: statements by themselves; a table that was emptied is refreshed, so that every reader sees it.

use rowstorm_sink::{Event, SinkError, sql};

use crate::connect::Server;
use crate::dialect;

/// An event's words.
pub(crate) fn words(schema: &str, event: &Event) -> Result<String, SinkError> {
    sql::event(event, "cratedb", |table| {
        format!("DELETE FROM {}", dialect::table_name(schema, table))
    })
}

/// Does an event.
pub(crate) async fn once(server: &Server, event: &Event) -> Result<Option<u64>, SinkError> {
    if let Event::Truncate(table) = event {
        // A DELETE leaves rows that were not refreshed yet.
        server.rows(&dialect::refresh(server.schema(), table), &[]).await?;
    }
    server.rows(&words(server.schema(), event)?, &[]).await?;
    if let Event::Truncate(table) = event {
        server.rows(&dialect::refresh(server.schema(), table), &[]).await?;
    }
    Ok(None)
}
