//! The two ways in for the same lines: `LOAD DATA LOCAL`, streamed from memory, and `INSERT` of literals where the server
//! does not let a client send files.
//!
//! Either goes on where single rows cannot: rows are left out, or values changed to fit, and a warning says so. So the
//! answer here is the rows that were taken *and* every warning; [`sift`](crate::sift) decides what they mean.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, stream};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, DriverError, Error};
use rowstorm_gen::TablePlan;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::dialect;
use crate::literals::Literals;
use crate::write::Peer;

/// What is handed to the driver at once: it is copied, and the server reads while the next is copied.
const SEND_BYTES: usize = 64 << 10;

/// A server that takes no line for so long is asked, over another connection, whether it still knows this one.
const QUIET: Duration = Duration::from_secs(5);

/// How lines get into one table.
#[derive(Debug)]
pub(crate) enum Way {
    /// The statement of `LOAD DATA LOCAL`, and whom to ask when nothing moves.
    Load(String, Peer),
    /// Statements of literals.
    Insert(Literals),
}

/// What the server said of some lines.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Rows that it took.
    pub(crate) affected: u64,
    pub(crate) warnings: Vec<Warning>,
    /// There were more warnings than it lists.
    pub(crate) is_cut: bool,
}

/// One warning of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) code: u16,
    pub(crate) message: String,
    /// Which line it is of, from 0, if it says so.
    pub(crate) row: Option<usize>,
}

impl Way {
    /// `LOAD DATA` into a table of this quoted name.
    pub(crate) fn load(table: &TablePlan, name: &str, peer: &Peer) -> Way {
        Way::Load(dialect::load(table, name), peer.clone())
    }

    /// `INSERT`s of at most so many bytes into a table of this quoted name.
    pub(crate) fn insert(table: &TablePlan, name: &str, packet_bytes: usize) -> Way {
        Way::Insert(Literals::new(table, name, packet_bytes))
    }

    /// Sends lines within the open transaction.
    pub(crate) async fn send(
        &mut self,
        connection: &mut Conn,
        lines: &[u8],
    ) -> Result<Answer, Error> {
        let mut answer = Answer::default();
        match self {
            Way::Load(statement, peer) => {
                load(connection, statement, peer, lines).await?;
                answer.add(connection, 0).await?;
            }
            Way::Insert(literals) => {
                let (mut rest, mut rows) = (lines, 0);
                while !rest.is_empty() {
                    let (taken, count) = literals.fill(rest);
                    connection.query_drop(literals.statement()).await?;
                    answer.add(connection, rows).await?;
                    rest = &rest[taken..];
                    rows += count;
                }
            }
        }
        Ok(answer)
    }
}

impl Answer {
    /// Adds what the connection's last statement was answered; its first line is line `first`.
    pub(crate) async fn add(&mut self, connection: &mut Conn, first: usize) -> Result<(), Error> {
        self.affected += connection.affected_rows();
        // Counted in 16 bits: the largest number may stand for more.
        let count = connection.get_warnings();
        if count == 0 {
            return Ok(());
        }
        let listed: Vec<(String, u16, String)> = connection.query("SHOW WARNINGS").await?;
        self.is_cut |= listed.len() < usize::from(count) || count == u16::MAX;
        self.warnings.extend(listed.into_iter().map(|(_, code, message)| Warning {
            code,
            row: row_of(&message).map(|row| first + row),
            message,
        }));
        Ok(())
    }
}

/// The line that a message ends with naming: "Data too long for column 'a' at row 7".
fn row_of(message: &str) -> Option<usize> {
    let (_, number) = message.rsplit_once(" at row ")?;
    number.trim_end_matches('.').parse::<usize>().ok()?.checked_sub(1)
}

/// Streams lines from memory. The driver takes what it sends as its own, so they are copied in pieces, each of which is
/// sent before the next is copied.
async fn load(
    connection: &mut Conn,
    statement: &str,
    peer: &Peer,
    lines: &[u8],
) -> Result<(), Error> {
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(1);
    connection.set_infile_handler(async move {
        let pieces = stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        Ok(pieces.boxed())
    });
    let taken = AtomicU64::new(0);
    let feeding = async {
        let sender = sender;
        for piece in lines.chunks(SEND_BYTES) {
            if sender.send(Ok(Bytes::copy_from_slice(piece))).await.is_err() {
                return;
            }
            taken.fetch_add(1, Ordering::Relaxed);
        }
    };
    // A server that refuses the statement asks for no lines: the feeding would wait for ever.
    let loading = async {
        match select(pin!(connection.query_drop(statement)), pin!(feeding)).await {
            Either::Left((loaded, _)) => loaded,
            Either::Right(((), loading)) => loading.await,
        }
    };
    match select(pin!(loading), pin!(forgotten(peer, &taken))).await {
        Either::Left((loaded, _)) => loaded,
        Either::Right(((), _)) => Err(DriverError::ConnectionClosed.into()),
    }
}

/// Comes to an end when nothing moves and the server no longer knows a connection.
///
/// The driver reads nothing while it is blocked in sending. A server that kills a connection says that it says nothing more,
/// reads what has come, and closes: nobody tells the client that there is room again, its probes fall on deaf ears for a minute,
/// and the next one is due after a hundred seconds. A server that stands still, or waits for a lock, knows its connection.
async fn forgotten(peer: &Peer, taken: &AtomicU64) {
    let mut before = u64::MAX;
    loop {
        sleep(QUIET).await;
        let now = taken.load(Ordering::Relaxed);
        if now == before && peer.is_there().await == Some(false) {
            return;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_name_their_rows() {
        assert_eq!(row_of("Data truncated for column 'a' at row 7"), Some(6));
        assert_eq!(row_of("Column count doesn't match at row 0"), None);
        assert_eq!(row_of("Duplicate entry '1' for key 'PRIMARY'"), None);
        assert_eq!(row_of("Data too long for column ' at row 3' at row 12"), Some(11));
    }
}
