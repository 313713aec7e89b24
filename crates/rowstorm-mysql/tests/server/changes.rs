//! Changes: everything that a mix can say, done by several connections at once, and compared with what must be there.

use std::collections::BTreeMap;
use std::sync::Arc;

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Plan, PlanOptions, TablePlan, Value};
use rowstorm_mysql::{Mysql, MysqlChanger};
use rowstorm_sink::{
    Attempt, Change, Changed, Changer as _, Encoder as _, End, Hold, Payload, Sink, SinkError,
    SinkErrorKind, Statement, Transaction, Writer as _,
};

use crate::bed::{Bed, RECREATE};

/// Every type, nulls, keys of one, two and three columns, texts that end in spaces and hold what would end a literal.
const SCHOOL: &str = r#"
version: 1
tables:
  rs_pupils:
    key: [id]
    preload: 200
    columns:
      id:     { type: bigint, gen: sequence }
      email:  { type: varchar(40), gen: { template: "{name}.{id}@example.org" }, unique: true }
      name:   { type: text, gen: { one_of: ["O'Hara", "a\\b ", "tab\tline\n", "", "ö"] }, nulls: 0.2 }
      is_old: { type: bool, gen: { one_of: [true, false] }, nulls: 0.1 }
      level:  { type: smallint, gen: { uniform: [-32768, 32767] } }
      real:   { type: real, gen: { normal: { mean: 0, stdev: 1e-3 } } }
      float:  { type: float, gen: { normal: { mean: 0, stdev: 1e12 } }, nulls: 0.3 }
      price:  { type: "decimal(38,10)", gen: { log_normal: { median: 40, sigma: 3 } } }
      digest: { type: bytes, gen: { text: { min: 0, max: 9 } }, nulls: 0.1 }
      due:    { type: timestamp, gen: { uniform: [1000-01-01T00:00:00Z, 9999-01-01T00:00:00Z] }, nulls: 0.2 }
      token:  { type: uuid, gen: uuid_v4 }
      note:   { type: json, gen: { one_of: [ { a: "it's" }, [1, 2], "x" ] } }
      kept:   { type: text, gen: { text: { bytes: 60 } } }
      at:     { type: timestamp, gen: now }
  rs_marks:
    key: [pupil, subject, day]
    preload: 300
    columns:
      pupil:   { type: int, gen: sequence }
      subject: { type: uuid, gen: uuid_v7 }
      day:     { type: timestamp, gen: { clock: { start: 2026-01-01T00:00:00Z, step: 1s } } }
      mark:    { type: "decimal(3,1)", gen: { uniform: [1.0, 6.0] }, nulls: 0.5 }
  rs_keys:
    key: [token]
    preload: 100
    columns:
      token: { type: uuid, gen: uuid_v4 }
      uses:  { type: int, gen: { uniform: [0, 1000000] } }
  rs_pairs:
    key: [left, right]
    preload: 100
    columns:
      left:  { type: uuid, gen: uuid_v4 }
      right: { type: uuid, gen: uuid_v4 }
      uses:  { type: int, gen: { uniform: [0, 1000000] } }
changes:
  streams: 4
  transaction: 40 rows
  mix:
    - { insert: rs_pupils, weight: 10 }
    - { update: rs_pupils, set: [email, name, is_old, level, real, float, price, digest, due, token, note, at], pick: latest, weight: 20 }
    - { update: rs_pupils, set: [level], pick: uniform, weight: 10 }
    - { delete: rs_pupils, pick: uniform, weight: 8 }
    - { read: rs_pupils, weight: 5 }
    - { insert: rs_marks, weight: 10 }
    - { update: rs_marks, set: [mark], weight: 10 }
    - { delete: rs_marks, weight: 9 }
    - { read: rs_marks, weight: 3 }
    - { insert: rs_keys, weight: 2 }
    - { update: rs_keys, set: [uses], weight: 5 }
    - { rekey: rs_keys, pick: uniform, weight: 5 }
    - { insert: rs_pairs, weight: 2 }
    - { update: rs_pairs, set: [uses], weight: 5 }
    - { rekey: rs_pairs, pick: oldest, weight: 5 }
"#;

pub(crate) fn changes(text: &str) -> ChangePlan {
    let schema = Schema::parse(text, Format::Yaml, "case.yaml").expect("the case's schema");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("the case's schema compiles");
    ChangePlan::new(&plan).expect("the case's changes compile")
}

/// A schema's tables under names of the case's own, loaded.
pub(crate) async fn load(bed: &Bed, sink: &Mysql, changes: &ChangePlan) {
    for table in changes.plan().tables() {
        bed.sql(&format!("DROP TABLE IF EXISTS `{}`", table.name)).await;
        sink.prepare(table, &RECREATE).await.unwrap();
        let mut batch = Batch::default();
        table.fill(0..table.rows.unwrap(), &mut batch);
        let mut payload = Payload { rows: batch.rows.clone(), ..Payload::default() };
        sink.encoder(table).encode(&batch, &mut payload);
        let outcome = sink.writer(table).await.unwrap().write(&payload).await.unwrap();
        assert_eq!(outcome.accepted, payload.len());
    }
}

pub(crate) async fn done(
    changer: &mut MysqlChanger,
    batch: &ChangeBatch,
    end: End,
    attempt: Attempt,
) -> Result<Vec<Changed>, SinkError> {
    held(changer, batch, end, attempt, None).await
}

pub(crate) async fn held(
    changer: &mut MysqlChanger,
    batch: &ChangeBatch,
    end: End,
    attempt: Attempt,
    hold: Option<Hold<'_>>,
) -> Result<Vec<Changed>, SinkError> {
    let groups = batch.groups().iter();
    let groups: Vec<_> =
        groups.map(|group| Change { statement: group.entry, batch: &group.batch }).collect();
    let changed = changer.change(Transaction { groups: &groups, end, attempt, hold }).await?;
    assert_eq!(changed.len(), groups.len());
    for (changed, group) in changed.iter().zip(&groups) {
        assert_eq!(changed.rows(), group.batch.len() as u64, "{changed:?}");
    }
    Ok(changed)
}

/// All ops of a stream in order; every third transaction is rolled back first, every fifth done again as a replay.
async fn run(sink: Mysql, plan: ChangePlan, stream: u32, ops: u64) {
    let stream = plan.stream(stream);
    let mut changer = sink.changer(&Statement::all(&plan)).await.unwrap();
    let (mut batch, mut first) = (ChangeBatch::default(), 0);
    while first < ops {
        let range = stream.transaction(first, 1);
        let range = range.start..range.end.min(ops);
        let whole = |changed: &Changed| changed.missed == 0 && changed.rejected.count == 0;
        if first % 3 == 0 {
            stream.fill(range.clone(), Fate::RollBack, &mut batch);
            let changed = again(&mut changer, &batch, End::RollBack, Attempt::First).await;
            assert!(changed.iter().all(|changed| changed.matched == changed.rows()), "{changed:?}");
        }
        stream.fill(range.clone(), Fate::Commit, &mut batch);
        let changed = again(&mut changer, &batch, End::Commit, Attempt::First).await;
        assert!(changed.iter().all(|changed| changed.matched == changed.rows()), "{changed:?}");
        if first % 5 == 0 {
            let changed = again(&mut changer, &batch, End::Commit, Attempt::Replay).await;
            assert!(changed.iter().all(whole), "{range:?}: {changed:?}");
        }
        first = range.end;
    }
}

/// Until the server is not busy: several connections may come into each other's way.
async fn again(
    changer: &mut MysqlChanger,
    batch: &ChangeBatch,
    end: End,
    attempt: Attempt,
) -> Vec<Changed> {
    loop {
        match done(changer, batch, end, attempt).await {
            Ok(changed) => return changed,
            Err(error) => assert!(matches!(error.kind, SinkErrorKind::Busy { .. }), "{error:?}"),
        }
    }
}

/// Values as text: what a database makes of a document has no spaces that count.
pub(crate) fn texts(row: Vec<Value>) -> Vec<String> {
    let text = |value: Value| match value {
        Value::Json(text) => text.replace(' ', ""),
        value => format!("{value:?}"),
    };
    row.into_iter().map(text).collect()
}

/// Rows by their key.
fn sorted(
    table: &TablePlan,
    rows: impl Iterator<Item = Vec<Value>>,
) -> BTreeMap<String, Vec<String>> {
    let row = |row: Vec<Value>| {
        let key = table.key.iter().map(|place| &row[*place]).collect::<Vec<_>>();
        (format!("{key:?}"), texts(row))
    };
    rows.map(row).collect()
}

/// All rows that are there, by their key.
pub(crate) async fn scanned(sink: &Mysql, table: &Arc<TablePlan>) -> BTreeMap<String, Vec<String>> {
    let mut scan = sink.scan(table).await.unwrap();
    let mut found = Vec::new();
    loop {
        let rows = scan.next().await.unwrap();
        if rows.is_empty() {
            let count = found.len();
            let found = sorted(table, found.into_iter());
            assert_eq!(found.len(), count, "no key comes twice");
            return found;
        }
        found.extend(rows);
    }
}

pub(crate) async fn changes_by_several_connections_leave_what_must_be_there(bed: Bed) {
    const OPS: u64 = 1000;
    let (sink, plan) = (bed.sink().await, changes(SCHOOL));
    load(&bed, &sink, &plan).await;
    let streams = (0..plan.streams()).map(|stream| {
        let (sink, plan) = (sink.clone(), plan.clone());
        tokio::spawn(run(sink, plan, stream, OPS))
    });
    for stream in streams.collect::<Vec<_>>() {
        stream.await.unwrap();
    }
    let expected: Vec<_> = (0..plan.streams()).map(|s| plan.stream(s).expected(OPS)).collect();
    for at in 0..plan.plan().tables().len() {
        let table = plan.table(at);
        let wanted = expected.iter().flat_map(|expected| {
            let rows: Vec<u64> = expected.rows(at).collect();
            let mut batch = Batch::default();
            expected.fill(at, &rows, &mut batch);
            table.read(&batch).into_iter().map(|row| row.values().to_vec()).collect::<Vec<_>>()
        });
        let wanted = sorted(table, wanted);
        let found = scanned(&sink, table).await;
        assert_eq!(found.len(), wanted.len(), "{}", table.name);
        for (key, row) in &wanted {
            assert_eq!(found.get(key), Some(row), "{} {key}", table.name);
        }
    }
}
