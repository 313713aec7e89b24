//! Changes whose answers do not come: what was done is found out by a replay.

use std::sync::Arc;

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, ChangeStream, Fate, OpKind};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Plan, PlanOptions};
use rowstorm_sink::{
    Attempt, Change, Changed, Changer, Delivery, End, Sink, SinkErrorKind, Statement, Transaction,
};

use crate::bed::{Bed, ints, pairs, plan, sink, texts};
use crate::double::{Double, Fault};
use crate::servers;

/// So few rows that a transaction updates what it inserted, and deletes what it updated.
const ORDERS: &str = "
version: 1
tables:
  orders:
    key: [id]
    preload: 8
    columns:
      id:    { type: bigint, gen: sequence }
      label: { type: text, gen: { text: { bytes: 8 } } }
      size:  { type: int, gen: { uniform: [0, 1000000] } }
changes:
  streams: 1
  mix:
    - { insert: orders, weight: 2 }
    - { update: orders, set: [size], weight: 5 }
    - { read: orders, weight: 1 }
    - { delete: orders, weight: 2 }
";

struct Course {
    bed: Bed,
    changes: ChangePlan,
    stream: ChangeStream,
}

async fn course(double: &Double) -> Course {
    let schema = Schema::parse(ORDERS, Format::Yaml, "orders.yaml").unwrap();
    let plan = Plan::new(&schema, PlanOptions::default()).unwrap();
    let bed = Bed::new(double.url(), plan.tables()[0].clone()).await;
    bed.write(&bed.drawn(8)).await.unwrap();
    let changes = ChangePlan::new(&plan).unwrap();
    let stream = changes.stream(0);
    Course { bed, changes, stream }
}

impl Course {
    /// Matched, confirmed, missed, rejected.
    async fn change(
        &self,
        ops: std::ops::Range<u64>,
        attempt: Attempt,
    ) -> Result<[u64; 4], SinkErrorKind> {
        let mix = Statement::all(&self.changes);
        let mut changer = self.bed.sink.changer(&mix).await.unwrap();
        let mut batch = ChangeBatch::default();
        self.stream.fill(ops, Fate::Commit, &mut batch);
        let groups: Vec<Change<'_>> = batch
            .groups()
            .iter()
            .map(|group| Change { statement: group.entry, batch: &group.batch })
            .collect();
        let transaction = Transaction { groups: &groups, end: End::Commit, attempt, hold: None };
        let answers = changer.change(transaction).await.map_err(|error| error.kind)?;
        Ok(answers.iter().fold(
            [0; 4],
            |[matched, confirmed, missed, rejected], group: &Changed| {
                [
                    matched + group.matched,
                    confirmed + group.confirmed,
                    missed + group.missed,
                    rejected + group.rejected.count,
                ]
            },
        ))
    }

    /// Asserts that the table holds what the generator expects, by a scan.
    async fn assert_expected(&self, ops: u64) {
        let expected = self.stream.expected(ops);
        let mut rows: Vec<u64> = expected.rows(0).collect();
        rows.sort_unstable();
        let mut batch = Batch::default();
        expected.fill(0, &rows, &mut batch);
        let wanted = self.changes.table(0).read(&batch);
        let mut scan = self.bed.sink.scan(&self.bed.table).await.unwrap();
        let mut there = scan.next().await.unwrap();
        there.sort_by_key(|row| row[0].to_string().parse::<i64>().unwrap());
        assert_eq!(there, wanted.iter().map(|row| row.values().to_vec()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_in_doubt_and_its_replay_does_the_rest() {
    for (fault, done) in [(Fault::CloseAfter, true), (Fault::CloseBefore, false)] {
        let double = Double::start();
        let course = course(&double).await;
        course.change(0..40, Attempt::First).await.unwrap();
        double.befall([fault]);
        let lost = course.change(40..100, Attempt::First).await.unwrap_err();
        assert_eq!(lost, SinkErrorKind::Lost(Delivery::InDoubt));
        let [matched, confirmed, missed, rejected] =
            course.change(40..100, Attempt::Replay).await.unwrap();
        assert_eq!((matched + confirmed, missed, rejected), (60, 0, 0));
        // The group that was lost is the inserts.
        assert_eq!(confirmed > 0, done);
        course.assert_expected(100).await;
    }
}

#[tokio::test]
async fn a_transaction_that_was_done_is_confirmed_by_its_replay() {
    let double = Double::start();
    let course = course(&double).await;
    for first in (0..400).step_by(40) {
        let ops = first..first + 40;
        assert_eq!(course.change(ops.clone(), Attempt::First).await.unwrap(), [40, 0, 0, 0]);
        let [matched, confirmed, missed, rejected] =
            course.change(ops, Attempt::Replay).await.unwrap();
        assert_eq!((matched + confirmed, missed, rejected), (40, 0, 0));
        course.assert_expected(first + 40).await;
    }
}

#[tokio::test]
async fn more_rows_than_have_a_reason_are_missed_and_counted() {
    const ROWS: i64 = 300;
    let table = pairs("rowstorm_missed");
    let keys = plan(
        "version: 1\ntables: { rowstorm_missed: { key: [id], columns: { id: { type: bigint, gen: sequence } } } }",
    );
    let double = Double::start();
    for url in servers(&double) {
        let bed = Bed::new(&url, table.clone()).await;
        let ids = (0..ROWS).filter(|id| id % 100 == 7);
        bed.write(&bed.payload(vec![ints(ids), texts([Some("a"); 3])])).await.unwrap();
        let statement = |kind, columns: &Arc<_>| {
            let columns = Arc::clone(columns);
            Statement { kind, table: Arc::clone(&table), columns, query: None }
        };
        let mix: Arc<[Statement]> =
            [statement(OpKind::Update, &table), statement(OpKind::Delete, &keys)].into();
        let mut changer = bed.sink.changer(&mix).await.unwrap();
        let labels = texts((0..ROWS).map(|id| Some(if id == 107 { "too long" } else { "b" })));
        let columns = [vec![ints(0..ROWS), labels], vec![ints(0..ROWS)]];
        let batches =
            columns.map(|columns| Batch { rows: 0..ROWS as u64, series: Vec::new(), columns });
        let groups: Vec<Change<'_>> = batches
            .iter()
            .enumerate()
            .map(|(statement, batch)| Change { statement, batch })
            .collect();
        let attempt = Attempt::First;
        let transaction = Transaction { groups: &groups, end: End::Commit, attempt, hold: None };
        let answers = changer.change(transaction).await.unwrap();
        let sums: Vec<_> =
            answers.iter().map(|it| (it.matched, it.missed, it.rejected.count)).collect();
        assert_eq!(sums, [(2, 297, 1), (3, 297, 0)], "{url} {answers:?}");
        assert_eq!(bed.count().await, 0);
    }
}

#[tokio::test]
async fn a_server_with_too_much_to_do_is_busy_before_the_first_group() {
    let double = Double::start();
    let course = course(&double).await;
    double.befall([Fault::Answer(503, "", String::new())]);
    let busy = course.change(0..40, Attempt::First).await.unwrap_err();
    assert_eq!(busy, SinkErrorKind::Busy { retry_after: None });
    course.assert_expected(0).await;
    assert_eq!(course.change(0..40, Attempt::First).await.unwrap(), [40, 0, 0, 0]);
}

#[tokio::test]
async fn rows_of_partitions_are_not_changed_by_a_part_of_their_key() {
    let table = plan(
        "version: 1\ntables:\n  t:\n    key: [id]\n    columns:\n      id: { type: bigint, gen: sequence }\n      \
         at: { type: timestamp, gen: { clock: { step: 1s } } }\n    cratedb: { partition_by: week }\n",
    );
    let statement =
        |kind| Statement { kind, table: table.clone(), columns: table.clone(), query: None };
    let sink = sink("crate://localhost:1");
    sink.change_limits(&[statement(rowstorm_gen::changes::OpKind::Insert)]).unwrap();
    let refused = sink.change_limits(&[statement(rowstorm_gen::changes::OpKind::Delete)]);
    let told = refused.unwrap_err().message;
    assert!(told.contains("partition_by") && told.contains("delete"), "{told}");
}
