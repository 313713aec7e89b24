//! The desk of the changes: hands out ops of streams that are free, as they are due, and books what became of them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rowstorm_gen::changes::Group;
use rowstorm_gen::schema::{Late, Transaction};
use rowstorm_report::ReplayedOps;
use rowstorm_sink::{Attempt, Changed, SinkError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::books::Books;
use super::filled::Filled;
use super::job::{Due, Job};
use super::options::{ChangeOptions, Resume};
use super::schedule::{Next, Slots};
use super::stats::{Answer, Stats};
use super::work::Work;
use crate::books::Books as Errors;
use crate::clock::Clock;
use crate::desk::Cause;
use crate::{MaxErrors, RunOptions};

/// Ops that come due within this are sent together: a share of a round trip, and a batch instead of single rows.
const GATHER: Duration = Duration::from_millis(5);
/// With `late: drop`, a place in the schedule is given up when nobody could take it for so long.
const DROP_AFTER: Duration = Duration::from_millis(100);
/// Places of so long before the end are taken still: a run that keeps up does all of its schedule.
const LAST_MOMENTS: Duration = Duration::from_millis(100);
/// Transactions in doubt that are named in the record.
const REPLAYED_MAX: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Desk {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) books: Books,
    /// What went wrong, by class.
    pub(crate) errors: Errors,
    pub(crate) stats: Stats,
    pub(crate) slots: Slots,
    /// By stream: how many ops are done, and the end of what was sent last.
    pub(crate) done: Vec<u64>,
    pub(crate) begun: Vec<u64>,
    pub(crate) ended: Option<Cause>,
    pub(crate) replayed: Vec<ReplayedOps>,
    /// Places in the schedule that were taken, and given back at the end.
    pub(crate) left: u64,
    /// Transactions that wait for the server.
    pub(crate) sending: u32,
    /// Ops of a batch, at most; falls where the server takes less.
    pub(crate) batch: u64,
    /// Streams that no lane has in hand, longest free first.
    free: VecDeque<u32>,
    /// Streams that lanes have in hand.
    in_hand: u32,
    /// Ops that an earlier run has left in doubt.
    doubts: Vec<(u32, Range<u64>)>,
    ends: Vec<u64>,
    transaction: Transaction,
    late: Late,
    max_errors: MaxErrors,
    jobs: u64,
    /// Whether a lane may be waiting for a stream.
    is_awaited: bool,
}

/// What a lane is to do next.
#[derive(Debug)]
pub(crate) enum Take {
    /// These ops.
    Job(Job),
    /// Ask again then.
    At(Instant),
    /// Ask again when something has changed.
    Wait,
    /// There is nothing left for any lane.
    Done,
}

impl Desk {
    pub(crate) fn new(work: &Work, options: &RunOptions, asked: &ChangeOptions) -> Desk {
        let streams = work.ends.len();
        let (mut done, mut doubts) = (vec![0; streams], Vec::new());
        if let Resume::Changes(progress) = &asked.resume {
            for stream in work.streams.iter().map(|stream| stream.number()) {
                done[stream as usize] = progress.done[stream as usize];
                doubts.extend(progress.in_doubt(stream).map(|ops| (stream, ops)));
            }
        }
        let seed = work.plan.fingerprint();
        let slots =
            Slots::new(&asked.stages, work.ops_per_change, asked.arrivals, seed, work.shard);
        let is_open = |stream: &u32| {
            let at = *stream as usize;
            done[at] < work.ends[at] && doubts.iter().all(|(doubt, _)| doubt != stream)
        };
        let free = work.streams.iter().map(|stream| stream.number()).filter(is_open).collect();
        let state = State {
            clock: Clock::default(),
            books: Books::new(work.plan.entries()),
            errors: Errors::default(),
            stats: Stats::new(slots.stages(), asked.warmup),
            slots,
            begun: done.clone(),
            done,
            ended: None,
            replayed: Vec::new(),
            left: 0,
            sending: 0,
            batch: u64::from(work.batch),
            free,
            in_hand: 0,
            doubts,
            ends: work.ends.clone(),
            transaction: work.transaction,
            late: asked.late,
            max_errors: options.max_errors,
            jobs: 0,
            is_awaited: false,
        };
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

    /// The next job.
    pub(crate) fn take(&self) -> Take {
        let mut state = self.lock();
        let now = state.clock.elapsed();
        let take = state.take(now);
        match take {
            Take::Wait => state.is_awaited = true,
            Take::Done => self.let_go(state),
            Take::Job(_) | Take::At(_) => {}
        }
        take
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
    pub(crate) fn failed(&self, error: &SinkError, waited: Duration) {
        let mut state = self.lock();
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
        changed: &[Changed],
        service: Duration,
    ) {
        let mut state = self.lock();
        state.sending -= 1;
        let now = state.clock.elapsed();
        let State { books, stats, errors, .. } = &mut *state;
        let (mut done, mut bad) = (0, 0);
        for (group, changed) in filled.groups().zip(changed) {
            books.settle(group.entry, changed);
            errors.refused(&changed.rejected);
            let kind = books.kind(group.entry);
            if changed.missed > 0 {
                let ops = format!("ops {:?} of stream {}", job.ops, job.stream);
                errors.note(&format!("missed {}", kind.word()), changed.missed, &ops);
            }
            let good = changed.matched + changed.confirmed;
            let wrong = changed.missed + changed.rejected.count;
            stats.answered(
                job,
                &Answer { kind, ops: &group.ops, done: good, bad: wrong },
                now,
                service,
            );
            (done, bad) = (done + good, bad + wrong);
        }
        books.transactions.committed += u64::from(done > 0);
        let warm = job.first_due() >= stats.warmup();
        stats.seconds.answered(service, done, bad, warm);
        state.done[job.stream as usize] = job.ops.end;
        state.give_back(job);
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
        state.batch = state.batch.min(job.len() / 2).max(1);
    }

    /// A transaction is larger than the server or the budget allows: its rows are refused here.
    pub(crate) fn refuse(&self, job: &Job, filled: &Filled, error: &SinkError) {
        let refused =
            |group: &Group| Changed::refused(group.ops.len() as u64, "too large", &error.message);
        let changed: Vec<Changed> = filled.groups().map(refused).collect();
        self.lock().sending += 1;
        self.settle(job, filled, &changed, Duration::ZERO);
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
        let wake = std::mem::take(&mut state.is_awaited);
        drop(state);
        if wake {
            self.wake();
        }
    }
}

impl State {
    fn take(&mut self, now: Duration) -> Take {
        let failed = matches!(self.ended, Some(Cause::Failed(_)));
        if !failed && let Some((stream, ops)) = self.doubts.pop() {
            // What may be there is settled first, and however short the run is.
            let job = self.job(stream, ops, Due::Free(now), 0);
            let job = Job { attempt: Attempt::Replay, ..job };
            self.name_replay(&job);
            return Take::Job(job);
        }
        if self.ended.is_some() || (self.free.is_empty() && self.in_hand == 0) {
            return Take::Done;
        }
        if self.is_over(now) {
            return Take::Done;
        }
        if self.late == Late::Drop {
            let stats = &mut self.stats;
            let before = now.saturating_sub(DROP_AFTER);
            self.slots.give_up(before, |stage, slots| stats.skipped(stage, slots));
        }
        let (paced, stage, due) = match self.slots.next(now) {
            Next::Over => return Take::Done,
            Next::Slot { due, stage } => (true, stage, due),
            Next::Free { stage } => (false, stage, now),
        };
        let ready = if paced { self.gathered(stage, due) } else { now };
        if ready > now {
            return Take::At(self.clock.at(ready));
        }
        let Some(stream) = self.free.pop_front() else { return Take::Wait };
        let from = self.done[stream as usize];
        let room = self.ends[stream as usize] - from;
        let (len, together) = match self.transaction {
            Transaction::Row => (1, true),
            Transaction::Rows(rows) => (u64::from(rows) - from % u64::from(rows), true),
            Transaction::Batch => (self.batch, false),
        };
        let len = len.min(room);
        let due = match (paced, together) {
            (false, _) => Due::Free(now),
            (true, true) => {
                (0..len).for_each(|_| self.slots.take());
                Due::Together(due)
            }
            (true, false) => {
                let mut dues = Vec::new();
                self.slots.take_due(now, len as usize, &mut dues);
                Due::Each(dues)
            }
        };
        let len = if let Due::Each(dues) = &due { dues.len() as u64 } else { len };
        Take::Job(self.job(stream, from..from + len, due, stage))
    }

    /// Whether the time is over. Ops of its last moments, which a server that keeps up has not come to yet, are not too late.
    fn is_over(&mut self, now: Duration) -> bool {
        let Some(end) = self.slots.end().filter(|end| now >= *end) else { return false };
        match self.slots.next(now) {
            Next::Slot { due, .. } => due + LAST_MOMENTS < end,
            Next::Free { .. } | Next::Over => true,
        }
    }

    /// When a batch that begins with this slot is formed.
    fn gathered(&self, stage: usize, due: Duration) -> Duration {
        let span = self.slots.stages()[stage];
        let comes = |rate: f64| rate * GATHER.as_secs_f64() >= 2.0;
        match self.transaction {
            Transaction::Batch if span.rate.is_some_and(comes) => {
                let ready = due + GATHER;
                // The last slots wait for no more.
                span.to.map_or(ready, |to| ready.min(to.max(due)))
            }
            Transaction::Batch | Transaction::Row | Transaction::Rows(_) => due,
        }
    }

    fn job(&mut self, stream: u32, ops: Range<u64>, due: Due, stage: usize) -> Job {
        self.in_hand += 1;
        self.jobs += 1;
        let number = self.jobs - 1;
        Job { number, stream, ops, due, stage, attempts: 0, attempt: Attempt::First, more: false }
    }

    fn give_back(&mut self, job: &Job) {
        let at = job.stream as usize;
        self.begun[at] = self.done[at];
        if job.more {
            return;
        }
        self.in_hand -= 1;
        if self.done[at] < self.ends[at] {
            self.free.push_back(job.stream);
        }
    }

    fn name_replay(&mut self, job: &Job) {
        let ops = ReplayedOps { stream: job.stream, from: job.ops.start, to: job.ops.end };
        if self.replayed.len() < REPLAYED_MAX && !self.replayed.contains(&ops) {
            self.replayed.push(ops);
        }
    }

    /// Ends the run when more rows are wrong than may be.
    fn judge(&mut self) {
        let total = self.books.total();
        let base = match self.max_errors {
            MaxErrors::Rows(_) => total.planned,
            MaxErrors::Percent(_) => total.planned.max(crate::desk::SHARE_BASE_ROWS),
        };
        if total.bad() > self.max_errors.rows_of(base) {
            self.end(Cause::TooManyRejected);
        }
    }

    fn end(&mut self, cause: Cause) {
        let failed = matches!(self.ended, Some(Cause::Failed(_)));
        if self.ended.is_none() || (!failed && matches!(cause, Cause::Failed(_))) {
            self.ended = Some(cause);
        }
    }

    /// What an earlier run has left in doubt, and this one did not come to.
    pub(crate) fn doubts_left(&self) -> impl Iterator<Item = ReplayedOps> + '_ {
        self.doubts.iter().map(|(stream, ops)| ReplayedOps {
            stream: *stream,
            from: ops.start,
            to: ops.end,
        })
    }

    /// Whether anything is left to be handed out.
    pub(crate) fn streams_left(&self) -> bool {
        !self.free.is_empty()
    }

    /// Rows per second that are asked for now; `None` without a rate.
    pub(crate) fn target_now(&self, ops_per_change: f64) -> Option<f64> {
        let now = self.clock.elapsed();
        let span = self
            .slots
            .stages()
            .iter()
            .find(|span| span.from <= now && span.to.is_none_or(|to| now < to))?;
        span.rate.map(|rate| rate / ops_per_change)
    }
}
