//! Faults come where they were staged, and the accounts stay true.
#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its case has failed")]

use std::sync::Arc;
use std::time::Duration;

use rowstorm_gen::{Batch, ColumnData, Plan, PlanOptions, TablePlan, Values, schema};
use rowstorm_sink::{
    Arrived, Attempt, BoxSink, Delivery, Encoder, Fault, IndexTime, Memory, Outcome, Payload,
    Prepare, PrepareMode, Scope, Sink, SinkError, SinkErrorKind, Writer, Writes,
};

const ONE_COLUMN: &str = r#"{"version":1,"tables":{"t":{"key":["id"],"columns":{
    "id":{"type":"bigint","gen":"sequence"}}}}}"#;

fn table() -> Arc<TablePlan> {
    let schema: schema::Schema = serde_json::from_str(ONE_COLUMN).unwrap();
    Plan::new(&schema, PlanOptions::default()).unwrap().tables()[0].clone()
}

async fn ready(memory: &Memory) -> Arc<TablePlan> {
    let table = table();
    let prepare = Prepare { mode: PrepareMode::Create, indexes: IndexTime::None };
    memory.prepare(&table, &prepare).await.unwrap();
    table
}

fn payload(memory: &Memory, table: &TablePlan, rows: std::ops::Range<u64>) -> Payload {
    let ids = rows.clone().map(|row| row as i64).collect();
    let columns = vec![ColumnData { values: Values::Int(ids), valid: None }];
    let mut payload = Payload { rows: rows.clone(), ..Payload::default() };
    memory.encoder(table).encode(&Batch { rows, series: Vec::new(), columns }, &mut payload);
    payload
}

/// Writes so many payloads of ten rows over one writer, and a new one where it is lost.
async fn write(memory: &Memory, payloads: u64) -> Vec<Result<Outcome, SinkError>> {
    let table = ready(memory).await;
    let mut writer = memory.writer(&table).await.unwrap();
    let mut answers = Vec::new();
    for first in (0..payloads).map(|number| number * 10) {
        let answer = writer.write(&payload(memory, &table, first..first + 10)).await;
        if answer.as_ref().is_err_and(|error| matches!(error.kind, SinkErrorKind::Lost(_))) {
            writer = memory.writer(&table).await.unwrap();
        }
        answers.push(answer);
    }
    answers
}

fn kinds(answers: &[Result<Outcome, SinkError>]) -> Vec<Option<SinkErrorKind>> {
    answers.iter().map(|answer| answer.as_ref().err().map(|error| error.kind)).collect()
}

#[tokio::test]
async fn the_nth_write_is_busy_and_nothing_of_it_arrives() {
    let retry_after = Some(Duration::from_millis(30));
    let memory = Memory::new().with_fault(Fault::Busy { writes: Writes::Nth(2), retry_after });
    let answers = write(&memory, 3).await;
    assert_eq!(kinds(&answers), [None, Some(SinkErrorKind::Busy { retry_after }), None]);
    assert_eq!((memory.rows("t").len(), memory.writes()), (20, 3));
}

#[tokio::test]
async fn what_is_lost_arrives_as_it_was_staged() {
    for (arrived, delivery, rows) in [
        (Arrived::Nothing, Delivery::None, 10),
        (Arrived::NothingInDoubt, Delivery::InDoubt, 10),
        (Arrived::EverythingInDoubt, Delivery::InDoubt, 20),
    ] {
        let memory = Memory::new().with_fault(Fault::Lost { writes: Writes::Nth(1), arrived });
        let answers = write(&memory, 2).await;
        assert_eq!(kinds(&answers), [Some(SinkErrorKind::Lost(delivery)), None]);
        assert_eq!((memory.rows("t").len(), memory.writers()), (rows, 2), "{arrived:?}");
    }
}

#[tokio::test]
async fn a_lost_writer_is_of_no_more_use_and_a_replay_is_confirmed() {
    let arrived = Arrived::EverythingInDoubt;
    let memory = Memory::new().with_fault(Fault::Lost { writes: Writes::Nth(1), arrived });
    let table = ready(&memory).await;
    let mut rows = payload(&memory, &table, 0..10);
    let mut lost = memory.writer(&table).await.unwrap();
    lost.write(&rows).await.unwrap_err();
    assert!(matches!(lost.write(&rows).await.unwrap_err().kind, SinkErrorKind::Lost(_)));
    rows.attempt = Attempt::Replay;
    let outcome = memory.writer(&table).await.unwrap().write(&rows).await.unwrap();
    assert_eq!((outcome.accepted, outcome.confirmed), (0, 10));
}

#[tokio::test]
async fn large_payloads_are_too_large_until_they_are_halved() {
    let memory = Memory::new().with_fault(Fault::TooLarge { bytes_max: 50 });
    let table = ready(&memory).await;
    let mut writer = memory.writer(&table).await.unwrap();
    let whole = writer.write(&payload(&memory, &table, 0..10)).await;
    assert_eq!(kinds(&[whole]), [Some(SinkErrorKind::TooLarge)]);
    for half in [0..5, 5..10] {
        assert_eq!(writer.write(&payload(&memory, &table, half)).await.unwrap().accepted, 5);
    }
}

#[tokio::test]
async fn every_kth_row_is_refused_whatever_the_payloads() {
    let memory = Memory::new().with_fault(Fault::RefuseRows { every: 7 });
    let outcomes = write(&memory, 7).await;
    let refused: u64 = outcomes.iter().map(|answer| answer.as_ref().unwrap().rejected.count).sum();
    assert_eq!((refused, memory.rows("t").len()), (10, 60));
}

#[tokio::test]
async fn forgotten_rows_show_in_the_audit_alone() {
    let memory = Memory::new().with_fault(Fault::ForgetRows { every: 10 });
    let outcomes = write(&memory, 3).await;
    let accepted: u64 = outcomes.iter().map(|answer| answer.as_ref().unwrap().accepted).sum();
    let audit = memory.audit(&table(), &Scope::Table).await.unwrap();
    assert_eq!((accepted, audit.rows), (30, 27));
}

#[tokio::test]
async fn a_full_disk_refuses_all_and_a_fatal_write_stops() {
    let memory = Memory::new()
        .with_fault(Fault::RefuseAll { writes: Writes::First(2) })
        .with_fault(Fault::Fatal { writes: Writes::From(4) });
    let answers = write(&memory, 5).await;
    let fatal = Some(SinkErrorKind::Fatal);
    assert_eq!(kinds(&answers), [None, None, None, fatal, fatal]);
    let refused = |answer: &Result<Outcome, SinkError>| answer.as_ref().unwrap().rejected.count;
    assert_eq!(answers[..3].iter().map(refused).collect::<Vec<_>>(), [10, 10, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_write_never_answers_and_can_be_dropped() {
    let memory = Memory::new().with_fault(Fault::Hang { writes: Writes::Every(2) });
    let table = ready(&memory).await;
    let mut writer = memory.writer(&table).await.unwrap();
    writer.write(&payload(&memory, &table, 0..10)).await.unwrap();
    let rows = payload(&memory, &table, 10..20);
    tokio::time::timeout(Duration::from_hours(1), writer.write(&rows)).await.unwrap_err();
    assert_eq!(writer.write(&rows).await.unwrap(), Outcome::accepted(10));
}

#[tokio::test]
async fn a_refused_connection_is_lost_before_anything_is_sent() {
    let memory = Memory::new().with_fault(Fault::NoConnection { writers: Writes::First(1) });
    let table = ready(&memory).await;
    let error = memory.writer(&table).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None));
    memory.writer(&table).await.unwrap();
}

#[tokio::test]
async fn behind_the_one_type_the_same_rows_arrive() {
    let memory = Memory::new();
    let table = ready(&memory).await;
    let sink = BoxSink::new(memory.clone());
    let rows = payload(&memory, &table, 0..10);
    let mut writer = sink.writer(&table).await.unwrap();
    assert_eq!(writer.write(&rows).await.unwrap(), Outcome::accepted(10));
    assert_eq!(sink.audit(&table, &Scope::Table).await.unwrap().columns[0].sum, Some(45));
    assert_eq!(memory.rows("t").len(), 10);
}
