//! The binary log, held against what was acknowledged and against what is in the tables.

use rowstorm_gen::Value;
use rowstorm_gen::changes::{ChangeBatch, Fate};
use rowstorm_mysql::cdc::{Decoding, Events, Follower, Logged};
use rowstorm_sink::{Attempt, ChangeLog as _, End, Sink as _, SinkErrorKind, Statement};

use crate::bed::{Bed, LABEL, RECREATE, table};
use crate::changes::{changes, done, load, scanned, texts};

/// Every type beside one table whose rows get other keys. Each update changes its row: it has a `now`.
const LOGGED: &str = r#"
version: 1
tables:
  rs_logged:
    key: [id]
    preload: 60
    columns:
      id:     { type: bigint, gen: sequence }
      flag:   { type: bool, gen: { one_of: [true, false] }, nulls: 0.1 }
      level:  { type: smallint, gen: { uniform: [-32768, 32767] } }
      real:   { type: real, gen: { normal: { mean: 0, stdev: 1 } } }
      float:  { type: float, gen: { normal: { mean: 0, stdev: 1e12 } }, nulls: 0.3 }
      price:  { type: "decimal(12,4)", gen: { uniform: [-500.0000, 99999999.9999] }, nulls: 0.1 }
      digest: { type: bytes, gen: { text: { min: 0, max: 9 } } }
      token:  { type: uuid, gen: uuid_v4 }
      name:   { type: text, gen: { one_of: ["O'Hara", "a\\b", "tab\tline\n", "", "ö"] }, nulls: 0.2 }
      short:  { type: varchar(20), gen: { one_of: [x, "y "] } }
      note:   { type: json, gen: { one_of: [ { a: "it's" }, [1, 2], "x" ] } }
      at:     { type: timestamp, gen: now }
  rs_moved:
    key: [token]
    preload: 20
    columns:
      token: { type: uuid, gen: uuid_v4 }
      uses:  { type: int, gen: { uniform: [0, 1000000] } }
changes:
  streams: 1
  transaction: 10 rows
  rollback: 0.3
  mix:
    - { insert: rs_logged, weight: 5 }
    - { update: rs_logged, set: [flag, level, real, float, price, digest, token, name, short, note, at], weight: 10 }
    - { delete: rs_logged, weight: 4 }
    - { read: rs_logged, weight: 1 }
    - { insert: rs_moved, weight: 1 }
    - { rekey: rs_moved, weight: 2 }
"#;

pub(crate) async fn the_log_has_an_event_for_every_row_that_was_acknowledged(bed: Bed) {
    const OPS: u64 = 460;
    let (sink, plan) = (bed.sink().await, changes(LOGGED));
    load(&bed, &sink, &plan).await;
    let tables = [plan.table(0).clone(), plan.table(1).clone()];
    let mut rows = [scanned(&sink, &tables[0]).await, scanned(&sink, &tables[1]).await];
    let mut counted = Decoding::begin(bed.options(), &tables).await.unwrap();
    let mut followed = Follower::begin(bed.options(), &tables).await.unwrap();
    let (stream, mut batch) = (plan.stream(0), ChangeBatch::default());
    let mut changer = sink.changer(&Statement::all(&plan)).await.unwrap();
    let mut first = 0;
    while first < OPS {
        let ops = stream.transaction(first, 1);
        if stream.rolls_back(first) {
            stream.fill(ops.clone(), Fate::RollBack, &mut batch);
            done(&mut changer, &batch, End::RollBack, Attempt::First).await.unwrap();
        }
        stream.fill(ops.clone(), Fate::Commit, &mut batch);
        done(&mut changer, &batch, End::Commit, Attempt::First).await.unwrap();
        // In several goes, over a rotation of the log's files.
        if first == OPS / 2 {
            bed.sql("FLUSH BINARY LOGS").await;
            assert!(counted.read().await.unwrap() > 0);
        }
        first = ops.end;
    }
    counted.read().await.unwrap();
    assert_eq!(counted.read().await.unwrap(), 0, "nothing is counted twice");
    assert_eq!(counted.transactions(), OPS / 10);
    let count = |entry| stream.count(entry, OPS);
    let logged =
        Events { inserted: count(0), updated: count(1), deleted: count(2), ..Events::default() };
    assert_eq!(counted.events("rs_logged"), logged);
    let moved = Events { inserted: count(4), rekeyed: count(5), ..Events::default() };
    assert_eq!(counted.events("rs_moved"), moved);
    let mut commits = 0;
    while commits < OPS / 10 {
        match followed.next().await.unwrap() {
            Logged::Commit => {
                commits += 1;
                // Another goes on where this one stands, in the first file of the log and in the second.
                if commits % 10 == 0 {
                    let (file, offset) = followed.position();
                    let at = (file.to_owned(), offset);
                    let next = Follower::begin_at(bed.options(), &tables, (&at.0, at.1)).await;
                    followed = next.unwrap();
                }
            }
            Logged::Row(change) => {
                let rows = &mut rows[usize::from(&*change.table == "rs_moved")];
                if let Some(before) = change.before {
                    assert_eq!(rows.remove(&key(&before)), Some(texts(before)), "as it was");
                }
                if let Some(after) = change.after {
                    assert_eq!(rows.insert(key(&after), texts(after)), None);
                }
            }
        }
    }
    for (rows, table) in rows.iter().zip(&tables) {
        assert_eq!(*rows, scanned(&sink, table).await);
    }
}

/// Nothing is left out in silence.
pub(crate) async fn a_place_that_is_not_in_the_log_is_no_place_to_go_on(bed: Bed) {
    let table = table("rs_no_place", LABEL);
    bed.sink().await.prepare(&table, &RECREATE).await.unwrap();
    let absent = Follower::begin_at(bed.options(), &[table], ("binlog.999999", 4)).await;
    let error = match absent {
        Ok(mut follower) => follower.next().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error}");
}

/// Both tables' keys are their first columns.
fn key(row: &[Value]) -> String {
    format!("{:?}", &row[..1])
}
