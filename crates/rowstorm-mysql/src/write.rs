//! One connection that writes: a payload is a transaction, committed when every row is accounted for.

use std::sync::Arc;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use rowstorm_gen::TablePlan;
use rowstorm_schema::MysqlMethod;
use rowstorm_sink::sql::identity;
use rowstorm_sink::{
    Attempt, Delivery, Outcome, Payload, Reaction, SinkError, SinkErrorKind, Writer,
};

use crate::connect::{Server, Session};
use crate::error::{failed, into_error, read};
use crate::send::Way;
use crate::{BYTES_MAX, dialect, replay, sift};

/// One connection that writes into one table.
#[derive(Debug)]
pub struct MysqlWriter {
    server: Server,
    table: Arc<TablePlan>,
    lane: Option<Lane>,
}

/// A connection and what was made on it.
#[derive(Debug)]
struct Lane {
    connection: Conn,
    way: Way,
    /// The way into the temporary table of replays, once it is made.
    stage: Option<Way>,
    packet_bytes: usize,
}

/// The other end of a lane: what the server knows its connection by.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    server: Server,
    id: u64,
    host: String,
}

impl Peer {
    /// Whether the server still has the connection, asked over another; `None` if it cannot be asked.
    pub(crate) async fn is_there(&self) -> Option<bool> {
        let Session { mut connection, host, .. } = self.server.open().await.ok()?;
        // Users see their own connections without any privilege.
        let ask = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ";
        let count: u64 = connection.query_first(format!("{ask}{}", self.id)).await.ok()??;
        (host == self.host).then_some(count > 0)
    }
}

impl Lane {
    async fn open(server: &Server, table: &TablePlan) -> Result<Lane, SinkError> {
        let Session { mut connection, has_local_infile, packet_bytes, id, host, .. } =
            server.open().await?;
        let peer = Peer { server: server.clone(), id, host };
        // Every statement opens a transaction if none is open: one round trip less for each payload.
        connection.query_drop("SET autocommit = 0").await.map_err(failed)?;
        let name = dialect::table_name(table);
        let way = match (server.method(table), has_local_infile) {
            (MysqlMethod::Load, _) | (MysqlMethod::Auto, true) => Way::load(table, &name, &peer),
            (MysqlMethod::Insert, _) | (MysqlMethod::Auto, false) => {
                Way::insert(table, &name, packet_bytes)
            }
        };
        Ok(Lane { connection, way, stage: None, packet_bytes })
    }

    async fn write(&mut self, table: &TablePlan, payload: &Payload) -> Result<Outcome, Error> {
        let identity = identity(table);
        if payload.attempt == Attempt::First || identity.is_empty() {
            let lines = payload.body.as_slice();
            return sift::sift(&mut self.connection, &mut self.way, lines, payload.len()).await;
        }
        if self.stage.is_none() {
            self.connection.query_drop(dialect::stage(table, &identity, dialect::STAGE)).await?;
            self.stage = Some(match &self.way {
                Way::Load(_, peer) => Way::load(table, dialect::STAGE, peer),
                Way::Insert(_) => Way::insert(table, dialect::STAGE, self.packet_bytes),
            });
        }
        let stage = self.stage.as_mut().expect("it was made just now");
        // Committed, so that nothing of an earlier replay comes back where this one undoes its first attempt.
        self.connection.query_drop(format!("DELETE FROM {}", dialect::STAGE)).await?;
        self.connection.query_drop("COMMIT").await?;
        replay::replay(&mut self.connection, table, &identity, stage, payload).await
    }
}

impl MysqlWriter {
    pub(crate) async fn open(
        server: Server,
        table: Arc<TablePlan>,
    ) -> Result<MysqlWriter, SinkError> {
        let lane = Lane::open(&server, &table).await?;
        Ok(MysqlWriter { server, table, lane: Some(lane) })
    }
}

impl Writer for MysqlWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        if payload.is_empty() {
            return Ok(Outcome::default());
        }
        payload.check_bytes(BYTES_MAX)?;
        // Taken out of its place: if this future is dropped half-way, the connection is dropped with it, and the
        // server undoes what has no end. The next write opens another.
        let mut lane = match self.lane.take() {
            Some(lane) => lane,
            None => Lane::open(&self.server, &self.table).await?,
        };
        let (error, delivery) = match lane.write(&self.table, payload).await {
            Ok(outcome) => match lane.connection.query_drop("COMMIT").await {
                Ok(()) => {
                    self.lane = Some(lane);
                    return Ok(outcome);
                }
                Err(error) => (error, Delivery::InDoubt),
            },
            Err(error) => (error, Delivery::None),
        };
        let trouble = read(&error, delivery);
        let is_lost = matches!(trouble.reaction, Reaction::Fail(SinkErrorKind::Lost(_)));
        // A connection that cannot even undo is not used again.
        if !is_lost && lane.connection.query_drop("ROLLBACK").await.is_ok() {
            self.lane = Some(lane);
        }
        match (trouble.reaction, payload.attempt) {
            // Rows of an earlier attempt may stand there: nobody can say that they were refused.
            (Reaction::Fail(_), _) | (_, Attempt::Replay) => Err(into_error(trouble)),
            (Reaction::Refuse | Reaction::Sift, Attempt::First) => {
                Ok(Outcome::refused(payload.len(), trouble.class, trouble.message))
            }
        }
    }
}
