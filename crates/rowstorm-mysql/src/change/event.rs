//! Events: statements on a connection of their own, each committed by itself.

use mysql_async::prelude::Queryable as _;
use rowstorm_sink::{Delivery, Event, SinkError, sql};

use crate::connect::Server;
use crate::dialect::table_name;
use crate::error::{into_error, read};

/// An event's words.
pub(crate) fn words(event: &Event) -> Result<String, SinkError> {
    sql::event(event, "mysql", |table| format!("TRUNCATE TABLE {}", table_name(table)))
}

/// Does an event; how many rows it touched, where the server counts them.
pub(crate) async fn once(server: &Server, event: &Event) -> Result<Option<u64>, SinkError> {
    let mut connection = server.open().await?.connection;
    let done = connection.query_drop(words(event)?).await;
    done.map_err(|error| into_error(read(&error, Delivery::InDoubt)))?;
    let rows = connection.affected_rows();
    Ok((rows > 0).then_some(rows))
}
