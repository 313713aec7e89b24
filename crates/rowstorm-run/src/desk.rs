//! The desk: hands out jobs, books what became of them, and knows when to stop.
//!
//! All state of a run stands in one struct behind one short lock that is never held across an `await`. Lanes that have
//! to wait are woken by a counter that moves with every change that can concern them.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rowstorm_control::{Counters, Observation, Pace, Steady, Unpaced, Verdict};
use rowstorm_sink::{Attempt, Outcome, ServerCounters, SinkError, SinkErrorKind};
use tokio::sync::watch;

use crate::books::Books;
use crate::changes;
use crate::clock::Clock;
use crate::job::Job;
use crate::live::Phase;
use crate::open::Open;
use crate::stats::Stats;
use crate::{MaxErrors, Resume, RunOptions};

/// A run without an end is judged by its share of errors only after so many rows.
pub(crate) const SHARE_BASE_ROWS: u64 = 100_000;

#[derive(Debug)]
pub(crate) struct Desk {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    /// The changes after the load, once they have begun.
    changes: OnceLock<(Arc<changes::Desk>, Arc<changes::Work>)>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) clock: Clock,
    pub(crate) books: Books,
    pub(crate) stats: Stats,
    /// The table that is being loaded; stays the last one afterwards.
    pub(crate) open: Option<Open>,
    pub(crate) ended: Option<Cause>,
    /// Rows that the whole run will write, where that is known.
    pub(crate) rows_wanted: Option<u64>,
    /// Batches that wait for the server's answer.
    pub(crate) sending: u32,
    /// Rows that had arrived when the warm-up ended, and when that was.
    pub(crate) warm: Option<(Duration, u64)>,
    pace: Box<dyn Pace>,
    warmup: Duration,
    max_errors: MaxErrors,
    handed: u64,
    jobs: u64,
    /// Whether a lane waits for rows of others to be settled.
    is_awaited: bool,
    /// Whether an earlier run may have written the rows.
    attempt: Attempt,
}

/// Why no more rows are handed out.
#[derive(Debug)]
pub(crate) enum Cause {
    Stopped,
    TooManyRejected,
    Failed(SinkError),
}

/// What a lane is to do next.
#[derive(Debug)]
pub(crate) enum Take {
    /// Write these rows, after this pause.
    Job(Job, Duration),
    /// Wait for a change.
    Wait,
    /// There is nothing left for any lane.
    Done,
}

impl Desk {
    pub(crate) fn new(books: Books, options: &RunOptions) -> Desk {
        let pace: Box<dyn Pace> = match options.own_rate() {
            Some(rate) if rate > 0.0 => Box::new(Steady::new(rate)),
            Some(_) | None => Box::new(Unpaced),
        };
        let state = State {
            phase: Phase::Preparing,
            clock: Clock::default(),
            books,
            stats: Stats::default(),
            open: None,
            ended: None,
            rows_wanted: None,
            sending: 0,
            warm: None,
            pace,
            warmup: options.warmup,
            max_errors: options.max_errors,
            handed: 0,
            jobs: 0,
            is_awaited: false,
            attempt: match options.resume() {
                Resume::Load => Attempt::Replay,
                Resume::Anew | Resume::Changes(_) => Attempt::First,
            },
        };
        Desk { state: Mutex::new(state), changed: watch::Sender::new(0), changes: OnceLock::new() }
    }

    /// The state. A lane that panicked leaves it whole: every change is made at once.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn wake(&self) {
        self.changed.send_modify(|number| *number += 1);
    }

    /// The load begins.
    pub(crate) fn begin(&self) {
        let mut state = self.lock();
        state.phase = Phase::Loading;
        state.clock.start();
    }

    /// The load is over, no lane is left.
    ///
    /// # Panics
    /// If a row that was handed out is not settled.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.clock.end();
        let at = state.clock.elapsed();
        state.stats.table_over(at);
        assert!(state.books.balance(), "every row that was handed out is settled");
    }

    /// Hands out rows of this table from now on.
    pub(crate) fn open(&self, open: Open) {
        let mut state = self.lock();
        let at = state.clock.elapsed();
        state.stats.table_over(at);
        state.stats.decisions.next_table();
        state.stats.decided(at, open.controller.as_ref());
        state.open = Some(open);
    }

    /// The next job of a lane.
    pub(crate) fn take(&self, lane: usize) -> Take {
        let mut state = self.lock();
        let take = state.take(lane);
        let over = state.open.as_ref().is_none_or(Open::exhausted);
        drop(state);
        if over {
            self.wake();
        }
        take
    }

    /// How many lanes should be at work; none when there is nothing left to hand out.
    pub(crate) fn width(&self) -> u32 {
        let state = self.lock();
        match &state.open {
            Some(open) if state.ended.is_none() && !open.exhausted() => open.width(),
            Some(_) | None => 0,
        }
    }

    /// A payload of this job was made.
    pub(crate) fn made(&self, rows: u64, bytes: u64, took: Duration) {
        let mut state = self.lock();
        state.stats.make += took;
        state.open_mut().measured(rows, bytes);
    }

    /// A payload goes out now.
    pub(crate) fn sending(&self, job: &Job, bytes: u64) {
        let mut state = self.lock();
        state.sending += 1;
        state.stats.bytes_sent += bytes;
        if let Some(due) = job.due.filter(|_| job.attempts == 0 && job.halved == 0) {
            let lag = state.clock.elapsed().saturating_sub(due);
            state.stats.started(lag, job.len());
        }
    }

    /// The database answered.
    pub(crate) fn settle(
        &self,
        lane: usize,
        job: &Job,
        outcome: &Outcome,
        latency: Duration,
        bytes: u64,
    ) {
        let mut state = self.lock();
        let refused = outcome.rejected.count;
        let arrived = outcome.accepted + outcome.confirmed;
        let warm = state.is_warm();
        state.stats.answered(latency, arrived, refused, warm);
        state.book(lane, job, outcome);
        let verdict = if refused == 0 { Verdict::Done } else { Verdict::Failed };
        self.observe(state, job, verdict, latency, bytes);
    }

    /// An attempt failed: nothing is settled, the lane decides what comes next.
    pub(crate) fn failed(
        &self,
        lane: usize,
        job: &Job,
        error: &SinkError,
        waited: Duration,
        bytes: u64,
    ) {
        let mut state = self.lock();
        state.stats.failed(waited);
        if matches!(error.kind, SinkErrorKind::Lost(_)) {
            state.open_mut().lay_aside(lane);
        }
        state.books.trouble(error);
        let verdict = match error.kind {
            SinkErrorKind::Busy { .. } => Verdict::Busy,
            SinkErrorKind::TooLarge => Verdict::TooLarge,
            SinkErrorKind::Lost(_) | SinkErrorKind::Fatal => Verdict::Failed,
        };
        if verdict == Verdict::TooLarge {
            state.open_mut().too_large(job.len());
            if job.halved > 0 {
                // One row can be to blame; a controller that heard of every half would never grow again.
                state.sending -= 1;
                return;
            }
        }
        self.observe(state, job, verdict, waited, bytes);
    }

    fn observe(
        &self,
        mut state: MutexGuard<'_, State>,
        job: &Job,
        verdict: Verdict,
        latency: Duration,
        bytes: u64,
    ) {
        let at = state.clock.elapsed();
        let seen = Observation {
            at,
            latency,
            rows: u32::try_from(job.len()).unwrap_or(u32::MAX),
            bytes,
            in_flight: state.sending,
            decision: job.decision,
            verdict,
        };
        state.sending -= 1;
        let State { open, stats, ended, is_awaited, .. } = &mut *state;
        let open = open.as_mut().expect("a job is of an open table");
        let decided = open.observe(&seen);
        if decided {
            stats.decided(at, open.controller.as_ref());
        }
        if open.freeze() {
            stats.decided(at, open.controller.as_ref());
        }
        let over = open.end_if_sure(at);
        let wake = decided || over || ended.is_some() || std::mem::take(is_awaited);
        drop(state);
        if wake {
            self.wake();
        }
    }

    /// Rows are no longer out: who waits for that looks again.
    fn make_room(&self, mut state: MutexGuard<'_, State>) {
        let wake = std::mem::take(&mut state.is_awaited);
        drop(state);
        if wake {
            self.wake();
        }
    }

    /// A single row is larger than server or budget allow: it is refused here.
    pub(crate) fn refuse_row(&self, lane: usize, job: &Job, why: String) {
        let mut state = self.lock();
        state.open_mut().one_row_too_large(job.whole);
        state.book(lane, job, &Outcome::refused(job.len(), "too large", why));
        self.make_room(state);
    }

    /// The most rows that a payload should have now.
    pub(crate) fn ceiling(&self) -> u64 {
        self.lock().open.as_ref().map_or(u64::MAX, |open| u64::from(open.ceiling()))
    }

    /// How many batches were answered so far.
    pub(crate) fn answered(&self) -> u64 {
        self.lock().stats.batches_done
    }

    /// The server was asked what it refused in silence.
    pub(crate) fn count(&self, seen: ServerCounters) {
        let state = &mut *self.lock();
        let at = state.clock.elapsed();
        let ServerCounters { requests, rejected } = seen;
        let Some(open) = state.open.as_mut() else { return };
        if open.count(&Counters { at, requests, rejected }) {
            state.stats.decided(at, open.controller.as_ref());
            self.wake();
        }
    }

    /// An attempt is made again.
    pub(crate) fn retried(&self) {
        self.lock().stats.retries += 1;
    }

    /// Trouble that concerns no rows: a connection could not be opened.
    pub(crate) fn trouble(&self, error: &SinkError) {
        let mut state = self.lock();
        state.books.trouble(error);
        state.stats.batches_failed += 1;
    }

    /// Rows that were never begun, or certainly not written, come back.
    pub(crate) fn put_back(&self, lane: usize, rows: u64) {
        let mut state = self.lock();
        let table = state.open_mut().table;
        state.open_mut().take_from_hand(lane, rows);
        state.books.put_back(table, rows);
        self.make_room(state);
    }

    /// Rows were sent, and nobody can tell what became of them.
    pub(crate) fn lose_sight(&self, lane: usize, rows: u64) {
        let mut state = self.lock();
        let table = state.open_mut().table;
        state.open_mut().take_from_hand(lane, rows);
        state.books.lose_sight(table, rows);
        self.make_room(state);
    }

    /// A lane is gone with whatever it held (its task panicked): nobody can tell.
    pub(crate) fn abandon(&self, lane: usize) {
        let rows = self.lock().open.as_ref().map_or(0, |open| open.in_hand(lane));
        if rows > 0 {
            self.lose_sight(lane, rows);
        }
    }

    /// The server refused another connection: so many lanes must do.
    pub(crate) fn cap_lanes(&self, lanes: u32) {
        self.lock().open_mut().cap_lanes(lanes);
    }

    /// Stops handing out; what is in flight is finished. The first cause stands, but a failure overrides a stop.
    pub(crate) fn end(&self, cause: Cause) {
        self.lock().end(cause);
        self.wake();
    }

    /// Ends load and changes early.
    pub(crate) fn stop(&self) {
        self.end(Cause::Stopped);
        if let Some((changes, _)) = self.changes.get() {
            changes.end(Cause::Stopped);
        }
    }

    /// The changes begin: whoever stops the run stops them.
    pub(crate) fn change(&self, desk: Arc<changes::Desk>, work: Arc<changes::Work>) {
        self.lock().phase = Phase::Changing;
        let desk = &self.changes.get_or_init(|| (desk, work)).0;
        if self.ending() {
            desk.end(Cause::Stopped);
        }
    }

    /// One look at the changes.
    pub(crate) fn changes_snapshot(&self) -> Option<changes::ChangesSnapshot> {
        self.changes.get().map(|(desk, work)| changes::snapshot(desk, work))
    }

    pub(crate) fn ending(&self) -> bool {
        self.lock().ended.is_some()
    }
}

impl State {
    fn take(&mut self, lane: usize) -> Take {
        let elapsed = self.clock.elapsed();
        let Some(open) = self.open.as_mut() else { return Take::Done };
        if self.ended.is_some() || open.exhausted() {
            return Take::Done;
        }
        if lane >= open.width() as usize {
            return Take::Wait;
        }
        let due = self.pace.due(self.handed);
        let start = due.map_or(elapsed, |due| due.max(elapsed));
        if open.deadline.is_some_and(|deadline| start >= deadline) {
            open.exhaust();
            return Take::Done;
        }
        let (rows, bytes) = open.size();
        if !open.has_room(rows) {
            self.is_awaited = true;
            return Take::Wait;
        }
        let job = Job {
            number: self.jobs,
            rows: open.hand_out(lane, rows),
            decision: open.controller.decision().number,
            due,
            attempts: 0,
            halved: 0,
            whole: rows,
            doubt: self.attempt,
            bytes,
        };
        let pause = open.controller.decision().pause;
        self.jobs += 1;
        self.handed += rows;
        let table = open.table;
        self.books.plan(table, rows);
        Take::Job(job, pause)
    }

    fn book(&mut self, lane: usize, job: &Job, outcome: &Outcome) {
        let open = self.open_mut();
        open.take_from_hand(lane, job.len());
        let table = open.table;
        // A refusal of the whole (a full disk) says nothing of an earlier attempt, which may have arrived.
        if job.doubt == Attempt::Replay && outcome.rejected.count == job.len() {
            self.books.refused(&outcome.rejected);
            self.books.lose_sight(table, job.len());
        } else {
            self.books.settle(table, job.rows.clone(), outcome);
        }
        let total = self.books.total();
        let base = match self.max_errors {
            MaxErrors::Rows(_) => total.planned,
            MaxErrors::Percent(_) => self.rows_wanted.unwrap_or(total.planned.max(SHARE_BASE_ROWS)),
        };
        if total.rejected > self.max_errors.rows_of(base) {
            self.end(Cause::TooManyRejected);
        }
        let elapsed = self.clock.elapsed();
        if self.warm.is_none() && elapsed >= self.warmup {
            self.warm = Some((elapsed, total.accepted + total.confirmed));
        }
    }

    /// Whether there was a warm-up to leave out.
    pub(crate) fn warmed_up(&self) -> bool {
        self.warmup > Duration::ZERO && self.warm.is_some()
    }

    fn is_warm(&self) -> bool {
        self.clock.elapsed() >= self.warmup
    }

    fn end(&mut self, cause: Cause) {
        let failed = matches!(self.ended, Some(Cause::Failed(_)));
        if self.ended.is_none() || (!failed && matches!(cause, Cause::Failed(_))) {
            self.ended = Some(cause);
        }
    }

    fn open_mut(&mut self) -> &mut Open {
        self.open.as_mut().expect("a lane works on an open table")
    }
}
