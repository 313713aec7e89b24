//! Events: commands outside of any transaction.

use mongodb::bson::{Document, doc};
use rowstorm_sink::{Delivery, Event, SinkError};

use crate::answer::Answer;
use crate::connect::Server;
use crate::dialect;
use crate::error;

/// An event's words.
pub(crate) fn words(server: &Server, event: &Event) -> Result<String, SinkError> {
    Ok(format!("db.runCommand({})", command(server, event)?))
}

/// Does an event; how many documents a collection had that it emptied.
pub(crate) async fn once(server: &Server, event: &Event) -> Result<Option<u64>, SinkError> {
    let command = command(server, event)?;
    let done = server.run(|db| async move { db.run_command(command).await }).await?;
    let answer = done.map_err(|error| error::into_error(error::read(&error, Delivery::InDoubt)))?;
    let found = Answer::found(&answer)?;
    match (event, found.refused.into_iter().next()) {
        (_, Some(refused)) => Err(SinkError::fatal(refused.class, refused.message)),
        (Event::Truncate(_), None) => Ok(Some(found.accepted)),
        (Event::Statement(_), None) => Ok(None),
    }
}

fn command(server: &Server, event: &Event) -> Result<Document, SinkError> {
    match event {
        Event::Truncate(table) => {
            let all = doc! { "q": {}, "limit": 0 };
            let mut command = doc! { "delete": dialect::collection(table), "deletes": [all] };
            if let Some(concern) = server.write_concern() {
                command.insert("writeConcern", concern);
            }
            Ok(command)
        }
        Event::Statement(words) => {
            let Some(words) = words.command() else {
                let message = "a `statement:` of `changes.events` has no words for MongoDB: add `mongodb: { createIndexes: … }`";
                return Err(SinkError::fatal("usage", message));
            };
            serde_json::from_str(&words.0)
                .map_err(|error| SinkError::fatal("usage", format!("{}: {error}", words.0)))
        }
    }
}
