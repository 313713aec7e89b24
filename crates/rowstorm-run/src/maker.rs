//! The CPU half of a lane: fill columns, encode rows, watch the bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rowstorm_gen::{BATCH_ROWS_MAX, Batch, TablePlan};
use rowstorm_sink::{BoxEncoder, BoxSink, Buffer, Encoder, Payload, Sink};

use crate::budget::Reservation;
use crate::job::Job;

/// Longer work leaves the runtime's threads to a blocking one: a hop costs 20 to 60 µs.
const INLINE_MAX: Duration = Duration::from_micros(200);
/// Bytes between two looks at the budget, as far as rows can be foretold.
const CHUNK_BYTES: u64 = 256 << 10;
/// A buffer that is so many times larger than its payload is given up.
const SPARE_FACTOR: u64 = 2;
const SPARE_BYTES: u64 = 1 << 20;

/// Fills and encodes one table's rows.
pub(crate) struct Maker {
    table: Arc<TablePlan>,
    encoder: BoxEncoder,
    batch: Batch,
    payload_bytes_max: u64,
    nanos_per_row: f64,
}

/// A payload and the bytes that are reserved for it.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) payload: Payload,
    pub(crate) reservation: Reservation,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// The payload is whole, and its bytes are held.
    Whole,
    /// So many rows already have so many bytes: more than there is room for.
    TooLarge { rows: u64, bytes: u64 },
}

impl Maker {
    pub(crate) fn new(
        sink: &BoxSink,
        table: &Arc<TablePlan>,
        payload_bytes_max: u64,
        nanos_per_row: f64,
    ) -> Maker {
        Maker {
            encoder: sink.encoder(table),
            table: Arc::clone(table),
            batch: Batch::default(),
            payload_bytes_max,
            nanos_per_row,
        }
    }

    /// Whether this is too much work for a thread that serves other tasks.
    pub(crate) fn is_long(&self, rows: u64) -> bool {
        rows as f64 * self.nanos_per_row > INLINE_MAX.as_nanos() as f64
    }

    /// Makes the job's payload; how it went and how long it took.
    pub(crate) fn make(&mut self, job: &Job, load: &mut Load) -> (Made, Duration) {
        let start = Instant::now();
        let made = self.fill_and_encode(job, load);
        let took = start.elapsed();
        if made == Made::Whole {
            self.nanos_per_row = took.as_nanos() as f64 / job.len() as f64;
        }
        (made, took)
    }

    fn fill_and_encode(&mut self, job: &Job, load: &mut Load) -> Made {
        let Load { payload, reservation } = load;
        payload.clear();
        let reserved = reservation.bytes();
        let capacity = payload.body.capacity() as u64;
        let spare = capacity > (reserved * SPARE_FACTOR).max(SPARE_BYTES);
        // A buffer that grows takes half as much again, beyond what is reserved; a new one takes what it is asked for.
        let short = capacity < reserved && reserved > SPARE_BYTES;
        if spare || short {
            payload.body = Buffer::default();
        }
        payload.body.reserve(reserved as usize);
        payload.rows = job.rows.clone();
        payload.attempt = job.doubt;
        self.encoder.begin(payload);
        let mut from = job.rows.start;
        let mut chunk = chunk_rows(job.bytes, job.len());
        while from < job.rows.end {
            let to = job.rows.end.min(from + chunk);
            self.table.fill(from..to, &mut self.batch);
            self.encoder.encode(&self.batch, payload);
            from = to;
            let bytes = payload.body.len() as u64;
            if bytes > self.payload_bytes_max || !reservation.cover(bytes) {
                return Made::TooLarge { rows: from - job.rows.start, bytes };
            }
            chunk = chunk_rows(bytes, from - job.rows.start);
        }
        self.encoder.end(payload);
        let bytes = payload.body.len() as u64;
        if bytes > self.payload_bytes_max || !reservation.cover(bytes) {
            return Made::TooLarge { rows: job.len(), bytes };
        }
        reservation.hold(bytes);
        Made::Whole
    }
}

/// Rows until the next look at the budget.
fn chunk_rows(bytes: u64, rows: u64) -> u64 {
    let row_bytes = (bytes / rows.max(1)).max(1);
    (CHUNK_BYTES / row_bytes).clamp(1, BATCH_ROWS_MAX as u64)
}
