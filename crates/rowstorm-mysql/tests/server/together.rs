//! Updates of one row each that are sent together: each is committed, counted and refused by itself, whatever the way.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use rowstorm_gen::Values;
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
use rowstorm_mysql::{ConnectOptions, Mysql, MysqlChanger};
use rowstorm_sink::{
    Change, Changed, Changer as _, Sink as _, SinkError, SinkErrorKind, Statement,
};

use crate::bed::Bed;
use crate::changes::{changes, load, scanned};

/// Every type but bytes, texts that hold what would end a literal, and a row for each update.
const MANY: &str = r#"
version: 1
tables:
  NAME:
    key: [id, name]
    preload: 16
    columns:
      id:    { type: bigint, gen: sequence }
      name:  { type: varchar(20), gen: { one_of: ["O'Hara", "a\\b", "tab\tline\nx", "", "ö"] } }
      text:  { type: text, gen: { one_of: ["O'Hara", "a\\b", "tab\tline\nx", "", "ö", "\\N"] }, nulls: NULLS }
      is:    { type: bool, gen: { one_of: [true, false] } }
      level: { type: smallint, gen: { uniform: [-32768, 32767] } }
      real:  { type: real, gen: { normal: { mean: 0, stdev: 1e-3 } } }
      float: { type: float, gen: { normal: { mean: 0, stdev: 1e12 } } }
      price: { type: "decimal(38,10)", gen: { log_normal: { median: 40, sigma: 3 } } }
      huge:  { type: "decimal(38,0)", gen: { log_normal: { median: 4e17, sigma: 9 } } }
      due:   { type: timestamp, gen: { uniform: [1000-01-01T00:00:00Z, 9999-01-01T00:00:00Z] } }
      token: { type: uuid, gen: uuid_v4 }
      note:  { type: json, gen: { one_of: [ { a: "it's" }, [1, 2], "x" ] } }
changes:
  streams: 1
  transaction: row
  mix:
    - { update: NAME, set: [text, is, level, real, float, price, huge, due, token, note], pick: uniform, weight: 1 }
"#;

/// One number for each row.
const FEW: &str = r"
version: 1
tables:
  NAME:
    key: [id]
    preload: 8
    columns:
      id: { type: bigint, gen: sequence }
      n:  { type: int, gen: { uniform: [1, 1000000000] } }
changes:
  streams: 1
  transaction: row
  mix:
    - { update: NAME, set: [n], pick: uniform, weight: 1 }
";

const DUMP: &str = "SELECT GROUP_CONCAT(CONCAT_WS('/', id, n) ORDER BY id) FROM ";

/// The loaded table, and a changer that did an update already, so that the next may go together.
async fn table(bed: &Bed, text: &str) -> (MysqlChanger, ChangePlan) {
    let seconds = Some(Duration::from_secs(1));
    let options = ConnectOptions { statement_timeout: seconds, ..bed.options() };
    let sink = Mysql::connect_with(options).await.unwrap();
    let plan = changes(text);
    load(bed, &sink, &plan).await;
    let mut changer = sink.changer(&Statement::all(&plan)).await.unwrap();
    let (answers, done) = together(&mut changer, &updates(&plan, 0..1)).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(answers, [[Changed::matched(1)]]);
    (changer, plan)
}

/// One transaction for each op.
fn updates(plan: &ChangePlan, ops: std::ops::Range<u64>) -> Vec<ChangeBatch> {
    let one = |op| {
        let mut batch = ChangeBatch::default();
        plan.stream(0).fill(op..op + 1, Fate::Commit, &mut batch);
        batch
    };
    ops.map(one).collect()
}

/// The ids of the rows that they find.
fn ids(updates: &[ChangeBatch]) -> Vec<i64> {
    let id = |update: &ChangeBatch| match &update.groups()[0].batch.columns[0].values {
        Values::Int(ids) => ids[0],
        other => panic!("ids, not {other:?}"),
    };
    updates.iter().map(id).collect()
}

async fn together(
    changer: &mut MysqlChanger,
    updates: &[ChangeBatch],
) -> (Vec<Vec<Changed>>, Result<(), SinkError>) {
    let all: Vec<[Change<'_>; 1]> = updates
        .iter()
        .map(|update| {
            let group = &update.groups()[0];
            [Change { statement: group.entry, batch: &group.batch }]
        })
        .collect();
    let all: Vec<&[Change<'_>]> = all.iter().map(<[Change<'_>; 1]>::as_slice).collect();
    let mut answers = Vec::new();
    let mut take = |changed| answers.push(changed);
    let done = changer.change_each(&all, &mut take).await;
    (answers, done)
}

pub(crate) async fn updates_together_store_what_each_alone_stores(bed: Bed) {
    for (name, nulls) in [("rs_together", "0"), ("rs_together_nulls", "0.3")] {
        let (mut changer, plan) =
            table(&bed, &MANY.replace("NAME", name).replace("NULLS", nulls)).await;
        let (sink, table) = (bed.sink().await, &plan.plan().tables()[0]);
        for first in (1..200).step_by(40) {
            let updates = updates(&plan, first..first + 40);
            let (answers, done) = together(&mut changer, &updates).await;
            done.unwrap();
            assert_eq!(answers, vec![vec![Changed::matched(1)]; 40]);
            let stored = scanned(&sink, table).await;
            for update in &updates {
                let (answers, done) = together(&mut changer, std::slice::from_ref(update)).await;
                done.unwrap();
                assert_eq!(answers, [[Changed::matched(1)]]);
            }
            assert_eq!(stored, scanned(&sink, table).await);
        }
    }
}

pub(crate) async fn each_update_of_several_is_committed_as_the_server_comes_to_it(bed: Bed) {
    let (mut changer, plan) = table(&bed, &FEW.replace("NAME", "rs_one_each")).await;
    let updates = updates(&plan, 1..9);
    let ids = ids(&updates);
    // The first row that was not touched before it.
    let at = (1..ids.len()).find(|&at| !ids[..at].contains(&ids[at])).expect("another row");
    let before: String = bed.ask(&format!("{DUMP} rs_one_each")).await;
    let mut holder = bed.connection().await;
    holder.query_drop("START TRANSACTION").await.unwrap();
    let lock = format!("SELECT * FROM rs_one_each WHERE id = {} FOR UPDATE", ids[at]);
    holder.query_drop(lock).await.unwrap();
    let (answers, done) = together(&mut changer, &updates).await;
    let error = done.unwrap_err();
    assert!(matches!(error.kind, SinkErrorKind::Busy { .. }), "{error:?}");
    assert_eq!(answers, vec![vec![Changed::matched(1)]; at]);
    assert_ne!(bed.ask::<String>(&format!("{DUMP} rs_one_each")).await, before);
    holder.query_drop("ROLLBACK").await.unwrap();
    let (answers, done) = together(&mut changer, &updates[at..]).await;
    done.unwrap();
    assert_eq!(answers, vec![vec![Changed::matched(1)]; updates.len() - at]);
}

pub(crate) async fn of_several_updates_the_missing_and_the_refused_are_told(bed: Bed) {
    let (mut changer, plan) = table(&bed, &FEW.replace("NAME", "rs_some_miss")).await;
    let updates = updates(&plan, 1..17);
    let ids = ids(&updates);
    bed.sql(&format!("DELETE FROM rs_some_miss WHERE id = {}", ids[3])).await;
    let (answers, done) = together(&mut changer, &updates).await;
    done.unwrap();
    let found = |id: &i64| vec![Changed::found(u64::from(*id != ids[3]), 1, 0).unwrap()];
    assert_eq!(answers, ids.iter().map(found).collect::<Vec<_>>());
    let refused = ids.iter().find(|id| **id != ids[3]).expect("another row");
    bed.sql("UPDATE rs_some_miss SET n = 0").await;
    let check = format!("ALTER TABLE rs_some_miss ADD CHECK (id <> {refused} OR n = 0)");
    bed.sql(&check).await;
    let (answers, done) = together(&mut changer, &updates).await;
    done.unwrap();
    for (id, answer) in ids.iter().zip(&answers) {
        let (matched, rejected) = (answer[0].matched, answer[0].rejected.count);
        assert_eq!(rejected, u64::from(id == refused), "{answer:?}");
        assert_eq!(matched, u64::from(id != refused && *id != ids[3]), "{answer:?}");
    }
    assert_eq!(answers.len(), ids.len());
    let kept = format!("SELECT n = 0 FROM rs_some_miss WHERE id = {refused}");
    assert!(bed.ask::<bool>(&kept).await);
}

pub(crate) async fn a_warning_that_comes_too_late_ends_the_run(bed: Bed) {
    let (mut changer, plan) = table(&bed, &FEW.replace("NAME", "rs_late_word")).await;
    let updates = updates(&plan, 1..9);
    bed.sql(&format!(
        "CREATE TRIGGER rs_late_word_warns BEFORE UPDATE ON rs_late_word FOR EACH ROW
         IF NEW.id = {} THEN SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = 'a word'; END IF",
        ids(&updates)[2]
    ))
    .await;
    let (answers, done) = together(&mut changer, &updates).await;
    if !bed.is_mariadb {
        // MySQL forgets what a trigger warned of.
        return done.unwrap();
    }
    let error = done.unwrap_err();
    assert_eq!((error.kind, &*error.class), (SinkErrorKind::Fatal, "warning"));
    assert!(error.message.contains("has committed it"), "{error}");
    // All went as one command, whose answer has the warnings of all: in packets the two before would have been answered.
    assert!(answers.is_empty(), "{answers:?}");
}
