//! Rows that a database refuses: counted, by class, and the others stay.

use super::table::{Draft, batch, ids_and_texts, ints, pairs, texts_of, with_nulls};
use super::{Bed, Case, Need, Subject, compare};
use crate::Attempt;

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let keys = &[Need::Rows, Need::Keys];
    let checks = &[Need::Rows, Need::Checks];
    vec![
        Case::new("duplicates are refused and counted", keys, duplicates::<S>),
        Case::new("a tenth of duplicates counts exactly", keys, tenth::<S>),
        Case::new("a writer survives a refusal", keys, survives::<S>),
        Case::new("sending twice leaves one copy", keys, sending_twice::<S>),
        Case::new("a replay after half an arrival adds the other half", keys, half::<S>),
        Case::new("a replay with other content is refused", keys, other_content::<S>),
        Case::new("a value too long is refused alone", checks, too_long::<S>),
        Case::new("a null in a column without nulls is refused alone", checks, null::<S>),
    ]
}

async fn duplicates<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_duplicates");
    bed.recreate(&table).await;
    let rows = batch(0, vec![ints([1, 2, 2, 3]), texts_of(["a", "b", "other", "d"])]);
    let outcome = bed.write(&table, &rows).await;
    assert_eq!((outcome.accepted, outcome.confirmed, outcome.rejected.count), (3, 0, 1));
    let refusal = &outcome.rejected.refusals[0];
    assert!(!refusal.class.is_empty() && !refusal.sample.is_empty(), "{refusal:?}");
    let again = bed.write(&table, &ids_and_texts(4, [3, 4])).await;
    assert_eq!((again.accepted, again.rejected.count), (1, 1), "against an earlier payload");
    assert_eq!(again.rejected.refusals[0].class, refusal.class, "one class for one reason");
    assert_eq!(bed.audit(&table).await.rows, 4);
}

async fn tenth<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_tenth");
    bed.recreate(&table).await;
    let mut writer = bed.writer(&table).await;
    let (mut accepted, mut rejected) = (0, 0);
    for first in (0..3000).step_by(500) {
        // Every tenth id repeats the one before it.
        let ids = (first..first + 500).map(|row| if row % 10 == 9 { row - 1 } else { row });
        let outcome = bed.write_with(&mut writer, &table, &ids_and_texts(first as u64, ids)).await;
        accepted += outcome.accepted;
        rejected += outcome.rejected.count;
    }
    assert_eq!((accepted, rejected), (2700, 300));
    let audit = bed.audit(&table).await;
    assert_eq!((audit.rows, audit.distinct_keys), (2700, Some(2700)));
}

async fn survives<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_survives");
    bed.recreate(&table).await;
    let mut writer = bed.writer(&table).await;
    for (ids, accepted) in [(0..5, 5), (0..5, 0), (3..8, 3), (8..10, 2)] {
        let outcome = bed.write_with(&mut writer, &table, &ids_and_texts(0, ids)).await;
        assert_eq!(outcome.accepted, accepted, "{outcome:?}");
    }
    let wanted = [ids_and_texts(0, 0..10)];
    compare::assert_rows::<S>(&table, &wanted, &bed.read(&table).await);
}

async fn sending_twice<S: Subject>(bed: Bed<S>) {
    let table = wide("rowstorm_sending_twice");
    bed.recreate(&table).await;
    let rows = wide_rows();
    let mut payload = bed.encode(&table, std::slice::from_ref(&rows));
    let mut writer = bed.writer(&table).await;
    let first = bed.send(&mut writer, &payload).await;
    assert_eq!(first.accepted, rows.len() as u64);
    payload.attempt = Attempt::Replay;
    let second = bed.send(&mut writer, &payload).await;
    assert_eq!(
        (second.accepted, second.confirmed, second.rejected.count),
        (0, rows.len() as u64, 0),
        "the rows stand there already: {second:?}"
    );
    compare::assert_rows::<S>(&table, &[rows], &bed.read(&table).await);
}

async fn half<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_half");
    bed.recreate(&table).await;
    bed.write(&table, &ids_and_texts(0, (0..20).filter(|id| id % 2 == 0))).await;
    let mut payload = bed.encode(&table, &[ids_and_texts(0, 0..20)]);
    payload.attempt = Attempt::Replay;
    let mut writer = bed.writer(&table).await;
    let outcome = bed.send(&mut writer, &payload).await;
    assert_eq!((outcome.accepted, outcome.confirmed, outcome.rejected.count), (10, 10, 0));
    assert_eq!(bed.audit(&table).await.rows, 20);
}

async fn other_content<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_other_content");
    bed.recreate(&table).await;
    bed.write(&table, &batch(0, vec![ints([1]), texts_of(["another's"])])).await;
    let mut payload = bed.encode(&table, &[ids_and_texts(0, [1, 2, 2])]);
    payload.attempt = Attempt::Replay;
    let mut writer = bed.writer(&table).await;
    let outcome = bed.send(&mut writer, &payload).await;
    assert_eq!(
        (outcome.accepted, outcome.confirmed, outcome.rejected.count),
        (1, 0, 2),
        "neither another's row nor a row's own twin is a confirmation: {outcome:?}"
    );
}

async fn too_long<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_too_long").column("label", "varchar(3)").plan();
    bed.recreate(&table).await;
    let rows = batch(0, vec![ints(0..4), texts_of(["abc", "abcd", "äöü", "🦀🦀🦀🦀"])]);
    let outcome = bed.write(&table, &rows).await;
    assert_eq!((outcome.accepted, outcome.rejected.count), (2, 2), "{outcome:?}");
    let wanted = [batch(0, vec![ints([0, 2]), texts_of(["abc", "äöü"])])];
    compare::assert_rows::<S>(&table, &wanted, &bed.read(&table).await);
}

async fn null<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_null");
    bed.recreate(&table).await;
    let labels = with_nulls(texts_of(["a", "", "c"]), [true, false, true]);
    let outcome = bed.write(&table, &batch(0, vec![ints(0..3), labels])).await;
    assert_eq!((outcome.accepted, outcome.rejected.count), (2, 1), "{outcome:?}");
    let wanted = [batch(0, vec![ints([0, 2]), texts_of(["a", "c"])])];
    compare::assert_rows::<S>(&table, &wanted, &bed.read(&table).await);
}

/// A replay compares whole rows: columns of several types, and nulls.
fn wide(name: &str) -> std::sync::Arc<rowstorm_gen::TablePlan> {
    let draft = Draft::new(name).nullable("label", "text").nullable("ratio", "float");
    draft.nullable("at", "timestamp").nullable("size", "decimal(10,2)").plan()
}

fn wide_rows() -> rowstorm_gen::Batch {
    use rowstorm_gen::{ColumnData, Values};
    let data = |values| ColumnData { values, valid: None };
    let bits = |skip: usize| (0..5).map(move |row| row != skip);
    batch(
        0,
        vec![
            ints(0..5),
            with_nulls(texts_of(["", "a", "tab\t", "\\N", "x"]), bits(4)),
            with_nulls(data(Values::Float(vec![0.1, 1e-300, -1.5, 0.0, 3.0])), bits(3)),
            with_nulls(data(Values::Timestamp(vec![0, 1, -1, 1_767_225_600_000_001, 5])), bits(2)),
            with_nulls(
                data(Values::Decimal { unscaled: vec![1, -1, 100, 0, 999], scale: 2 }),
                bits(1),
            ),
        ],
    )
}
