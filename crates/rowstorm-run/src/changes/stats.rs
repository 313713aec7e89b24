//! What is measured while changes are made: by kind, by stage, by second.

use std::time::Duration;

use hdrhistogram::Histogram;
use rowstorm_gen::changes::{Entry, OpKind};
use rowstorm_report::Latency;

use super::filled::Answered;
use super::job::Job;
use super::schedule::Span;
use crate::stats::{self, histogram, micros, summary};

/// An op is late if it begins later than this: twice the time in which a batch forms.
const LATE: Duration = Duration::from_millis(10);

/// All kinds, in the order of the record.
pub(crate) const KINDS: [OpKind; 5] =
    [OpKind::Insert, OpKind::Update, OpKind::Delete, OpKind::Rekey, OpKind::Read];

#[derive(Debug)]
pub(crate) struct Stats {
    kinds: [Times; 5],
    /// By entry of the mix: those that are queries.
    queries: Vec<Option<OfQuery>>,
    stages: Vec<OfStage>,
    lag: Histogram<u64>,
    /// Ops that began late.
    pub(crate) late: u64,
    /// Rows that were changed, and read.
    pub(crate) changed: u64,
    pub(crate) read: u64,
    /// Those after the warm-up.
    warm_changed: u64,
    warm_read: u64,
    /// By second: whole transactions.
    pub(crate) seconds: stats::Stats,
    warmup: Duration,
}

/// One query of the mix.
#[derive(Debug)]
pub(crate) struct OfQuery {
    times: Times,
    /// Queries that were answered, and those that were not.
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    /// Rows that they returned.
    pub(crate) rows: u64,
}

#[derive(Debug)]
struct Times {
    service: Histogram<u64>,
    response: Histogram<u64>,
}

/// One stage.
#[derive(Debug)]
pub(crate) struct OfStage {
    response: Histogram<u64>,
    lag: Histogram<u64>,
    from: Duration,
    to: Option<Duration>,
    /// Rows that were changed while it lasted.
    pub(crate) changed: u64,
    pub(crate) skipped: u64,
    pub(crate) errors: u64,
}

/// Some ops of one kind that were answered.
pub(crate) struct Answer<'a> {
    pub(crate) kind: OpKind,
    pub(crate) entry: usize,
    pub(crate) ops: &'a [u64],
    /// Rows that are as they should be, and those that are not.
    pub(crate) done: u64,
    pub(crate) bad: u64,
}

impl Stats {
    pub(crate) fn new(stages: &[Span], warmup: Duration, entries: &[Entry]) -> Stats {
        let times = || Times { service: histogram(3), response: histogram(3) };
        let of_query = || OfQuery { times: times(), answered: 0, refused: 0, rows: 0 };
        let of_stage = |span: &Span| OfStage {
            response: histogram(3),
            lag: histogram(3),
            from: span.from,
            to: span.to,
            changed: 0,
            skipped: 0,
            errors: 0,
        };
        Stats {
            kinds: [times(), times(), times(), times(), times()],
            queries: entries.iter().map(|entry| entry.query.is_some().then(of_query)).collect(),
            stages: stages.iter().map(of_stage).collect(),
            lag: histogram(3),
            late: 0,
            changed: 0,
            read: 0,
            warm_changed: 0,
            warm_read: 0,
            seconds: stats::Stats::default(),
            warmup,
        }
    }

    /// A transaction of a schedule starts.
    pub(crate) fn started(&mut self, job: &Job, now: Duration) {
        if !job.is_paced() {
            return;
        }
        for op in job.ops.clone() {
            let due = job.due_of(op);
            let lag = now.saturating_sub(due);
            if lag > LATE {
                self.late += 1;
            }
            if due >= self.warmup {
                self.lag.saturating_record(micros(lag));
                self.stages[job.stage].lag.saturating_record(micros(lag));
            }
        }
    }

    /// Ops were answered.
    pub(crate) fn answered(&mut self, job: &Job, answer: &Answer<'_>, answered: &Answered) {
        let (now, service) = (answered.at, answered.service);
        let times = if let Some(query) = &mut self.queries[answer.entry] {
            query.answered += answer.done;
            query.refused += answer.bad;
            query.rows += answered.returned;
            &mut query.times
        } else {
            let place = KINDS.iter().position(|kind| *kind == answer.kind);
            &mut self.kinds[place.expect("all kinds are there")]
        };
        let stage = &mut self.stages[job.stage];
        stage.errors += answer.bad;
        for op in answer.ops {
            let due = job.due_of(*op);
            if due < self.warmup {
                continue;
            }
            let response = if job.is_paced() { now.saturating_sub(due) } else { service };
            times.service.saturating_record(micros(service));
            times.response.saturating_record(micros(response));
            stage.response.saturating_record(micros(response));
        }
        let (all, warm) = match answer.kind {
            OpKind::Read => (&mut self.read, &mut self.warm_read),
            OpKind::Insert | OpKind::Update | OpKind::Delete | OpKind::Rekey => {
                let lasts =
                    |stage: &&mut OfStage| stage.from <= now && stage.to.is_none_or(|to| now < to);
                if let Some(stage) = self.stages.iter_mut().find(lasts) {
                    stage.changed += answer.done;
                }
                (&mut self.changed, &mut self.warm_changed)
            }
        };
        *all += answer.done;
        if now >= self.warmup {
            *warm += answer.done;
        }
    }

    /// What is left out of the figures.
    pub(crate) fn warmup(&self) -> Duration {
        self.warmup
    }

    /// Places of a stage were given up.
    pub(crate) fn skipped(&mut self, stage: usize, slots: u64) {
        self.stages[stage].skipped += slots;
    }

    pub(crate) fn stages(&self) -> &[OfStage] {
        &self.stages
    }

    /// Rows changed and read per second, after the warm-up.
    pub(crate) fn rates(&self, elapsed: Duration) -> [f64; 2] {
        let seconds = elapsed.saturating_sub(self.warmup).as_secs_f64();
        let rate = |rows: u64| if seconds > 0.0 { rows as f64 / seconds } else { 0.0 };
        [rate(self.warm_changed), rate(self.warm_read)]
    }

    pub(crate) fn lag(&self) -> Latency {
        summary(&self.lag)
    }

    /// 99 % of all ops began less late than this, in milliseconds.
    pub(crate) fn lag_p99_ms(&self) -> f64 {
        self.lag.value_at_quantile(0.99) as f64 / 1_000.0
    }

    /// How many were timed, service time, and response time of a kind.
    pub(crate) fn kind(&self, place: usize) -> (u64, Latency, Latency) {
        let Times { service, response } = &self.kinds[place];
        (service.len(), summary(service), summary(response))
    }

    /// The queries of the mix, by their entries.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (usize, &OfQuery)> {
        let queries = self.queries.iter().enumerate();
        queries.filter_map(|(entry, query)| Some((entry, query.as_ref()?)))
    }
}

impl OfQuery {
    /// Service time and response time.
    pub(crate) fn times(&self) -> [Latency; 2] {
        [summary(&self.times.service), summary(&self.times.response)]
    }
}

impl OfStage {
    pub(crate) fn response(&self) -> Latency {
        summary(&self.response)
    }

    pub(crate) fn lag(&self) -> Latency {
        summary(&self.lag)
    }
}
