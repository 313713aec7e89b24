//! Payloads: pure, empty, oversize, and from many writers at once.

use super::table::{Draft, batch, ids_and_texts, ints, pairs, texts_of};
use super::{Bed, Case, Need, Subject, compare};
use crate::{Encoder, Outcome, Payload, Sink, SinkErrorKind, Writer};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    vec![
        Case::new("the encoder is deterministic", &[], deterministic::<S>),
        Case::new("an empty payload is harmless", &[], empty::<S>),
        Case::new("batches of one payload follow each other", &[Need::Rows], several::<S>),
        Case::new("many writers lose nothing", &[], many_writers::<S>),
        Case::new("a payload over the limit is too large", &[Need::Rows], too_large::<S>),
    ]
}

async fn deterministic<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_deterministic");
    let batches = [ids_and_texts(0, 0..50), ids_and_texts(50, 50..51)];
    let first = bed.encode(&table, &batches);
    let mut encoder = bed.sink.encoder(&table);
    let mut second = Payload::default();
    for _ in 0..2 {
        // The encoder's second payload must not remember its first.
        second.clear();
        encoder.begin(&mut second);
        for batch in &batches {
            encoder.encode(batch, &mut second);
        }
        encoder.end(&mut second);
        assert_eq!(first.body.as_slice(), second.body.as_slice());
    }
}

async fn empty<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_empty");
    bed.recreate(&table).await;
    let mut writer = bed.writer(&table).await;
    let payload = bed.encode(&table, &[]);
    assert_eq!(bed.send(&mut writer, &payload).await, Outcome::default());
    bed.write_with(&mut writer, &table, &ids_and_texts(0, 0..2)).await;
    assert_eq!(bed.send(&mut writer, &payload).await, Outcome::default());
    assert_eq!(bed.audit(&table).await.rows, 2);
}

async fn several<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_several");
    bed.recreate(&table).await;
    let batches = [
        ids_and_texts(0, 0..1000),
        ids_and_texts(1000, 1000..1001),
        ids_and_texts(1001, 1001..1500),
    ];
    let payload = bed.encode(&table, &batches);
    let mut writer = bed.writer(&table).await;
    assert_eq!(bed.send(&mut writer, &payload).await.accepted, 1500);
    compare::assert_rows::<S>(&table, &batches, &bed.read(&table).await);
}

async fn many_writers<S: Subject>(bed: Bed<S>) {
    const PAYLOADS: i64 = 10;
    const ROWS: i64 = 100;
    let table = pairs("rowstorm_many_writers");
    bed.recreate(&table).await;
    let writers = i64::from(bed.sink.limits(&table).writers.min(8));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..writers {
        let mut writer = bed.writer(&table).await;
        let payloads: Vec<Payload> = (0..PAYLOADS)
            .map(|payload| (number * PAYLOADS + payload) * ROWS)
            .map(|first| bed.encode(&table, &[ids_and_texts(first as u64, first..first + ROWS)]))
            .collect();
        tasks.spawn(async move {
            for payload in &payloads {
                let outcome = writer.write(payload).await.expect("the write is answered");
                assert_eq!(outcome, Outcome::accepted(ROWS as u64));
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("the writer's task ends well");
    }
    assert_eq!(bed.audit(&table).await.rows, (writers * PAYLOADS * ROWS) as u64);
}

/// Beyond this a payload costs the suite more than it shows; such a limit is never met by a budget, either.
const OVERSIZE_BYTES_MAX: u64 = 256 << 20;

async fn too_large<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_too_large").column("body", "text").plan();
    let limits = bed.sink.limits(&table);
    bed.recreate(&table).await;
    if limits.bytes <= OVERSIZE_BYTES_MAX {
        let body = "x".repeat(limits.bytes as usize + 1);
        let payload = bed.encode(&table, &[batch(0, vec![ints([0]), texts_of([body.as_str()])])]);
        let mut writer = bed.writer(&table).await;
        let error = writer.write(&payload).await.expect_err("it is over the limit");
        assert_eq!(error.kind, SinkErrorKind::TooLarge, "{error:?}");
        bed.write_with(&mut writer, &table, &ids_and_texts(1, 1..2)).await;
        assert_eq!(
            bed.audit(&table).await.rows,
            1,
            "nothing of it arrived, and the writer goes on"
        );
    }
}
