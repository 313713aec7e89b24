//! Events: statements on a connection of their own, each committed by itself.

use rowstorm_sink::{Delivery, Event, SinkError, sql};

use crate::connect::{Server, run};
use crate::dialect::table_name;
use crate::error::{into_error, trouble};

/// An event's words.
pub(crate) fn words(event: &Event) -> Result<String, SinkError> {
    sql::event(event, "postgres", |table| format!("TRUNCATE TABLE {}", table_name(table)))
}

/// Does an event; how many rows it touched, where the server counts them.
pub(crate) async fn once(server: &Server, event: &Event) -> Result<Option<u64>, SinkError> {
    let mut connection = server.open().await?;
    let done = run(&mut connection, &words(event)?).await;
    let rows = done.map_err(|error| into_error(trouble(&error, Delivery::InDoubt)))?;
    Ok((rows > 0).then_some(rows))
}
