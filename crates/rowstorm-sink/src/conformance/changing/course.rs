//! A document's own changes, over several streams in any order: what the database holds is what the generator expects.

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, ChangeStream, Fate};
use rowstorm_gen::schema::Schema;
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Plan, PlanOptions};

use super::super::values::fill;
use super::super::{Bed, Case, Need, Subject, compare};
use super::mix::{answered, sum};
use crate::{Attempt, Change, Changed, Changer, End, Sink, Statement};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let rekey = &[Need::Rows, Need::Keys, Need::Changes, Need::Rekey];
    vec![
        Case::new("streams in any order end as expected", needs, |bed: Bed<S>| run(bed, EVERY)),
        Case::new("rekeys in any order end as expected", rekey, |bed: Bed<S>| run(bed, REKEYED)),
    ]
}

/// Two tables, every type, states, foreign keys, rows that are updated and deleted in one transaction.
const EVERY: &str = r#"{"version":1,"tables":{
  "rowstorm_course_parents":{"key":["id"],"preload":40,"columns":{
    "id":{"type":"bigint","gen":"sequence"},
    "name":{"type":"text","gen":{"fake":"name"}},
    "photo":{"type":"bytes","gen":{"text":{"bytes":2000}}},
    "updated_at":{"type":"timestamp","gen":"now"}}},
  "rowstorm_course_children":{"key":["id"],"preload":100,"columns":{
    "id":{"type":"bigint","gen":"sequence"},
    "parent":{"type":"bigint","gen":{"ref":{"table":"rowstorm_course_parents"}}},
    "status":{"type":"text","gen":{"states":{"start":["open"],"next":{"open":["paid"],"paid":["it's sent"]}}}},
    "flag":{"type":"bool","gen":{"one_of":[true,false]},"nulls":0.2},
    "level":{"type":"smallint","gen":{"uniform":[-9,9]},"nulls":0.2},
    "country":{"type":"varchar(2)","gen":{"fake":"country_code"},"nulls":0.2},
    "email":{"type":"text","gen":{"template":"{country}.{id}@example.org"}},
    "amount":{"type":"decimal(12,4)","gen":{"log_normal":{"median":40.0,"sigma":0.8}},"nulls":0.2},
    "ratio":{"type":"real","gen":{"normal":{"mean":0.0,"stdev":1.0}},"nulls":0.2},
    "wait":{"type":"float","gen":{"exponential":{"mean":3.0}}},
    "at":{"type":"timestamp","gen":"now"},
    "token":{"type":"uuid","gen":"uuid_v4","nulls":0.2},
    "raw":{"type":"bytes","gen":{"text":{"min":0,"max":40}},"nulls":0.2},
    "place":{"type":"object","nulls":0.2,"gen":{"object":{
      "city":{"type":"text","gen":{"fake":"city"},"nulls":0.3},
      "size":{"type":"int","gen":{"uniform":[0,1000]}},
      "tags":{"type":"array","gen":{"array":{"type":"text","gen":{"fake":"word"},"min":0,"max":3}}}}}},
    "points":{"type":"array","nulls":0.2,
      "gen":{"array":{"type":"float","gen":{"uniform":[0.0,1.0]},"nulls":0.1,"min":0,"max":5}}}}}},
 "changes":{"streams":8,"mix":[
    {"insert":"rowstorm_course_parents","weight":1},
    {"update":"rowstorm_course_parents","set":["name","updated_at"],"weight":2},
    {"insert":"rowstorm_course_children","weight":5},
    {"update":"rowstorm_course_children","set":["status","at"],"pick":"latest","weight":4},
    {"update":"rowstorm_course_children","set":["flag","level","country","email","amount","ratio","wait",
      "token","raw","place","points"],"pick":{"zipf":1.1},"weight":6},
    {"update":"rowstorm_course_children","set":["amount"],"pick":"oldest","weight":3},
    {"read":"rowstorm_course_children","pick":"latest","weight":2},
    {"delete":"rowstorm_course_children","weight":4}]}}"#;

/// Keys that change, and are found again under others.
const REKEYED: &str = r#"{"version":1,"tables":{
  "rowstorm_course_tokens":{"key":["token"],"preload":400,"columns":{
    "token":{"type":"uuid","gen":"uuid_v4"},
    "uses":{"type":"int","gen":{"uniform":[0,1000000]}},
    "note":{"type":"text","gen":{"text":{"bytes":30}},"nulls":0.3}}}},
 "changes":{"streams":8,"mix":[
    {"insert":"rowstorm_course_tokens","weight":3},
    {"update":"rowstorm_course_tokens","set":["uses"],"pick":{"zipf":1.2},"weight":5},
    {"rekey":"rowstorm_course_tokens","pick":"uniform","weight":2},
    {"delete":"rowstorm_course_tokens","pick":"uniform","weight":2}]}}"#;

/// Ops of each stream, and of a transaction: no multiple of it.
const OPS: u64 = 250;
const TRANSACTION_OPS: u64 = 37;
/// Changers at work at once, where the database takes so many.
const CHANGERS: u32 = 3;

async fn run<S: Subject>(bed: Bed<S>, document: &str) {
    let schema: Schema = serde_json::from_str(document).expect("the suite's documents are valid");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("the suite's documents compile");
    let changes = ChangePlan::new(&plan).expect("the suite's changes compile");
    for table in plan.tables() {
        bed.recreate(table).await;
        for batch in fill(table, table.rows.expect("the tables have a preload")) {
            bed.write(table, &batch).await;
        }
    }
    let mix = Statement::all(&changes);
    let limits = bed.sink.change_limits(&mix).expect("the mix is taken");
    let lanes = u64::from(limits.changers.min(CHANGERS));
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..lanes {
        let streams = (0..changes.streams()).filter(|stream| u64::from(*stream) % lanes == lane);
        let mut work = Lane {
            changer: bed.changer(&mix).await,
            streams: streams.map(|stream| (changes.stream(stream), 0)).collect(),
            draws: lane,
            rolls_back: limits.transactions,
        };
        tasks.spawn(async move { work.run().await });
    }
    let mut total = [0; 4];
    while let Some(lane) = tasks.join_next().await {
        let sum = lane.expect("the lane ends well");
        total.iter_mut().zip(sum).for_each(|(total, sum)| *total += sum);
    }
    assert_eq!(total, [OPS * u64::from(changes.streams()), 0, 0, 0], "all is matched");
    assert_expected(&bed, &changes).await;
}

/// One changer, and the streams that it does.
struct Lane<C> {
    changer: C,
    /// With how many ops of each are done.
    streams: Vec<(ChangeStream, u64)>,
    draws: u64,
    rolls_back: bool,
}

impl<C: Changer> Lane<C> {
    /// Takes a stream that is not done, again and again, in a scrambled order.
    async fn run(&mut self) -> [u64; 4] {
        let mut batch = ChangeBatch::default();
        let mut total = [0; 4];
        let mut turn = 0;
        while self.streams.iter().any(|(_, done)| *done < OPS) {
            // Knuth's generator: any will do.
            self.draws = self.draws.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (self.draws >> 33) as usize % self.streams.len();
            let (stream, done) = self.streams[at].clone();
            let ops = done..(done + TRANSACTION_OPS).min(OPS);
            if ops.is_empty() {
                continue;
            }
            turn += 1;
            if self.rolls_back && turn % 5 == 0 {
                stream.fill(ops.clone(), Fate::RollBack, &mut batch);
                self.transact(&batch, End::RollBack, Attempt::First).await;
            }
            stream.fill(ops.clone(), Fate::Commit, &mut batch);
            let answers = self.transact(&batch, End::Commit, Attempt::First).await;
            total.iter_mut().zip(sum(&answers)).for_each(|(total, sum)| *total += sum);
            if turn % 7 == 0 {
                let again = self.transact(&batch, End::Commit, Attempt::Replay).await;
                assert_eq!(sum(&again)[2..], [0, 0], "a replay misses nothing: {again:?}");
            }
            self.streams[at].1 = ops.end;
        }
        total
    }

    async fn transact(&mut self, batch: &ChangeBatch, end: End, attempt: Attempt) -> Vec<Changed> {
        let groups: Vec<Change<'_>> = batch
            .groups()
            .iter()
            .map(|group| Change { statement: group.entry, batch: &group.batch })
            .collect();
        answered(&mut self.changer, &groups, end, attempt).await
    }
}

/// Compares whole tables, in the order of their first column.
async fn assert_expected<S: Subject>(bed: &Bed<S>, changes: &ChangePlan) {
    let streams: Vec<_> =
        (0..changes.streams()).map(|stream| changes.stream(stream).expected(OPS)).collect();
    for (number, table) in changes.plan().tables().iter().enumerate() {
        // Rows of the generator by the text of their key, as the database's are.
        let mut wanted: Vec<(Vec<Option<String>>, Batch)> = Vec::new();
        for expected in &streams {
            for row in expected.rows(number) {
                let mut one = Batch::default();
                expected.fill(number, &[row], &mut one);
                let key = changes.table(number).read(&one)[0].values()[0].to_text();
                wanted.push((vec![key], one));
            }
        }
        assert!(wanted.len() > BATCH_ROWS_MAX / 32, "rows are left to compare");
        wanted.sort_by_key(|(row, _)| order(row));
        let mut read = bed.read(table).await;
        read.sort_by_key(|row| order(row));
        let wanted: Vec<Batch> = wanted.into_iter().map(|(_, row)| row).collect();
        compare::assert_rows::<S>(changes.table(number), &wanted, &read);
    }
}

/// Numbers by their value, other keys by their text.
fn order(row: &[Option<String>]) -> (i64, String) {
    let text = row[0].clone().unwrap_or_default().to_lowercase();
    (text.parse().unwrap_or(0), text)
}
