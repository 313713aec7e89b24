//! The state of the changes behind the desk: which streams are free, which places of the schedule are due, and what is decided.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use rowstorm_control::{Observation, Verdict};
use rowstorm_gen::schema::{Late, Transaction};
use rowstorm_report::ReplayedOps;
use rowstorm_sink::Attempt;

use super::books::Books;
use super::filled::{Answered, Filled};
use super::job::{Due, Job, Take};
use super::journal::EventMarks;
use super::options::{ChangeOptions, Resume};
use super::schedule::{Next, Slots};
use super::script::{Script, Told};
use super::stats::{Answer, Stats};
use super::tuner::Tuner;
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
pub(crate) const REPLAYED_MAX: usize = 1_000;

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
    pub(crate) script: Script,
    pub(crate) ended: Option<Cause>,
    pub(crate) replayed: Vec<ReplayedOps>,
    /// Places in the schedule that were taken, and given back at the end.
    pub(crate) left: u64,
    /// Transactions that wait for the server.
    pub(crate) sending: u32,
    pub(crate) tuner: Tuner,
    /// How many lanes there was work for when they were last told.
    pub(crate) width: u32,
    /// Streams that no lane has in hand, longest free first.
    free: VecDeque<u32>,
    /// Streams that lanes have in hand.
    pub(crate) in_hand: u32,
    /// Ops that an earlier run has left in doubt.
    doubts: Vec<(u32, Range<u64>)>,
    ends: Vec<u64>,
    transaction: Transaction,
    late: Late,
    max_errors: MaxErrors,
    jobs: u64,
    /// Streams of this shard, and transactions that a lane may send together.
    streams: u32,
    pipeline: u32,
    /// The most that were.
    pub(crate) together_max: u32,
    /// Whether a lane may be waiting for a stream.
    pub(crate) is_awaited: bool,
}

impl State {
    pub(crate) fn new(work: &Work, options: &RunOptions, asked: &ChangeOptions) -> State {
        let streams = work.ends.len();
        let (mut done, mut doubts) = (vec![0; streams], Vec::new());
        let mut events = EventMarks::default();
        if let Resume::Changes(progress) = &asked.resume {
            events = progress.events;
            for stream in work.streams.iter().map(|stream| stream.number()) {
                done[stream as usize] = progress.done[stream as usize];
                doubts.extend(progress.in_doubt(stream).map(|ops| (stream, ops)));
            }
        }
        let seed = work.plan.fingerprint();
        let slots =
            Slots::new(&asked.stages, work.ops_per_change, asked.arrivals, seed, work.shard);
        let script = Script::new(&work.events, events.done, events.begun);
        let is_open = |stream: &u32| {
            let at = *stream as usize;
            done[at] < work.ends[at].min(script.limit(*stream))
                && doubts.iter().all(|(doubt, _)| doubt != stream)
        };
        let free = work.streams.iter().map(|stream| stream.number()).filter(is_open).collect();
        let tuner = Tuner::new(work, options, asked);
        State {
            clock: Clock::default(),
            books: Books::new(work.plan.entries()),
            errors: Errors::default(),
            stats: Stats::new(slots.stages(), asked.warmup, work.plan.entries()),
            slots,
            begun: done.clone(),
            done,
            script,
            ended: None,
            replayed: Vec::new(),
            left: 0,
            sending: 0,
            width: tuner.width(),
            tuner,
            free,
            in_hand: 0,
            doubts,
            ends: work.ends.clone(),
            transaction: work.transaction,
            late: asked.late,
            max_errors: options.max_errors,
            jobs: 0,
            streams: work.streams.len() as u32,
            pipeline: work.pipeline,
            together_max: 1,
            is_awaited: false,
        }
    }

    /// What a lane does next. Without a schedule, and where a message takes several transactions, that is a fair share of the streams
    /// that are free.
    pub(crate) fn take(&mut self, lane: usize, now: Duration) -> Take {
        match self.next(lane, now) {
            Take::Job(job)
                if self.share() > 1 && !job.is_paced() && job.attempt == Attempt::First =>
            {
                Take::Several(self.with_others(job, lane, now))
            }
            other => other,
        }
    }

    /// The same for a lane that has some on their way; `None` if there is nothing to be sent together.
    pub(crate) fn take_more(&mut self, lane: usize, now: Duration) -> Option<Vec<Job>> {
        // Doubts are settled before all else, and events wait for what is in hand.
        if self.share() == 1 || self.is_awaited {
            return None;
        }
        match self.next(lane, now) {
            Take::Job(job) => Some(self.with_others(job, lane, now)),
            _ => None,
        }
    }

    /// How many streams a lane may take at once: of its fair share one half is on its way while the other is made.
    fn share(&self) -> usize {
        (self.streams / (2 * self.tuner.width())).clamp(1, self.pipeline) as usize
    }

    fn with_others(&mut self, job: Job, lane: usize, now: Duration) -> Vec<Job> {
        let (share, is_paced) = (self.share(), job.is_paced());
        let mut jobs = vec![job];
        while !is_paced
            && jobs.len() < share
            && let Take::Job(job) = self.next(lane, now)
        {
            jobs.push(job);
        }
        self.together_max = self.together_max.max(jobs.len() as u32);
        jobs
    }

    fn next(&mut self, lane: usize, now: Duration) -> Take {
        let failed = matches!(self.ended, Some(Cause::Failed(_)));
        if !failed && let Some((stream, ops)) = self.doubts.pop() {
            // What may be there is settled first, and however short the run is.
            let job = self.job(stream, ops, Due::Free(now), 0);
            let job = Job { attempt: Attempt::Replay, ..job };
            self.name_replay(&job);
            return Take::Job(job);
        }
        let is_idle = self.free.is_empty() && self.in_hand == 0;
        let event = self.script.due(&self.done).filter(|_| is_idle);
        if self.ended.is_some() || (is_idle && event.is_none()) || self.is_over(now) {
            return Take::Done;
        }
        if let Some(number) = event {
            // Nothing else is handed out until it is settled.
            self.in_hand += 1;
            return Take::Event { number, was_begun: self.script.is_in_doubt() };
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
        self.tuner.enter(now, paced);
        if lane >= self.tuner.width() as usize {
            return Take::Park;
        }
        let ready = if paced { self.gathered(stage, due) } else { now };
        if ready > now {
            return Take::At(self.clock.at(ready));
        }
        let Some(stream) = self.free.pop_front() else { return Take::Wait };
        let from = self.done[stream as usize];
        let room = self.ends[stream as usize].min(self.script.limit(stream)) - from;
        let (len, together) = match self.transaction {
            Transaction::Row => (1, true),
            Transaction::Rows(rows) => (u64::from(rows) - from % u64::from(rows), true),
            Transaction::Batch => (self.tuner.batch(), false),
        };
        let len = len.min(room);
        if paced {
            self.tuner.late(now, now.saturating_sub(due), self.in_hand + 1);
        }
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
        let (decision, pause) = match due {
            Due::Free(_) => self.tuner.decision(),
            Due::Together(_) | Due::Each(_) => (0, Duration::ZERO),
        };
        let attempt = Attempt::First;
        Job { number, stream, ops, due, stage, attempts: 0, attempt, decision, pause, more: false }
    }

    /// A transaction ended. What a schedule paced says nothing of speed.
    pub(crate) fn observe(&mut self, job: &Job, verdict: Verdict, latency: Duration, bytes: u64) {
        self.observe_rows(job, job.len(), verdict, latency, bytes);
    }

    /// Transactions that were sent with this one ended.
    pub(crate) fn observe_rows(
        &mut self,
        job: &Job,
        rows: u64,
        verdict: Verdict,
        latency: Duration,
        bytes: u64,
    ) {
        if job.is_paced() {
            return;
        }
        self.tuner.observe(&Observation {
            at: self.clock.elapsed(),
            latency,
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            bytes,
            in_flight: self.sending,
            decision: job.decision,
            verdict,
        });
    }

    /// Whether there is work for more lanes than they were told of.
    pub(crate) fn widened(&mut self) -> bool {
        let before = std::mem::replace(&mut self.width, self.tuner.width());
        self.width > before
    }

    pub(crate) fn give_back(&mut self, job: &Job) {
        let at = job.stream as usize;
        self.begun[at] = self.done[at];
        if job.more {
            return;
        }
        self.in_hand -= 1;
        self.free_up(job.stream);
    }

    /// A stream is free, unless it is at its end, or waits for an event.
    fn free_up(&mut self, stream: u32) {
        let at = stream as usize;
        if self.done[at] < self.ends[at].min(self.script.limit(stream)) {
            self.free.push_back(stream);
        }
    }

    /// What became of an event; after it all streams go on.
    pub(crate) fn settle_event(&mut self, took: Duration, told: Told) {
        let at = self.clock.elapsed().saturating_sub(took);
        self.script.settle(at, took, told);
        self.in_hand -= 1;
        (0..self.done.len() as u32).for_each(|stream| self.free_up(stream));
    }

    /// An event was not sent, and the run ends.
    pub(crate) fn leave_event(&mut self) {
        self.in_hand -= 1;
    }

    pub(crate) fn name_replay(&mut self, job: &Job) {
        let ops = ReplayedOps { stream: job.stream, from: job.ops.start, to: job.ops.end };
        if self.replayed.len() < REPLAYED_MAX && !self.replayed.contains(&ops) {
            self.replayed.push(ops);
        }
    }

    /// Books a transaction that was answered, and frees its stream; how many rows are not as they should be.
    pub(crate) fn enter(
        &mut self,
        job: &Job,
        filled: &Filled,
        answers: &[Answered],
        service: Duration,
    ) -> u64 {
        let State { books, stats, errors, .. } = self;
        let (mut done, mut bad) = (0, 0);
        for (group, answer) in filled.groups().zip(answers) {
            let changed = &answer.changed;
            books.settle(group.entry, changed);
            errors.refused(&changed.rejected);
            let kind = books.kind(group.entry);
            if changed.missed > 0 {
                let ops = format!("ops {:?} of stream {}", job.ops, job.stream);
                errors.note(&format!("missed {}", kind.word()), changed.missed, &ops);
            }
            let good = changed.matched + changed.confirmed;
            let wrong = changed.missed + changed.rejected.count;
            let entry = group.entry;
            let answered = Answer { kind, entry, ops: &group.ops, done: good, bad: wrong };
            stats.answered(job, &answered, answer);
            (done, bad) = (done + good, bad + wrong);
        }
        books.transactions.committed += u64::from(done > 0);
        let warm = job.first_due() >= stats.warmup();
        stats.seconds.answered(service, done, bad, warm);
        self.done[job.stream as usize] = job.ops.end;
        self.give_back(job);
        bad
    }

    /// Ends the run when more rows are wrong than may be.
    pub(crate) fn judge(&mut self) {
        let total = self.books.total();
        let base = match self.max_errors {
            MaxErrors::Rows(_) => total.planned,
            MaxErrors::Percent(_) => total.planned.max(crate::desk::SHARE_BASE_ROWS),
        };
        if total.bad() > self.max_errors.rows_of(base) {
            self.end(Cause::TooManyRejected);
        }
    }

    pub(crate) fn end(&mut self, cause: Cause) {
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
