//! What every test stands on: a plan, a slow database in memory, and a runtime whose clock is virtual.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions, TablePlan};
use rowstorm_run::{Ending, Finished, MaxErrors, Run, RunError, RunOptions, Setting};
use rowstorm_sink::{
    Audit, BoxSink, Explanation, Limits, Memory, Outcome, Payload, Prepare, Scope, ServerCounters,
    Sink, SinkError, Writer,
};

/// A table with a key, whose rows differ in length.
pub(crate) const KEYED: &str = "
version: 1
tables:
  t:
    key: [id]
    columns:
      id: { type: bigint, gen: sequence }
      host: { type: text, gen: { one_of: [a, b, c] } }
      note: { type: text, gen: { text: { min: 0, max: 300 } } }
";

/// The same without a key.
pub(crate) const KEYLESS: &str = "
version: 1
tables:
  t:
    columns:
      id: { type: bigint, gen: sequence }
      note: { type: text, gen: { text: { min: 0, max: 300 } } }
";

/// A parent and a child.
pub(crate) const SHOP: &str = "
version: 1
tables:
  orders:
    key: [id]
    preload: 3000
    columns:
      id: { type: bigint, gen: sequence }
      customer: { type: bigint, gen: { ref: { table: customers } } }
    indexes: [ { on: [customer] } ]
  customers:
    key: [id]
    preload: 700
    columns:
      id: { type: bigint, gen: sequence }
";

pub(crate) fn plan(schema: &str, rows: Option<u64>) -> Plan {
    let schema = Schema::parse(schema, Format::Yaml, "test.yaml").expect("the schema is valid");
    Plan::new(&schema, PlanOptions { rows, ..PlanOptions::default() }).expect("it compiles")
}

pub(crate) fn options(batch: u32, in_flight: u32) -> RunOptions {
    RunOptions {
        batch: Setting::Fixed(batch),
        in_flight: Setting::Fixed(in_flight),
        max_errors: MaxErrors::Percent(100.0),
        retry: 50,
        probe: Duration::ZERO,
        ..RunOptions::default()
    }
}

/// Runs to the end on a clock of its own.
pub(crate) fn run(plan: Plan, sink: impl Sink, options: RunOptions) -> Result<Finished, RunError> {
    with(Run::new(plan, BoxSink::new(sink), options), |_| async {})
}

/// Runs to the end while `beside` runs beside it.
pub(crate) fn with<F>(run: Run, beside: impl FnOnce(&Run) -> F) -> Result<Finished, RunError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        tokio::spawn(beside(&run));
        run.go().await
    })
}

/// The law that every run obeys, however it ended.
pub(crate) fn assert_balanced(finished: &Finished) {
    let record = &finished.record;
    let tables = record.tables.iter().map(|table| (table.table.as_str(), &table.rows));
    for (name, rows) in tables.chain([("all", &record.rows)]) {
        let settled = rows.accepted + rows.confirmed + rows.rejected + rows.unknown;
        assert_eq!(settled, rows.planned, "{name}: {rows:?}, {:?}", finished.ending);
    }
    let done: u64 = record.ranges_done.iter().map(|range| range.to - range.from).sum();
    assert_eq!(done + record.rows.unknown, record.rows.planned, "done or unknown, once");
    let in_series: u64 = record.series.iter().map(|second| second.rows).sum();
    assert_eq!(in_series, record.rows.accepted + record.rows.confirmed);
    let counted: u64 = record.latency_ms.histogram.iter().map(|(_, count)| count).sum();
    assert!(counted > 0 || record.rows.accepted == 0);
    assert!(record.batch.in_flight_bytes_max <= record.settings.max_bytes_in_flight);
}

pub(crate) fn assert_done(finished: &Finished) {
    assert!(matches!(finished.ending, Ending::Done), "{:?} {:?}", finished.ending, finished.record);
    assert_eq!(finished.record.ended, "done");
    assert!(finished.record.balances());
}

/// The keys in a table, and how many rows it has.
pub(crate) fn keys(memory: &Memory) -> (BTreeSet<String>, usize) {
    let rows = memory.rows("t");
    let keys = rows.iter().map(|row| row[0].to_string()).collect();
    (keys, rows.len())
}

/// A memory that takes its time, panics if it is told to, and measures the bytes that it is sent at once.
#[derive(Debug, Clone)]
pub(crate) struct Slow {
    pub(crate) memory: Memory,
    latency: Duration,
    /// Rows are worked on one after another, each for so long.
    per_row: Duration,
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Nothing is kept, so that large payloads fit into a test's memory.
    forgets: bool,
    panic_at: u64,
    /// More writes than this at once are refused in silence, and tried again inside: only its counters tell.
    silent_above: Option<u64>,
    at_once: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    bytes_max: Arc<AtomicU64>,
}

impl Slow {
    pub(crate) fn new(memory: Memory, latency: Duration) -> Slow {
        Slow {
            memory,
            latency,
            per_row: Duration::ZERO,
            turn: Arc::default(),
            forgets: false,
            panic_at: u64::MAX,
            silent_above: None,
            at_once: Arc::default(),
            requests: Arc::default(),
            refused: Arc::default(),
            bytes: Arc::default(),
            bytes_max: Arc::default(),
        }
    }

    /// Besides its latency, it serves one batch after another and needs so long for each row.
    pub(crate) fn serving(self, per_row: Duration) -> Slow {
        Slow { per_row, ..self }
    }

    /// It takes every row, and keeps none.
    pub(crate) fn forgetting(self) -> Slow {
        Slow { forgets: true, ..self }
    }

    /// The connection that makes this write dies of a bug.
    pub(crate) fn panicking_at(self, write: u64) -> Slow {
        Slow { panic_at: write, ..self }
    }

    /// It refuses in silence what is more than so many writes at once.
    pub(crate) fn refusing_above(self, writes: u64) -> Slow {
        Slow { silent_above: Some(writes), ..self }
    }

    /// The most bytes of all writes that were under way at once.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max.load(Ordering::SeqCst)
    }
}

pub(crate) struct SlowWriter {
    slow: Slow,
    inner: <Memory as Sink>::Writer,
}

impl Sink for Slow {
    type Writer = SlowWriter;
    type Encoder = <Memory as Sink>::Encoder;
    type Changer = <Memory as Sink>::Changer;

    fn limits(&self, table: &TablePlan) -> Limits {
        self.memory.limits(table)
    }

    fn keeps_rows(&self) -> bool {
        !self.forgets
    }

    fn encoder(&self, table: &TablePlan) -> Self::Encoder {
        self.memory.encoder(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        self.memory.explain(table, prepare)
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.memory.prepare(table, prepare).await
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<SlowWriter, SinkError> {
        Ok(SlowWriter { slow: self.clone(), inner: self.memory.writer(table).await? })
    }

    async fn counters(&self) -> Result<Option<ServerCounters>, SinkError> {
        let of = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let counted = ServerCounters { requests: of(&self.requests), rejected: of(&self.refused) };
        Ok(self.silent_above.map(|_| counted))
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.memory.finish(table, prepare).await
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        self.memory.audit(table, scope).await
    }
}

impl Writer for SlowWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        let slow = &self.slow;
        let bytes = payload.body.len() as u64;
        let now = slow.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        slow.bytes_max.fetch_max(now, Ordering::SeqCst);
        let at_once = slow.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        slow.requests.fetch_add(1, Ordering::SeqCst);
        if slow.silent_above.is_some_and(|most| at_once > most) {
            slow.refused.fetch_add(1, Ordering::SeqCst);
        }
        tokio::time::sleep(slow.latency).await;
        slow.at_once.fetch_sub(1, Ordering::SeqCst);
        if !slow.per_row.is_zero() {
            let turn = slow.turn.lock().await;
            tokio::time::sleep(slow.per_row * payload.len() as u32).await;
            drop(turn);
        }
        let answer = if slow.forgets {
            Ok(Outcome::accepted(payload.len()))
        } else {
            self.inner.write(payload).await
        };
        slow.bytes.fetch_sub(bytes, Ordering::SeqCst);
        assert!(slow.memory.writes() < slow.panic_at, "staged panic");
        answer
    }
}
