//! Rows that change: every one accounted for, in order, all of a transaction or nothing.

mod course;
mod each;
mod event;
mod keys;
mod mix;
mod query;
mod replay;
mod undo;
mod values;

use std::sync::Arc;

use rowstorm_gen::TablePlan;
use rowstorm_gen::changes::OpKind;

use super::table::{Draft, batch, ids_and_texts, ints, pairs, texts_of};
use super::{Bed, Case, Need, Subject, compare};
use crate::{Attempt, Change, Changed, Changer, End, Sink, SinkErrorKind, Statement, Transaction};
use mix::{DELETE, INSERT, READ, REKEY, UPDATE, answered, found, keys, mix, mix_with_rekey, rows};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let rekey = &[Need::Rows, Need::Keys, Need::Changes, Need::Rekey];
    let mut cases = vec![
        Case::new("changes of every kind are done and matched", needs, every_kind::<S>),
        Case::new("groups are done in order over several tables", needs, in_order::<S>),
        Case::new("a row that is not there is missed and never inserted", needs, missed::<S>),
        Case::new("a row that comes out the same is matched", needs, the_same::<S>),
        Case::new("a thousand rows of a group are changed", needs, thousand::<S>),
        Case::new("changers work side by side", needs, side_by_side::<S>),
        Case::new(
            "a killed changer is lost and another goes on",
            &[Need::Rows, Need::Keys, Need::Changes, Need::Connections],
            killed::<S>,
        ),
        Case::new("a rekey leaves the other columns", rekey, rekeyed::<S>),
        Case::new("a mix is taken or refused in words", &[Need::Changes], taken::<S>),
        Case::new("a statement is explained without values", &[Need::Changes], explained::<S>),
    ];
    cases.extend(each::cases::<S>());
    cases.extend(undo::cases::<S>());
    cases.extend(replay::cases::<S>());
    cases.extend(keys::cases::<S>());
    cases.extend(values::cases::<S>());
    cases.extend(course::cases::<S>());
    cases.extend(query::cases::<S>());
    cases.extend(event::cases::<S>());
    cases
}

/// A table of ids and labels with the first so many rows, `value N` in each.
async fn loaded<S: Subject>(bed: &Bed<S>, name: &str, count: i64) -> Arc<TablePlan> {
    let table = pairs(name);
    bed.recreate(&table).await;
    assert_eq!(bed.write(&table, &ids_and_texts(0, 0..count)).await.accepted, count as u64);
    table
}

/// Asserts that the table holds these ids with these labels.
async fn assert_labels<S: Subject>(bed: &Bed<S>, table: &Arc<TablePlan>, wanted: &[(i64, &str)]) {
    let ids = ints(wanted.iter().map(|(id, _)| *id));
    let wanted = [batch(0, vec![ids, texts_of(wanted.iter().map(|(_, label)| *label))])];
    compare::assert_rows::<S>(table, &wanted, &bed.read(table).await);
}

async fn every_kind<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_every_kind", 4).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let answers = bed
        .commit(
            &mut changer,
            &[
                (INSERT, &rows(vec![ints([10, 11]), texts_of(["ten", "eleven"])])),
                (UPDATE, &rows(vec![ints([11, 0]), texts_of(["11", "nought"])])),
                (READ, &keys([0, 3, 10])),
                (DELETE, &keys([2])),
            ],
        )
        .await;
    assert_eq!(answers, [2, 2, 3, 1].map(Changed::matched));
    let wanted = [(0, "nought"), (1, "value 1"), (3, "value 3"), (10, "ten"), (11, "11")];
    assert_labels(&bed, &table, &wanted).await;
    let again = bed.commit(&mut changer, &[(DELETE, &keys([0, 10]))]).await;
    assert_eq!(again, [Changed::matched(2)]);
    assert_labels(&bed, &table, &[(1, "value 1"), (3, "value 3"), (11, "11")]).await;
}

async fn in_order<S: Subject>(bed: Bed<S>) {
    let parents = loaded(&bed, "rowstorm_order_parents", 1).await;
    let children = Draft::new("rowstorm_order_children").column("parent", "bigint").plan();
    bed.recreate(&children).await;
    let both: Arc<[Statement]> = mix(&parents, &["label"])
        .iter()
        .chain(mix(&children, &["parent"]).iter())
        .cloned()
        .collect();
    let child = |statement: usize| statement + READ + 1;
    let mut changer = bed.changer(&both).await;
    let answers = bed
        .commit(
            &mut changer,
            &[
                (INSERT, &rows(vec![ints([7]), texts_of(["first"])])),
                (child(INSERT), &rows(vec![ints([70, 71]), ints([7, 0])])),
                (UPDATE, &rows(vec![ints([7, 0]), texts_of(["second", "one"])])),
                (child(UPDATE), &rows(vec![ints([71]), ints([7])])),
                (UPDATE, &rows(vec![ints([7]), texts_of(["third"])])),
                (child(DELETE), &keys([70])),
                (READ, &keys([7])),
            ],
        )
        .await;
    assert_eq!(answers, [1, 2, 2, 1, 1, 1, 1].map(Changed::matched));
    assert_labels(&bed, &parents, &[(0, "one"), (7, "third")]).await;
    let wanted = [batch(0, vec![ints([71]), ints([7])])];
    compare::assert_rows::<S>(&children, &wanted, &bed.read(&children).await);
}

async fn missed<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_missed", 3).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let update = rows(vec![ints([1, 5, 2, -9]), texts_of(["b", "no", "c", "no"])]);
    let groups = [(UPDATE, &update), (READ, &keys([0, 9])), (DELETE, &keys([8, 0, 7]))];
    let answers = bed.commit(&mut changer, &groups).await;
    assert_eq!(answers, [found(2, 2), found(1, 1), found(1, 2)]);
    assert_labels(&bed, &table, &[(1, "b"), (2, "c")]).await;
    let none = bed.commit(&mut changer, &[(UPDATE, &update), (DELETE, &keys([0]))]).await;
    assert_eq!(none, [found(2, 2), found(0, 1)], "the same once more");
}

async fn the_same<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_the_same", 3).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    for _ in 0..2 {
        let same = rows(vec![ints([0, 1, 2]), texts_of(["value 0", "other", "value 2"])]);
        assert_eq!(bed.commit(&mut changer, &[(UPDATE, &same)]).await, [Changed::matched(3)]);
    }
    assert_labels(&bed, &table, &[(0, "value 0"), (1, "other"), (2, "value 2")]).await;
}

/// As many rows as a batch of changes can have.
const GROUP_ROWS: i64 = 1024;

async fn thousand<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_thousand", GROUP_ROWS).await;
    let mix = mix(&table, &["label"]);
    let limits = bed.sink.change_limits(&mix).expect("the mix is taken");
    let count = GROUP_ROWS.min(i64::from(limits.rows));
    let mut changer = bed.changer(&mix).await;
    let update = ids_and_texts(0, (0..count).map(|id| (id * 7 + 3) % GROUP_ROWS));
    let insert = ids_and_texts(0, 5000..5000 + count);
    let groups = [(INSERT, &insert), (UPDATE, &update), (READ, &keys(5000..5000 + count))];
    let answers = bed.commit(&mut changer, &groups).await;
    assert_eq!(answers, [count as u64; 3].map(Changed::matched));
    let all = [ids_and_texts(0, (0..GROUP_ROWS).chain(5000..5000 + count))];
    compare::assert_rows::<S>(&table, &all, &bed.read(&table).await);
    let deleted = bed.commit(&mut changer, &[(DELETE, &keys(5000..5000 + count))]).await;
    assert_eq!(deleted, [Changed::matched(count as u64)]);
    assert_eq!(bed.audit(&table).await.rows, GROUP_ROWS as u64);
}

async fn side_by_side<S: Subject>(bed: Bed<S>) {
    const TURNS: i64 = 20;
    let table = loaded(&bed, "rowstorm_side_by_side", 400).await;
    let mix = mix(&table, &["label"]);
    let limits = bed.sink.change_limits(&mix).expect("the mix is taken");
    let changers = i64::from(limits.changers.min(4));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..changers {
        let mut changer = bed.changer(&mix).await;
        tasks.spawn(async move {
            for turn in 0..TURNS {
                // Rows of the beginning that this one alone has, and new ones behind them.
                let own = (0..5).map(|at| (turn * 5 + at) * changers + number);
                let own: Vec<i64> = own.filter(|id| *id < 400).collect();
                let new = 1000 * (number + 1) + turn * 2;
                let insert = rows(vec![ints([new, new + 1]), texts_of(["new", "gone"])]);
                let labels = own.iter().map(|_| "changed");
                let update = rows(vec![ints(own.iter().copied()), texts_of(labels)]);
                let groups = [
                    Change { statement: INSERT, batch: &insert },
                    Change { statement: UPDATE, batch: &update },
                    Change { statement: DELETE, batch: &keys([new + 1]) },
                ];
                let answers = answered(&mut changer, &groups, End::Commit, Attempt::First).await;
                assert_eq!(answers, [2, own.len() as u64, 1].map(Changed::matched));
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("the changer's task ends well");
    }
    let labels = bed.read(&table).await;
    let count = |label: &str| labels.iter().filter(|row| row[1].as_deref() == Some(label)).count();
    let answers = (5 * TURNS * changers).min(400) as usize;
    assert_eq!((count("new"), count("gone")), ((TURNS * changers) as usize, 0));
    assert_eq!((count("changed"), labels.len()), (answers, 400 + (TURNS * changers) as usize));
}

async fn killed<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_changer_killed", 3).await;
    let mix = mix(&table, &["label"]);
    let mut changer = bed.changer(&mix).await;
    let update = rows(vec![ints([1]), texts_of(["changed"])]);
    bed.commit(&mut changer, &[(UPDATE, &update)]).await;
    S::cut_connections(&bed.sink).await;
    let groups = [Change { statement: DELETE, batch: &keys([0]) }];
    let transaction =
        Transaction { groups: &groups, end: End::Commit, attempt: Attempt::First, hold: None };
    let error = changer.change(transaction).await.expect_err("the connection is gone");
    assert!(matches!(error.kind, SinkErrorKind::Lost(_)), "{error:?}");
    let mut changer = bed.changer(&mix).await;
    let answers = bed.commit(&mut changer, &[(DELETE, &keys([2]))]).await;
    assert_eq!(answers, [Changed::matched(1)]);
    assert_labels(&bed, &table, &[(0, "value 0"), (1, "changed")]).await;
}

async fn rekeyed<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_rekeyed", 3).await;
    let mut changer = bed.changer(&mix_with_rekey(&table, &["label"])).await;
    let other = rows(vec![ints([0, 2, 9]), ints([20, 22, 29])]);
    let groups = [(REKEY, &other), (READ, &keys([20, 0]))];
    let answers = bed.commit(&mut changer, &groups).await;
    assert_eq!(answers, [found(2, 1), found(1, 1)]);
    assert_labels(&bed, &table, &[(1, "value 1"), (20, "value 0"), (22, "value 2")]).await;

    let columns = Draft::new("rowstorm_rekeyed_two").column("part", "varchar(9)");
    let table = columns.column("size", "int").keyed_by(&["part", "id"]).plan();
    bed.recreate(&table).await;
    let four = vec![ints([1, 2, 3, 4]), texts_of(["a", "a", "b", "b"]), ints([5, 6, 7, 8])];
    bed.write(&table, &batch(0, four)).await;
    let mut changer = bed.changer(&mix_with_rekey(&table, &["size"])).await;
    let from = [texts_of(["a", "b", "b"]), ints([2, 3, 1])];
    let to = [texts_of(["c", "b", "z"]), ints([2, 13, 9])];
    let other = rows(from.into_iter().chain(to).collect());
    assert_eq!(bed.commit(&mut changer, &[(REKEY, &other)]).await, [found(2, 1)]);
    let left = vec![ints([1, 2, 4, 13]), texts_of(["a", "c", "b", "b"]), ints([5, 6, 8, 7])];
    compare::assert_rows::<S>(&table, &[batch(0, left)], &bed.read(&table).await);
}

async fn taken<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_taken");
    let limits = bed.sink.change_limits(&mix(&table, &["label"])).expect("the mix is taken");
    assert!(limits.rows > 0 && limits.changers > 0, "{limits:?}");
    assert_eq!(limits.transactions, !S::LACKS.contains(&Need::Undo), "{limits:?}");
    let rekey = bed.sink.change_limits(&mix_with_rekey(&table, &["label"]));
    if S::LACKS.contains(&Need::Rekey) {
        let error = rekey.expect_err("the database cannot change a key");
        assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
        let told = &error.message;
        assert!(told.contains("rowstorm_taken") && told.contains("rekey"), "{told}");
    } else {
        rekey.expect("the mix is taken");
    }
}

async fn explained<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_explained").column("label", "text").column("n", "int").plan();
    let mix = if S::LACKS.contains(&Need::Rekey) {
        mix(&table, &["n"])
    } else {
        mix_with_rekey(&table, &["n"])
    };
    for statement in mix.iter() {
        let told = bed.sink.explain_change(statement);
        let told = told.unwrap_or_else(|| panic!("{:?} is explained", statement.kind));
        assert!(told.contains("rowstorm_explained"), "{told}");
        assert!(told.contains("id"), "{told}");
        // A read may name the columns that it fetches, or say `*`.
        let names_label = told.contains("label") && statement.kind != OpKind::Read;
        assert_eq!(names_label, statement.kind == OpKind::Insert, "what travels: {told}");
    }
}
