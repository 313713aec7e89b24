//! Small transactions of different streams, sent together: each is committed by itself and has its own answer, but the lane does not wait
//! for one before it sends the next.
//!
//! Every stream has at most one of them, so the progress tells of each whether it is in doubt. What has no answer when one fails
//! goes on alone, as any transaction that failed or was not sent.

use rowstorm_sink::Changed;

use super::super::desk::Settled;
use super::{
    After, Answered, Arc, Attempt, BoxChanger, Cause, Change, Changer as _, Delivery, Fate, Filled,
    Instant, Job, Lane, Reservation, SinkError, SinkErrorKind, Stage, Tried, accounted, metrics,
    sleep, timeout, unwritten,
};

/// Transactions and their columns, with the memory that these may take.
struct Loads {
    jobs: Vec<Job>,
    filled: Vec<Filled>,
    reservation: Reservation,
}

/// What came of sending them.
struct Sent {
    loads: Loads,
    /// The first ones' answers, and when each came.
    answers: Vec<(Vec<Changed>, Instant)>,
    start: Instant,
    /// Why the others have none.
    error: Option<SinkError>,
}

/// What a lane does after the transactions that it has sent.
enum Next {
    /// Sends these, whose columns were made meanwhile.
    Send(Loads),
    /// Makes these: there was no memory for them meanwhile.
    Make(Vec<Job>),
    /// Asks the desk.
    Ask,
}

impl Lane {
    /// Does jobs of different streams, and while they are on their way makes the next ones.
    pub(super) async fn several(&mut self, jobs: Vec<Job>) {
        let pause = jobs.iter().map(|job| job.pause).max().unwrap_or_default();
        if !pause.is_zero() {
            sleep(pause).await;
        }
        let mut next = Next::Make(jobs);
        loop {
            let loads = match next {
                Next::Send(loads) => loads,
                Next::Make(jobs) => match self.make_each(jobs).await {
                    Some(loads) => loads,
                    None => return,
                },
                Next::Ask => return,
            };
            if self.shop.desk.ending() {
                let Loads { jobs, filled, .. } = loads;
                for (job, filled) in jobs.iter().zip(&filled) {
                    self.shop.desk.put_back(job, Some(filled));
                }
                self.spare.extend(filled);
                return;
            }
            next = self.send_each(loads).await;
        }
    }

    /// Takes more from the desk and makes it, if there is memory for it now.
    async fn meanwhile(&mut self, ops: u64) -> Next {
        let reserve = self.op_bytes.saturating_mul(ops);
        let Some(reservation) = self.shop.budget.try_reserve(reserve) else { return Next::Ask };
        let Some(jobs) = self.shop.desk.take_more(self.number) else { return Next::Ask };
        match self.fill_each(jobs, reservation).await {
            Ok(loads) => self.begin_each(loads).map_or(Next::Ask, Next::Send),
            Err((jobs, _)) => Next::Make(jobs),
        }
    }

    /// Makes the columns of all, within the budget, and begins them; one by one where they do not go into it together.
    async fn make_each(&mut self, mut jobs: Vec<Job>) -> Option<Loads> {
        if self.shop.desk.ending() {
            for job in &jobs {
                self.shop.desk.put_back(job, None);
            }
            return None;
        }
        let most = self.shop.budget.bytes_max();
        let ops: u64 = jobs.iter().map(Job::len).sum();
        let mut reserve = self.op_bytes.saturating_mul(ops).min(most);
        loop {
            let reservation = self.shop.budget.reserve(reserve).await;
            match self.fill_each(jobs, reservation).await {
                Ok(loads) => return self.begin_each(loads),
                Err((these, bytes)) if bytes > most => {
                    for job in these {
                        self.work(job).await;
                    }
                    return None;
                }
                Err((these, bytes)) => (jobs, reserve) = (these, bytes),
            }
        }
    }

    /// Makes the columns of all; the jobs again, and the bytes, where they were not reserved.
    async fn fill_each(
        &mut self,
        jobs: Vec<Job>,
        mut reservation: Reservation,
    ) -> Result<Loads, (Vec<Job>, u64)> {
        let mut filled = Vec::with_capacity(jobs.len());
        for job in &jobs {
            filled.push(self.fill(job, Fate::Commit).await);
        }
        let bytes = filled.iter().map(Filled::bytes).sum();
        if !reservation.cover(bytes) {
            self.spare.append(&mut filled);
            return Err((jobs, bytes));
        }
        reservation.hold(bytes);
        let ops: u64 = jobs.iter().map(Job::len).sum();
        self.op_bytes = bytes.div_ceil(ops.max(1)).max(1);
        Ok(Loads { jobs, filled, reservation })
    }

    /// Writes down that they are begun.
    fn begin_each(&mut self, loads: Loads) -> Option<Loads> {
        let desk = &self.shop.desk;
        if let Some(journal) = &self.shop.journal {
            let mut begun = loads.jobs.iter().map(|job| journal.begun(job.stream, job.ops.end));
            if let Some(error) = begun.find_map(Result::err) {
                for job in &loads.jobs {
                    desk.put_back(job, None);
                }
                desk.end(Cause::Failed(unwritten(&error)));
                return None;
            }
        }
        for (job, filled) in loads.jobs.iter().zip(&loads.filled) {
            desk.begin(job, filled);
        }
        Some(loads)
    }

    /// Sends them once, never cancels, and sees all of them through; what is to be done next.
    async fn send_each(&mut self, loads: Loads) -> Next {
        let desk = Arc::clone(&self.shop.desk);
        if self.changer.is_none()
            && let Err(error) = self.reconnect(loads.jobs[0].number, Attempt::Replay).await
        {
            let error = SinkError { kind: SinkErrorKind::Fatal, ..error };
            let jobs = self.unmade(loads);
            return self.go_on(jobs, error, Next::Ask).await;
        }
        let changer = self.changer.take().expect("it is connected");
        desk.sending(loads.filled.iter().map(Filled::bytes).sum());
        let (patience, jobs) = (self.patience() * loads.jobs.len() as u32, loads.jobs.clone());
        let ops = jobs.iter().map(Job::len).sum();
        let mut change = Box::pin(change_each(changer, loads));
        // The first of the two goes first: they are on their way before the next ones are made.
        let (came, next) =
            tokio::join!(biased; timeout(patience, change.as_mut()), self.meanwhile(ops));
        let Ok((changer, sent)) = came else {
            tokio::spawn(change);
            let text = format!("no answer within {patience:?}; the connection is given up");
            let error = SinkError::new(SinkErrorKind::Lost(Delivery::InDoubt), "timeout", text);
            desk.failed(&jobs[0], &error, patience);
            return self.go_on(jobs, error, next).await;
        };
        if let Some(error) = &sent.error {
            desk.failed(&jobs[sent.answers.len().min(jobs.len() - 1)], error, sent.start.elapsed());
        }
        if !sent.error.as_ref().is_some_and(|error| matches!(error.kind, SinkErrorKind::Lost(_))) {
            self.changer = Some(changer);
        }
        match self.settle_each(sent) {
            (rest, Some(error)) => self.go_on(rest, error, next).await,
            (_, None) => next,
        }
    }

    /// Gives the columns and their memory back: who waits for room must not take room.
    fn unmade(&mut self, loads: Loads) -> Vec<Job> {
        self.spare.extend(loads.filled);
        loads.jobs
    }

    /// Books what was answered; the jobs that were not, and why.
    fn settle_each(&mut self, sent: Sent) -> (Vec<Job>, Option<SinkError>) {
        let desk = Arc::clone(&self.shop.desk);
        let Sent { loads: Loads { mut jobs, filled, reservation }, answers, start, error } = sent;
        let now = desk.lock().clock.elapsed();
        let took = start.elapsed();
        // An answer for each group. Where some are missing the database has not accounted for the rows, as for a group of the wrong length.
        let of = |(changed, came): (Vec<Changed>, Instant)| -> Vec<Answered> {
            let (at, service) = (now.saturating_sub(came.elapsed()), came - start);
            let answered = |changed| Answered { changed, at, service, returned: 0 };
            changed.into_iter().map(answered).collect()
        };
        let mut answers: Vec<Vec<Answered>> = answers.into_iter().map(of).collect();
        if error.is_none() {
            answers.resize_with(jobs.len(), Vec::new);
        }
        let rest = jobs.split_off(answers.len().min(jobs.len()));
        let mut settled = Vec::with_capacity(jobs.len());
        for ((job, filled), answers) in jobs.iter().zip(&filled).zip(&answers) {
            if let Err(error) = accounted(job, filled, answers) {
                desk.trouble(&error);
                desk.lose_sight(job, filled);
                desk.end(Cause::Failed(error));
                continue;
            }
            self.mark_done(job);
            metrics::batch(Answered::service(answers), None);
            settled.push(Settled { job, filled, answers });
        }
        desk.settle_each(&settled, error.is_none().then_some(took));
        drop(settled);
        drop(reservation);
        self.spare.extend(filled);
        (rest, error)
    }

    /// What is left when the first of these failed: it tries again, and those behind it were not done, or are in the same doubt. What was
    /// made meanwhile was not sent.
    async fn go_on(&mut self, jobs: Vec<Job>, error: SinkError, next: Next) -> Next {
        let (unsent, next) = match next {
            Next::Send(loads) => (self.unmade(loads), Next::Ask),
            other => (Vec::new(), other),
        };
        let is_in_doubt = matches!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt));
        let (class, message) = (error.class.clone(), error.message.clone());
        let same = || {
            let kind = SinkErrorKind::Lost(Delivery::InDoubt);
            is_in_doubt.then(|| SinkError::new(kind, class.clone(), message.clone()))
        };
        let mut error = Some(error);
        for job in jobs {
            match error.take().or_else(same) {
                Some(error) => one(&self.see_through(job, Tried::Error(error)).await),
                None => self.again_alone(job).await,
            }
        }
        for job in unsent {
            self.again_alone(job).await;
        }
        next
    }

    /// Sends one alone that was begun, and of which nothing was done.
    async fn again_alone(&mut self, job: Job) {
        if self.shop.desk.ending() {
            let filled = self.again(&job);
            self.shop.desk.put_back(&job, Some(&filled));
            self.spare.push(filled);
            return;
        }
        let after = match self.make(&job, Fate::Commit).await {
            Ok(load) => self.send(job, load).await,
            Err(error) => self.refused(job, Stage::Begun, error),
        };
        one(&after);
    }
}

/// # Panics
/// If a transaction of a given size is to be halved.
fn one(after: &After) {
    assert!(matches!(after, After::Settled), "a transaction of a given size is never halved");
}

/// Sends transactions over a connection.
async fn change_each(mut changer: BoxChanger, loads: Loads) -> (BoxChanger, Sent) {
    let groups: Vec<Change<'_>> = loads
        .filled
        .iter()
        .flat_map(Filled::groups)
        .map(|group| Change { statement: group.entry, batch: &group.batch })
        .collect();
    let mut left = groups.as_slice();
    let mut transactions = Vec::with_capacity(loads.jobs.len());
    for filled in &loads.filled {
        let (these, others) = left.split_at(filled.groups().count());
        transactions.push(these);
        left = others;
    }
    let mut answers = Vec::with_capacity(transactions.len());
    let start = Instant::now();
    let mut answered = |changed| answers.push((changed, Instant::now()));
    let result = changer.change_each(&transactions, &mut answered).await;
    drop(transactions);
    drop(groups);
    (changer, Sent { loads, answers, start, error: result.err() })
}
