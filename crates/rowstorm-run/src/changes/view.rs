//! The changes in the metrics: counters move once a second and at the end.

use std::collections::BTreeMap;

use ::metrics::{counter, gauge};
use rowstorm_report::ChangeRows;

use super::desk::Desk;
use super::work::Work;
use crate::metrics::{
    BATCH_ROWS, BATCHES_TOTAL, ERRORS_TOTAL, IN_FLIGHT_BATCHES, ROWS_TOTAL, TARGET_RATE,
};

/// What was said last, so that counters move by the difference.
#[derive(Debug, Default)]
pub(crate) struct View {
    rows: BTreeMap<(String, String), ChangeRows>,
    errors: BTreeMap<String, u64>,
    batches: [u64; 2],
}

impl View {
    /// Says what has changed since the last time.
    pub(crate) fn tick(&mut self, desk: &Desk, work: &Work) {
        let seen = super::live::snapshot(desk, work);
        let state = desk.lock();
        let tables: Vec<_> = work.plan.plan().tables().iter().enumerate().collect();
        let rows: Vec<_> = tables
            .into_iter()
            .flat_map(|(index, table)| {
                let kinds = state.books.kinds(index);
                kinds.into_iter().map(|kind| ((table.name.to_string(), kind.kind), kind.rows))
            })
            .collect();
        let errors = state.errors.errors();
        let batches = [state.stats.seconds.batches_done, state.stats.seconds.batches_failed];
        drop(state);
        for (key, now) in rows {
            let last = self.rows.entry(key.clone()).or_default();
            for (outcome, now, before) in [
                ("accepted", now.matched, last.matched),
                ("confirmed", now.confirmed, last.confirmed),
                ("missed", now.missed, last.missed),
                ("rejected", now.rejected, last.rejected),
                ("unknown", now.unknown, last.unknown),
            ] {
                let labels =
                    [("table", key.0.clone()), ("op", key.1.clone()), ("outcome", outcome.into())];
                counter!(ROWS_TOTAL, &labels).increment(now - before);
            }
            *last = now;
        }
        for error in errors {
            let last = self.errors.entry(error.class.clone()).or_default();
            counter!(ERRORS_TOTAL, "class" => error.class).increment(error.count - *last);
            *last = error.count;
        }
        for ((outcome, now), last) in
            ["answered", "failed"].into_iter().zip(batches).zip(&mut self.batches)
        {
            counter!(BATCHES_TOTAL, "outcome" => outcome).increment(now - *last);
            *last = now;
        }
        gauge!(BATCH_ROWS).set(f64::from(seen.batch_rows));
        gauge!(IN_FLIGHT_BATCHES).set(f64::from(seen.sending));
        gauge!(TARGET_RATE).set(seen.target_per_second.unwrap_or(0.0));
    }
}
