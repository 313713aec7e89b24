//! What a run leaves is what `verify` expects, and an op more or less is found out.

use rowstorm_gen::changes::{ChangePlan, OpKind};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions};
use rowstorm_report::{RunRecord, Verification, Wrongs};
use rowstorm_run::verify::{Claim, Depth, Verify, VerifyOptions};
use rowstorm_run::{ChangeOptions, Ending, Run, RunOptions, Setting};
use rowstorm_sink::{BoxSink, Memory};

const SHOP: &str = "
version: 1
tables:
  customers:
    key: [id]
    preload: 500
    columns:
      id: { type: bigint, gen: sequence }
      email: { type: text, gen: { template: 'u{0..999999}.{id}@example.org' } }
      seen_at: { type: timestamp, gen: now }
  orders:
    key: [id]
    preload: 2000
    columns:
      id: { type: bigint, gen: sequence }
      customer_id: { type: bigint, gen: { ref: { table: customers } } }
      status: { type: text, gen: { states: { next: { open: [paid], paid: { sent: 9, lost: 1 } } } } }
      note: { type: text, gen: { text: { bytes: 20 } } }
  log:
    columns:
      n: { type: int, gen: { uniform: [0, 9] } }
    preload: 300
changes:
  streams: 16
  transaction: 20 rows
  rollback: 0.2
  mix:
    - { insert: customers, weight: 2 }
    - { update: customers, set: [email, seen_at], pick: { zipf: 1.1 }, weight: 4 }
    - { insert: orders, weight: 5 }
    - { update: orders, set: [status], weight: 4 }
    - { update: orders, set: [note], pick: latest, weight: 3 }
    - { delete: orders, weight: 2 }
    - { insert: log, weight: 1 }
";

fn changes() -> ChangePlan {
    let schema = Schema::parse(SHOP, Format::Yaml, "shop.yaml").expect("the document is valid");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("it compiles");
    ChangePlan::new(&plan).expect("its changes compile")
}

async fn verify(sink: &BoxSink, done: &[u64], options: VerifyOptions) -> Verification {
    Verify::new(Claim::changed(&changes(), done), sink.clone(), options)
        .go()
        .await
        .expect("memory answers")
}

async fn run() -> (BoxSink, RunRecord) {
    let sink = BoxSink::new(Memory::new());
    let amount = ChangeOptions { amount: Some(20_000), ..ChangeOptions::default() };
    let options = RunOptions {
        changes: Some(ChangeOptions { in_flight: Setting::Fixed(8), ..amount }),
        ..RunOptions::default()
    };
    let finished =
        Run::new(changes().plan().clone(), sink.clone(), options).go().await.expect("it begins");
    assert!(matches!(finished.ending, Ending::Done), "{:?}", finished.ending);
    (sink, finished.record)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_leave_is_what_is_expected() {
    let (sink, record) = run().await;
    let done = record.changes.expect("there were changes").ranges_done;
    assert_eq!(done.iter().sum::<u64>(), 20_000);
    for (depth, memory_bytes) in
        [(Depth::Full, 512 << 20), (Depth::Full, 20_000), (Depth::Counts, 1)]
    {
        let options = VerifyOptions { depth, memory_bytes, ..VerifyOptions::default() };
        let found = verify(&sink, &done, options).await;
        assert!(found.verified, "{found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_op_more_or_less_is_found_out() {
    let (sink, record) = run().await;
    let done = record.changes.expect("there were changes").ranges_done;
    let plan = changes();
    for stream in 0..16 {
        // As if the next op had been lost, and as if the last one had not been meant.
        let (mut lost, mut beyond) = (done.clone(), done.clone());
        lost[stream] += 1;
        beyond[stream] -= 1;
        let found = verify(&sink, &lost, VerifyOptions::default()).await;
        let rows = found.tables.iter().fold(Wrongs::default(), |sum, table| sum.and(table.rows));
        let kind = plan.stream(stream as u32).op(done[stream]).kind;
        let expected = match kind {
            OpKind::Insert => rows.missing,
            OpKind::Update => rows.stale,
            OpKind::Delete => rows.phantom,
            OpKind::Rekey | OpKind::Read => unreachable!("the mix has none"),
        };
        // A state that was the last one stays as it is.
        let is_unseen = kind == OpKind::Update && found.verified;
        assert!(is_unseen || (expected, rows.total()) == (1, 1), "{kind:?}: {found:#?}");
        let found = verify(&sink, &beyond, VerifyOptions::default()).await;
        let total: u64 = found.tables.iter().map(|table| table.rows.total()).sum();
        assert!(total <= 1 && found.tables.iter().all(|table| table.rows.wrong == 0), "{found:#?}");
    }
}
