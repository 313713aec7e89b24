//! A bulk over the PostgreSQL wire, and what is done about rows of which it tells too little.
//!
//! A row's count is 1, or it was not written: `INSERT 0 -3`, without a reason. That is a row at fault, or the trouble of its
//! shard. So such rows are sent once more over HTTP, which tells the reason. If all are refused then, they are rejected. If
//! some are taken, their shard had trouble: one that was written after all, and was told as failed, is confirmed if it stands
//! there, as after a lost answer.

use rowstorm_sink::{Outcome, SinkError};

use crate::encode::body_of;
use crate::error::Wrote;
use crate::session::{Session, Told};
use crate::write::{CrateDbWriter, in_doubt};
use crate::{dialect, message};

impl CrateDbWriter {
    /// Writes rows that were not sent before.
    pub(crate) async fn deferred(&mut self, body: &[u8], rows: u64) -> Result<Outcome, SinkError> {
        // A single execution is no bulk: its error is that of a statement, and leaves open what was written.
        if rows == 1 {
            return self.over_http(body, rows).await;
        }
        let Told { rows: counted, missing, error } = self.ask(body).await?;
        match error {
            None if counted as u64 != rows => {
                Err(in_doubt(&format!("it answered for {counted} rows of {rows}")))
            }
            None if missing.is_empty() => Ok(Outcome::accepted(rows)),
            None => {
                // Other rows of the payload are written.
                self.missed(body, &missing).await.map_err(SinkError::in_part)
            }
            // Nothing was written, and HTTP tells more.
            Some(_) if counted == 0 && self.wrote == Wrote::Nothing => {
                self.over_http(body, rows).await
            }
            Some(error) => Err(in_doubt(&error)),
        }
    }

    async fn ask(&mut self, body: &[u8]) -> Result<Told, SinkError> {
        // Taken out, so that one whose answer is not read to its end is closed.
        let mut session = match self.session.take().filter(Session::is_open) {
            Some(session) => session,
            None => Session::open(&self.server).await?,
        };
        let statement = dialect::insert(self.server.schema(), &self.table);
        let told = session.bulk(&statement, body).await;
        let told = told
            .map_err(|error| in_doubt(&format!("no answer over the PostgreSQL wire: {error}")))?;
        self.session = Some(session);
        Ok(told)
    }

    async fn over_http(&self, body: &[u8], rows: u64) -> Result<Outcome, SinkError> {
        let lines = message::lines(body, &self.table);
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        self.bulk(&body_of(&self.head, &lines), rows).await
    }

    /// Books a bulk some of whose rows have no count.
    async fn missed(&self, body: &[u8], missing: &[usize]) -> Result<Outcome, SinkError> {
        let lines = message::lines(body, &self.table);
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let again: Vec<&[u8]> = missing.iter().map(|&row| lines[row]).collect();
        let mut answer = self.answers(&again).await?;
        for failed in &mut answer.failed {
            failed.row = missing[failed.row];
        }
        answer.rows = lines.len() as u64;
        // A row is refused for what it holds each time.
        if answer.failed.len() == missing.len() {
            return crate::write::book(&answer, answer.rows);
        }
        // One that is taken the second time may stand there twice, where no key keeps one.
        if self.table.key.is_empty() {
            return Err(in_doubt("rows were told as failed, and taken when they were sent again"));
        }
        self.settle(&lines, &answer).await
    }
}
