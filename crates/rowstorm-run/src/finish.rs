//! After the last row: late indexes, timed apart, and the database's own count.

use std::future::Future;
use std::time::Duration;

use rowstorm_report::{IndexPhase, Rows};
use rowstorm_sink::{Audit, BoxSink, IndexTime, Prepare, Sink, SinkError, SinkErrorKind};
use tokio::time::{Instant, sleep};

use crate::backoff;
use crate::books::Books;
use crate::desk::{Cause, Desk};
use crate::live::Phase;
use crate::work::Work;
use crate::{Ending, MaxErrors, RunOptions};

/// Finishes every table.
pub(crate) async fn finish(
    sink: &BoxSink,
    works: &[Work],
    desk: &Desk,
    orders: &Prepare,
    options: &RunOptions,
) -> Vec<IndexPhase> {
    desk.lock().phase = Phase::Indexing;
    let mut phases = Vec::new();
    for work in works {
        let start = Instant::now();
        let finished = patiently(options.reconnect, || sink.finish(&work.table, orders)).await;
        if let Err(error) = finished {
            desk.trouble(&error);
            desk.end(Cause::Failed(error));
            break;
        }
        if orders.indexes == IndexTime::After && !work.table.spec.indexes.is_empty() {
            let seconds = start.elapsed().as_secs_f64();
            phases.push(IndexPhase { table: work.table.name.to_string(), seconds });
        }
    }
    phases
}

/// Counts every table that can be counted. `false` if a count contradicts the accounts.
pub(crate) async fn audit(
    sink: &BoxSink,
    works: &[Work],
    desk: &Desk,
    options: &RunOptions,
) -> bool {
    desk.lock().phase = Phase::Counting;
    // A run that failed asks once: its database may be gone, and the record is wanted all the same.
    let failed = matches!(desk.lock().ended, Some(Cause::Failed(_)));
    let patience = if failed { Duration::ZERO } else { options.reconnect };
    let mut agrees = true;
    for work in works {
        let Some(scope) = work.scope else { continue };
        match patiently(patience, || sink.audit(&work.table, &scope)).await {
            Ok(audit) => agrees &= enter(&audit, work, desk),
            Err(error) => {
                desk.trouble(&error);
                desk.end(Cause::Failed(error));
            }
        }
    }
    agrees
}

/// Enters a count into the books; whether it agrees with them.
fn enter(audit: &Audit, work: &Work, desk: &Desk) -> bool {
    let books = &mut desk.lock().books;
    let before = books.before(work.index);
    let audited = audit.rows.saturating_sub(before);
    books.set_audited(work.index, Some(audited));
    let once = audit.distinct_keys.is_none_or(|keys| keys == audit.rows);
    audit.rows >= before && once && agrees(books.table(work.index), audited)
}

/// Every row that arrived is there once; of the unknown ones, any number.
fn agrees(rows: &Rows, audited: u64) -> bool {
    let arrived = rows.accepted + rows.confirmed;
    (arrived..=arrived + rows.unknown).contains(&audited)
}

/// How the run ended, once everything is booked and counted.
pub(crate) fn ending(
    books: &Books,
    agrees: bool,
    ended: Option<Cause>,
    max_errors: MaxErrors,
) -> Ending {
    let total = books.total();
    let bad = total.rejected + books.tables().map(|(_, rows)| lost(rows)).sum::<u64>();
    match ended {
        Some(Cause::Failed(error)) => Ending::Failed(error),
        _ if !agrees || !books.balance() => Ending::NotBalanced,
        Some(Cause::TooManyRejected) => Ending::TooManyRejected,
        _ if bad > max_errors.rows_of(total.planned) => Ending::TooManyRejected,
        Some(Cause::Stopped) => Ending::Stopped,
        None => Ending::Done,
    }
}

/// Rows of which nobody can tell, and which the database's count does not show either.
fn lost(rows: &Rows) -> u64 {
    let found =
        rows.audited.map_or(0, |audited| audited.saturating_sub(rows.accepted + rows.confirmed));
    rows.unknown.saturating_sub(found)
}

/// Asks again while the server is busy or away, up to a limit.
pub(crate) async fn patiently<T, F>(
    patience: Duration,
    mut ask: impl FnMut() -> F,
) -> Result<T, SinkError>
where
    F: Future<Output = Result<T, SinkError>>,
{
    let give_up_at = Instant::now() + patience;
    for attempt in 0.. {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match error.kind {
            SinkErrorKind::Busy { .. } | SinkErrorKind::Lost(_) => {}
            SinkErrorKind::TooLarge | SinkErrorKind::Fatal => return Err(error),
        }
        if Instant::now() >= give_up_at {
            return Err(error);
        }
        sleep(backoff::pause(0, attempt)).await;
    }
    unreachable!("attempts never run out before the limit does")
}
