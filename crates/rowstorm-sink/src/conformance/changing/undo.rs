//! All of a transaction or nothing, and rows that are refused.

use std::sync::atomic::{AtomicBool, Ordering};

use super::super::table::{Draft, batch, ids_and_texts, ints, texts_of, with_nulls};
use super::super::{Bed, Case, Need, Subject, compare};
use super::mix::{DELETE, INSERT, READ, UPDATE, assert_accounted, found, keys, mix, rows, sum};
use super::{assert_labels, loaded};
use crate::{Attempt, Change, Changed, Changer, End, Transaction};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let undo = &[Need::Rows, Need::Keys, Need::Changes, Need::Undo];
    let checks = &[Need::Rows, Need::Keys, Need::Checks, Need::Changes];
    vec![
        Case::new("a transaction that is rolled back leaves nothing", undo, rolled_back::<S>),
        Case::new("what holds a transaction open is waited for", needs, held::<S>),
        Case::new("a refused insert undoes all or is refused alone", needs, refused_insert::<S>),
        Case::new("a refused update undoes all or is refused alone", checks, refused_update::<S>),
        Case::new("a refused null undoes all or is refused alone", checks, refused_null::<S>),
    ]
}

async fn rolled_back<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_rolled_back", 4).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let insert = ids_and_texts(0, [10, 11]);
    let update = rows(vec![ints([1, 10, 77]), texts_of(["x", "y", "z"])]);
    let groups =
        [(INSERT, &insert), (UPDATE, &update), (DELETE, &keys([0, 78])), (READ, &keys([0, 1]))];
    let wanted = [found(2, 0), found(2, 1), found(1, 1), found(1, 1)];
    for _ in 0..2 {
        let answers = bed.transact(&mut changer, &groups, End::RollBack, Attempt::First).await;
        assert_eq!(answers, wanted, "the counts are what they would have been");
        compare::assert_rows::<S>(&table, &[ids_and_texts(0, 0..4)], &bed.read(&table).await);
    }
    assert_eq!(bed.commit(&mut changer, &groups).await, wanted, "the connection goes on");
    let left = [(1, "x"), (2, "value 2"), (3, "value 3"), (10, "y"), (11, "value 11")];
    assert_labels(&bed, &table, &left).await;
}

async fn held<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_held", 2).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let update = rows(vec![ints([1]), texts_of(["held"])]);
    let groups = [Change { statement: UPDATE, batch: &update }];
    let was_held = AtomicBool::new(false);
    let hold = async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        was_held.store(true, Ordering::SeqCst);
    };
    let hold = Some(Box::pin(hold) as crate::Hold<'_>);
    let transaction =
        Transaction { groups: &groups, end: End::Commit, attempt: Attempt::First, hold };
    let answers = changer.change(transaction).await.expect("the transaction is answered");
    assert_accounted(&groups, &answers);
    assert!(was_held.load(Ordering::SeqCst), "it ends when it is let go");
    assert_labels(&bed, &table, &[(0, "value 0"), (1, "held")]).await;
}

/// Asserts what one refused row leaves: nothing of the transaction where there are transactions, else all but itself.
fn assert_refused<S: Subject>(answers: &[Changed], at: usize, groups: &[u64]) {
    let refused = &answers[at].rejected;
    assert_eq!(refused.refusals.len(), 1, "one row is refused: {answers:?}");
    assert!(!refused.refusals[0].class.is_empty() && !refused.refusals[0].sample.is_empty());
    if S::LACKS.contains(&Need::Undo) {
        assert_eq!(sum(answers)[3], 1, "{answers:?}");
        assert_eq!(
            answers[at],
            Changed { matched: groups[at] - 1, rejected: refused.clone(), ..Changed::default() }
        );
        return;
    }
    for (answers, rows) in answers.iter().zip(groups) {
        assert_eq!((answers.rejected.count, answers.rows()), (*rows, *rows), "{answers:?}");
        assert_eq!(answers.rejected.refusals[0].class, refused.refusals[0].class);
    }
}

async fn refused_insert<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_refused_insert", 3).await;
    let mix = mix(&table, &["label"]);
    let mut changer = bed.changer(&mix).await;
    let update = rows(vec![ints([0]), texts_of(["changed"])]);
    let insert = rows(vec![ints([10, 1, 11]), texts_of(["a", "taken", "b"])]);
    let groups = [(UPDATE, &update), (INSERT, &insert), (DELETE, &keys([2]))];
    let answers = bed.commit(&mut changer, &groups).await;
    assert_refused::<S>(&answers, 1, &[1, 3, 1]);
    let untouched = [(0, "value 0"), (1, "value 1"), (2, "value 2")];
    let alone = [(0, "changed"), (1, "value 1"), (10, "a"), (11, "b")];
    let left = if S::LACKS.contains(&Need::Undo) { &alone[..] } else { &untouched };
    assert_labels(&bed, &table, left).await;
    let next = bed.commit(&mut changer, &[(UPDATE, &update)]).await;
    assert_eq!(next, [Changed::matched(1)], "the connection goes on");
}

async fn refused_update<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_refused_update").column("label", "varchar(3)").plan();
    bed.recreate(&table).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let insert = rows(vec![ints([0, 1]), texts_of(["a", "b"])]);
    bed.commit(&mut changer, &[(INSERT, &insert)]).await;
    let update = rows(vec![ints([0, 1]), texts_of(["äöü", "four"])]);
    let answers = bed.commit(&mut changer, &[(UPDATE, &update), (READ, &keys([0]))]).await;
    assert_refused::<S>(&answers, 0, &[2, 1]);
    let first = if S::LACKS.contains(&Need::Undo) { "äöü" } else { "a" };
    assert_labels(&bed, &table, &[(0, first), (1, "b")]).await;
}

async fn refused_null<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_refused_null", 2).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let labels = with_nulls(texts_of(["x", ""]), [true, false]);
    let update = rows(vec![ints([0, 1]), labels]);
    let answers = bed.commit(&mut changer, &[(UPDATE, &update)]).await;
    assert_refused::<S>(&answers, 0, &[2]);
    let first = if S::LACKS.contains(&Need::Undo) { "x" } else { "value 0" };
    let wanted = [batch(0, vec![ints([0, 1]), texts_of([first, "value 1"])])];
    compare::assert_rows::<S>(&table, &wanted, &bed.read(&table).await);
}
