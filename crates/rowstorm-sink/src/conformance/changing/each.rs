//! Transactions that follow each other without waiting: each is kept, refused or lost by itself.

use super::super::table::{ids_and_texts, ints, texts_of};
use super::super::{Bed, Case, Need, Subject, compare};
use super::mix::{
    BUSY_MAX, ChangerOf, DELETE, INSERT, READ, UPDATE, assert_accounted, found, keys, mix, rows,
};
use super::{assert_labels, loaded};
use crate::{Change, Changed, Changer, SinkErrorKind};

/// A transaction of groups by hand.
type Groups<'a> = Vec<Change<'a>>;

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let cut = &[Need::Rows, Need::Keys, Need::Changes, Need::Connections];
    vec![
        Case::new("transactions that follow each other have each its answer", needs, each::<S>),
        Case::new("many transactions of one row are done in order", needs, many::<S>),
        Case::new("a refused transaction leaves those before and behind it", needs, refused::<S>),
        Case::new("a killed changer answers none of what follows", cut, killed::<S>),
    ]
}

/// Does them, and the rest again while the database is busy. Every row must be accounted for.
async fn do_each<S: Subject>(
    changer: &mut ChangerOf<S>,
    transactions: &[Groups<'_>],
) -> Vec<Vec<Changed>> {
    let (mut answers, mut busy) = (Vec::new(), 0);
    while answers.len() < transactions.len() {
        let left: Vec<&[Change<'_>]> =
            transactions[answers.len()..].iter().map(Vec::as_slice).collect();
        let mut take = |changed| answers.push(changed);
        if let Err(error) = changer.change_each(&left, &mut take).await {
            let again = matches!(error.kind, SinkErrorKind::Busy { .. }) && busy < BUSY_MAX;
            assert!(again, "the transactions are answered, not {error:?}");
            busy += 1;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    assert_eq!(answers.len(), transactions.len(), "an answer for each transaction");
    for (groups, answers) in transactions.iter().zip(&answers) {
        assert_accounted(groups, answers);
    }
    answers
}

fn of(statement: usize, batch: &rowstorm_gen::Batch) -> Change<'_> {
    Change { statement, batch }
}

async fn each<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_each", 4).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let wanted = [
        vec![Changed::matched(2)],
        vec![found(2, 1), Changed::matched(1)],
        vec![Changed::matched(1)],
        vec![found(1, 1), Changed::matched(1)],
    ];
    // What a database did once, it may do in another way the second time.
    for round in 0..3 {
        let new = 10 + 10 * round;
        let insert = ids_and_texts(0, [new, new + 1]);
        let words = [format!("{round} a"), format!("{round} b"), format!("{round} c")];
        let update =
            rows(vec![ints([1, new, 777]), texts_of(words.each_ref().map(String::as_str))]);
        let (read, delete, gone) = (keys([2]), keys([new + 1]), keys([new + 1, 3]));
        let transactions = [
            vec![of(INSERT, &insert)],
            vec![of(UPDATE, &update), of(READ, &read)],
            vec![of(DELETE, &delete)],
            vec![of(READ, &gone), of(READ, &read)],
        ];
        assert_eq!(do_each::<S>(&mut changer, &transactions).await, wanted);
    }
    let left = [
        (0, "value 0"),
        (1, "2 a"),
        (2, "value 2"),
        (3, "value 3"),
        (10, "0 b"),
        (20, "1 b"),
        (30, "2 b"),
    ];
    assert_labels(&bed, &table, &left).await;
}

async fn many<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_each_many", 3).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    // Each row once more and once more: the last word stands.
    let words: Vec<String> = (0..200).map(|at| format!("word {at}")).collect();
    let updates: Vec<_> = words
        .iter()
        .zip(0..)
        .map(|(word, at)| rows(vec![ints([at % 3]), texts_of([word.as_str()])]))
        .collect();
    let transactions: Vec<Groups<'_>> =
        updates.iter().map(|update| vec![of(UPDATE, update)]).collect();
    let answers = do_each::<S>(&mut changer, &transactions).await;
    assert!(answers.iter().all(|groups| *groups == [Changed::matched(1)]), "{answers:?}");
    assert_labels(&bed, &table, &[(0, "word 198"), (1, "word 199"), (2, "word 197")]).await;
}

async fn refused<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_each_refused", 4).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    for round in 0..3 {
        let words: Vec<String> =
            ["a", "b", "c", "d"].map(|word| format!("{round} {word}")).to_vec();
        let update = |at: usize| rows(vec![ints([at as i64]), texts_of([words[at].as_str()])]);
        let updates = [0, 1, 2, 3].map(update);
        let taken = rows(vec![ints([1]), texts_of(["taken"])]);
        let transactions = [
            vec![of(UPDATE, &updates[0])],
            vec![of(UPDATE, &updates[1])],
            vec![of(UPDATE, &updates[2]), of(INSERT, &taken)],
            vec![of(UPDATE, &updates[3])],
            vec![of(INSERT, &taken)],
            vec![of(UPDATE, &updates[0])],
        ];
        let answers = do_each::<S>(&mut changer, &transactions).await;
        for at in [0, 1, 3, 5] {
            assert_eq!(answers[at], [Changed::matched(1)], "round {round}");
        }
        for (at, group) in [(2, 1), (4, 0)] {
            let rejected = &answers[at][group].rejected;
            assert_eq!(rejected.count, 1, "round {round}: {answers:?}");
            assert!(!rejected.refusals[0].class.is_empty());
        }
        let alone = S::LACKS.contains(&Need::Undo);
        assert_eq!(answers[2][0].rejected.count, u64::from(!alone), "all of it or itself alone");
        let third = if alone { words[2].as_str() } else { "value 2" };
        let left = [(0, words[0].as_str()), (1, &words[1]), (2, third), (3, &words[3])];
        assert_labels(&bed, &table, &left).await;
    }
}

async fn killed<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_each_killed", 3).await;
    let mix = mix(&table, &["label"]);
    let mut changer = bed.changer(&mix).await;
    let update = rows(vec![ints([1]), texts_of(["changed"])]);
    let deletes = [keys([0]), keys([2])];
    let (first, gone) =
        (vec![of(UPDATE, &update)], deletes.each_ref().map(|keys| [of(DELETE, keys)]));
    do_each::<S>(&mut changer, &[first.clone(), first]).await;
    // One that finds nothing: so deletes are known, too.
    let nothing = keys([99]);
    let answers = do_each::<S>(&mut changer, &[vec![of(DELETE, &nothing)]]).await;
    assert_eq!(answers, [[found(0, 1)]]);
    S::cut_connections(&bed.sink).await;
    let mut answers = Vec::new();
    let mut take = |changed| answers.push(changed);
    let both = gone.each_ref().map(<[Change<'_>; 1]>::as_slice);
    let error = changer.change_each(&both, &mut take).await.expect_err("the connection is gone");
    assert!(matches!(error.kind, SinkErrorKind::Lost(_)), "{error:?}");
    assert!(answers.is_empty(), "{answers:?}");
    let all = [(0, "value 0"), (1, "changed"), (2, "value 2")];
    assert_labels(&bed, &table, &all).await;
    let mut changer = bed.changer(&mix).await;
    let wanted = [[Changed::matched(1)], [Changed::matched(1)]];
    assert_eq!(do_each::<S>(&mut changer, &gone.map(Vec::from)).await, wanted);
    compare::assert_rows::<S>(
        &table,
        &[rows(vec![ints([1]), texts_of(["changed"])])],
        &bed.read(&table).await,
    );
}
