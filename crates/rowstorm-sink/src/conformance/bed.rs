//! One case's connection, with the few steps that all cases take.

use std::sync::Arc;

use rowstorm_gen::{Batch, TablePlan};

use super::{Need, Row, Subject};
use crate::{
    Audit, Encoder, IndexTime, Outcome, Payload, Prepare, PrepareMode, Scope, Sink, Writer,
};

pub(super) struct Bed<S: Subject> {
    pub(super) sink: Arc<S::Sink>,
    pub(super) url: String,
}

/// Make the table anew, no indexes.
pub(super) const RECREATE: Prepare =
    Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::None };
/// Make the table if it is missing, refuse one with rows.
pub(super) const CREATE: Prepare = Prepare { mode: PrepareMode::Create, indexes: IndexTime::None };
/// Go on with what is there.
pub(super) const APPEND: Prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };

impl<S: Subject> Bed<S> {
    pub(super) async fn new(url: String) -> Bed<S> {
        let sink = S::connect(&url).await.expect("the subject connects");
        Bed { sink: Arc::new(sink), url }
    }

    /// Makes the table anew.
    pub(super) async fn recreate(&self, table: &TablePlan) {
        self.prepare(table, &RECREATE).await;
    }

    pub(super) async fn prepare(&self, table: &TablePlan, prepare: &Prepare) {
        self.sink.prepare(table, prepare).await.expect("the table can be prepared");
    }

    pub(super) async fn writer(&self, table: &Arc<TablePlan>) -> <S::Sink as Sink>::Writer {
        self.sink.writer(table).await.expect("a writer opens")
    }

    /// Batches that follow each other, as one payload.
    pub(super) fn encode(&self, table: &TablePlan, batches: &[Batch]) -> Payload {
        let mut payload = Payload::default();
        if let (Some(first), Some(last)) = (batches.first(), batches.last()) {
            payload.rows = first.rows.start..last.rows.end;
        }
        let mut encoder = self.sink.encoder(table);
        encoder.begin(&mut payload);
        for batch in batches {
            encoder.encode(batch, &mut payload);
        }
        encoder.end(&mut payload);
        payload
    }

    /// Writes one batch over a connection of its own.
    pub(super) async fn write(&self, table: &Arc<TablePlan>, batch: &Batch) -> Outcome {
        let mut writer = self.writer(table).await;
        self.write_with(&mut writer, table, batch).await
    }

    pub(super) async fn write_with(
        &self,
        writer: &mut <S::Sink as Sink>::Writer,
        table: &TablePlan,
        batch: &Batch,
    ) -> Outcome {
        let payload = self.encode(table, std::slice::from_ref(batch));
        self.send(writer, &payload).await
    }

    /// Sends a payload; every row must be accounted for.
    pub(super) async fn send(
        &self,
        writer: &mut <S::Sink as Sink>::Writer,
        payload: &Payload,
    ) -> Outcome {
        let outcome = writer.write(payload).await.expect("the write is answered");
        assert_eq!(outcome.rows(), payload.len(), "every row is accounted for: {outcome:?}");
        let classes: u64 = outcome.rejected.refusals.iter().map(|refusal| refusal.count).sum();
        assert_eq!(classes, outcome.rejected.count, "refusals add up: {outcome:?}");
        outcome
    }

    pub(super) async fn read(&self, table: &TablePlan) -> Vec<Row> {
        S::read(&self.sink, table).await
    }

    /// How many different keys an audit counts: only where the database keeps keys apart does it say.
    pub(super) fn counted_keys(keys: u64) -> Option<u64> {
        (!S::LACKS.contains(&Need::Keys)).then_some(keys)
    }

    pub(super) async fn audit(&self, table: &TablePlan) -> Audit {
        self.audit_within(table, &Scope::Table).await
    }

    pub(super) async fn audit_within(&self, table: &TablePlan, scope: &Scope) -> Audit {
        self.sink.audit(table, scope).await.expect("the audit is answered")
    }
}
