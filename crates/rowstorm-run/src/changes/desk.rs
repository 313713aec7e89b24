//! The desk of the changes: hands out ops of streams that are free, as they are due, and books what became of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rowstorm_control::Verdict;
use rowstorm_gen::changes::Group;
use rowstorm_sink::{Attempt, Changed, SinkError, SinkErrorKind};
use tokio::sync::watch;

use super::filled::{Answered, Filled};
use super::job::{Job, Take};
use super::options::ChangeOptions;
use super::script::Told;
use super::state::State;
use super::work::Work;
use crate::RunOptions;
use crate::desk::Cause;

/// A transaction with the answer to each of its groups.
pub(crate) struct Settled<'a> {
    pub(crate) job: &'a Job,
    pub(crate) filled: &'a Filled,
    pub(crate) answers: &'a [Answered],
}

#[derive(Debug)]
pub(crate) struct Desk {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

impl Desk {
    pub(crate) fn new(work: &Work, options: &RunOptions, asked: &ChangeOptions) -> Desk {
        let state = State::new(work, options, asked);
        Desk { state: Mutex::new(state), changed: watch::Sender::new(0) }
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

    /// How many lanes should be at work.
    pub(crate) fn width(&self) -> u32 {
        self.lock().tuner.width()
    }

    /// The next job of a lane.
    pub(crate) fn take(&self, lane: usize) -> Take {
        let mut state = self.lock();
        let now = state.clock.elapsed();
        let take = state.take(lane, now);
        let wake = state.widened();
        match take {
            Take::Wait => state.is_awaited = true,
            Take::Job(_)
            | Take::Several(_)
            | Take::Event { .. }
            | Take::At(_)
            | Take::Park
            | Take::Done => {}
        }
        drop(state);
        if wake || matches!(take, Take::Done) {
            self.wake();
        }
        take
    }

    /// More jobs for a lane that has some on their way.
    pub(crate) fn take_more(&self, lane: usize) -> Option<Vec<Job>> {
        let mut state = self.lock();
        let now = state.clock.elapsed();
        let jobs = state.take_more(lane, now);
        let wake = state.widened();
        drop(state);
        if wake {
            self.wake();
        }
        jobs
    }

    /// The server refused another connection: so many lanes must do.
    pub(crate) fn cap_lanes(&self, lanes: usize) {
        self.lock().tuner.cap_lanes(u32::try_from(lanes).unwrap_or(u32::MAX));
    }

    /// A job's transaction is sent now, for the first time.
    pub(crate) fn begin(&self, job: &Job, filled: &Filled) {
        let mut state = self.lock();
        let State { books, stats, clock, begun, .. } = &mut *state;
        for group in filled.groups() {
            books.plan(group.entry, group.ops.len() as u64);
        }
        begun[job.stream as usize] = job.ops.end;
        stats.started(job, clock.elapsed());
    }

    /// An attempt goes out.
    pub(crate) fn sending(&self, bytes: u64) {
        let mut state = self.lock();
        state.sending += 1;
        state.stats.seconds.bytes_sent += bytes;
    }

    /// An attempt failed: nothing is settled.
    pub(crate) fn failed(&self, job: &Job, error: &SinkError, waited: Duration) {
        let mut state = self.lock();
        let verdict = match error.kind {
            SinkErrorKind::Busy { .. } => Verdict::Busy,
            SinkErrorKind::TooLarge => Verdict::TooLarge,
            SinkErrorKind::Lost(_) | SinkErrorKind::Fatal => Verdict::Failed,
        };
        state.observe(job, verdict, waited, 0);
        state.sending -= 1;
        state.stats.seconds.failed(waited);
        state.errors.trouble(error);
    }

    /// A transaction was answered; perhaps it was held open.
    pub(crate) fn held(&self, held: Option<Duration>) {
        self.lock().books.transactions.held += u64::from(held.is_some());
    }

    /// A transaction was rolled back, as it was meant to be.
    pub(crate) fn rolled_back(&self, changed: &[Changed], service: Duration) {
        let mut state = self.lock();
        state.sending -= 1;
        state.stats.seconds.wait += service;
        state.books.transactions.rolled_back += 1;
        for group in changed {
            state.books.transactions.rolled_back_rows += group.rows();
            state.errors.refused(&group.rejected);
        }
    }

    /// The database answered: what became of each group.
    pub(crate) fn settle(
        &self,
        job: &Job,
        filled: &Filled,
        answers: &[Answered],
        service: Duration,
    ) {
        let mut state = self.lock();
        let bad = state.enter(job, filled, answers, service);
        let verdict = if bad == 0 { Verdict::Done } else { Verdict::Failed };
        state.observe(job, verdict, service, filled.bytes());
        state.sending -= 1;
        state.judge();
        self.let_go(state);
    }

    /// The database answered transactions that were sent together, the last of them after so long. `None` where another of them
    /// failed, and that was told already.
    pub(crate) fn settle_each(&self, settled: &[Settled<'_>], took: Option<Duration>) {
        let mut state = self.lock();
        let (mut rows, mut bytes, mut bad) = (0, 0, 0);
        for Settled { job, filled, answers } in settled {
            bad += state.enter(job, filled, answers, Answered::service(answers));
            rows += job.len();
            bytes += filled.bytes();
        }
        if let Some(took) = took {
            let verdict = if bad == 0 { Verdict::Done } else { Verdict::Failed };
            if let Some(Settled { job, .. }) = settled.first() {
                state.observe_rows(job, rows, verdict, took, bytes);
            }
            state.sending -= 1;
        }
        state.judge();
        self.let_go(state);
    }

    /// Rows were sent, and nobody can tell what became of them; the stream goes on behind them.
    pub(crate) fn lose_sight(&self, job: &Job, filled: &Filled) {
        let mut state = self.lock();
        for group in filled.groups() {
            state.books.lose_sight(group.entry, group.ops.len() as u64);
        }
        state.done[job.stream as usize] = job.ops.end;
        state.give_back(job);
        state.judge();
        self.let_go(state);
    }

    /// Nothing of a transaction was done, and nothing will be: the run ends. It may have been begun.
    pub(crate) fn put_back(&self, job: &Job, filled: Option<&Filled>) {
        let mut state = self.lock();
        for group in filled.into_iter().flat_map(Filled::groups) {
            state.books.put_back(group.entry, group.ops.len() as u64);
        }
        state.begun[job.stream as usize] = state.done[job.stream as usize];
        state.in_hand -= u32::from(!job.more);
        if job.is_paced() {
            state.left += job.len();
        }
        self.let_go(state);
    }

    /// The run cannot go on, and a transaction stays in doubt: its rows are unknown until a later run resumes.
    pub(crate) fn leave_in_doubt(&self, job: &Job, filled: &Filled) {
        let mut state = self.lock();
        for group in filled.groups() {
            state.books.lose_sight(group.entry, group.ops.len() as u64);
        }
        state.in_hand -= u32::from(!job.more);
        self.let_go(state);
    }

    /// A job is too large for the server: its halves are still to do.
    pub(crate) fn halve(&self, job: &Job, begun: Option<&Filled>) {
        let mut state = self.lock();
        for group in begun.into_iter().flat_map(Filled::groups) {
            state.books.put_back(group.entry, group.ops.len() as u64);
        }
        state.tuner.too_large(job.len());
    }

    /// A transaction is larger than the server or the budget allows: its rows are refused here.
    pub(crate) fn refuse(&self, job: &Job, filled: &Filled, error: &SinkError) {
        let mut state = self.lock();
        let (at, service) = (state.clock.elapsed(), Duration::ZERO);
        let refused = |group: &Group| {
            let changed = Changed::refused(group.ops.len() as u64, "too large", &error.message);
            Answered { changed, at, service, returned: 0 }
        };
        let answers: Vec<Answered> = filled.groups().map(refused).collect();
        state.sending += 1;
        drop(state);
        self.settle(job, filled, &answers, service);
    }

    /// The last lane is gone. Rows that one had in hand when it panicked are unknown.
    ///
    /// # Panics
    /// If a row that was sent is not settled although no lane panicked.
    pub(crate) fn close(&self, panicked: bool) {
        let mut state = self.lock();
        state.clock.end();
        if panicked {
            state.books.write_off();
        }
        assert!(state.books.balance(), "every row that was sent is settled");
    }

    /// An attempt is made again; `Replay` is named in the record.
    pub(crate) fn retried(&self, job: &Job) {
        let mut state = self.lock();
        state.books.transactions.retries += 1;
        if job.attempt == Attempt::Replay {
            state.name_replay(job);
        }
    }

    /// An event was done, or refused; streams go on behind it.
    pub(crate) fn settle_event(&self, took: Duration, told: Told) {
        let mut state = self.lock();
        state.settle_event(took, told);
        state.is_awaited = true;
        self.let_go(state);
    }

    /// An event was not sent, and will not be: the run ends.
    pub(crate) fn leave_event(&self) {
        self.lock().leave_event();
    }

    /// An event is sent again.
    pub(crate) fn retried_event(&self) {
        self.lock().books.transactions.retries += 1;
    }

    /// The ops of all streams that are done.
    pub(crate) fn ops_done(&self) -> u64 {
        self.lock().done.iter().sum()
    }

    /// Trouble that concerns no rows: a connection could not be opened.
    pub(crate) fn trouble(&self, error: &SinkError) {
        self.lock().errors.trouble(error);
    }

    /// Stops handing out; what is in flight is finished. The first cause stands, but a failure overrides a stop.
    pub(crate) fn end(&self, cause: Cause) {
        self.lock().end(cause);
        self.wake();
    }

    pub(crate) fn ending(&self) -> bool {
        self.lock().ended.is_some()
    }

    fn let_go(&self, mut state: MutexGuard<'_, State>) {
        let wake = state.widened() | std::mem::take(&mut state.is_awaited);
        drop(state);
        if wake {
            self.wake();
        }
    }
}
