//! The changes of a run, from the first connection to their part of the record.

use std::sync::Arc;
use std::time::Duration;

use rowstorm_report::{Cdc, Changes, ErrorEntry, RunRecord};
use rowstorm_sink::{BoxSink, SinkError};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::desk::Desk;
use super::journal::{Journal, Progress};
use super::lane::{Shop, connect};
use super::options::{ChangeOptions, Resume};
use super::view::View;
use super::work::Work;
use super::{audit, cdc, crew, record};
use crate::budget::Budget;
use crate::desk::Cause;
use crate::{Ending, MaxErrors, RunOptions};

const TICK: Duration = Duration::from_secs(1);

/// What changes leave behind.
pub(crate) struct Changed {
    changes: Changes,
    errors: Vec<ErrorEntry>,
    /// Whether the database's counts agree; `None` if they were not all asked for.
    agrees: Option<bool>,
}

impl Changed {
    /// Adds them to the record of the load.
    pub(crate) fn enter(self, record: &mut RunRecord) {
        record.errors.extend(self.errors);
        record.errors.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        record.verified = match (record.verified, self.agrees) {
            (Some(loaded), Some(changed)) => Some(loaded && changed),
            // The count after the changes is the last word, also where the load was not this run's.
            (None, changed) => changed,
            (Some(_), None) => None,
        };
        record.changes = Some(self.changes);
    }
}

/// Makes the changes.
pub(crate) async fn run(
    sink: &BoxSink,
    work: Arc<Work>,
    desk: Arc<Desk>,
    budget: Arc<Budget>,
    options: &RunOptions,
    asked: &ChangeOptions,
) -> (Changed, Ending) {
    let journal = match open_journal(&work, asked) {
        Ok(journal) => journal,
        Err(error) => {
            desk.end(Cause::Failed(error));
            None
        }
    };
    let shop = Arc::new(Shop {
        desk: Arc::clone(&desk),
        sink: sink.clone(),
        work: Arc::clone(&work),
        budget,
        options: options.clone(),
        journal,
    });
    let cdc = match observed(shop, asked.cdc).await {
        Ok(cdc) => cdc,
        Err(error) => {
            desk.trouble(&error);
            desk.end(Cause::Failed(error));
            None
        }
    };
    let (tables, agrees) = audit::audit(sink, &work, &desk, options, asked).await;
    let agrees = agrees && cdc.as_ref().is_none_or(Cdc::agrees);
    let mut state = desk.lock();
    let changes = Changes { cdc, ..record::write(&mut state, &work, asked, tables) };
    let ending = ending(&changes, agrees, state.ended.take(), options.max_errors);
    let counted = changes.tables.iter().all(|table| table.audited.is_some());
    let changed =
        Changed { changes, errors: state.errors.errors(), agrees: counted.then_some(agrees) };
    (changed, ending)
}

/// Makes the changes, and has the server's log told if that is asked for.
async fn observed(shop: Arc<Shop>, cdc: bool) -> Result<Option<Cdc>, SinkError> {
    let (desk, work, sink) = (Arc::clone(&shop.desk), Arc::clone(&shop.work), shop.sink.clone());
    let log = if cdc { Some(cdc::open(&sink, &work).await?) } else { None };
    let from = desk.lock().done.clone();
    make(Arc::clone(&shop), connect(&shop).await?).await;
    match log {
        Some(log) => cdc::compare(log, &work, &desk, &from).await.map(Some),
        None => Ok(None),
    }
}

async fn make(shop: Arc<Shop>, first: rowstorm_sink::BoxChanger) {
    let (desk, work) = (Arc::clone(&shop.desk), Arc::clone(&shop.work));
    desk.lock().clock.start();
    let (end, ended) = oneshot::channel();
    let ticker = tokio::spawn(tick(desk, work, ended));
    crew::work(shop, first).await;
    drop(end);
    // The ticker says the last figures; a panic of its own concerns no row.
    let _ = ticker.await;
}

fn open_journal(work: &Work, asked: &ChangeOptions) -> Result<Option<Journal>, SinkError> {
    let Some(path) = &asked.journal else { return Ok(None) };
    let progress = match &asked.resume {
        Resume::Changes(progress) => progress.clone(),
        Resume::Anew | Resume::Load => Progress::new(vec![0; work.ends.len()]),
    };
    let made = Journal::create(path, work.plan.fingerprint(), &progress);
    made.map(Some)
        .map_err(|error| SinkError::fatal("progress", format!("{}: {error}", path.display())))
}

fn ending(record: &Changes, agrees: bool, ended: Option<Cause>, max_errors: MaxErrors) -> Ending {
    let rows = &record.rows;
    match ended {
        Some(Cause::Failed(error)) => Ending::Failed(error),
        Some(Cause::TooManyRejected) => Ending::TooManyRejected,
        _ if rows.bad() > max_errors.rows_of(rows.planned) => Ending::TooManyRejected,
        _ if !agrees => Ending::NotBalanced,
        Some(Cause::Stopped) => Ending::Stopped,
        None => Ending::Done,
    }
}

/// Once a second, and at the end: the series and the metrics.
async fn tick(desk: Arc<Desk>, work: Arc<Work>, mut ended: oneshot::Receiver<()>) {
    let mut view = View::default();
    let (mut ops, mut batches) = (0, 0);
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let last = tokio::select! {
            _ = ticks.tick() => false,
            _ = &mut ended => true,
        };
        {
            let state = &mut *desk.lock();
            let at = state.clock.elapsed();
            let done = state.books.total().done();
            let answered = state.stats.seconds.batches_done;
            let mean = (done - ops).checked_div(answered - batches).unwrap_or(0);
            (ops, batches) = (done, answered);
            state.stats.seconds.end_second(at, mean as u32, state.sending, last);
        }
        view.tick(&desk, &work);
        if last {
            return;
        }
    }
}
