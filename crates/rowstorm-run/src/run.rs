//! One run, from the plan to the record.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rowstorm_gen::Plan;
use rowstorm_report::{IndexPhase, RunRecord};
use rowstorm_sink::{BoxSink, BoxWriter, ServerFact, Sink, SinkError};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::books::Books;
use crate::budget::Budget;
use crate::desk::{Cause, Desk};
use crate::lane::Shop;
use crate::live::{Live, Phase};
use crate::metrics::View;
use crate::open::Open;
use crate::probe::Probe;
use crate::work::Work;
use crate::{
    RunError, RunOptions, changes, crew, finish, prepare, pressure, probe, record, usage, work,
};

const TICK: Duration = Duration::from_secs(1);
/// How long a sink may take to close.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A run that can be started.
///
/// It needs a tokio runtime with its timer enabled. Dropped half-way, it hands out no more rows and leaves its lanes to
/// finish what they have in hand.
#[derive(Debug)]
pub struct Run {
    plan: Plan,
    sink: BoxSink,
    options: RunOptions,
    desk: Arc<Desk>,
    budget: Arc<Budget>,
}

/// A run whose tables are made ready, and that has written no row.
pub struct Prepared {
    run: Run,
    ready: Ready,
}

/// Ends a run early and in good order: rows in flight are finished, counted and recorded.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Desk>);

/// What a run leaves behind.
#[derive(Debug)]
pub struct Finished {
    /// Everything that it did. Its accounts balance, however it ended.
    pub record: RunRecord,
    /// How it ended.
    pub ending: Ending,
}

impl Finished {
    /// For tests: every row that was planned is in the database, counted there, and none is refused or in doubt.
    ///
    /// # Panics
    /// If not, with the accounts and the first errors.
    #[track_caller]
    pub fn assert_every_row_arrived(&self) {
        let RunRecord { rows, errors, failure, .. } = &self.record;
        let arrived = matches!(self.ending, Ending::Done) && rows.audited == Some(rows.planned);
        assert!(
            arrived && rows.accepted + rows.confirmed == rows.planned,
            "not every row arrived: {rows:?}, ended {:?}, failure {failure:?}, errors {errors:?}",
            self.ending
        );
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    /// All rows are handed out, and the database's count agrees, where it can be asked.
    Done,
    /// Stopped early; what was written is counted and agrees.
    Stopped,
    /// More rows were rejected or lost than may be.
    TooManyRejected,
    /// The database's count contradicts the accounts: rows were lost or doubled.
    NotBalanced,
    /// The database refused for good, or was gone too long.
    Failed(SinkError),
}

/// What is known before the first row.
struct Ready {
    works: Vec<Work>,
    probes: Vec<Probe>,
    server: Vec<ServerFact>,
    first: Option<BoxWriter>,
    changes: Option<Arc<changes::Work>>,
}

/// What the load used.
pub(crate) struct Used {
    pub(crate) cpu_seconds: f64,
    pub(crate) null_rows_per_second: f64,
    pub(crate) server: Vec<ServerFact>,
    pub(crate) indexes: Vec<IndexPhase>,
    pub(crate) in_flight_bytes_max: u64,
    /// Whether no count contradicts the accounts.
    pub(crate) agrees: bool,
}

impl Run {
    /// A run of a plan into a sink.
    pub fn new(plan: Plan, sink: BoxSink, options: RunOptions) -> Run {
        let names = plan.tables().iter().map(|table| Arc::clone(&table.name));
        let desk = Arc::new(Desk::new(Books::new(names), &options));
        let budget = Budget::new(options.bytes_in_flight_max);
        Run { plan, sink, options, desk, budget }
    }

    /// Ends it early.
    pub fn stop(&self) -> Stop {
        Stop(Arc::clone(&self.desk))
    }

    /// Shows what it does.
    pub fn live(&self) -> Live {
        Live { desk: Arc::clone(&self.desk), budget: Arc::clone(&self.budget) }
    }

    /// Makes the tables ready, writes all rows, makes late indexes, counts.
    ///
    /// # Errors
    /// Those of [`Run::prepare`].
    pub async fn go(self) -> Result<Finished, RunError> {
        Ok(self.prepare().await?.go().await)
    }

    /// Does all that comes before the first row: a table that is to be dropped is.
    ///
    /// # Errors
    /// Settings that contradict each other, a target that cannot be reached, a table that cannot be made ready.
    pub async fn prepare(self) -> Result<Prepared, RunError> {
        match self.get_ready().await {
            Ok(ready) => Ok(Prepared { run: self, ready }),
            Err(error) => {
                close(&self.sink).await;
                Err(error)
            }
        }
    }

    async fn begin(self, mut ready: Ready) -> Finished {
        let cpu_before = usage::cpu_seconds();
        let first = ready.first.take();
        self.load(&ready.works, &ready.probes, first).await;
        let cpu_seconds = usage::cpu_seconds() - cpu_before;

        let Run { plan, sink, options, desk, budget } = &self;
        let failed = matches!(desk.lock().ended, Some(Cause::Failed(_)));
        let orders = prepare::orders(options);
        let indexes = if failed {
            Vec::new()
        } else {
            finish::finish(sink, &ready.works, desk, &orders, options).await
        };
        let agrees = finish::audit(sink, &ready.works, desk, options).await;
        let loaded = {
            let mut state = desk.lock();
            let ended = state.ended.take();
            finish::ending(&state.books, agrees, ended, options.max_errors)
        };
        let (changed, ending) = self.change(ready.changes, loaded).await;
        // Some facts are counters of the load itself. Where nobody answers any more, what was said before it stands.
        let server =
            if failed { ready.server } else { sink.server().await.unwrap_or(ready.server) };
        let mut state = desk.lock();
        state.phase = Phase::Over;
        let used = Used {
            cpu_seconds,
            null_rows_per_second: probe::rows_per_second(&ready.probes),
            server,
            indexes,
            in_flight_bytes_max: budget.held_max(),
            agrees,
        };
        let mut record = record::write(&state, plan, options, &ending, used);
        drop(state);
        if let Some(changed) = changed {
            changed.enter(&mut record);
        }
        Finished { record, ending }
    }

    /// Makes the changes, if the load went well; how both ended.
    async fn change(
        &self,
        work: Option<Arc<changes::Work>>,
        loaded: Ending,
    ) -> (Option<changes::Changed>, Ending) {
        let Run { sink, options, desk, budget, .. } = self;
        let (Some(work), Some(asked), Ending::Done) = (work, options.to_change(), &loaded) else {
            return (None, loaded);
        };
        let at = Arc::new(changes::Desk::new(&work, options, asked));
        desk.change(Arc::clone(&at), Arc::clone(&work));
        let (changed, ending) =
            changes::run(sink, work, at, Arc::clone(budget), options, asked).await;
        (Some(changed), ending)
    }

    async fn get_ready(&self) -> Result<Ready, RunError> {
        let Run { plan, sink, options, desk, .. } = self;
        options.check()?;
        let works = work::of(plan, sink, options)?;
        let asked = options.to_change();
        let changes =
            asked.map(|asked| changes::Work::of(plan, sink, options, asked)).transpose()?;
        for other in 0..plan.tables().len() {
            if works.iter().all(|work| work.index != other) {
                desk.lock().books.leave_out(other);
            }
        }
        let wanted = works.iter().map(|work| (!work.open_ended).then(|| work.len())).sum();
        desk.lock().rows_wanted = wanted;
        prepare::prepare(sink, &works, desk, options).await?;
        prepare::check_loaded(sink, &works, options).await?;
        if let Some(changes) = changes.as_ref().filter(|_| asked.is_some_and(|asked| asked.cdc)) {
            changes::check_log(sink, changes).await?;
        }
        let probes = probe::measure(sink.clone(), works.clone(), options.probe).await;
        // Facts are for the record: without them the run is worth as much.
        let server = sink.server().await.unwrap_or_else(|error| {
            desk.trouble(&error);
            Vec::new()
        });
        let first = match works.iter().find(|work| !work.rows.is_empty()) {
            Some(work) => Some(sink.writer(&work.table).await?),
            None => None,
        };
        Ok(Ready { works, probes, server, first, changes: changes.map(Arc::new) })
    }

    async fn load(&self, works: &[Work], probes: &[Probe], first: Option<BoxWriter>) {
        let Run { sink, options, desk, budget, .. } = self;
        desk.begin();
        let (end, ended) = oneshot::channel();
        let ticker = tokio::spawn(tick(self.live(), options.own_rate(), ended));
        let pressure = tokio::spawn(pressure::watch(sink.clone(), Arc::clone(desk)));
        let makers = Arc::new(Semaphore::new(usage::cores() as usize));
        let mut first = first;
        for (place, work) in works.iter().enumerate() {
            if work.rows.is_empty() || desk.ending() {
                continue;
            }
            let deadline = self.deadline(&works[place..]);
            desk.open(Open::new(work, probes[place].row_bytes, deadline, options));
            let shop = Shop {
                desk: Arc::clone(desk),
                sink: sink.clone(),
                work: work.clone(),
                budget: Arc::clone(budget),
                makers: Arc::clone(&makers),
                options: options.clone(),
                nanos_per_row: probes[place].nanos_per_row,
            };
            crew::load(Arc::new(shop), first.take()).await;
        }
        desk.close();
        pressure.abort();
        drop(end);
        // The ticker says the last figures; a panic of its own concerns no row.
        let _ = ticker.await;
    }

    /// When the next table's rows end: tables without an end share what is left of the duration.
    fn deadline(&self, left: &[Work]) -> Option<Duration> {
        let duration = self.options.duration?;
        let elapsed = self.desk.lock().clock.elapsed();
        let open_ended = left.iter().filter(|work| work.open_ended).count() as u32;
        if !left[0].open_ended {
            return Some(duration);
        }
        Some(elapsed + duration.saturating_sub(elapsed) / open_ended)
    }
}

impl Prepared {
    /// Writes all rows, makes late indexes, counts. Whatever happens is in the record and in [`Finished::ending`].
    pub async fn go(self) -> Finished {
        let sink = self.run.sink.clone();
        let finished = self.run.begin(self.ready).await;
        close(&sink).await;
        finished
    }
}

/// Waits for the driver's own tasks; one that takes too long is left to itself.
async fn close(sink: &BoxSink) {
    let _ = tokio::time::timeout(CLOSE_MAX, sink.close()).await;
}

impl fmt::Debug for Prepared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Prepared").field(&self.run).finish()
    }
}

impl Stop {
    /// Hands out no more rows. Harmless if it is called twice, or too late.
    pub fn now(&self) {
        self.0.stop();
    }
}

/// Once a second, and at the end: the series and the metrics.
async fn tick(live: Live, rate: Option<f64>, mut ended: oneshot::Receiver<()>) {
    let mut view = View::default();
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let last = tokio::select! {
            _ = ticks.tick() => false,
            _ = &mut ended => true,
        };
        {
            let state = &mut *live.desk.lock();
            let at = state.clock.elapsed();
            let (batch, in_flight) =
                state.open.as_ref().map_or((0, 0), |open| (open.batch_rows(), open.width()));
            state.stats.end_second(at, batch, in_flight, last);
        }
        view.tick(&live, rate);
        if last {
            return;
        }
    }
}
