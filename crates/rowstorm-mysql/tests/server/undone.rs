//! Transactions that are refused, wait in vain, break off, or are done once more.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
use rowstorm_mysql::{ConnectOptions, Mysql, MysqlChanger};
use rowstorm_sink::{Attempt, Changed, Delivery, End, Sink as _, SinkErrorKind, Statement};

use crate::bed::Bed;
use crate::changes::{changes, done, held, load};

/// In each transaction of four ops an insert, two updates and a delete.
const SHOP: &str = r#"
version: 1
tables:
  NAME:
    key: [id]
    preload: 8
    columns:
      id:    { type: bigint, gen: sequence }
      label: { type: varchar(20), gen: { one_of: ["x    ", "y    "] } }
      cost:  { type: "decimal(9,3)", gen: { one_of: [1.001, 9.999] } }
      kept:  { type: int, gen: { uniform: [1, 9] } }
changes:
  streams: 1
  transaction: 4 rows
  mix:
    - { insert: NAME, weight: 1 }
    - { update: NAME, set: [label, cost], weight: 2 }
    - { delete: NAME, weight: 1 }
"#;

/// Without spaces at the ends of texts, so that a transaction goes in one packet.
fn plain() -> String {
    SHOP.replace("    \"", "\"")
}

/// The loaded table, a changer, and what it did already: two transactions, so that the next may go in one packet.
async fn shop(bed: &Bed, name: &str, text: &str) -> (Mysql, MysqlChanger, ChangePlan) {
    let seconds = Some(Duration::from_secs(1));
    let options = ConnectOptions { statement_timeout: seconds, ..bed.options() };
    let sink = Mysql::connect_with(options).await.unwrap();
    let plan = changes(&text.replace("NAME", name));
    load(bed, &sink, &plan).await;
    let mut changer = sink.changer(&Statement::all(&plan)).await.unwrap();
    for first in [0, 4] {
        let done = done(&mut changer, &ops(&plan, first), End::Commit, Attempt::First).await;
        assert_eq!(total(&done.unwrap(), |changed| changed.matched), 4);
    }
    (sink, changer, plan)
}

fn ops(plan: &ChangePlan, first: u64) -> ChangeBatch {
    let mut batch = ChangeBatch::default();
    plan.stream(0).fill(first..first + 4, Fate::Commit, &mut batch);
    batch
}

/// All rows as one text.
async fn dump(bed: &Bed, name: &str) -> String {
    bed.ask(&format!(
        "SELECT GROUP_CONCAT(CONCAT_WS('/', id, label, cost) ORDER BY id) FROM {name}"
    ))
    .await
}

fn total(changed: &[Changed], count: fn(&Changed) -> u64) -> u64 {
    changed.iter().map(count).sum()
}

/// All four ops are refused by this code.
fn check_refused(changed: &[Changed], code: &str) {
    assert_eq!(total(changed, |changed| changed.rejected.count), 4, "{changed:?}");
    let by_code = |changed: &Changed| changed.rejected.refusals[0].class.starts_with(code);
    assert!(changed.iter().all(by_code), "{changed:?}");
}

pub(crate) async fn a_refused_row_undoes_its_transaction_and_the_next_goes_on(bed: Bed) {
    let (sink, mut quiet, plan) = shop(&bed, "rs_refused", &plain()).await;
    let mut fresh = sink.changer(&Statement::all(&plan)).await.unwrap();
    bed.sql("INSERT INTO rs_refused VALUES (11, 'taken', 0, 0)").await;
    let (before, next) = (dump(&bed, "rs_refused").await, ops(&plan, 8));
    for changer in [&mut quiet, &mut fresh] {
        let changed = done(changer, &next, End::Commit, Attempt::First).await.unwrap();
        check_refused(&changed, "1062");
        assert_eq!(dump(&bed, "rs_refused").await, before);
    }
    // Whoever's row it is: a replay does not take it for its own.
    let changed = done(&mut quiet, &next, End::Commit, Attempt::Replay).await.unwrap();
    check_refused(&changed, "1062");
    assert_eq!(dump(&bed, "rs_refused").await, before);
    bed.sql("DELETE FROM rs_refused WHERE id = 11").await;
    let changed = done(&mut quiet, &next, End::Commit, Attempt::First).await.unwrap();
    assert_eq!(total(&changed, |changed| changed.matched), 4);
}

pub(crate) async fn what_would_be_left_out_with_a_note_is_refused(bed: Bed) {
    let (sink, mut quiet, plan) = shop(&bed, "rs_notes", SHOP).await;
    let next = ops(&plan, 8);
    bed.sql("UPDATE rs_notes SET label = ''").await;
    bed.sql("ALTER TABLE rs_notes MODIFY label VARCHAR(3) NOT NULL").await;
    let before = dump(&bed, "rs_notes").await;
    let changed = done(&mut quiet, &next, End::Commit, Attempt::First).await.unwrap();
    check_refused(&changed, "1265");
    assert_eq!(dump(&bed, "rs_notes").await, before);
    bed.sql("ALTER TABLE rs_notes MODIFY label VARCHAR(20) NOT NULL").await;
    bed.sql("UPDATE rs_notes SET cost = 0").await;
    bed.sql("ALTER TABLE rs_notes MODIFY cost DECIMAL(9,1) NOT NULL").await;
    let before = dump(&bed, "rs_notes").await;
    let mut fresh = sink.changer(&Statement::all(&plan)).await.unwrap();
    let changed = done(&mut fresh, &next, End::Commit, Attempt::First).await.unwrap();
    check_refused(&changed, "1265");
    assert_eq!(dump(&bed, "rs_notes").await, before);
}

pub(crate) async fn a_lock_that_is_not_given_leaves_nothing_of_a_transaction(bed: Bed) {
    let (_, mut changer, plan) = shop(&bed, "rs_waits", SHOP).await;
    let (before, next) = (dump(&bed, "rs_waits").await, ops(&plan, 8));
    let mut holder = bed.connection().await;
    holder.query_drop("START TRANSACTION").await.unwrap();
    holder.query_drop("SELECT * FROM rs_waits WHERE id = 3 FOR UPDATE").await.unwrap();
    let error = done(&mut changer, &next, End::Commit, Attempt::First).await.unwrap_err();
    assert!(matches!(error.kind, SinkErrorKind::Busy { .. }), "{error:?}");
    assert_eq!(dump(&bed, "rs_waits").await, before);
    holder.query_drop("ROLLBACK").await.unwrap();
    let changed = done(&mut changer, &next, End::Commit, Attempt::First).await.unwrap();
    assert_eq!(total(&changed, |changed| changed.matched), 4);
}

/// As lanes do, while an event is done.
pub(crate) async fn connections_are_opened_while_a_table_is_altered(bed: Bed) {
    let (sink, _, plan) = shop(&bed, "rs_altered", SHOP).await;
    let statements = Statement::all(&plan);
    let mut altering = bed.connection().await;
    let alter = async {
        for _ in 0..20 {
            for change in ["ADD COLUMN note text", "DROP COLUMN note"] {
                altering.query_drop(format!("ALTER TABLE rs_altered {change}")).await.unwrap();
            }
        }
    };
    let mut alter = std::pin::pin!(alter);
    loop {
        tokio::select! {
            biased;
            opened = sink.changer(&statements) => drop(opened.unwrap()),
            () = &mut alter => break,
        }
    }
}

pub(crate) async fn a_transaction_that_is_cut_is_in_doubt_where_its_commit_was_sent(bed: Bed) {
    let (sink, quiet, plan) = shop(&bed, "rs_doubt", &plain()).await;
    let fresh = sink.changer(&Statement::all(&plan)).await.unwrap();
    let (before, next) = (dump(&bed, "rs_doubt").await, ops(&plan, 8));
    for (mut changer, delivery) in [(fresh, Delivery::None), (quiet, Delivery::InDoubt)] {
        let mut holder = bed.connection().await;
        holder.query_drop("START TRANSACTION").await.unwrap();
        holder.query_drop("SELECT * FROM rs_doubt WHERE id = 3 FOR UPDATE").await.unwrap();
        let (changed, ()) =
            tokio::join!(done(&mut changer, &next, End::Commit, Attempt::First), async {
                let id = bed.waiting("DELETE FROM `rs_doubt`").await;
                bed.sql(&format!("KILL {id}")).await;
            });
        assert_eq!(changed.unwrap_err().kind, SinkErrorKind::Lost(delivery));
        holder.query_drop("ROLLBACK").await.unwrap();
        assert_eq!(dump(&bed, "rs_doubt").await, before);
    }
    let mut changer = sink.changer(&Statement::all(&plan)).await.unwrap();
    let changed = done(&mut changer, &next, End::Commit, Attempt::Replay).await.unwrap();
    assert_eq!(total(&changed, |changed| changed.matched), 4, "nothing of it was there");
    let after = dump(&bed, "rs_doubt").await;
    let changed = done(&mut changer, &next, End::Commit, Attempt::Replay).await.unwrap();
    assert_eq!(total(&changed, |changed| changed.matched + changed.confirmed), 4);
    assert_eq!(total(&changed, |changed| changed.confirmed), 2, "the insert and the delete");
    assert_eq!(dump(&bed, "rs_doubt").await, after);
}

pub(crate) async fn a_held_transaction_shows_when_it_ends(bed: Bed) {
    let (_, mut changer, plan) = shop(&bed, "rs_held", SHOP).await;
    let before = dump(&bed, "rs_held").await;
    let hold = async { assert_eq!(dump(&bed, "rs_held").await, before) };
    let changed =
        held(&mut changer, &ops(&plan, 8), End::Commit, Attempt::First, Some(Box::pin(hold))).await;
    assert_eq!(total(&changed.unwrap(), |changed| changed.matched), 4);
    assert_ne!(dump(&bed, "rs_held").await, before);
}

pub(crate) async fn a_replay_of_a_row_that_came_and_got_another_key_leaves_it_once(bed: Bed) {
    const TEXT: &str = "
version: 1
tables:
  NAME:
    key: [id]
    preload: 2
    columns:
      id:    { type: uuid, gen: uuid_v4 }
      label: { type: text, gen: { one_of: [x, y] } }
      cost:  { type: int, gen: { uniform: [1, 9] } }
changes:
  streams: 1
  transaction: 4 rows
  mix:
    - { insert: NAME, weight: 1 }
    - { rekey: NAME, weight: 3 }
";
    let (_, mut changer, plan) = shop(&bed, "rs_rekeyed", TEXT).await;
    for first in (8..48).step_by(4) {
        let next = ops(&plan, first);
        for attempt in [Attempt::First, Attempt::Replay, Attempt::Replay] {
            let changed = done(&mut changer, &next, End::Commit, attempt).await.unwrap();
            assert_eq!(total(&changed, |changed| changed.missed + changed.rejected.count), 0);
        }
    }
    let mut rows = rowstorm_gen::Batch::default();
    let expected = plan.stream(0).expected(48);
    expected.fill(0, &expected.rows(0).collect::<Vec<_>>(), &mut rows);
    let mut wanted: Vec<_> = plan
        .table(0)
        .read(&rows)
        .iter()
        .map(|row| format!("{}/{}/{}", row["id"], row["label"], row["cost"]))
        .collect();
    wanted.sort_unstable();
    assert_eq!(dump(&bed, "rs_rekeyed").await, wanted.join(","));
}
