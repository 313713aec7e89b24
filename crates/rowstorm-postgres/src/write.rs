//! One connection that writes: COPY for the whole payload, and [`sift`](crate::sift) where the database refuses it.

use std::sync::Arc;

use rowstorm_gen::TablePlan;
use rowstorm_sink::sql::identity;
use rowstorm_sink::{
    Attempt, Delivery, Outcome, Payload, Reaction, SinkError, SinkErrorKind, Trouble, Writer,
};
use sqlx::postgres::PgConnection;

use crate::connect::Server;

use crate::error::{into_error, trouble};
use crate::sift::{sift, stage};
use crate::{BYTES_MAX, dialect};

/// What is sent at once: the driver copies it, and the server reads while the next is copied.
const SEND_BYTES: usize = 64 << 10;

/// One connection that writes into one table.
#[derive(Debug)]
pub struct PostgresWriter {
    server: Server,
    table: Arc<TablePlan>,
    copy: String,
    lane: Option<Lane>,
    /// The last payload held rows that were refused: the next one is not tried in one piece first.
    wary: bool,
}

/// A connection and what was made on it.
#[derive(Debug)]
struct Lane {
    connection: PgConnection,
    staged: bool,
}

impl PostgresWriter {
    pub(crate) async fn open(
        server: Server,
        table: Arc<TablePlan>,
    ) -> Result<PostgresWriter, SinkError> {
        let lane = Lane { connection: server.open().await?, staged: false };
        let copy = dialect::copy(&table);
        Ok(PostgresWriter { server, table, copy, lane: Some(lane), wary: false })
    }

    async fn write_to(&mut self, lane: &mut Lane, payload: &Payload) -> Result<Outcome, SinkError> {
        let replay = payload.attempt == Attempt::Replay && !identity(&self.table).is_empty();
        if self.wary || replay {
            return self.sift(lane, payload, None).await;
        }
        match copy_into(&mut lane.connection, &self.copy, payload).await {
            Ok(taken) => Outcome::counted(taken, payload.len()),
            Err((error, delivery)) => match trouble(&error, delivery) {
                cause @ Trouble { reaction: Reaction::Sift, .. } => {
                    self.sift(lane, payload, Some(cause)).await
                }
                cause => cause.refuse(payload.len()).map_err(into_error),
            },
        }
    }

    async fn sift(
        &mut self,
        lane: &mut Lane,
        payload: &Payload,
        cause: Option<Trouble>,
    ) -> Result<Outcome, SinkError> {
        if !lane.staged {
            if let Err(error) = stage(&mut lane.connection, &self.table).await {
                return unstaged(trouble(&error, Delivery::None), payload, cause);
            }
            lane.staged = true;
        }
        let outcome = sift(&mut lane.connection, &self.table, payload, cause.as_ref()).await?;
        self.wary = outcome.rejected.count > 0;
        Ok(outcome)
    }
}

impl Writer for PostgresWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        if payload.is_empty() {
            return Ok(Outcome::default());
        }
        payload.check_bytes(BYTES_MAX)?;
        // Taken out of its place: if this future is dropped half-way, the connection is dropped with it, and the
        // server undoes what has no end. The next write opens another.
        let mut lane = match self.lane.take() {
            Some(lane) => lane,
            None => Lane { connection: self.server.open().await?, staged: false },
        };
        let written = self.write_to(&mut lane, payload).await;
        let lost =
            written.as_ref().is_err_and(|error| matches!(error.kind, SinkErrorKind::Lost(_)));
        if !lost {
            self.lane = Some(lane);
        }
        written
    }
}

/// Sends a payload through a COPY statement; how many rows the server took.
///
/// With an error comes what holds for the rows: before the end was sent, the server undoes them all.
pub(crate) async fn copy_into(
    connection: &mut PgConnection,
    statement: &str,
    payload: &Payload,
) -> Result<u64, (sqlx::Error, Delivery)> {
    let certain = |error| (error, Delivery::None);
    let mut copy = connection.copy_in_raw(statement).await.map_err(certain)?;
    for chunk in payload.body.as_slice().chunks(SEND_BYTES) {
        copy.send(chunk).await.map_err(certain)?;
    }
    copy.finish().await.map_err(|error| (error, Delivery::InDoubt))
}

/// Where no temporary table can be made (no TEMP privilege), a refused payload is refused as a whole.
fn unstaged(
    trouble: Trouble,
    payload: &Payload,
    cause: Option<Trouble>,
) -> Result<Outcome, SinkError> {
    match (trouble.reaction, cause) {
        (Reaction::Refuse | Reaction::Sift, Some(cause)) => {
            let message = format!("{}; which rows is unknown: {}", cause.message, trouble.message);
            Ok(Outcome::refused(payload.len(), cause.class, message))
        }
        (Reaction::Refuse | Reaction::Sift | Reaction::Fail(_), _) => Err(into_error(trouble)),
    }
}
