//! What the tests of several adapters need beside the conformance suite: a table, some columns of it, one write, some changes.
//!
//! It panics where a case cannot go on. Behind the feature `conformance`, which only tests turn on.

use std::ops::Range;
use std::sync::Arc;

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, ChangeStream, Fate};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Bitmap, ColumnData, Plan, PlanOptions, Strings, TablePlan, Values};

use crate::{
    Attempt, Change, Changed, Changer, Encoder, End, Hold, IndexTime, Outcome, Payload, Prepare,
    PrepareMode, Sink, SinkError, Statement, Transaction, Writer,
};

/// Makes the table anew, with its indexes.
pub const RECREATE: Prepare = Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::Before };
/// Makes the table, with its indexes.
pub const CREATE: Prepare = Prepare { mode: PrepareMode::Create, indexes: IndexTime::Before };
/// Takes the table as it is.
pub const APPEND: Prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };

/// A column of texts, every second of which is null, for [`table`].
pub const LABEL: &str = "      label: { type: text, gen: { text: { bytes: 4 } }, nulls: 0.5 }\n";

/// A document, compiled.
///
/// # Panics
/// If it does not compile.
pub fn plan(text: &str) -> Plan {
    let schema = Schema::parse(text, Format::Yaml, "case.yaml").expect("the case's schema");
    Plan::new(&schema, PlanOptions::default()).expect("the case's schema compiles")
}

/// The first table of a document.
///
/// # Panics
/// If it does not compile.
pub fn document(text: &str) -> Arc<TablePlan> {
    Arc::clone(&plan(text).tables()[0])
}

/// A table with the bigint key `id`, and further columns as a document has them.
///
/// ```
/// use rowstorm_sink::testing::{LABEL, table};
/// assert_eq!(table("t", LABEL).columns.len(), 2);
/// ```
///
/// # Panics
/// If it does not compile.
pub fn table(name: &str, columns: &str) -> Arc<TablePlan> {
    document(&format!(
        "version: 1\ntables:\n  {name}:\n    key: [id]\n    columns:\n      id: {{ type: bigint, gen: sequence }}\n{columns}"
    ))
}

/// A column of integers.
pub fn ints(values: impl IntoIterator<Item = i64>) -> ColumnData {
    ColumnData { values: Values::Int(values.into_iter().collect()), valid: None }
}

/// A column of texts; "" is null.
pub fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ColumnData {
    let (mut strings, mut valid) = (Strings::default(), Bitmap::default());
    for value in values {
        strings.push(value.as_bytes());
        valid.push(!value.is_empty());
    }
    ColumnData { values: Values::Text(strings), valid: Some(valid) }
}

/// A payload of these columns, whose rows count from 0.
pub fn payload(sink: &impl Sink, table: &TablePlan, columns: Vec<ColumnData>) -> Payload {
    let rows = 0..columns[0].values.len() as u64;
    encode(sink, table, &Batch { rows, series: Vec::new(), columns })
}

/// A payload of rows as the generator makes them.
pub fn generated(sink: &impl Sink, table: &TablePlan, rows: Range<u64>) -> Payload {
    let mut batch = Batch::default();
    table.fill(rows, &mut batch);
    encode(sink, table, &batch)
}

/// A payload of a batch.
pub fn encode(sink: &impl Sink, table: &TablePlan, batch: &Batch) -> Payload {
    let mut payload = Payload { rows: batch.rows.clone(), ..Payload::default() };
    let mut encoder = sink.encoder(table);
    encoder.begin(&mut payload);
    encoder.encode(batch, &mut payload);
    encoder.end(&mut payload);
    payload
}

/// Writes a payload over a writer of its own.
///
/// # Panics
/// If it is not answered, or a row is in no account.
pub async fn write(sink: &impl Sink, table: &Arc<TablePlan>, payload: &Payload) -> Outcome {
    let mut writer = sink.writer(table).await.expect("a writer opens");
    let outcome = writer.write(payload).await.expect("the write is answered");
    assert_eq!(outcome.rows(), payload.len(), "{outcome:?}");
    outcome
}

/// Refused rows by class, in the order of the classes.
pub fn refusals(outcome: &Outcome) -> Vec<(&str, u64)> {
    let refusals = outcome.rejected.refusals.iter();
    let mut refusals: Vec<_> = refusals.map(|refusal| (&*refusal.class, refusal.count)).collect();
    refusals.sort_unstable();
    refusals
}

/// The changes of a document with one stream, whose first table was loaded.
#[derive(Debug)]
pub struct Course {
    /// All of them.
    pub changes: ChangePlan,
    /// The stream.
    pub stream: ChangeStream,
    /// The statements, for a changer.
    pub mix: Arc<[Statement]>,
}

impl Course {
    /// Makes the document's first table anew, and writes the rows that its changes begin with.
    ///
    /// # Panics
    /// If the sink does not take them.
    pub async fn begin(sink: &impl Sink, text: &str) -> Course {
        let plan = plan(text);
        let table = &plan.tables()[0];
        sink.prepare(table, &RECREATE).await.expect("the table is made");
        let rows = table.rows.expect("the case's table has a `preload`");
        write(sink, table, &generated(sink, table, 0..rows)).await;
        let changes = ChangePlan::new(&plan).expect("the case's changes compile");
        Course { stream: changes.stream(0), mix: Statement::all(&changes), changes }
    }

    /// Commits some ops as one transaction.
    ///
    /// # Errors
    /// The changer's.
    pub async fn change(
        &self,
        changer: &mut impl Changer,
        ops: Range<u64>,
        attempt: Attempt,
        hold: Option<Hold<'_>>,
    ) -> Result<Vec<Changed>, SinkError> {
        let mut batch = ChangeBatch::default();
        self.stream.fill(ops, Fate::Commit, &mut batch);
        let groups = batch.groups().iter();
        let groups: Vec<Change<'_>> =
            groups.map(|group| Change { statement: group.entry, batch: &group.batch }).collect();
        let transaction = Transaction { groups: &groups, end: End::Commit, attempt, hold };
        let answers = changer.change(transaction).await?;
        let rows = groups.iter().map(|group| group.batch.len() as u64);
        assert!(answers.iter().map(Changed::rows).eq(rows), "{answers:?}");
        Ok(answers)
    }

    /// What must be in the first table after some ops, by what the generator expects, in the order of the rows' numbers.
    pub fn expected(&self, ops: u64) -> Vec<Vec<rowstorm_gen::Value>> {
        let expected = self.stream.expected(ops);
        let mut rows: Vec<u64> = expected.rows(0).collect();
        rows.sort_unstable();
        let mut batch = Batch::default();
        expected.fill(0, &rows, &mut batch);
        let rows = self.changes.table(0).read(&batch);
        rows.iter().map(|row| row.values().to_vec()).collect()
    }
}

/// Rows of all groups together: matched, confirmed, missed, rejected.
pub fn sum(answers: &[Changed]) -> [u64; 4] {
    answers.iter().fold([0; 4], |[matched, confirmed, missed, rejected], group| {
        [
            matched + group.matched,
            confirmed + group.confirmed,
            missed + group.missed,
            rejected + group.rejected.count,
        ]
    })
}
