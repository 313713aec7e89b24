//! A table, rows that are given by hand, and what became of them.

use std::sync::Arc;

use rowstorm_cratedb::CrateDb;
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Bitmap, ColumnData, Plan, PlanOptions, Strings, TablePlan, Values};
use rowstorm_sink::{
    Attempt, ConnectOptions, Encoder, IndexTime, Outcome, Payload, Prepare, PrepareMode, Scope,
    Sink, SinkError, Writer,
};

/// Make the table anew.
pub(crate) const RECREATE: Prepare =
    Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::None };

pub(crate) struct Bed {
    pub(crate) sink: CrateDb,
    pub(crate) table: Arc<TablePlan>,
}

/// A sink that opens nothing yet.
pub(crate) fn sink(url: &str) -> CrateDb {
    let options = ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() };
    CrateDb::new(&options).expect("the URL is one of CrateDB")
}

/// The first table of a document.
pub(crate) fn plan(document: &str) -> Arc<TablePlan> {
    let schema = Schema::parse(document, Format::Yaml, "test.yaml").expect("a valid document");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("a document that compiles");
    Arc::clone(&plan.tables()[0])
}

/// `id`, the key, and `label`, at most six letters and never null.
pub(crate) fn pairs(name: &str) -> Arc<TablePlan> {
    plan(&format!(
        "version: 1\ntables:\n  {name}:\n    key: [id]\n    columns:\n      id: {{ type: bigint, gen: sequence }}\n      \
         label: {{ type: varchar(6), gen: {{ constant: x }} }}\n"
    ))
}

/// A text alone, which is the key.
pub(crate) fn named(name: &str) -> Arc<TablePlan> {
    plan(&format!(
        "version: 1\ntables:\n  {name}:\n    key: [name]\n    columns:\n      \
         name: {{ type: text, gen: {{ template: \"{{row}}\" }} }}\n"
    ))
}

impl Bed {
    /// The table, made anew.
    pub(crate) async fn new(url: &str, table: Arc<TablePlan>) -> Bed {
        let bed = Bed { sink: sink(url), table };
        bed.sink.prepare(&bed.table, &RECREATE).await.expect("the table can be made");
        bed
    }

    pub(crate) fn payload(&self, columns: Vec<ColumnData>) -> Payload {
        let rows = columns[0].values.len() as u64;
        self.encode(&[Batch { rows: 0..rows, series: Vec::new(), columns }])
    }

    /// Rows as the generators draw them.
    pub(crate) fn drawn(&self, rows: u64) -> Payload {
        let step = rowstorm_gen::BATCH_ROWS_MAX as u64;
        let batches = (0..rows).step_by(step as usize).map(|first| {
            let mut batch = Batch::default();
            self.table.fill(first..rows.min(first + step), &mut batch);
            batch
        });
        self.encode(&batches.collect::<Vec<_>>())
    }

    fn encode(&self, batches: &[Batch]) -> Payload {
        let mut payload = Payload::default();
        if let (Some(first), Some(last)) = (batches.first(), batches.last()) {
            payload.rows = first.rows.start..last.rows.end;
        }
        let mut encoder = self.sink.encoder(&self.table);
        encoder.begin(&mut payload);
        for batch in batches {
            encoder.encode(batch, &mut payload);
        }
        encoder.end(&mut payload);
        payload
    }

    /// Over a lane of its own.
    pub(crate) async fn write(&self, payload: &Payload) -> Result<Outcome, SinkError> {
        self.sink.writer(&self.table).await?.write(payload).await
    }

    pub(crate) async fn again(&self, payload: &mut Payload) -> Outcome {
        payload.attempt = Attempt::Replay;
        self.write(payload).await.expect("the replay is answered")
    }

    pub(crate) async fn count(&self) -> u64 {
        self.sink.audit(&self.table, &Scope::Table).await.expect("the audit is answered").rows
    }
}

/// Accepted, confirmed, rejected.
pub(crate) fn sums(outcome: &Outcome) -> (u64, u64, u64) {
    (outcome.accepted, outcome.confirmed, outcome.rejected.count)
}

pub(crate) fn ints(values: impl IntoIterator<Item = i64>) -> ColumnData {
    ColumnData { values: Values::Int(values.into_iter().collect()), valid: None }
}

/// Texts, `None` being null.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ColumnData {
    let (mut strings, mut valid) = (Strings::default(), Bitmap::default());
    for value in values {
        strings.push(value.unwrap_or_default().as_bytes());
        valid.push(value.is_some());
    }
    ColumnData { values: Values::Text(strings), valid: Some(valid) }
}
