//! The reference implementation and fault stage: rows kept in memory, constraints enforced, faults on demand.
//!
//! It promises what a database promises, so the conformance suite holds for it; and it stages what a database does only
//! on a bad day ([`Fault`]), so that everything above the boundary can be tested without one.

mod cells;
mod change;
mod fault;
mod scan;
mod table;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rowstorm_gen::changes::Query;
use rowstorm_gen::{Batch, TablePlan};

use crate::rows::RowEncoder;
use crate::{
    Audit, BoxScan, ChangeLimits, Delivery, Encoder, Event, Explanation, IndexTime, Limits,
    Outcome, Payload, Prepare, PrepareMode, Scope, Sink, SinkError, SinkErrorKind, Statement,
    Writer,
};
pub use cells::MemoryRow;
pub use change::MemoryChanger;
use fault::Verdict;
pub use fault::{Arrived, Fault, Writes};
use table::MemoryTable;

/// Rows in memory. Clones share them.
///
/// ```
/// # use rowstorm_sink::{Memory, Fault, Writes};
/// let memory = Memory::new().with_fault(Fault::Busy { writes: Writes::Nth(2), retry_after: None });
/// assert_eq!((memory.rows("cpu").len(), memory.writes()), (0, 0));
/// ```
#[derive(Debug, Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    limits: Limits,
    change_limits: ChangeLimits,
}

#[derive(Debug, Default)]
struct State {
    tables: HashMap<Arc<str>, MemoryTable>,
    faults: Vec<Fault>,
    /// Writes and transactions that were asked for, refused ones included.
    writes: u64,
    /// Writers and changers that were asked for.
    writers: u64,
    /// Moves when all connections are cut.
    generation: u64,
}

/// A small payload is enough for a memory; a large one is allowed.
const LIMITS: Limits = Limits { rows: 65_536, bytes: 16 << 20, writers: 64, idempotent: true };

const CHANGE_LIMITS: ChangeLimits =
    ChangeLimits { rows: 65_536, changers: 64, transactions: true, pipeline: 16 };

impl Default for Memory {
    fn default() -> Self {
        Memory { state: Arc::default(), limits: LIMITS, change_limits: CHANGE_LIMITS }
    }
}

impl Memory {
    /// No tables, no faults.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Adds a fault. Where several hit one write, the first that was added answers it.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Memory {
        self.lock().faults.push(fault);
        self
    }

    /// Other limits. A table without a key is never idempotent, whatever they say.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Memory {
        Memory { limits, ..self }
    }

    /// Other limits of changes: without transactions, rows are refused one by one.
    #[must_use]
    pub fn with_change_limits(self, change_limits: ChangeLimits) -> Memory {
        Memory { change_limits, ..self }
    }

    /// The rows of a table, in the order of their arrival; none if there is no such table.
    pub fn rows(&self, table: &str) -> Vec<MemoryRow> {
        self.lock().tables.get(table).map(|table| table.rows().collect()).unwrap_or_default()
    }

    /// The secondary indexes of a table, by their columns.
    pub fn indexes(&self, table: &str) -> Vec<Vec<String>> {
        self.lock().tables.get(table).map(|table| table.indexes.clone()).unwrap_or_default()
    }

    /// How many writes and transactions were asked for, those that failed included.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// How many writers and changers were asked for.
    pub fn writers(&self) -> u64 {
        self.lock().writers
    }

    /// Cuts every connection that is open: their next write is lost, and nothing of it arrives.
    pub fn cut_connections(&self) {
        self.lock().generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a test's task must not hide the state from the test.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Memory {
    type Writer = MemoryWriter;
    type Encoder = MemoryEncoder;
    type Changer = MemoryChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        Limits { idempotent: self.limits.idempotent && table::is_keyed(table), ..self.limits }
    }

    fn encoder(&self, table: &TablePlan) -> MemoryEncoder {
        MemoryEncoder(RowEncoder::new(table, cells::Cells))
    }

    fn explain(&self, table: &TablePlan, _: &Prepare) -> Explanation {
        Explanation {
            method: "rows kept in this process".to_owned(),
            statement: format!("append to {}", table.name),
            notes: vec!["everything is gone when the process ends".to_owned()],
            ..Explanation::default()
        }
    }

    async fn prepare(&self, plan: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        let mut state = self.lock();
        let there = state.tables.get(&plan.name).map(MemoryTable::len);
        match (prepare.mode, there) {
            (PrepareMode::Create, Some(rows)) if rows > 0 => {
                return Err(SinkError::fatal(
                    "table_has_rows",
                    format!("table {} has {rows} rows: append to it or recreate it", plan.name),
                ));
            }
            (PrepareMode::Create | PrepareMode::Append, Some(_)) => {}
            (PrepareMode::Create | PrepareMode::Append, None) | (PrepareMode::Recreate, _) => {
                state.tables.insert(plan.name.clone(), MemoryTable::new(plan));
            }
        }
        if prepare.indexes == IndexTime::Before {
            state.index(plan);
        }
        Ok(())
    }

    async fn writer(&self, plan: &Arc<TablePlan>) -> Result<MemoryWriter, SinkError> {
        let generation = self.lock().open(&[plan])?;
        Ok(MemoryWriter { memory: self.clone(), plan: plan.clone(), generation: Some(generation) })
    }

    async fn finish(&self, plan: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        if prepare.indexes == IndexTime::After {
            self.lock().index(plan);
        }
        Ok(())
    }

    async fn audit(&self, plan: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        let state = self.lock();
        let table = state.tables.get(&plan.name).ok_or_else(|| no_table(plan))?;
        Ok(table.audit(plan, scope))
    }

    fn change_limits(&self, mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
        let given = |one: &Statement| matches!(one.query, Some(Query::Given { .. }));
        if mix.iter().any(given) {
            return Err(change::no_words());
        }
        Ok(self.change_limits)
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        let names = statement.columns.columns.iter().map(|column| &*column.name);
        let names = names.collect::<Vec<_>>().join(", ");
        Some(format!("{} {}: {names}", statement.kind.word(), statement.table.name))
    }

    async fn changer(&self, mix: &Arc<[Statement]>) -> Result<MemoryChanger, SinkError> {
        let tables: Vec<_> = mix.iter().map(|statement| &statement.table).collect();
        let generation = self.lock().open(&tables)?;
        Ok(MemoryChanger::new(self.clone(), mix, generation))
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        match event {
            Event::Truncate(table) => Ok(format!("empty {}", table.name)),
            Event::Statement(_) => Err(change::no_words()),
        }
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        let Event::Truncate(plan) = event else { return Err(change::no_words()) };
        let mut state = self.lock();
        let table = state.tables.get_mut(&plan.name).ok_or_else(|| no_table(plan))?;
        Ok(Some(table.empty()))
    }

    async fn scan(&self, plan: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
        let state = self.lock();
        let table = state.tables.get(&plan.name).ok_or_else(|| no_table(plan))?;
        Ok(Box::new(scan::MemoryScan::new(table)))
    }
}

impl State {
    /// A connection to some tables: the generation that it belongs to.
    fn open(&mut self, tables: &[&Arc<TablePlan>]) -> Result<u64, SinkError> {
        self.writers += 1;
        let refused = |fault: &Fault| fault.refuses_writer(self.writers);
        if let Some(error) = self.faults.iter().find_map(refused) {
            return Err(error);
        }
        match tables.iter().find(|table| !self.tables.contains_key(&table.name)) {
            Some(missing) => Err(no_table(missing)),
            None => Ok(self.generation),
        }
    }

    fn index(&mut self, plan: &TablePlan) {
        if let Some(table) = self.tables.get_mut(&plan.name) {
            table.indexes = plan.spec.indexes.iter().map(|index| index.on.clone()).collect();
        }
    }
}

/// Rows in the memory's own format: see [`MemoryRow`].
#[derive(Debug)]
pub struct MemoryEncoder(RowEncoder<cells::Cells>);

impl Encoder for MemoryEncoder {
    fn begin(&mut self, _: &mut Payload) {}

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        self.0.encode(batch, &mut payload.body);
    }

    fn end(&mut self, _: &mut Payload) {}
}

/// One connection to a [`Memory`].
#[derive(Debug)]
pub struct MemoryWriter {
    memory: Memory,
    plan: Arc<TablePlan>,
    /// The connections' generation that this one belongs to; `None` once it is lost.
    generation: Option<u64>,
}

impl Writer for MemoryWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        let answer = self.answer(payload);
        match answer {
            Some(Err(error)) => {
                if matches!(error.kind, SinkErrorKind::Lost(_)) {
                    self.generation = None;
                }
                Err(error)
            }
            Some(Ok(outcome)) => Ok(outcome),
            None => std::future::pending().await,
        }
    }
}

impl MemoryWriter {
    /// What the memory says to a payload; `None` is nothing at all, ever.
    fn answer(&mut self, payload: &Payload) -> Option<Result<Outcome, SinkError>> {
        let limits = self.memory.limits(&self.plan);
        let mut guard = self.memory.lock();
        let state = &mut *guard;
        state.writes += 1;
        if self.generation != Some(state.generation) {
            return Some(Err(lost(Delivery::None, "the connection was cut")));
        }
        let bytes = payload.body.len() as u64;
        if bytes > limits.bytes || payload.len() > u64::from(limits.rows) {
            return Some(Err(too_large(bytes)));
        }
        let Some(table) = state.tables.get_mut(&self.plan.name) else {
            return Some(Err(no_table(&self.plan)));
        };
        let verdict = state.faults.iter().find_map(|fault| fault.verdict(state.writes, bytes));
        match verdict {
            None => Some(Ok(table.apply(payload, &state.faults))),
            Some(Verdict::Error(error)) => Some(Err(error)),
            Some(Verdict::Refuse { class, sample }) => {
                Some(Ok(Outcome::refused(payload.len(), class, sample)))
            }
            Some(Verdict::ErrorAfter(error)) => {
                table.apply(payload, &state.faults);
                Some(Err(error))
            }
            Some(Verdict::Silence) => None,
        }
    }
}

fn no_table(plan: &TablePlan) -> SinkError {
    SinkError::fatal("no_such_table", format!("there is no table {}", plan.name))
}

fn lost(delivery: Delivery, message: &str) -> SinkError {
    SinkError::new(SinkErrorKind::Lost(delivery), "connection", message)
}

fn too_large(bytes: u64) -> SinkError {
    SinkError::new(
        SinkErrorKind::TooLarge,
        "too_large",
        format!("a payload of {bytes} bytes is over the limit"),
    )
}
