//! Generates and encodes for a named wire, sends nothing: what the client alone can do.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rowstorm_gen::TablePlan;

use crate::{
    Audit, Change, ChangeLimits, Changed, Changer, Encoder, Event, Explanation, Limits, Outcome,
    Payload, Prepare, PrepareMode, Queried, Scope, Sink, SinkError, Statement, Transaction, Writer,
};

/// Encodes as another sink does, and takes every row and every change without keeping it.
///
/// ```
/// # use rowstorm_sink::{Memory, Null};
/// let null = Null::new("memory", Memory::new());
/// assert_eq!(format!("{null:?}"), "Null(memory)");
/// ```
pub struct Null<S> {
    wire: String,
    inner: S,
    counts: Arc<Mutex<HashMap<Arc<str>, u64>>>,
}

/// No database bounds the writers; more than this only cost memory.
const WRITERS_MAX: u32 = 64;

impl<S: Sink> Null<S> {
    /// Encodes for this sink, which need not be connected: only its pure methods are called.
    pub fn new(wire: impl Into<String>, inner: S) -> Null<S> {
        Null { wire: wire.into(), inner, counts: Arc::default() }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Arc<str>, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> fmt::Debug for Null<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Null({})", self.wire)
    }
}

impl<S: Sink> Sink for Null<S> {
    type Writer = NullWriter;
    type Encoder = S::Encoder;
    type Changer = NullChanger<S::Encoder>;

    fn limits(&self, table: &TablePlan) -> Limits {
        Limits { writers: WRITERS_MAX, ..self.inner.limits(table) }
    }

    fn encoder(&self, table: &TablePlan) -> S::Encoder {
        self.inner.encoder(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        let inner = self.inner.explain(table, prepare);
        Explanation {
            method: format!("nothing is sent; encoded for {}: {}", self.wire, inner.method),
            ddl: Vec::new(),
            statement: inner.statement,
            notes: vec![
                "nothing is stored: the rows of the audit are those that the writers counted"
                    .to_owned(),
            ],
        }
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        match prepare.mode {
            PrepareMode::Create | PrepareMode::Append => {}
            PrepareMode::Recreate => {
                self.counts().remove(&table.name);
            }
        }
        Ok(())
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<NullWriter, SinkError> {
        Ok(NullWriter { table: table.name.clone(), counts: self.counts.clone() })
    }

    async fn finish(&self, _: &TablePlan, _: &Prepare) -> Result<(), SinkError> {
        Ok(())
    }

    fn keeps_rows(&self) -> bool {
        false
    }

    /// Those of the wire; where it takes no changes, nor does this.
    fn change_limits(&self, statements: &[Statement]) -> Result<ChangeLimits, SinkError> {
        let limits = self.inner.change_limits(statements)?;
        Ok(ChangeLimits { changers: WRITERS_MAX, ..limits })
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        self.inner.explain_change(statement)
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        self.inner.explain_event(event)
    }

    async fn changer(
        &self,
        statements: &Arc<[Statement]>,
    ) -> Result<NullChanger<S::Encoder>, SinkError> {
        let encoder = |statement: &Statement| self.inner.encoder(&statement.columns);
        let encoders = statements.iter().map(encoder).collect();
        Ok(NullChanger { encoders, payload: Payload::default() })
    }

    /// What the writers counted, whatever the scope: there are no values to look at.
    async fn audit(&self, table: &TablePlan, _: &Scope) -> Result<Audit, SinkError> {
        let rows = self.counts().get(&table.name).copied().unwrap_or_default();
        Ok(Audit { rows, ..Audit::default() })
    }
}

/// Takes every row.
#[derive(Debug)]
pub struct NullWriter {
    table: Arc<str>,
    counts: Arc<Mutex<HashMap<Arc<str>, u64>>>,
}

impl Writer for NullWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(self.table.clone()).or_default() += payload.len();
        Ok(Outcome::accepted(payload.len()))
    }
}

/// Finds every row that is changed, since it keeps none. The columns of a statement are encoded as the wire's rows are.
pub struct NullChanger<E> {
    encoders: Vec<E>,
    payload: Payload,
}

impl<E> fmt::Debug for NullChanger<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NullChanger({} statements)", self.encoders.len())
    }
}

impl<E: Encoder> Changer for NullChanger<E> {
    async fn change(&mut self, transaction: Transaction<'_>) -> Result<Vec<Changed>, SinkError> {
        let NullChanger { encoders, payload } = self;
        let mut changed = Vec::with_capacity(transaction.groups.len());
        for group in transaction.groups {
            changed.push(Changed::matched(encode(encoders, group, payload)));
        }
        if let Some(hold) = transaction.hold {
            hold.await;
        }
        Ok(changed)
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        let NullChanger { encoders, payload } = self;
        if !query.batch.columns.is_empty() {
            encode(encoders, &query, payload);
        }
        Ok(Queried::Rows(0))
    }
}

/// Encodes a group's columns; how many rows it has.
fn encode<E: Encoder>(encoders: &mut [E], group: &Change<'_>, payload: &mut Payload) -> u64 {
    let (encoder, rows) = (&mut encoders[group.statement], group.batch.len() as u64);
    payload.rows = 0..rows;
    payload.body.clear();
    encoder.begin(payload);
    encoder.encode(group.batch, payload);
    encoder.end(payload);
    rows
}
