//! One lane that writes: a request for each payload, and an answer that is read row by row.
//!
//! A row that is refused where it is stored leaves its neighbours alone, and has a result of its own. One that is refused
//! before (a null in the key, a value that is none of its type) fails the request as a whole, before anything was
//! written: such a payload is cut in halves until the rows at fault are found.

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rowstorm_gen::TablePlan;
use rowstorm_sink::{
    Attempt, Delivery, Outcome, Payload, Reaction, SinkError, SinkErrorKind, Trouble, Writer,
};

use crate::answer::{self, Answer, Failed};
use crate::connect::Server;
use crate::encode::{body_of, head, lines};
use crate::error::{ServerError, UNKNOWN, Wrote};
use crate::place::{Compression, Method};
use crate::session::Session;
use crate::{BODY_BYTES_MAX, dialect, message, release, replay};

/// Requests to find the rows at fault of one payload. What they do not tell apart is refused together.
const SIFT_REQUESTS_MAX: usize = 256;
/// How long to wait for a table that was there a moment ago.
const STARTING: Duration = Duration::from_secs(1);
/// Rows of one bulk that are likely to be there already: the server's time for them grows with their square.
const AGAIN_ROWS_MAX: usize = 2_000;
/// A refused row whose answer gives no reason.
const UNTOLD: &str = "rowcount -2";
const UNTOLD_SAMPLE: &str =
    "refused without a reason: CrateDB gives one for the first ten rows of each shard";
const SKIPPED_SAMPLE: &str =
    "INSERT … SELECT skips rows without a word: `method=bulk_args` in the URL says why";

/// One lane into one table. Connections of HTTP are the client's own, kept open between requests.
#[derive(Debug)]
pub struct CrateDbWriter {
    pub(crate) server: Arc<Server>,
    pub(crate) table: Arc<TablePlan>,
    /// The columns by which a row is known that stands already: all of them, unless others change later.
    pub(crate) steady: Vec<usize>,
    method: Method,
    pub(crate) head: Vec<u8>,
    /// What an error for a whole bulk leaves of its rows.
    pub(crate) wrote: Wrote,
    /// The PostgreSQL wire, if rows go by it and it is open.
    pub(crate) session: Option<Session>,
    /// The table was there when this run made it ready.
    is_ready: bool,
}

/// What became of a request.
pub(crate) enum Sent {
    /// It was carried out; the body of the answer.
    Done(Vec<u8>),
    /// It was not.
    Refused(Trouble, ServerError),
}

impl CrateDbWriter {
    pub(crate) async fn open(
        server: Arc<Server>,
        table: Arc<TablePlan>,
        is_ready: bool,
    ) -> Result<CrateDbWriter, SinkError> {
        let method = dialect::method(server.method(), &table);
        let head = head(server.schema(), &table);
        CrateDbWriter::with(server, table, method, head, is_ready).await
    }

    /// One whose requests are `bulk_args` of a statement: `head` is what stands before them.
    pub(crate) async fn with(
        server: Arc<Server>,
        table: Arc<TablePlan>,
        method: Method,
        head: Vec<u8>,
        is_ready: bool,
    ) -> Result<CrateDbWriter, SinkError> {
        let version = crate::catalogue::version(&server).await?;
        let wrote = match method {
            Method::BulkArgs | Method::Postgres => release::wrote(&version),
            // The rows of a SELECT are written as they come.
            Method::Unnest => Wrote::Perhaps,
        };
        let steady = (0..table.columns.len()).collect();
        Ok(CrateDbWriter { server, table, steady, method, head, wrote, session: None, is_ready })
    }

    /// Writes rows that were not sent before.
    async fn first(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        let (body, rows) = (payload.body.as_slice(), payload.len());
        match self.method {
            Method::BulkArgs => self.bulk(body, rows).await,
            Method::Unnest => match self.send(body).await? {
                Sent::Done(answer) => skipped(&answer, rows),
                Sent::Refused(trouble, _) => trouble.for_all(rows, "CrateDB"),
            },
            Method::Postgres => self.deferred(body, rows).await,
        }
    }

    /// Writes the rows of a request.
    pub(crate) async fn bulk(&self, body: &[u8], rows: u64) -> Result<Outcome, SinkError> {
        match self.send(body).await? {
            Sent::Done(answer) => book(&read(&answer)?, rows),
            Sent::Refused(trouble, error) => match trouble.reaction {
                Reaction::Sift => {
                    let lines: Vec<&[u8]> = lines(body).collect();
                    book(&self.sift(&lines, error).await?, rows)
                }
                Reaction::Refuse | Reaction::Fail(_) => trouble.for_all(rows, "CrateDB"),
            },
        }
    }

    /// Writes rows that may be there already, one of which says for each whether it is.
    async fn again(&self, payload: &Payload) -> Result<Outcome, SinkError> {
        let body = payload.body.as_slice();
        let turned;
        let lines: Vec<&[u8]> = match self.method {
            Method::BulkArgs => lines(body).collect(),
            Method::Unnest => {
                turned = replay::rows_of_columns(body);
                turned.iter().map(Vec::as_slice).collect()
            }
            Method::Postgres => {
                turned = message::lines(body, &self.table);
                turned.iter().map(Vec::as_slice).collect()
            }
        };
        self.settle(&lines, &self.answers(&lines).await?).await
    }

    /// What becomes of rows of which many are likely to be there already.
    pub(crate) async fn answers(&self, lines: &[&[u8]]) -> Result<Answer, SinkError> {
        let mut answer = Answer::default();
        for (number, some) in lines.chunks(AGAIN_ROWS_MAX).enumerate() {
            let first = number * AGAIN_ROWS_MAX;
            let range = first..first + some.len();
            match self.send(&body_of(&self.head, some)).await? {
                Sent::Done(body) => answer.join(range, read(&body)?),
                Sent::Refused(trouble, error) => match trouble.reaction {
                    Reaction::Sift => answer.join(range, self.sift(some, error).await?),
                    Reaction::Refuse => answer.refuse(range, &error),
                    Reaction::Fail(_) => return Err(trouble.into_error("CrateDB", "")),
                },
            }
        }
        Ok(answer)
    }

    /// Books rows, those as confirmed that were refused because they stand there.
    pub(crate) async fn settle(
        &self,
        lines: &[&[u8]],
        answer: &Answer,
    ) -> Result<Outcome, SinkError> {
        let mut outcome = book(answer, lines.len() as u64)?;
        let confirmed = replay::confirmed(self, lines, answer).await?;
        let standing = outcome.accepted + confirmed;
        outcome.confirm(standing, |class| class.starts_with("409") || class == UNTOLD);
        Ok(outcome)
    }

    /// Finds the rows at fault of a bulk that was refused as a whole.
    pub(crate) async fn sift(
        &self,
        lines: &[&[u8]],
        error: ServerError,
    ) -> Result<Answer, SinkError> {
        let mut answer = Answer::default();
        let mut left: Vec<(Range<usize>, ServerError)> = vec![(0..lines.len(), error)];
        let mut requests = 0;
        while let Some((range, error)) = left.pop() {
            if range.len() <= 1 || requests >= SIFT_REQUESTS_MAX {
                answer.refuse(range, &error);
                continue;
            }
            let middle = range.start + range.len() / 2;
            for half in [range.start..middle, middle..range.end] {
                requests += 1;
                match self.send(&body_of(&self.head, &lines[half.clone()])).await? {
                    Sent::Done(body) => answer.join(half, read(&body)?),
                    Sent::Refused(trouble, error) => match trouble.reaction {
                        Reaction::Sift => {
                            left.push((half, error));
                        }
                        Reaction::Refuse => answer.refuse(half, &error),
                        Reaction::Fail(_) if answer.rows > 0 => {
                            return Err(in_doubt(&trouble.message));
                        }
                        Reaction::Fail(_) => return Err(trouble.into_error("CrateDB", "")),
                    },
                }
            }
        }
        answer.failed.sort_by_key(|failed| failed.row);
        Ok(answer)
    }

    pub(crate) async fn send(&self, body: &[u8]) -> Result<Sent, SinkError> {
        let compression = self.server.compression();
        let body = match compression {
            // The client sends what it owns.
            Compression::None => Bytes::copy_from_slice(body),
            Compression::Gzip => compressed(body),
        };
        let reply = self.server.post(body, compression).await?;
        if reply.status == 200 {
            return Ok(Sent::Done(reply.body));
        }
        let error = ServerError::of(&reply);
        let mut trouble = error.trouble(&reply, self.wrote);
        if self.is_ready && UNKNOWN.contains(&error.code) {
            // A node that starts answers before it has read which tables there are: for five seconds, none.
            trouble.reaction = Reaction::Fail(SinkErrorKind::Busy { retry_after: Some(STARTING) });
        }
        Ok(Sent::Refused(trouble, error))
    }
}

/// The answer to a bulk.
pub(crate) fn read(body: &[u8]) -> Result<Answer, SinkError> {
    answer::bulk(body).ok_or_else(|| in_doubt("its answer to a bulk cannot be read"))
}

impl Writer for CrateDbWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        if payload.is_empty() {
            return Ok(Outcome::default());
        }
        payload.check_bytes(BODY_BYTES_MAX)?;
        if payload.attempt == Attempt::Replay && !self.table.key.is_empty() {
            self.again(payload).await
        } else {
            self.first(payload).await
        }
    }
}

impl Answer {
    /// Adds the rows of a part.
    fn join(&mut self, range: Range<usize>, part: Answer) {
        self.rows += part.rows;
        let shift = |failed: Failed| Failed { row: failed.row + range.start, ..failed };
        self.failed.extend(part.failed.into_iter().map(shift));
    }

    /// Adds rows that were refused together.
    fn refuse(&mut self, range: Range<usize>, error: &ServerError) {
        self.rows += range.len() as u64;
        self.failed.extend(range.map(|row| Failed {
            row,
            rowcount: -2,
            error: Some(error.clone()),
        }));
    }
}

/// The fastest level: a link that is slow enough for gzip is still slower than that.
fn compressed(body: &[u8]) -> Bytes {
    let mut gzip = flate2::write::GzEncoder::new(
        Vec::with_capacity(body.len() / 4),
        flate2::Compression::fast(),
    );
    gzip.write_all(body).expect("writing to memory cannot fail");
    gzip.finish().expect("writing to memory cannot fail").into()
}

/// Every row of a bulk in its place.
pub(crate) fn book(answer: &Answer, rows: u64) -> Result<Outcome, SinkError> {
    if answer.rows != rows {
        let message = format!("it answered for {} rows of {rows}", answer.rows);
        return Err(in_doubt(&message));
    }
    let told = |failed: &Failed| failed.error.clone();
    if let Some(error) = answer.failed.iter().filter_map(told).find(|error| !error.is_refusal()) {
        let is_overload =
            |failed: &Failed| failed.error.as_ref().is_some_and(ServerError::is_overload);
        if answer.failed.len() as u64 == rows && answer.failed.iter().all(is_overload) {
            let kind = SinkErrorKind::Busy { retry_after: None };
            return Err(SinkError::new(kind, error.class(200), error.message));
        }
        // Some rows are written and some are not, and of those without a reason nobody knows.
        return Err(in_doubt(&error.message));
    }
    let mut outcome = Outcome::accepted(rows - answer.failed.len() as u64);
    for failed in &answer.failed {
        match &failed.error {
            Some(error) => outcome.rejected.add(error.class(200), 1, error.message.clone()),
            None => outcome.rejected.add(UNTOLD, 1, UNTOLD_SAMPLE),
        }
    }
    Ok(outcome)
}

/// What `INSERT … SELECT` says: how many rows it wrote.
fn skipped(answer: &[u8], rows: u64) -> Result<Outcome, SinkError> {
    let Some(written) = answer::rowcount(answer) else {
        return Err(in_doubt("its answer has no count"));
    };
    let mut outcome = Outcome::counted(written, rows)?;
    for refusal in &mut outcome.rejected.refusals {
        "skipped".clone_into(&mut refusal.class);
        SKIPPED_SAMPLE.clone_into(&mut refusal.sample);
    }
    Ok(outcome)
}

pub(crate) fn in_doubt(message: &str) -> SinkError {
    let kind = SinkErrorKind::Lost(Delivery::InDoubt);
    SinkError::new(kind, "in doubt", format!("CrateDB: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rows: u64, failed: &[(usize, u32, &str)]) -> Answer {
        let failed = failed.iter().map(|&(row, code, message)| {
            let error = ServerError { code, message: message.to_owned() };
            Failed { row, rowcount: -2, error: (code > 0).then_some(error) }
        });
        Answer { rows, failed: failed.collect() }
    }

    #[test]
    fn refused_rows_are_booked_by_their_class() {
        let answer = answer(
            5,
            &[(1, 4091, "DuplicateKeyException[a]"), (2, 0, ""), (4, 4000, "SQLParseException[b]")],
        );
        let outcome = book(&answer, 5).unwrap();
        assert_eq!((outcome.accepted, outcome.rejected.count), (2, 3));
        let classes: Vec<&str> =
            outcome.rejected.refusals.iter().map(|refusal| &*refusal.class).collect();
        assert_eq!(classes, ["4091 DuplicateKeyException", UNTOLD, "4000 SQLParseException"]);
    }

    #[test]
    fn a_bulk_that_the_server_could_not_carry_out_is_busy_or_in_doubt() {
        let breaker = "CircuitBreakingException[Allocating 2mb]";
        let kind = |answer: &Answer, rows| book(answer, rows).unwrap_err().kind;
        let all = answer(2, &[(0, 5000, breaker), (1, 5000, breaker)]);
        assert_eq!(kind(&all, 2), SinkErrorKind::Busy { retry_after: None });
        let lost = SinkErrorKind::Lost(Delivery::InDoubt);
        assert_eq!(kind(&answer(2, &[(0, 5000, breaker)]), 2), lost, "one row was written");
        assert_eq!(
            kind(&answer(2, &[(0, 5000, breaker), (1, 0, "")]), 2),
            lost,
            "one has no reason"
        );
        assert_eq!(kind(&answer(1, &[(0, 5002, "UnavailableShardsException[x]")]), 1), lost);
        assert_eq!(kind(&answer(3, &[]), 2), lost, "an answer for other rows");
    }

    #[test]
    fn rows_that_unnest_skips_are_counted() {
        let outcome =
            skipped(br#"{"cols":[],"rows":[[]],"rowcount":7,"duration":1.0}"#, 10).unwrap();
        assert_eq!((outcome.accepted, outcome.rejected.count), (7, 3));
        assert_eq!(outcome.rejected.refusals[0].class, "skipped");
        assert!(skipped(b"{}", 10).is_err());
    }
}
