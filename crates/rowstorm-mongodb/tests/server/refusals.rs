//! Rows that the server refuses: counted by its codes, equal to what a client counts.

use mongodb::bson::doc;
use rowstorm_sink::{Attempt, Sink as _, SinkErrorKind, Writer as _};

use crate::bed::{
    APPEND, LABEL, RECREATE, count, generated, ints, payload, seeded, sink, table, texts, told,
    write,
};

pub(crate) async fn a_tenth_of_duplicates_is_counted_exactly() {
    let (sink, table) = (sink(), table("rs_tenth", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    // Every tenth id repeats the one before it.
    let ids = (0..5000).map(|row| if row % 10 == 9 { row - 1 } else { row });
    let labels: Vec<String> = (0..5000).map(|row| format!("label {row}")).collect();
    let labels = texts(labels.iter().map(String::as_str));
    let outcome = write(&sink, &table, &payload(&sink, &table, vec![ints(ids), labels])).await;
    assert_eq!(told(&outcome), (4500, 0, vec![("11000 DuplicateKey", 500)]));
    assert!(outcome.rejected.refusals[0].sample.contains("E11000"), "{outcome:?}");
    assert_eq!(count(&sink, &table, doc! {}).await, 4500);
    assert_eq!(count(&sink, &table, doc! { "label": "label 9" }).await, 0);
}

pub(crate) async fn refusals_of_every_command_of_a_large_payload_are_counted() {
    let (sink, table) = (sink(), table("rs_commands", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    // The last row of each hundred repeats the first row of all, in a command before.
    let ids = || (0..3500).map(|row| if row % 100 == 99 { 0 } else { row });
    let columns = || vec![ints(ids()), texts(ids().map(|_| "label"))];
    let mut payload = payload(&sink, &table, columns());
    let outcome = write(&sink, &table, &payload).await;
    assert_eq!(told(&outcome), (3465, 0, vec![("11000 DuplicateKey", 35)]));
    assert_eq!(count(&sink, &table, doc! {}).await, 3465);
    payload.attempt = Attempt::Replay;
    let again = write(&sink, &table, &payload).await;
    assert_eq!(told(&again), (0, 3465, vec![("11000 DuplicateKey", 35)]), "each row's own twin");
}

pub(crate) async fn values_too_long_and_nulls_are_counted_exactly() {
    let columns = "      code: { type: varchar(3), gen: { text: { bytes: 3 } } }\n";
    let (sink, table) = (sink(), table("rs_checks", columns));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let word = |row: i64| match row % 10 {
        3 => "long",
        7 => "",
        _ => "äöü",
    };
    let columns = vec![ints(0..1000), texts((0..1000).map(word))];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(told(&outcome), (800, 0, vec![("121 DocumentValidationFailure", 200)]));
    assert_eq!(count(&sink, &table, doc! {}).await, 800);
    assert_eq!(count(&sink, &table, doc! { "code": "äöü" }).await, 800);
    assert_eq!(count(&sink, &table, doc! { "id": { "$mod": [10, 3] } }).await, 0);
    assert_eq!(count(&sink, &table, doc! { "code": { "$exists": false } }).await, 0);
}

pub(crate) async fn a_unique_column_takes_many_nulls_and_no_value_twice() {
    let columns = "      mail: { type: text, gen: { template: \"{id}@example.org\" }, unique: true, nulls: 0.5 }\n";
    let (sink, table) = (sink(), table("rs_unique", columns));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let columns = vec![ints(0..5), texts(["a", "", "a", "", "b"])];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(told(&outcome), (4, 0, vec![("11000 DuplicateKey", 1)]));
    assert_eq!(count(&sink, &table, doc! { "mail": { "$exists": false } }).await, 2);
}

pub(crate) async fn a_document_over_the_limit_is_refused_before_it_is_sent() {
    let (sink, table) = (sink(), table("rs_large", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let large = "x".repeat(16 << 20);
    let payload = payload(&sink, &table, vec![ints([1]), texts([large.as_str()])]);
    let error = sink.writer(&table).await.unwrap().write(&payload).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::TooLarge, "{error:?}");
    assert_eq!(count(&sink, &table, doc! {}).await, 0);
}

const KEYLESS: &str = "
version: 1
tables:
  rs_keyless:
    columns:
      reading: { type: int, gen: { uniform: [0, 9] } }
";

pub(crate) async fn a_replay_without_a_key_confirms_and_another_seed_appends() {
    let (first_run, table) = (sink(), seeded(KEYLESS, 1));
    first_run.prepare(&table, &RECREATE).await.unwrap();
    assert!(first_run.limits(&table).idempotent);
    let mut rows = generated(&first_run, &table, 0..100);
    assert_eq!(told(&write(&first_run, &table, &rows).await), (100, 0, vec![]));
    rows.attempt = Attempt::Replay;
    assert_eq!(told(&write(&first_run, &table, &rows).await), (0, 100, vec![]));
    // Another process: the same rows are the same, those of another seed are not.
    let second_run = sink();
    second_run.prepare(&table, &APPEND).await.unwrap();
    let mut rows = generated(&second_run, &table, 50..150);
    rows.attempt = Attempt::Replay;
    assert_eq!(told(&write(&second_run, &table, &rows).await), (50, 50, vec![]));
    let other = seeded(KEYLESS, 2);
    let rows = generated(&second_run, &other, 0..100);
    assert_eq!(told(&write(&second_run, &other, &rows).await), (100, 0, vec![]));
    let again = generated(&second_run, &table, 0..100);
    assert_eq!(
        told(&write(&second_run, &table, &again).await),
        (0, 0, vec![("11000 DuplicateKey", 100)])
    );
    assert_eq!(count(&second_run, &table, doc! {}).await, 250);
}
