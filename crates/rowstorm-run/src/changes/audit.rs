//! After the last op: the database's own count of each table, held against the closed form.

use rowstorm_gen::changes::OpKind;
use rowstorm_report::ChangeTable;
use rowstorm_sink::{BoxSink, Scope, Sink};

use super::desk::Desk;
use super::options::{ChangeOptions, Resume};
use super::state::State;
use super::work::Work;
use crate::desk::Cause;
use crate::{RunOptions, finish};

/// The tables of the record, and whether no count contradicts the accounts.
pub(crate) async fn audit(
    sink: &BoxSink,
    work: &Work,
    desk: &Desk,
    options: &RunOptions,
    asked: &ChangeOptions,
) -> (Vec<ChangeTable>, bool) {
    let failed = matches!(desk.lock().ended, Some(Cause::Failed(_)));
    let patience = if failed { std::time::Duration::ZERO } else { options.reconnect };
    let (mut tables, mut agrees) = (Vec::new(), true);
    for (index, table) in work.plan.plan().tables().iter().enumerate() {
        let kinds = desk.lock().books.kinds(index);
        let mut entry =
            ChangeTable { table: table.name.to_string(), kinds, ..ChangeTable::default() };
        // Others write into the same tables: only all shards together can be counted.
        if !work.is_part() && sink.keeps_rows() {
            match finish::patiently(patience, || sink.audit(table, &Scope::Table)).await {
                Ok(counted) => {
                    let state = desk.lock();
                    let closed = closed_form(work, &state, index);
                    entry.expected = Some(closed);
                    entry.audited = Some(counted.rows);
                    let resumed = matches!(asked.resume, Resume::Changes(_));
                    let [low, high] = if resumed || state.script.has_emptied(index) {
                        let doubt = in_doubt(&state, index);
                        [closed.saturating_sub(doubt), closed + doubt]
                    } else {
                        bounds(&state, index, table.rows.unwrap_or(0))
                    };
                    let once = counted.distinct_keys.is_none_or(|keys| keys == counted.rows);
                    agrees &= once && (low..=high).contains(&counted.rows);
                }
                Err(error) => {
                    desk.trouble(&error);
                    desk.end(Cause::Failed(error));
                }
            }
        }
        tables.push(entry);
    }
    (tables, agrees)
}

/// Rows of a table that must be there after the ops and events that are done.
fn closed_form(work: &Work, state: &State, table: usize) -> u64 {
    let plan = work.plan.after_events(state.script.done());
    let rows = |stream: u32| plan.stream(stream).live_rows(table, state.done[stream as usize]);
    work.streams.iter().map(|stream| rows(stream.number())).sum()
}

/// Rows that the books allow: `rows` of the load, what was inserted, less what was deleted; of the unknown, any number.
fn bounds(state: &State, table: usize, rows: u64) -> [u64; 2] {
    let [inserts, deletes] =
        [OpKind::Insert, OpKind::Delete].map(|kind| state.books.of(table, kind));
    let born = rows + inserts.done();
    [
        born.saturating_sub(deletes.done() + deletes.unknown),
        (born + inserts.unknown).saturating_sub(deletes.done()),
    ]
}

/// Rows whose changes failed: what the closed form may be off by.
fn in_doubt(state: &State, table: usize) -> u64 {
    [OpKind::Insert, OpKind::Delete].iter().map(|kind| state.books.of(table, *kind).bad()).sum()
}
