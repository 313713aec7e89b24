//! One connection that writes: COPY for the whole payload, and [`sift`](crate::sift) where the database refuses it.

use std::sync::Arc;

use rowstorm_gen::TablePlan;
use rowstorm_sink::{Attempt, Delivery, Outcome, Payload, SinkError, SinkErrorKind, Writer};
use sqlx::postgres::PgConnection;

use crate::connect::Server;
use crate::error::{Reaction, Trouble};
use crate::sift::{SUPPRESSED, SUPPRESSED_SAMPLE, sift, stage};
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
        let replay =
            payload.attempt == Attempt::Replay && !dialect::identity(&self.table).is_empty();
        if self.wary || replay {
            return self.sift(lane, payload, None).await;
        }
        match copy_into(&mut lane.connection, &self.copy, payload).await {
            Ok(taken) => counted(taken, payload.len()),
            Err((error, delivery)) => {
                let trouble = Trouble::of(&error, delivery);
                match trouble.reaction {
                    Reaction::Sift => self.sift(lane, payload, Some(trouble)).await,
                    Reaction::Refuse => {
                        Ok(Outcome::refused(payload.len(), trouble.class, trouble.message))
                    }
                    Reaction::Fail(_) => Err(trouble.into_error()),
                }
            }
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
                let trouble = Trouble::of(&error, Delivery::None);
                return unstaged(trouble, payload, cause);
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
        if payload.body.len() as u64 > BYTES_MAX {
            let message =
                format!("{} bytes; one payload holds at most {BYTES_MAX}", payload.body.len());
            return Err(SinkError::new(SinkErrorKind::TooLarge, "payload", message));
        }
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

/// COPY counts what it took; a trigger may leave rows out without a word.
fn counted(taken: u64, rows: u64) -> Result<Outcome, SinkError> {
    let Some(missing) = rows.checked_sub(taken) else {
        let message =
            format!("the server took {taken} rows of {rows}: the payload and its count differ");
        return Err(SinkError::fatal("count", message));
    };
    let mut outcome = Outcome::accepted(taken);
    outcome.rejected.add(SUPPRESSED, missing, SUPPRESSED_SAMPLE);
    Ok(outcome)
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
        (Reaction::Refuse | Reaction::Sift | Reaction::Fail(_), _) => Err(trouble.into_error()),
    }
}
