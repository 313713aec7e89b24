//! The same transaction once more, after an answer that did not come.

use super::super::table::{Draft, batch, ids_and_texts, ints, texts_of};
use super::super::{Bed, Case, Need, Subject, compare};
use super::mix::{
    DELETE, INSERT, READ, REKEY, UPDATE, found, keys, mix, mix_with_rekey, rows, sum,
};
use super::{assert_labels, loaded};
use crate::Changed;

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let rekey = &[Need::Rows, Need::Keys, Need::Changes, Need::Rekey];
    vec![
        Case::new("a replay of what was committed is confirmed", needs, committed::<S>),
        Case::new("a replay of what never arrived does it", needs, never_arrived::<S>),
        Case::new("a replay finds rows that it changed or took itself", needs, itself::<S>),
        Case::new("a replay of a rekey is confirmed", rekey, rekeyed::<S>),
        Case::new("a replay of an insert beside another's row is refused", needs, other::<S>),
        Case::new("a replay of an update of no row is missed", needs, missed::<S>),
    ]
}

fn confirmed(rows: u64) -> Changed {
    Changed { confirmed: rows, ..Changed::default() }
}

async fn committed<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_replay_committed", 4).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let insert = rows(vec![ints([10, 11]), texts_of(["ten", "eleven"])]);
    let update = rows(vec![ints([1, 2]), texts_of(["one", "two"])]);
    let groups = [(INSERT, &insert), (UPDATE, &update), (DELETE, &keys([0, 3]))];
    assert_eq!(bed.commit(&mut changer, &groups).await, [2, 2, 2].map(Changed::matched));
    let again = bed.replay(&mut changer, &groups).await;
    assert_eq!(again, [confirmed(2), Changed::matched(2), confirmed(2)]);
    assert_labels(&bed, &table, &[(1, "one"), (2, "two"), (10, "ten"), (11, "eleven")]).await;
}

async fn never_arrived<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_replay_never", 4).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let update = rows(vec![ints([1, 10]), texts_of(["one", "ten"])]);
    let insert = ids_and_texts(0, [10, 11]);
    let groups = [(INSERT, &insert), (UPDATE, &update), (DELETE, &keys([0, 3]))];
    assert_eq!(bed.replay(&mut changer, &groups).await, [2, 2, 2].map(Changed::matched));
    assert_labels(&bed, &table, &[(1, "one"), (2, "value 2"), (10, "ten"), (11, "value 11")]).await;
}

/// An insert whose row the same transaction updates, and an update of a row that it deletes.
async fn itself<S: Subject>(bed: Bed<S>) {
    let columns = Draft::new("rowstorm_replay_itself").nullable("size", "decimal(10,2)");
    let table = columns.column("label", "text").nullable("at", "timestamp").plan();
    bed.recreate(&table).await;
    let data = |values| rowstorm_gen::ColumnData { values, valid: None };
    let sizes = |from: i128, count: i128| {
        let unscaled = (from..from + count).collect();
        data(rowstorm_gen::Values::Decimal { unscaled, scale: 2 })
    };
    let instants = |count: i64| data(rowstorm_gen::Values::Timestamp((0..count).collect()));
    let load = vec![ints(0..3), sizes(1, 3), texts_of(["a", "b", "c"]), instants(3)];
    bed.write(&table, &batch(0, load)).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let insert = rows(vec![ints([5, 6]), sizes(100, 2), texts_of(["e", "f"]), instants(2)]);
    let update = rows(vec![ints([5, 0, 1]), texts_of(["later", "x", "y"])]);
    let groups =
        [(INSERT, &insert), (UPDATE, &update), (READ, &keys([0, 2])), (DELETE, &keys([0, 1]))];
    assert_eq!(bed.commit(&mut changer, &groups).await, [2, 3, 2, 2].map(Changed::matched));
    let again = bed.replay(&mut changer, &groups).await;
    let some = |matched, confirmed| Changed { matched, confirmed, ..Changed::default() };
    assert_eq!(again, [some(0, 2), some(1, 2), some(1, 1), some(0, 2)]);
    let read = bed.read(&table).await;
    let labels: Vec<_> = read.iter().map(|row| row[2].as_deref()).collect();
    assert_eq!(labels, [Some("c"), Some("later"), Some("f")]);
}

async fn rekeyed<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_replay_rekeyed", 3).await;
    let mut changer = bed.changer(&mix_with_rekey(&table, &["label"])).await;
    let update = rows(vec![ints([0]), texts_of(["nought"])]);
    let rekey = rows(vec![ints([0, 2]), ints([20, 22])]);
    let groups = [(UPDATE, &update), (REKEY, &rekey), (READ, &keys([20]))];
    assert_eq!(bed.commit(&mut changer, &groups).await, [1, 2, 1].map(Changed::matched));
    let again = bed.replay(&mut changer, &groups).await;
    assert_eq!(again, [confirmed(1), confirmed(2), Changed::matched(1)]);
    assert_labels(&bed, &table, &[(1, "value 1"), (20, "nought"), (22, "value 2")]).await;
}

async fn other<S: Subject>(bed: Bed<S>) {
    let columns = Draft::new("rowstorm_replay_other").column("label", "text");
    let table = columns.column("size", "int").plan();
    bed.recreate(&table).await;
    let standing = batch(0, vec![ints([1]), texts_of(["another's"]), ints([7])]);
    bed.write(&table, &standing).await;
    // The label is what stays; the size is what an update could have changed.
    let mut changer = bed.changer(&mix(&table, &["size"])).await;
    let mine = rows(vec![ints([1]), texts_of(["mine"]), ints([7])]);
    let refused = bed.replay(&mut changer, &[(INSERT, &mine)]).await;
    assert_eq!(sum(&refused), [0, 0, 0, 1], "{refused:?}");
    let updated = rows(vec![ints([1]), texts_of(["another's"]), ints([8])]);
    assert_eq!(bed.replay(&mut changer, &[(INSERT, &updated)]).await, [confirmed(1)]);
    compare::assert_rows::<S>(&table, &[standing], &bed.read(&table).await);
}

async fn missed<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_replay_missed", 2).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let update = rows(vec![ints([1, 8, 9]), texts_of(["a", "b", "c"])]);
    let groups = [(UPDATE, &update), (DELETE, &keys([9]))];
    let answers = bed.replay(&mut changer, &groups).await;
    let partly = Changed { confirmed: 1, ..found(1, 1) };
    assert_eq!(answers, [partly, confirmed(1)], "row 8 is taken by nobody");
}
