//! A lane of changes: one task with one connection. It takes a job, makes its groups, sends them as one transaction and
//! settles every row.
//!
//! What can go wrong has the load's four kinds: wait and send again (busy), halve (too large), reconnect and say that it is a replay
//! (lost in doubt), stop (fatal).

mod ask;
mod event;
mod several;

use std::sync::Arc;
use std::time::Duration;

use rowstorm_gen::changes::Fate;
use rowstorm_gen::schema::Transaction as Size;
use rowstorm_sink::{
    Attempt, BoxChanger, BoxSink, Change, Changed, Changer, Delivery, End, Hold, Sink, SinkError,
    SinkErrorKind, Transaction,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::desk::Desk;
use super::filled::{Answered, Filled};
use super::job::{Job, Take};
use super::journal::Journal;
use super::work::Work;
use crate::budget::{Budget, Reservation};
use crate::desk::Cause;
use crate::{RunOptions, backoff, metrics};

/// Ops that take longer to make than a thread of the runtime may be kept.
const BLOCKING_OPS: u64 = 2_048;
/// What an op is taken to need before one was made.
const OP_BYTES: u64 = 64;

/// What all lanes share.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) desk: Arc<Desk>,
    pub(crate) sink: BoxSink,
    pub(crate) work: Arc<Work>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) options: RunOptions,
    pub(crate) journal: Option<Journal>,
}

pub(crate) struct Lane {
    shop: Arc<Shop>,
    number: usize,
    changer: Option<BoxChanger>,
    /// The buffers of the last transactions, to be used again.
    spare: Vec<Filled>,
    /// What an op needed last.
    op_bytes: u64,
    changes: watch::Receiver<u64>,
}

/// A transaction's columns, with the memory that they may take.
struct Load {
    filled: Filled,
    /// Given back when the columns are gone.
    _reservation: Reservation,
}

/// What became of a job.
enum After {
    /// Every row is booked or given back.
    Settled,
    /// Too large: both halves are still to do.
    Halve(Job),
}

/// What an attempt came to.
enum Tried {
    /// The database answered, after so long.
    Answer(Load, Vec<Changed>, Duration),
    /// It did not; the columns can be made again.
    Error(SinkError),
}

/// How far a transaction came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its columns were made, or could not be.
    Made,
    /// It was sent, and is in the books.
    Begun,
}

impl Lane {
    pub(crate) fn new(shop: Arc<Shop>, number: usize, changer: Option<BoxChanger>) -> Lane {
        let changes = shop.desk.changes();
        Lane { shop, number, changer, spare: Vec::new(), op_bytes: OP_BYTES, changes }
    }

    /// Works until the desk has nothing left.
    pub(crate) async fn run(mut self) {
        if !self.open().await {
            return;
        }
        loop {
            self.changes.borrow_and_update();
            match self.shop.desk.take(self.number) {
                Take::Job(job) => self.work(job).await,
                Take::Several(jobs) => self.several(jobs).await,
                Take::Event { number, was_begun } => self.event(number, was_begun).await,
                Take::At(then) => tokio::select! {
                    () = sleep_until(then) => {}
                    _ = self.changes.changed() => {}
                },
                Take::Wait | Take::Park => {
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
        if self.changer.is_some() {
            return true;
        }
        match connect(&self.shop).await {
            Ok(changer) => self.changer = Some(changer),
            Err(error) => {
                self.shop.desk.trouble(&error);
                if self.number > 0 && matches!(error.kind, SinkErrorKind::Busy { .. }) {
                    self.shop.desk.cap_lanes(self.number);
                    return false;
                }
                if let Err(error) = self.reconnect(self.number as u64, Attempt::First).await {
                    self.shop.desk.end(Cause::Failed(error));
                    return false;
                }
            }
        }
        true
    }

    async fn work(&mut self, job: Job) {
        if !job.pause.is_zero() {
            sleep(job.pause).await;
        }
        let mut pieces = vec![job];
        while let Some(piece) = pieces.pop() {
            if self.shop.desk.ending() && piece.attempt == Attempt::First {
                self.shop.desk.put_back(&piece, None);
                continue;
            }
            if let After::Halve(piece) = self.piece(piece).await {
                let [first, second] = piece.halve();
                pieces.extend([second, first]);
            }
        }
    }

    async fn piece(&mut self, job: Job) -> After {
        let stream = self.shop.work.stream(job.stream);
        let twice = job.attempt == Attempt::First
            && self.shop.work.limits.transactions
            && stream.rolls_back(job.ops.start);
        if twice && let Err(error) = self.roll_back(&job).await {
            return self.refused(job, Stage::Made, error);
        }
        let load = match self.make(&job, Fate::Commit).await {
            Ok(load) => load,
            Err(error) => return self.refused(job, Stage::Made, error),
        };
        if let Some(journal) = &self.shop.journal
            && let Err(error) = journal.begun(job.stream, job.ops.end)
        {
            self.shop.desk.put_back(&job, None);
            self.shop.desk.end(Cause::Failed(unwritten(&error)));
            return After::Settled;
        }
        self.shop.desk.begin(&job, &load.filled);
        self.send(job, load).await
    }

    /// Does a transaction with other values, and has it undone.
    async fn roll_back(&mut self, job: &Job) -> Result<(), SinkError> {
        let mut attempts = 0;
        loop {
            if self.shop.desk.ending() {
                return Ok(());
            }
            let load = self.make(job, Fate::RollBack).await?;
            if !self.has_changes(&load.filled) {
                self.spare.push(load.filled);
                return Ok(());
            }
            let error = match self.attempt(job, load, End::RollBack, Attempt::First).await {
                Tried::Answer(load, changed, service) => {
                    self.shop.desk.rolled_back(&changed, service);
                    self.spare.push(load.filled);
                    return Ok(());
                }
                Tried::Error(error) => error,
            };
            // Nothing of it is kept, whatever became of it.
            match error.kind {
                SinkErrorKind::Busy { .. } | SinkErrorKind::Lost(_) => {}
                SinkErrorKind::TooLarge | SinkErrorKind::Fatal => return Err(error),
            }
            if attempts >= self.shop.options.retry {
                return Err(error);
            }
            sleep(backoff::pause(job.number, attempts)).await;
            attempts += 1;
        }
    }

    async fn send(&mut self, job: Job, load: Load) -> After {
        let tried = self.attempt(&job, load, End::Commit, job.attempt).await;
        self.see_through(job, tried).await
    }

    /// Does what an attempt asks for, and tries again, until every row is settled.
    async fn see_through(&mut self, mut job: Job, mut tried: Tried) -> After {
        loop {
            let error = match tried {
                Tried::Answer(load, changed, service) => {
                    let answers = self.ask_all(&job, &load.filled, changed, service).await;
                    return self.settle(&job, load, &answers);
                }
                Tried::Error(error) => error,
            };
            let mut pause = Duration::ZERO;
            match error.kind {
                SinkErrorKind::Busy { retry_after } => {
                    pause = backoff::pause(job.number, job.attempts);
                    pause = pause.max(retry_after.unwrap_or_default());
                }
                SinkErrorKind::Lost(Delivery::None) => {}
                SinkErrorKind::Lost(Delivery::InDoubt) => job.attempt = Attempt::Replay,
                SinkErrorKind::TooLarge | SinkErrorKind::Fatal => {
                    return self.refused(job, Stage::Begun, error);
                }
            }
            if job.attempt == Attempt::Replay && !self.shop.work.idempotent {
                let filled = self.again(&job);
                self.shop.desk.lose_sight(&job, &filled);
                self.spare.push(filled);
                return After::Settled;
            }
            if job.attempts >= self.shop.options.retry {
                return self.refused(job, Stage::Begun, error);
            }
            job.attempts += 1;
            self.shop.desk.retried(&job);
            if !pause.is_zero() {
                sleep(pause).await;
            }
            tried = match self.make(&job, Fate::Commit).await {
                Ok(load) => self.attempt(&job, load, End::Commit, job.attempt).await,
                Err(error) => return self.refused(job, Stage::Begun, error),
            };
        }
    }

    fn settle(&mut self, job: &Job, load: Load, answers: &[Answered]) -> After {
        let service = Answered::service(answers);
        if let Err(error) = accounted(job, &load.filled, answers) {
            self.shop.desk.failed(job, &error, service);
            self.shop.desk.lose_sight(job, &load.filled);
            self.shop.desk.end(Cause::Failed(error));
            return After::Settled;
        }
        self.mark_done(job);
        let since_due = job
            .is_paced()
            .then(|| self.shop.desk.lock().clock.elapsed().saturating_sub(job.first_due()));
        metrics::batch(service, since_due);
        self.shop.desk.settle(job, &load.filled, answers, service);
        self.spare.push(load.filled);
        After::Settled
    }

    /// Writes into the progress that a transaction was answered.
    fn mark_done(&self, job: &Job) {
        if let Some(journal) = &self.shop.journal
            && let Err(error) = journal.done(job.stream, job.ops.end)
        {
            self.shop.desk.end(Cause::Failed(unwritten(&error)));
        }
    }

    /// The transaction was not taken, and will not be as it is.
    fn refused(&mut self, job: Job, stage: Stage, error: SinkError) -> After {
        let filled = self.again(&job);
        let desk = &self.shop.desk;
        let can_halve = job.len() > 1 && self.shop.work.transaction == Size::Batch;
        match (error.kind, job.attempt, stage) {
            (SinkErrorKind::TooLarge, Attempt::First, _) if can_halve => {
                desk.halve(&job, (stage == Stage::Begun).then_some(&filled));
                self.spare.push(filled);
                return After::Halve(job);
            }
            (SinkErrorKind::TooLarge, Attempt::First, _) => {
                if stage == Stage::Made {
                    desk.begin(&job, &filled);
                }
                desk.refuse(&job, &filled, &error);
                self.spare.push(filled);
                return After::Settled;
            }
            (_, _, Stage::Made) => {
                desk.put_back(&job, None);
            }
            (_, Attempt::First, Stage::Begun) => desk.put_back(&job, Some(&filled)),
            (_, Attempt::Replay, Stage::Begun) => desk.leave_in_doubt(&job, &filled),
        }
        desk.end(Cause::Failed(error));
        After::Settled
    }

    /// The groups of a job whose columns are gone: for the books.
    fn again(&mut self, job: &Job) -> Filled {
        let work = &self.shop.work;
        let mut filled = self.spare.pop().unwrap_or_default();
        filled.fill(work.stream(job.stream), job.ops.clone(), Fate::Commit, work.piece);
        filled
    }

    /// Makes the columns, within the budget.
    async fn make(&mut self, job: &Job, fate: Fate) -> Result<Load, SinkError> {
        let most = self.shop.budget.bytes_max();
        let mut reserve = self.op_bytes.saturating_mul(job.len()).min(most);
        loop {
            let mut reservation = self.shop.budget.reserve(reserve).await;
            let filled = self.fill(job, fate).await;
            let bytes = filled.bytes();
            if reservation.cover(bytes) {
                reservation.hold(bytes);
                self.op_bytes = bytes.div_ceil(job.len().max(1)).max(1);
                return Ok(Load { filled, _reservation: reservation });
            }
            if bytes > most {
                let text = format!(
                    "a transaction of {} rows has {bytes} bytes; --max-bytes-in-flight is {most}",
                    job.len()
                );
                return Err(SinkError::new(SinkErrorKind::TooLarge, "too large", text));
            }
            // What waits for room must not take room.
            reserve = bytes;
        }
    }

    async fn fill(&mut self, job: &Job, fate: Fate) -> Filled {
        let mut filled = self.spare.pop().unwrap_or_default();
        let stream = Arc::clone(self.shop.work.stream(job.stream));
        let (ops, piece) = (job.ops.clone(), self.shop.work.piece);
        if job.len() <= BLOCKING_OPS {
            filled.fill(&stream, ops, fate, piece);
            return filled;
        }
        let made = tokio::task::spawn_blocking(move || {
            filled.fill(&stream, ops, fate, piece);
            filled
        });
        made.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => panic!("the runtime is shutting down: {cancelled}"),
        })
    }

    /// Sends once, and never cancels: what takes too long is left to a task of its own, with its connection and its columns.
    async fn attempt(&mut self, job: &Job, load: Load, end: End, attempt: Attempt) -> Tried {
        if self.changer.is_none()
            && let Err(error) = self.reconnect(job.number, Attempt::Replay).await
        {
            let error = SinkError { kind: SinkErrorKind::Fatal, ..error };
            return Tried::Error(error);
        }
        if !self.has_changes(&load.filled) {
            self.shop.desk.sending(load.filled.bytes());
            return Tried::Answer(load, Vec::new(), Duration::ZERO);
        }
        let mut changer = self.changer.take().expect("it is connected");
        // A replay only makes sure; a rollback is another's extra.
        let held = match (end, attempt) {
            (End::Commit, Attempt::First) => self.shop.work.hold(job.stream, job.ops.start),
            (End::Commit | End::RollBack, _) => None,
        };
        self.shop.desk.sending(load.filled.bytes());
        let (start, statements) = (Instant::now(), Arc::clone(&self.shop.work.statements));
        let mut change = Box::pin(async move {
            let groups: Vec<Change<'_>> = load
                .filled
                .groups()
                .filter(|group| statements[group.entry].query.is_none())
                .map(|group| Change { statement: group.entry, batch: &group.batch })
                .collect();
            let hold = held.map(|time| -> Hold<'_> { Box::pin(sleep(time)) });
            let result = changer.change(Transaction { groups: &groups, end, attempt, hold }).await;
            drop(groups);
            (changer, load, result)
        });
        let patience = self.patience() + held.unwrap_or_default();
        let Ok((changer, load, result)) = timeout(patience, change.as_mut()).await else {
            tokio::spawn(change);
            let text = format!("no answer within {patience:?}; the connection is given up");
            let error = SinkError::new(SinkErrorKind::Lost(Delivery::InDoubt), "timeout", text);
            self.shop.desk.failed(job, &error, patience);
            return Tried::Error(error);
        };
        match result {
            Ok(changed) => {
                self.changer = Some(changer);
                self.shop.desk.held(held);
                Tried::Answer(load, changed, start.elapsed())
            }
            Err(error) => {
                self.shop.desk.failed(job, &error, start.elapsed());
                if !matches!(error.kind, SinkErrorKind::Lost(_)) {
                    self.changer = Some(changer);
                }
                self.spare.push(load.filled);
                Tried::Error(error)
            }
        }
    }

    /// The server's own limit should come first: its answer is certain.
    fn patience(&self) -> Duration {
        let limit = self.shop.options.timeout;
        limit + (limit / 4).max(Duration::from_secs(1))
    }

    /// Tries until the limit. A run that ends waits only for what is begun.
    async fn reconnect(&mut self, salt: u64, attempt: Attempt) -> Result<(), SinkError> {
        let give_up_at = Instant::now() + self.shop.options.reconnect;
        for number in 0.. {
            let error = match connect(&self.shop).await {
                Ok(changer) => {
                    self.changer = Some(changer);
                    return Ok(());
                }
                Err(error) => error,
            };
            self.shop.desk.trouble(&error);
            match error.kind {
                SinkErrorKind::Busy { .. } | SinkErrorKind::Lost(_) => {}
                SinkErrorKind::TooLarge | SinkErrorKind::Fatal => return Err(error),
            }
            let idle = attempt == Attempt::First && self.shop.desk.ending();
            if idle || Instant::now() >= give_up_at {
                return Err(error);
            }
            sleep(backoff::pause(salt, number)).await;
        }
        unreachable!("attempts never run out before the limit does")
    }
}

/// Opens a connection, within the time that the server may take for a batch.
pub(crate) async fn connect(shop: &Shop) -> Result<BoxChanger, SinkError> {
    let limit = shop.options.timeout.max(Duration::from_secs(1));
    timeout(limit, shop.sink.changer(&shop.work.statements)).await.unwrap_or_else(|_| {
        let text = format!("no connection within {limit:?}");
        Err(SinkError::new(SinkErrorKind::Lost(Delivery::None), "connection", text))
    })
}

/// # Errors
/// A sink that does not account for every row cannot be believed.
fn accounted(job: &Job, filled: &Filled, answers: &[Answered]) -> Result<(), SinkError> {
    if filled.is_answered(answers) {
        return Ok(());
    }
    let rows: u64 = answers.iter().map(|answer| answer.changed.rows()).sum();
    let text = format!("{} rows were sent, {rows} are accounted for", job.len());
    Err(SinkError::fatal("accounting", text))
}

fn unwritten(error: &std::io::Error) -> SinkError {
    SinkError::fatal("progress", format!("the progress file cannot be written: {error}"))
}
