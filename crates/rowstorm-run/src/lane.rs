//! A lane: one task with one connection. It takes a job, makes the payload, sends it and settles every row.
//!
//! What can go wrong has four kinds, and so has what is done about it: wait and send the same bytes again (busy), halve
//! (too large), reconnect and send again only where a key keeps one copy (lost), stop (fatal).

use std::sync::Arc;
use std::time::Duration;

use rowstorm_sink::{
    Attempt, BoxSink, BoxWriter, Delivery, Outcome, Payload, Sink, SinkError, SinkErrorKind, Writer,
};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::RunOptions;
use crate::backoff;
use crate::budget::{Budget, Reservation};
use crate::desk::{Cause, Desk, Take};
use crate::job::Job;
use crate::maker::{Load, Made, Maker};
use crate::metrics;
use crate::work::Work;

/// What all lanes of a table share.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) desk: Arc<Desk>,
    pub(crate) sink: BoxSink,
    pub(crate) work: Work,
    pub(crate) budget: Arc<Budget>,
    /// One permit for each core: more makers at once only take turns.
    pub(crate) makers: Arc<Semaphore>,
    pub(crate) options: RunOptions,
    pub(crate) nanos_per_row: f64,
}

pub(crate) struct Lane {
    shop: Arc<Shop>,
    number: usize,
    writer: Option<BoxWriter>,
    /// Away while a blocking thread works with it.
    maker: Option<Maker>,
    /// The buffer of the last payload, to be used again.
    spare: Payload,
    changes: watch::Receiver<u64>,
}

/// What became of a job.
enum Next {
    /// Every row is booked or given back.
    Settled,
    /// Too large: both halves are still to do.
    Halve(Job),
    /// The payload is gone with its connection: make it again.
    Again(Job),
}

/// What the database answered, with everything that was lent to the write.
struct Answer {
    load: Load,
    latency: Duration,
    result: Result<Outcome, SinkError>,
}

impl Lane {
    pub(crate) fn new(shop: Arc<Shop>, number: usize, writer: Option<BoxWriter>) -> Lane {
        let payload_bytes_max = shop.work.limits.bytes.min(shop.budget.bytes_max());
        let maker = Maker::new(&shop.sink, &shop.work.table, payload_bytes_max, shop.nanos_per_row);
        let changes = shop.desk.changes();
        Lane { shop, number, writer, maker: Some(maker), spare: Payload::default(), changes }
    }

    /// Works until the desk has nothing left.
    pub(crate) async fn run(mut self) {
        if !self.open().await {
            return;
        }
        loop {
            self.changes.borrow_and_update();
            match self.shop.desk.take(self.number) {
                Take::Job(job, pause) => {
                    rest(pause).await;
                    self.work(job).await;
                }
                Take::Wait => {
                    // A lane that waits holds no memory of the budget's.
                    self.spare = Payload::default();
                    if self.changes.changed().await.is_err() {
                        return;
                    }
                }
                Take::Done => return,
            }
        }
    }

    /// Opens the connection before a job is in hand. A server that is too busy for one more gets none.
    async fn open(&mut self) -> bool {
        if self.writer.is_some() {
            return true;
        }
        match connect(&self.shop).await {
            Ok(writer) => self.writer = Some(writer),
            Err(error) if self.number > 0 && matches!(error.kind, SinkErrorKind::Busy { .. }) => {
                self.shop.desk.trouble(&error);
                self.shop.desk.cap_lanes(self.number as u32);
                return false;
            }
            Err(error) => {
                self.shop.desk.trouble(&error);
                if let Err(error) = self.reconnect(self.number as u64, Attempt::First).await {
                    self.shop.desk.end(Cause::Failed(error));
                    return false;
                }
            }
        }
        true
    }

    async fn work(&mut self, job: Job) {
        let mut pieces = vec![job];
        while let Some(piece) = pieces.pop() {
            if self.shop.desk.ending() && piece.doubt == Attempt::First {
                self.shop.desk.put_back(self.number, piece.len());
                continue;
            }
            // What one half has taught, the other need not ask the server again.
            let known = piece.halved > 0 && piece.len() > self.shop.desk.ceiling();
            let next = if known { Next::Halve(piece) } else { self.piece(piece).await };
            match next {
                Next::Settled => {}
                Next::Halve(piece) => {
                    let [first, second] = piece.halve();
                    pieces.extend([second, first]);
                }
                Next::Again(piece) => pieces.push(piece),
            }
        }
    }

    async fn piece(&mut self, job: Job) -> Next {
        let Some(load) = self.make(&job).await else {
            if job.len() > 1 {
                return Next::Halve(job);
            }
            let most = self.shop.work.limits.bytes.min(self.shop.budget.bytes_max());
            let why = format!("row {} needs more than {most} bytes", job.rows.start);
            self.shop.desk.refuse_row(self.number, &job, why);
            return Next::Settled;
        };
        if let Some(due) = job.due {
            let due = self.shop.desk.lock().clock.at(due);
            if !self.wait_until(due).await {
                self.shop.desk.put_back(self.number, job.len());
                self.spare = load.payload;
                return Next::Settled;
            }
        }
        self.send(job, load).await
    }

    /// Waits for a job's place in the schedule; `false` if the run ends first.
    async fn wait_until(&mut self, due: Instant) -> bool {
        while Instant::now() < due {
            self.changes.borrow_and_update();
            if self.shop.desk.ending() {
                return false;
            }
            tokio::select! {
                () = sleep_until(due) => {}
                _ = self.changes.changed() => {}
            }
        }
        true
    }

    /// Makes the payload; `None` if it is larger than it may be.
    async fn make(&mut self, job: &Job) -> Option<Load> {
        let mut reserve = job.bytes;
        loop {
            let reservation = self.reserve(reserve).await;
            let load = Load { payload: std::mem::take(&mut self.spare), reservation };
            let (load, made, took) = self.fill_and_encode(job, load).await;
            let (rows, bytes) = match made {
                Made::Whole => (job.len(), load.payload.body.len() as u64),
                Made::TooLarge { rows, bytes } => (rows, bytes),
            };
            self.shop.desk.made(rows, bytes, took);
            if made == Made::Whole {
                return Some(load);
            }
            self.spare = load.payload;
            let most = self.shop.work.limits.bytes.min(self.shop.budget.bytes_max());
            // One row cannot be halved, but it can wait for its bytes, now that they are known.
            if job.len() > 1 || bytes > most || reserve >= bytes {
                return None;
            }
            reserve = bytes;
        }
    }

    async fn reserve(&mut self, bytes: u64) -> Reservation {
        if let Some(reservation) = self.shop.budget.try_reserve(bytes) {
            return reservation;
        }
        // What waits for room must not take room: the last payload's memory is nobody's reservation.
        self.spare = Payload::default();
        self.shop.budget.reserve(bytes).await
    }

    async fn fill_and_encode(&mut self, job: &Job, mut load: Load) -> (Load, Made, Duration) {
        let mut maker = self.maker.take().expect("the maker came back from its last job");
        let (maker, load, (made, took)) = if maker.is_long(job.len()) {
            let permit = Arc::clone(&self.shop.makers)
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            let job = job.clone();
            let made = tokio::task::spawn_blocking(move || {
                let made = maker.make(&job, &mut load);
                drop(permit);
                (maker, load, made)
            });
            // A panic of the generator's is this lane's own; the crew books its rows.
            made.await.unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => panic!("the runtime is shutting down: {cancelled}"),
            })
        } else {
            let made = maker.make(job, &mut load);
            (maker, load, made)
        };
        self.maker = Some(maker);
        (load, made, took)
    }

    async fn send(&mut self, mut job: Job, mut load: Load) -> Next {
        loop {
            if self.writer.is_none()
                && let Err(error) = self.reconnect(job.number, job.doubt).await
            {
                return self.give_up(&job, error);
            }
            if self.writer.is_none() {
                // The run ends, and these rows were certainly not written.
                self.shop.desk.put_back(self.number, job.len());
                return Next::Settled;
            }
            load.payload.attempt = job.doubt;
            let bytes = load.payload.body.len() as u64;
            let Some(answer) = self.write(&job, load).await else {
                // The connection is given up with the payload: make it again, or say that nobody can tell.
                let error = self.timed_out();
                self.shop.desk.failed(self.number, &job, &error, self.patience(), bytes);
                return self.in_doubt(job, error);
            };
            load = answer.load;
            let error = match answer.result {
                Ok(outcome) if outcome.rows() == job.len() => {
                    metrics::batch(answer.latency, self.since_due(&job));
                    self.shop.desk.settle(self.number, &job, &outcome, answer.latency, bytes);
                    self.spare = load.payload;
                    return Next::Settled;
                }
                Ok(outcome) => return self.unaccounted(&job, &outcome, answer.latency, bytes),
                Err(error) => error,
            };
            self.shop.desk.failed(self.number, &job, &error, answer.latency, bytes);
            let pause = match error.kind {
                SinkErrorKind::Busy { retry_after } => {
                    backoff::pause(job.number, job.attempts).max(retry_after.unwrap_or_default())
                }
                SinkErrorKind::TooLarge => {
                    self.spare = load.payload;
                    return self.too_large(job, error);
                }
                SinkErrorKind::Lost(delivery) => {
                    self.writer = None;
                    match delivery {
                        Delivery::None => {}
                        Delivery::InDoubt if self.shop.work.limits.idempotent => {
                            job.doubt = Attempt::Replay;
                        }
                        Delivery::InDoubt => {
                            self.shop.desk.lose_sight(self.number, job.len());
                            self.spare = load.payload;
                            return Next::Settled;
                        }
                    }
                    Duration::ZERO
                }
                SinkErrorKind::Fatal => return self.give_up(&job, error),
            };
            if job.attempts >= self.shop.options.retry {
                return self.give_up(&job, error);
            }
            job.attempts += 1;
            self.shop.desk.retried();
            rest(pause).await;
        }
    }

    /// Writes, and never cancels: a write that takes too long is left to a task of its own, with its connection, its
    /// bytes and their reservation, and `None` is the answer.
    async fn write(&mut self, job: &Job, load: Load) -> Option<Answer> {
        let mut writer = self.writer.take().expect("the caller has connected");
        self.shop.desk.sending(job, load.payload.body.len() as u64);
        let start = Instant::now();
        let mut write = Box::pin(async move {
            let result = writer.write(&load.payload).await;
            (writer, load, result)
        });
        let Ok((writer, load, result)) = timeout(self.patience(), write.as_mut()).await else {
            tokio::spawn(write);
            return None;
        };
        self.writer = Some(writer);
        Some(Answer { load, latency: start.elapsed(), result })
    }

    /// The server's own limit should come first: its answer is certain.
    fn patience(&self) -> Duration {
        let limit = self.shop.options.timeout;
        limit + (limit / 4).max(Duration::from_secs(1))
    }

    fn timed_out(&self) -> SinkError {
        SinkError::new(
            SinkErrorKind::Lost(Delivery::InDoubt),
            "timeout",
            format!("no answer within {:?}; the connection is given up", self.patience()),
        )
    }

    /// The bytes are gone with the connection, but a job is only a range.
    fn in_doubt(&mut self, mut job: Job, error: SinkError) -> Next {
        if !self.shop.work.limits.idempotent {
            self.shop.desk.lose_sight(self.number, job.len());
            return Next::Settled;
        }
        job.doubt = Attempt::Replay;
        if job.attempts >= self.shop.options.retry {
            return self.give_up(&job, error);
        }
        job.attempts += 1;
        self.shop.desk.retried();
        Next::Again(job)
    }

    fn too_large(&mut self, job: Job, error: SinkError) -> Next {
        if job.len() > 1 {
            return Next::Halve(job);
        }
        self.shop.desk.refuse_row(self.number, &job, error.message);
        Next::Settled
    }

    /// The run cannot go on. Rows that may be there are unknown; the others were not written.
    fn give_up(&mut self, job: &Job, error: SinkError) -> Next {
        match job.doubt {
            Attempt::First => self.shop.desk.put_back(self.number, job.len()),
            Attempt::Replay => self.shop.desk.lose_sight(self.number, job.len()),
        }
        self.shop.desk.end(Cause::Failed(error));
        Next::Settled
    }

    /// A sink that does not account for every row cannot be believed.
    fn unaccounted(&mut self, job: &Job, outcome: &Outcome, waited: Duration, bytes: u64) -> Next {
        let text = format!("{} rows were sent, {} are accounted for", job.len(), outcome.rows());
        let error = SinkError::fatal("accounting", text);
        self.shop.desk.failed(self.number, job, &error, waited, bytes);
        self.shop.desk.lose_sight(self.number, job.len());
        self.shop.desk.end(Cause::Failed(error));
        Next::Settled
    }

    /// Tries until the limit; a server that has no room for this connection but works for the others has none. A run that ends waits only for rows that may be there.
    async fn reconnect(&mut self, salt: u64, doubt: Attempt) -> Result<(), SinkError> {
        let mut give_up_at = Instant::now() + self.shop.options.reconnect;
        let mut answered = self.shop.desk.answered();
        for attempt in 0.. {
            if doubt == Attempt::First && self.shop.desk.ending() {
                return Ok(());
            }
            let error = match connect(&self.shop).await {
                Ok(writer) => {
                    self.writer = Some(writer);
                    return Ok(());
                }
                Err(error) => error,
            };
            self.shop.desk.trouble(&error);
            match error.kind {
                SinkErrorKind::Busy { .. } => {
                    let before = std::mem::replace(&mut answered, self.shop.desk.answered());
                    if answered > before {
                        give_up_at = Instant::now() + self.shop.options.reconnect;
                    }
                }
                SinkErrorKind::Lost(_) => {}
                SinkErrorKind::TooLarge | SinkErrorKind::Fatal => return Err(error),
            }
            if Instant::now() >= give_up_at {
                return Err(error);
            }
            sleep(backoff::pause(salt, attempt)).await;
        }
        unreachable!("attempts never run out before the limit does")
    }

    fn since_due(&self, job: &Job) -> Option<Duration> {
        job.due.map(|due| self.shop.desk.lock().clock.elapsed().saturating_sub(due))
    }
}

/// A timer rounds up to a millisecond, nothing included.
async fn rest(pause: Duration) {
    if !pause.is_zero() {
        sleep(pause).await;
    }
}

async fn connect(shop: &Shop) -> Result<BoxWriter, SinkError> {
    let limit = shop.options.timeout.max(Duration::from_secs(1));
    timeout(limit, shop.sink.writer(&shop.work.table)).await.unwrap_or_else(|_| {
        let text = format!("no connection within {limit:?}");
        Err(SinkError::new(SinkErrorKind::Lost(Delivery::None), "connection", text))
    })
}
