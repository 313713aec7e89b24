//! Events: statements on a connection of their own, each committed by itself.

use rowstorm_sink::{Event, SinkError, SinkErrorKind, sql};
use rusqlite::OpenFlags;

use crate::dialect::quote;
use crate::{Sqlite, error};

/// An event's words.
pub(crate) fn words(event: &Event) -> Result<String, SinkError> {
    sql::event(event, "sqlite", |table| format!("DELETE FROM {}", quote(&table.name)))
}

/// Does an event; how many rows a table had that it emptied.
pub(crate) async fn once(sqlite: &Sqlite, event: &Event) -> Result<Option<u64>, SinkError> {
    let (text, empties) = (words(event)?, matches!(event, Event::Truncate(_)));
    let worker = sqlite.connect(OpenFlags::empty()).await?;
    let done = worker.run(move |connection| {
        connection.execute_batch(&text).map(|()| empties.then(|| connection.changes()))
    });
    done.await?.map_err(|cause| {
        let is_busy = error::is_busy(&cause);
        let fatal = error::fatal(cause);
        let busy = SinkErrorKind::Busy { retry_after: None };
        SinkError { kind: if is_busy { busy } else { fatal.kind }, ..fatal }
    })
}
