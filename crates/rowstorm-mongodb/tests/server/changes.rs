//! Changes that a fault cuts in two, and fields whose names are no paths.

use std::sync::Arc;

use mongodb::bson::{Bson, Document, doc};
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, ChangeStream, Fate};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions};
use rowstorm_mongodb::Mongodb;
use rowstorm_sink::{
    Attempt, Change, Changed, Changer as _, Delivery, End, Sink as _, SinkError, SinkErrorKind,
    Statement, Transaction,
};

use crate::bed::{
    RECREATE, alone, count, database, fail_next_insert, generated, sink, sink_with, write,
};

const TRANSACTIONS: &str = "transactions=true";

/// Inserts, updates and deletes of a table.
fn all_kinds(table: &str) -> String {
    format!(
        "version: 1\ntables:\n  {table}:\n    key: [id]\n    preload: 8\n    columns:\n      \
         id: {{ type: bigint, gen: sequence }}\n      size: {{ type: int, gen: {{ uniform: [0, 1000000] }} }}\n\
         changes:\n  streams: 1\n  mix:\n    - {{ insert: {table}, weight: 2 }}\n    \
         - {{ update: {table}, set: [size], weight: 3 }}\n    - {{ delete: {table}, weight: 1 }}\n"
    )
}

struct Course {
    changes: ChangePlan,
    stream: ChangeStream,
    mix: Arc<[Statement]>,
}

async fn course(sink: &Mongodb, document: &str) -> Course {
    let schema = Schema::parse(document, Format::Yaml, "case.yaml").unwrap();
    let plan = Plan::new(&schema, PlanOptions::default()).unwrap();
    let table = &plan.tables()[0];
    sink.prepare(table, &RECREATE).await.unwrap();
    write(sink, table, &generated(sink, table, 0..8)).await;
    let changes = ChangePlan::new(&plan).unwrap();
    Course { stream: changes.stream(0), mix: Statement::all(&changes), changes }
}

impl Course {
    /// What is there, by an ordinary read.
    async fn sizes(&self, sink: &Mongodb) -> Vec<(i64, i32)> {
        let name = &self.changes.table(0).name;
        let collection = database(sink).await.collection::<Document>(name);
        let mut found = collection.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap();
        let mut sizes = Vec::new();
        while found.advance().await.unwrap() {
            let row = found.deserialize_current().unwrap();
            sizes.push((row.get_i64("_id").unwrap(), row.get_i32("size").unwrap()));
        }
        sizes
    }

    async fn change(
        &self,
        sink: &Mongodb,
        ops: std::ops::Range<u64>,
        attempt: Attempt,
    ) -> Result<Vec<Changed>, SinkError> {
        let mut batch = ChangeBatch::default();
        self.stream.fill(ops, Fate::Commit, &mut batch);
        let groups: Vec<Change<'_>> = batch
            .groups()
            .iter()
            .map(|group| Change { statement: group.entry, batch: &group.batch })
            .collect();
        let mut changer = sink.changer(&self.mix).await?;
        changer.change(Transaction { groups: &groups, end: End::Commit, attempt, hold: None }).await
    }
}

pub(crate) async fn a_transaction_that_is_cut_in_two_is_in_doubt_and_its_replay_does_the_rest() {
    let _alone = alone().await;
    let sink = sink();
    let course = course(&sink, &all_kinds("rs_cut")).await;
    let fault =
        doc! { "failCommands": ["update"], "errorCode": 462, "errorLabels": ["RetryableError"] };
    fail_next_insert(&sink, fault).await;
    let error = course.change(&sink, 0..60, Attempt::First).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt), "the inserts stand: {error:?}");
    let table = course.changes.table(0);
    assert!(count(&sink, table, doc! {}).await > 8);
    let again = course.change(&sink, 0..60, Attempt::Replay).await.unwrap();
    let sum = |of: fn(&Changed) -> u64| again.iter().map(of).sum::<u64>();
    assert!(sum(|it| it.confirmed) > 0, "{again:?}");
    assert_eq!((sum(|it| it.missed), sum(|it| it.rejected.count)), (0, 0), "{again:?}");
    assert_eq!(count(&sink, table, doc! {}).await, course.stream.live_rows(0, 60));
}

pub(crate) async fn what_fails_within_a_transaction_leaves_nothing_and_may_begin_again() {
    let _alone = alone().await;
    let sink = sink_with(TRANSACTIONS);
    let course = course(&sink, &all_kinds("rs_together")).await;
    let table = course.changes.table(0);
    let before = course.sizes(&sink).await;
    for (code, kind) in [
        (112, SinkErrorKind::Busy { retry_after: None }),
        (251, SinkErrorKind::Busy { retry_after: None }),
        (8000, SinkErrorKind::Fatal),
    ] {
        let mut fault = doc! { "failCommands": ["update"], "errorCode": code };
        if code < 1000 {
            fault.insert("errorLabels", vec!["TransientTransactionError"]);
        }
        fail_next_insert(&sink, fault).await;
        let error = course.change(&sink, 0..60, Attempt::First).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error:?}");
        assert_eq!(course.sizes(&sink).await, before, "the inserts before it are undone");
    }
    let closed = doc! { "failCommands": ["update"], "closeConnection": true };
    fail_next_insert(&sink, closed).await;
    let error = course.change(&sink, 0..60, Attempt::First).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "no commit was sent: {error:?}");
    assert_eq!(course.sizes(&sink).await, before);
    course.change(&sink, 0..60, Attempt::First).await.unwrap();
    assert_eq!(count(&sink, table, doc! {}).await, course.stream.live_rows(0, 60));
}

pub(crate) async fn a_commit_without_an_answer_is_in_doubt_and_its_replay_confirms_it() {
    let _alone = alone().await;
    let sink = sink_with(TRANSACTIONS);
    let course = course(&sink, &all_kinds("rs_commit")).await;
    // It is committed, and the answer says that nobody knows for how long.
    let concern = doc! { "code": 64, "codeName": "WriteConcernTimeout", "errmsg": "waiting" };
    let fault = doc! { "failCommands": ["commitTransaction"], "writeConcernError": concern };
    fail_next_insert(&sink, fault).await;
    let error = course.change(&sink, 0..60, Attempt::First).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt), "{error:?}");
    let table = course.changes.table(0);
    let after = course.sizes(&sink).await;
    assert_eq!(count(&sink, table, doc! {}).await, course.stream.live_rows(0, 60));
    let again = course.change(&sink, 0..60, Attempt::Replay).await.unwrap();
    let sum = |of: fn(&Changed) -> u64| again.iter().map(of).sum::<u64>();
    assert!(sum(|it| it.confirmed) > 0, "{again:?}");
    assert_eq!((sum(|it| it.missed), sum(|it| it.rejected.count)), (0, 0), "{again:?}");
    assert_eq!(course.sizes(&sink).await, after, "once, not twice");
}

pub(crate) async fn nobody_else_sees_a_transaction_that_is_open() {
    let sink = sink_with(TRANSACTIONS);
    let course = course(&sink, &all_kinds("rs_open")).await;
    let before = course.sizes(&sink).await;
    let mut batch = ChangeBatch::default();
    course.stream.fill(0..60, Fate::Commit, &mut batch);
    let groups: Vec<Change<'_>> = batch
        .groups()
        .iter()
        .map(|group| Change { statement: group.entry, batch: &group.batch })
        .collect();
    let mut changer = sink.changer(&course.mix).await.unwrap();
    for end in [End::RollBack, End::Commit] {
        let seen = std::sync::Mutex::new(Vec::new());
        let hold = async { *seen.lock().unwrap() = course.sizes(&sink).await };
        let hold = Some(Box::pin(hold) as rowstorm_sink::Hold<'_>);
        let transaction = Transaction { groups: &groups, end, attempt: Attempt::First, hold };
        changer.change(transaction).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), before, "while it is open");
        assert_eq!(course.sizes(&sink).await == before, end == End::RollBack);
    }
}

pub(crate) async fn fields_whose_names_are_no_paths_are_set_and_taken_away() {
    let sink = sink();
    let course = course(
        &sink,
        "version: 1\ntables:\n  rs_no_paths:\n    key: [id]\n    preload: 8\n    columns:\n      \
         id: { type: bigint, gen: sequence }\n      a.b: { type: int, gen: { uniform: [1, 9] }, nulls: 0.5 }\n      \
         $c: { type: text, gen: { constant: $$ROOT }, nulls: 0.5 }\n\
         changes:\n  streams: 1\n  mix:\n    - { update: rs_no_paths, set: [a.b, $c], weight: 1 }\n",
    )
    .await;
    let changed = course.change(&sink, 0..100, Attempt::First).await.unwrap();
    assert_eq!(changed.iter().map(|group| group.matched).sum::<u64>(), 100);
    let expected = course.stream.expected(100);
    let collection = database(&sink).await.collection::<Document>("rs_no_paths");
    let mut seen = [0; 2];
    for row in 0..8 {
        let mut batch = rowstorm_gen::Batch::default();
        expected.fill(0, &[row], &mut batch);
        let wanted = &course.changes.table(0).read(&batch)[0];
        let there = collection.find_one(doc! { "_id": row as i64 + 1 }).await.unwrap().unwrap();
        let text = |value: Option<&Bson>| {
            value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        assert_eq!(text(there.get("a.b")), wanted["a.b"].to_text());
        assert_eq!(text(there.get("$c")), wanted["$c"].to_text());
        seen[usize::from(there.contains_key("$c"))] += 1;
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?} with and without");
}
