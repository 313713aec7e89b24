//! How fast this machine generates and encodes when nothing is sent: the first estimate of a row's bytes and time, and
//! the figure in the record that tells a slow database from a slow client.

use std::time::{Duration, Instant};

use rowstorm_gen::{BATCH_ROWS_MAX, Batch};
use rowstorm_sink::{BoxSink, Encoder, Payload, Sink};

use crate::work::Work;

/// A probe stops here, even before its time is up.
const BYTES_MAX: usize = 4 << 20;

/// What was measured on one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    rows: u64,
    seconds: f64,
    /// Bytes of a row of a payload.
    pub(crate) row_bytes: f64,
    /// Time of a row.
    pub(crate) nanos_per_row: f64,
}

/// Measures every table for its share of `time`, one core, one batch at least.
pub(crate) async fn measure(sink: BoxSink, works: Vec<Work>, time: Duration) -> Vec<Probe> {
    let share = time / works.len().max(1) as u32;
    let measured = tokio::task::spawn_blocking(move || {
        works.iter().map(|work| one(&sink, work, share)).collect()
    });
    measured.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn one(sink: &BoxSink, work: &Work, time: Duration) -> Probe {
    let mut encoder = sink.encoder(&work.table);
    let mut batch = Batch::default();
    let mut payload = Payload::default();
    let mut probe = Probe { rows: 0, seconds: 0.0, row_bytes: 1.0, nanos_per_row: 1_000.0 };
    if work.rows.is_empty() {
        return probe;
    }
    let mut bytes = 0u64;
    // Values differ in length with the row's number, so the whole range is walked, in steps.
    let from = work.rows.start;
    let to = work.rows.end.min(from + BATCH_ROWS_MAX as u64);
    let start = Instant::now();
    while probe.rows == 0 || start.elapsed() < time {
        payload.clear();
        encoder.begin(&mut payload);
        // Few rows at a time until their size is known: a row can be a megabyte.
        let chunk = if probe.rows == 0 { 16 } else { (to - from).max(1) };
        let end = to.min(from + chunk.min((BYTES_MAX as f64 / probe.row_bytes) as u64 + 1));
        work.table.fill(from..end, &mut batch);
        encoder.encode(&batch, &mut payload);
        encoder.end(&mut payload);
        probe.rows += end - from;
        bytes += payload.body.len() as u64;
        probe.row_bytes = bytes as f64 / probe.rows as f64;
    }
    probe.seconds = start.elapsed().as_secs_f64();
    probe.nanos_per_row = probe.seconds * 1e9 / probe.rows as f64;
    probe
}

/// Rows per second of all tables together.
pub(crate) fn rows_per_second(probes: &[Probe]) -> f64 {
    let rows: u64 = probes.iter().map(|probe| probe.rows).sum();
    let seconds: f64 = probes.iter().map(|probe| probe.seconds).sum();
    if seconds > 0.0 { rows as f64 / seconds } else { 0.0 }
}
