//! The server's own log of changes, held against what was acknowledged.
//!
//! Rows that come out right say nothing of events: one too many, one too few, or one of a transaction that was rolled back goes to whoever
//! listens, and leaves no trace in the tables.

use std::sync::Arc;

use rowstorm_gen::TablePlan;
use rowstorm_gen::changes::OpKind;
use rowstorm_report::{Cdc, CdcKind, ChangeRows};
use rowstorm_sink::{BoxChangeLog, BoxSink, ChangeLog, Events, Sink, SinkError};

use super::desk::Desk;
use super::state::REPLAYED_MAX;
use super::unchanged::{self, Unchanged};
use super::work::Work;

/// Looks before the load whether the log can be read, so that nobody loads for nothing.
pub(crate) async fn check(sink: &BoxSink, work: &Work) -> Result<(), SinkError> {
    let mut log = open(sink, work).await?;
    log.read().await?;
    log.end().await
}

/// Counts from now on.
pub(crate) async fn open(sink: &BoxSink, work: &Work) -> Result<BoxChangeLog, SinkError> {
    let tables: Vec<Arc<TablePlan>> =
        tables(work).map(|table| Arc::clone(&work.plan.plan().tables()[table])).collect();
    sink.change_log(&tables).await
}

/// Reads the log to its end, when nothing is changed any more, and says what it has.
pub(crate) async fn compare(
    mut log: BoxChangeLog,
    work: &Work,
    desk: &Desk,
    from: &[u64],
) -> Result<Cdc, SinkError> {
    log.read().await?;
    let kinds = kinds(&*log, work, desk, from);
    let transactions = log.transactions();
    log.end().await?;
    Ok(Cdc { transactions, kinds })
}

/// Tables that the mix changes.
fn tables(work: &Work) -> impl Iterator<Item = usize> {
    let is_changed = |table: &usize| {
        let mut entries = work.plan.entries().iter();
        entries.any(|entry| entry.table == *table && entry.kind != OpKind::Read)
    };
    (0..work.plan.plan().tables().len()).filter(is_changed)
}

fn kinds(log: &dyn ChangeLog, work: &Work, desk: &Desk, from: &[u64]) -> Vec<CdcKind> {
    let (books, done, replayed) = {
        let state = desk.lock();
        let books = |table, kind| state.books.of(table, kind);
        let books: Vec<[ChangeRows; 4]> =
            tables(work).map(|table| CHANGES.map(|kind| books(table, kind))).collect();
        (books, state.done.clone(), state.replayed.clone())
    };
    let unchanged = if log.has_unchanged() {
        let none = vec![0; work.plan.plan().tables().len()];
        Unchanged { known: none.clone(), untold: none }
    } else {
        unchanged::count(
            &work.plan,
            work.streams.iter().map(|stream| {
                let at = stream.number() as usize;
                (&**stream, from.get(at).copied().unwrap_or(0)..done[at])
            }),
        )
    };
    let mut kinds = Vec::new();
    for (table, books) in tables(work).zip(books) {
        let name = &work.plan.plan().tables()[table].name;
        let events = log.events(name);
        for (kind, rows) in CHANGES.into_iter().zip(books) {
            let again: u64 = replayed
                .iter()
                .map(|ops| {
                    let stream = work.stream(ops.stream);
                    let entries = work.plan.entries().iter().enumerate();
                    let same =
                        entries.filter(|(_, entry)| (entry.table, entry.kind) == (table, kind));
                    same.map(|(at, _)| stream.count(at, ops.to) - stream.count(at, ops.from))
                        .sum::<u64>()
                })
                .sum();
            let update = kind == OpKind::Update;
            // Of more replays than are named, nobody knows what they were.
            let again = if replayed.len() >= REPLAYED_MAX { rows.planned } else { again };
            kinds.push(CdcKind {
                table: name.to_string(),
                kind: kind.word().to_owned(),
                acknowledged: rows.done(),
                unchanged: if update { unchanged.known[table] } else { 0 },
                in_doubt: again + rows.unknown + if update { unchanged.untold[table] } else { 0 },
                found: found(events, kind),
            });
        }
        if events.truncated > 0 {
            let (table, kind) = (name.to_string(), "truncate".to_owned());
            kinds.push(CdcKind { table, kind, found: events.truncated, ..CdcKind::default() });
        }
    }
    kinds.retain(|kind| kind.acknowledged + kind.in_doubt + kind.found > 0);
    kinds
}

const CHANGES: [OpKind; 4] = [OpKind::Insert, OpKind::Update, OpKind::Rekey, OpKind::Delete];

fn found(events: Events, kind: OpKind) -> u64 {
    match kind {
        OpKind::Insert => events.inserted,
        OpKind::Update => events.updated,
        OpKind::Rekey => events.rekeyed,
        OpKind::Delete => events.deleted,
        OpKind::Read => 0,
    }
}
