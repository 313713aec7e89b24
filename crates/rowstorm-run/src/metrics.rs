//! The metrics, under the names that dashboards rely on. Our own counters are the truth, these are a view: counters
//! move once a second and at the end, only histograms are fed batch by batch.

use std::collections::BTreeMap;
use std::time::Duration;

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use rowstorm_control::State;
use rowstorm_report::{ErrorEntry, Rows};

use crate::live::Live;

pub(crate) const ROWS_TOTAL: &str = "rowstorm_rows_total";
pub(crate) const BATCHES_TOTAL: &str = "rowstorm_batches_total";
const BYTES_SENT_TOTAL: &str = "rowstorm_bytes_sent_total";
const BATCH_DURATION: &str = "rowstorm_batch_duration_seconds";
const RESPONSE: &str = "rowstorm_response_seconds";
pub(crate) const BATCH_ROWS: &str = "rowstorm_batch_rows";
pub(crate) const IN_FLIGHT_BATCHES: &str = "rowstorm_in_flight_batches";
const IN_FLIGHT_BYTES: &str = "rowstorm_in_flight_bytes";
pub(crate) const TARGET_RATE: &str = "rowstorm_target_rows_per_second";
const SCHEDULE_LAG: &str = "rowstorm_schedule_lag_seconds";
const CONTROLLER_STATE: &str = "rowstorm_controller_state";
pub(crate) const ERRORS_TOTAL: &str = "rowstorm_errors_total";
const BUILD_INFO: &str = "rowstorm_build_info";

/// Every metric that a run feeds.
pub const METRIC_NAMES: [&str; 13] = [
    ROWS_TOTAL,
    BATCHES_TOTAL,
    BYTES_SENT_TOTAL,
    BATCH_DURATION,
    RESPONSE,
    BATCH_ROWS,
    IN_FLIGHT_BATCHES,
    IN_FLIGHT_BYTES,
    TARGET_RATE,
    SCHEDULE_LAG,
    CONTROLLER_STATE,
    ERRORS_TOTAL,
    BUILD_INFO,
];

/// Describes all metrics to the recorder that is installed, and says which version runs.
pub fn describe() {
    describe_counter!(ROWS_TOTAL, "Rows by table, operation and what became of them.");
    describe_counter!(BATCHES_TOTAL, "Batches by outcome: answered, or an attempt failed.");
    describe_counter!(BYTES_SENT_TOTAL, "Payload bytes sent, repeats included.");
    describe_histogram!(BATCH_DURATION, "From sending a batch to its answer.");
    describe_histogram!(RESPONSE, "From a batch's intended start to its answer.");
    describe_gauge!(BATCH_ROWS, "Rows per batch, as decided.");
    describe_gauge!(IN_FLIGHT_BATCHES, "Batches that wait for the server.");
    describe_gauge!(IN_FLIGHT_BYTES, "Payload bytes in memory.");
    describe_gauge!(TARGET_RATE, "Rows per second asked for; 0 without a rate.");
    describe_gauge!(SCHEDULE_LAG, "How far the last batch started behind its schedule.");
    describe_gauge!(CONTROLLER_STATE, "1 for the state that the controller is in.");
    describe_counter!(ERRORS_TOTAL, "Rows refused and attempts failed, by class.");
    describe_gauge!(BUILD_INFO, "Always 1; the version is a label.");
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// One batch was answered.
pub(crate) fn batch(latency: Duration, since_due: Option<Duration>) {
    histogram!(BATCH_DURATION).record(latency.as_secs_f64());
    histogram!(RESPONSE).record(since_due.unwrap_or(latency).as_secs_f64());
    if let Some(since_due) = since_due {
        gauge!(SCHEDULE_LAG).set(since_due.saturating_sub(latency).as_secs_f64());
    }
}

/// What was said last, so that counters move by the difference.
#[derive(Debug, Default)]
pub(crate) struct View {
    rows: BTreeMap<String, Rows>,
    errors: BTreeMap<String, u64>,
    batches_done: u64,
    batches_failed: u64,
    bytes_sent: u64,
}

impl View {
    /// Says what has changed since the last time.
    pub(crate) fn tick(&mut self, live: &Live, rate: Option<f64>) {
        let seen = live.snapshot();
        let state = live.desk.lock();
        let tables: Vec<(String, Rows)> =
            state.books.tables().map(|(table, rows)| (table.to_owned(), rows.clone())).collect();
        let errors = state.books.errors();
        let (done, failed) = (state.stats.batches_done, state.stats.batches_failed);
        drop(state);

        for (table, rows) in tables {
            self.rows_of(&table, rows);
        }
        self.errors(errors);
        counter!(BATCHES_TOTAL, "outcome" => "answered").increment(done - self.batches_done);
        counter!(BATCHES_TOTAL, "outcome" => "failed").increment(failed - self.batches_failed);
        counter!(BYTES_SENT_TOTAL).increment(seen.bytes_sent - self.bytes_sent);
        (self.batches_done, self.batches_failed) = (done, failed);
        self.bytes_sent = seen.bytes_sent;

        gauge!(BATCH_ROWS).set(f64::from(seen.batch_rows));
        gauge!(IN_FLIGHT_BATCHES).set(f64::from(seen.sending));
        gauge!(IN_FLIGHT_BYTES).set(seen.bytes_in_flight as f64);
        gauge!(TARGET_RATE).set(rate.unwrap_or(0.0));
        for state in [State::Pinned, State::Exploring, State::Settled, State::Frozen] {
            let is = if state == seen.state { 1.0 } else { 0.0 };
            gauge!(CONTROLLER_STATE, "state" => state.as_str()).set(is);
        }
    }

    fn rows_of(&mut self, table: &str, rows: Rows) {
        let last = self.rows.entry(table.to_owned()).or_default();
        for (outcome, now, before) in [
            ("accepted", rows.accepted, last.accepted),
            ("confirmed", rows.confirmed, last.confirmed),
            ("rejected", rows.rejected, last.rejected),
            ("unknown", rows.unknown, last.unknown),
        ] {
            let labels =
                [("table", table.to_owned()), ("op", "insert".into()), ("outcome", outcome.into())];
            counter!(ROWS_TOTAL, &labels).increment(now - before);
        }
        *last = rows;
    }

    fn errors(&mut self, errors: Vec<ErrorEntry>) {
        for error in errors {
            let last = self.errors.entry(error.class.clone()).or_default();
            counter!(ERRORS_TOTAL, "class" => error.class).increment(error.count - *last);
            *last = error.count;
        }
    }
}
