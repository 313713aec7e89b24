//! From books and statistics to the record's part for changes.

use std::time::Duration;

use rowstorm_gen::schema::{Arrivals, Late, Span, Transaction};
use rowstorm_report::{
    ChangeKind, ChangeQuery, ChangeSchedule, ChangeStage, ChangeTable, Changes, ReplayedOps,
};

use super::options::{ChangeOptions, Resume, Stage};
use super::schedule::Next;
use super::state::State;
use super::stats::{KINDS, OfQuery};
use super::work::Work;

/// Writes the record of changes that are over.
pub(crate) fn write(
    state: &mut State,
    work: &Work,
    asked: &ChangeOptions,
    tables: Vec<ChangeTable>,
) -> Changes {
    let elapsed = state.clock.elapsed();
    let [changes_per_second, reads_per_second] = state.stats.rates(elapsed);
    let stages = stages(state, work, elapsed);
    let left = state.left + left(state, elapsed);
    let kept = state.tuner.kept();
    Changes {
        fingerprint: format!("{:016x}", work.plan.fingerprint()),
        streams: work.plan.streams(),
        asked: asked.stages.iter().map(text).collect::<Vec<_>>().join(","),
        amount: asked.amount,
        transaction: transaction(work.transaction),
        rollback: work.rollback,
        batch: kept.batch_rows,
        in_flight: kept.in_flight,
        pipeline: state.together_max,
        tuning: state.tuner.story(elapsed),
        rows: state.books.total(),
        tables,
        kinds: kinds(state),
        queries: queries(state, work),
        events: state.script.records(),
        transactions: state.books.transactions.clone(),
        seconds: elapsed.as_secs_f64(),
        changes_per_second,
        reads_per_second,
        schedule: schedule(state, asked, &stages, changes_per_second, left),
        stages,
        series: state.stats.seconds.series().to_vec(),
        ranges_done: state.done.clone(),
        resumed_from: match &asked.resume {
            Resume::Changes(progress) => progress.done.clone(),
            Resume::Anew | Resume::Load => Vec::new(),
        },
        resumed_record: asked.resumed_record.clone(),
        in_doubt: in_doubt(state),
        replayed: state.replayed.clone(),
        cdc: None,
    }
}

/// A stage as the command line has it.
fn text(stage: &Stage) -> String {
    let rate = stage.rate.map_or_else(|| "max".to_owned(), |rate| format!("{rate}/s"));
    match stage.length {
        Some(length) => format!("{rate}:{}", Span(length)),
        None => rate,
    }
}

fn transaction(size: Transaction) -> String {
    match size {
        Transaction::Batch => "batch".to_owned(),
        Transaction::Row => "row".to_owned(),
        Transaction::Rows(rows) => format!("{rows} rows"),
    }
}

fn kinds(state: &State) -> Vec<ChangeKind> {
    let one = |(place, kind): (usize, &rowstorm_gen::changes::OpKind)| {
        let (rows, service_ms, response_ms) = state.stats.kind(place);
        let kind = kind.word().to_owned();
        (rows > 0).then_some(ChangeKind { kind, rows, service_ms, response_ms })
    };
    KINDS.iter().enumerate().filter_map(one).collect()
}

fn queries(state: &State, work: &Work) -> Vec<ChangeQuery> {
    let one = |(entry, query): (usize, &OfQuery)| {
        let [service_ms, response_ms] = query.times();
        ChangeQuery {
            entry,
            table: work.statements[entry].table.name.to_string(),
            words: work.queries[entry].clone(),
            answered: query.answered,
            refused: query.refused,
            rows: query.rows,
            service_ms,
            response_ms,
        }
    };
    state.stats.queries().map(one).collect()
}

fn in_doubt(state: &State) -> Vec<ReplayedOps> {
    let ends = (0..).zip(state.done.iter().zip(&state.begun));
    ends.filter(|(_, (done, begun))| begun > done)
        .map(|(stream, (done, begun))| ReplayedOps { stream, from: *done, to: *begun })
        .chain(state.doubts_left())
        .collect()
}

/// Stages that were reached.
fn stages(state: &State, work: &Work, elapsed: Duration) -> Vec<ChangeStage> {
    let spans = state.slots.stages().iter().zip(state.stats.stages());
    spans
        .filter(|(span, _)| span.from < elapsed || span.from.is_zero())
        .map(|(span, seen)| {
            let to = span.to.map_or(elapsed, |to| to.min(elapsed));
            let seconds = to.saturating_sub(span.from).as_secs_f64();
            ChangeStage {
                from_s: span.from.as_secs_f64(),
                seconds,
                target_per_second: span.rate.map(|rate| rate / work.ops_per_change),
                achieved_per_second: if seconds > 0.0 {
                    seen.changed as f64 / seconds
                } else {
                    0.0
                },
                response_ms: seen.response(),
                lag_ms: seen.lag(),
                skipped: seen.skipped,
                errors: seen.errors,
            }
        })
        .collect()
}

/// The schedule as a whole, where any stage has a rate: asked and reached are means over the stages that have one.
fn schedule(
    state: &State,
    asked: &ChangeOptions,
    stages: &[ChangeStage],
    changes_per_second: f64,
    left: u64,
) -> Option<ChangeSchedule> {
    let paced = || stages.iter().filter(|stage| stage.target_per_second.is_some());
    let seconds: f64 = paced().map(|stage| stage.seconds).sum();
    paced().next()?;
    let mean = |of: fn(&ChangeStage) -> f64| {
        let sum: f64 = paced().map(|stage| of(stage) * stage.seconds).sum();
        if seconds > 0.0 { sum / seconds } else { 0.0 }
    };
    let is_simple = stages.len() == 1;
    Some(ChangeSchedule {
        arrivals: match asked.arrivals {
            Arrivals::Constant => "constant",
            Arrivals::Poisson => "poisson",
        }
        .to_owned(),
        late_policy: match asked.late {
            Late::Queue => "queue",
            Late::Drop => "drop",
        }
        .to_owned(),
        target_per_second: mean(|stage| stage.target_per_second.unwrap_or_default()),
        // Of one stage without its warm-up.
        achieved_per_second: if is_simple {
            changes_per_second
        } else {
            mean(|stage| stage.achieved_per_second)
        },
        lag_ms: state.stats.lag(),
        late: state.stats.late,
        skipped: state.stats.stages().iter().map(|stage| stage.skipped).sum(),
        left,
    })
}

/// Places that had come when the time was over, and that nobody had taken.
fn left(state: &mut State, elapsed: Duration) -> u64 {
    if !state.streams_left() {
        // The ops were at an end, not the time.
        return 0;
    }
    let until = state.slots.end().map_or(elapsed, |end| end.min(elapsed));
    let mut left = 0;
    while let Next::Slot { due, .. } = state.slots.next(until)
        && due < until
    {
        state.slots.take();
        left += 1;
    }
    left
}
