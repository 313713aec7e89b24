//! Events among changes: each is done once, at its op and no other, whatever is in flight; and the rows are those that are computed.

use std::sync::Arc;
use std::time::Duration;

use rowstorm_gen::Plan;
use rowstorm_gen::TablePlan;
use rowstorm_gen::changes::ChangePlan;
use rowstorm_report::{EventOutcome, EventRecord};
use rowstorm_run::verify::{Claim, Verify, VerifyOptions};
use rowstorm_run::{
    ChangeOptions, Ending, EventMarks, Finished, PrepareMode, Progress, Resume, RunOptions,
    Setting, Shard, Stage,
};
use rowstorm_sink::{
    Audit, BoxSink, ChangeLimits, Event, Explanation, Limits, Memory, Prepare, Scope, Sink,
    SinkError, Statement,
};

use crate::changes::{amount, assert_done, changes, options};
use crate::stage;

const VISITS: &str = "
version: 1
tables:
  orders:
    key: [id]
    preload: 400
    columns:
      id: { type: bigint, gen: sequence }
      amount: { type: int, gen: { uniform: [1, 1000000] } }
  visits:
    key: [id]
    preload: 300
    columns:
      id: { type: bigint, gen: sequence }
      order: { type: bigint, gen: { ref: { table: orders } } }
changes:
  streams: 8
  mix:
    - { insert: visits, weight: 3 }
    - { insert: orders, weight: 1 }
    - { update: orders, set: [amount], weight: 4 }
  events:
    - { after: 5001 changes, truncate: visits }
    - { after: 12000 changes, truncate: visits }
";

fn plan() -> Plan {
    stage::plan(VISITS, None)
}

fn events(finished: &Finished) -> &[EventRecord] {
    &changes(finished).events
}

fn outcomes(finished: &Finished) -> Vec<EventOutcome> {
    events(finished).iter().map(|event| event.outcome).collect()
}

/// Every row, compared.
async fn verify(memory: &Memory, finished: &Finished) -> rowstorm_report::Verification {
    let (done, _) = changes(finished).events_done();
    let plan = ChangePlan::new(&plan()).expect("the mix compiles").after_events(done);
    let claim = Claim::changed(&plan, &changes(finished).ranges_done);
    let verify = Verify::new(claim, BoxSink::new(memory.clone()), VerifyOptions::default());
    verify.go().await.expect("memory answers")
}

fn assert_verified(memory: &Memory, finished: &Finished) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let found = runtime.block_on(verify(memory, finished));
    assert!(found.verified, "{found:#?}");
}

fn state(memory: &Memory) -> [Vec<String>; 2] {
    ["orders", "visits"].map(|table| {
        let mut rows: Vec<String> =
            memory.rows(table).iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        rows
    })
}

/// So many rows of visits are there after all ops: those that were born behind the last event.
fn visits_behind(plan: &Plan, after: u64, amount: u64) -> usize {
    let changes = ChangePlan::new(plan).expect("the mix compiles");
    let share = |amount, stream| rowstorm_gen::changes::share(amount, stream, 8);
    let of = |stream| {
        let stream_of = changes.stream(stream);
        let ops = stream_of.iter(share(after, stream)..share(amount, stream));
        ops.filter(|op| op.entry == 0).count()
    };
    (0..8).map(of).sum()
}

#[test]
fn an_event_is_done_once_at_its_op_whatever_is_in_flight() {
    let mut states = Vec::new();
    for (in_flight, transaction) in [(1, "batch"), (3, "batch"), (8, "batch"), (8, "7 rows")] {
        let text = VISITS
            .replace("  streams: 8\n", &format!("  streams: 8\n  transaction: {transaction}\n"));
        let memory = Memory::new();
        let asked = ChangeOptions { in_flight: Setting::Fixed(in_flight), ..amount(20_000) };
        let finished =
            stage::run(stage::plan(&text, None), memory.clone(), options(asked)).unwrap();
        assert_done(&finished);
        assert_eq!(outcomes(&finished), [EventOutcome::Done; 2]);
        let [first, second] = events(&finished) else { panic!("two events") };
        assert_eq!((first.after, second.after), (5_001, 12_000));
        // What stood before the first, and what was born between the two.
        let before = 300 + visits_behind(&plan(), 0, 5_001) as u64;
        let between = visits_behind(&plan(), 5_001, 12_000) as u64;
        assert_eq!((first.rows, second.rows), (Some(before), Some(between)));
        assert!(first.at_s <= second.at_s && first.seconds >= 0.0);
        assert_eq!(memory.rows("visits").len(), visits_behind(&plan(), 12_000, 20_000));
        assert_verified(&memory, &finished);
        states.push(state(&memory));
    }
    assert!(states.iter().all(|state| *state == states[0]), "the rows are the same");
}

#[test]
fn an_event_at_the_end_is_done_and_one_behind_it_is_not_reached() {
    for (ops, wanted) in [
        (5_000, [EventOutcome::NotReached; 2]),
        (5_001, [EventOutcome::Done, EventOutcome::NotReached]),
        (11_999, [EventOutcome::Done, EventOutcome::NotReached]),
    ] {
        let memory = Memory::new();
        let finished = stage::run(plan(), memory.clone(), options(amount(ops))).unwrap();
        assert_done(&finished);
        assert_eq!(outcomes(&finished), wanted, "{ops}");
        assert_eq!(memory.rows("visits").is_empty(), ops == 5_001);
        assert_verified(&memory, &finished);
    }
}

#[test]
fn a_row_that_should_have_gone_is_named() {
    let memory = Memory::new();
    let finished = stage::run(plan(), memory.clone(), options(amount(8_000))).unwrap();
    assert_done(&finished);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // As if the event had not been done: nothing is missing but by the record.
    let mut forgotten = finished;
    for event in &mut forgotten.record.changes.as_mut().unwrap().events {
        event.outcome = EventOutcome::NotReached;
    }
    let found = runtime.block_on(verify(&memory, &forgotten));
    assert!(!found.verified);
    let missing: u64 = found.tables.iter().map(|table| table.rows.missing).sum();
    assert_eq!(missing, 300 + visits_behind(&plan(), 0, 5_001) as u64);
    // As if the database had left them, which an earlier run's record shows.
    let memory = Memory::new();
    let text = VISITS.replace("5001", "9000");
    let kept =
        stage::run(stage::plan(&text, None), memory.clone(), options(amount(8_000))).unwrap();
    let mut claimed = kept;
    claimed.record.changes.as_mut().unwrap().events[0].outcome = EventOutcome::Done;
    let found = runtime.block_on(verify(&memory, &claimed));
    let phantom: u64 = found.tables.iter().map(|table| table.rows.phantom).sum();
    assert_eq!(phantom, missing);
    let named = &found.findings[0];
    assert!(named.why.contains("went with a truncate"), "{named:?}");
}

/// Stops after so many ops, and goes on from its record, as `--resume` does.
#[test]
fn a_run_that_was_stopped_does_no_event_twice_and_leaves_none_out() {
    for first in [3_000, 5_000, 5_001, 5_002, 9_000, 12_000, 12_001] {
        let memory = Memory::new();
        let stopped = stage::run(plan(), memory.clone(), options(amount(first))).unwrap();
        assert_done(&stopped);
        let progress = Progress::of(changes(&stopped));
        let asked = ChangeOptions { resume: Resume::Changes(progress), ..amount(20_000) };
        let more = RunOptions { mode: PrepareMode::Append, ..options(asked) };
        let finished = stage::run(plan(), memory.clone(), more).unwrap();
        assert_done(&finished);
        let wanted = [5_001, 12_000].map(|after| {
            if after <= first { EventOutcome::DoneBefore } else { EventOutcome::Done }
        });
        assert_eq!(outcomes(&finished), wanted, "{first}");
        assert_eq!(memory.rows("visits").len(), visits_behind(&plan(), 12_000, 20_000));
        assert_verified(&memory, &finished);
    }
}

/// Killed between the event and its mark: it is done once more, before any op behind it.
#[test]
fn an_event_in_doubt_is_done_once_more() {
    for was_done in [true, false] {
        let memory = Memory::new();
        let before = VISITS.replace("after: 5001 changes", "after: 5002 changes");
        let text = if was_done { VISITS } else { &before };
        let stopped =
            stage::run(stage::plan(text, None), memory.clone(), options(amount(5_001))).unwrap();
        assert_eq!(memory.rows("visits").is_empty(), was_done);
        let done = changes(&stopped).ranges_done.clone();
        let events = EventMarks { done: 0, begun: 1 };
        let progress = Progress { events, ..Progress::new(done) };
        let asked = ChangeOptions { resume: Resume::Changes(progress), ..amount(9_000) };
        let more = RunOptions { mode: PrepareMode::Append, ..options(asked) };
        let finished = stage::run(plan(), memory.clone(), more).unwrap();
        assert_done(&finished);
        assert_eq!(outcomes(&finished), [EventOutcome::Done, EventOutcome::NotReached]);
        assert_verified(&memory, &finished);
    }
}

/// A memory that does events and never says so.
#[derive(Debug, Clone)]
struct Mute(Memory);

impl Sink for Mute {
    type Writer = <Memory as Sink>::Writer;
    type Encoder = <Memory as Sink>::Encoder;
    type Changer = <Memory as Sink>::Changer;

    fn limits(&self, table: &TablePlan) -> Limits {
        self.0.limits(table)
    }

    fn encoder(&self, table: &TablePlan) -> Self::Encoder {
        self.0.encoder(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        self.0.explain(table, prepare)
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.0.prepare(table, prepare).await
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<Self::Writer, SinkError> {
        self.0.writer(table).await
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.0.finish(table, prepare).await
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        self.0.audit(table, scope).await
    }

    fn change_limits(&self, mix: &[Statement]) -> Result<ChangeLimits, SinkError> {
        self.0.change_limits(mix)
    }

    async fn changer(&self, mix: &Arc<[Statement]>) -> Result<Self::Changer, SinkError> {
        self.0.changer(mix).await
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        self.0.explain_event(event)
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        self.0.event(event).await?;
        std::future::pending().await
    }
}

#[test]
fn an_event_that_is_not_answered_in_time_is_in_doubt() {
    let memory = Memory::new();
    let asked = options(amount(9_000));
    let short = RunOptions { timeout: Duration::from_millis(10), ..asked };
    let ended = stage::run(plan(), Mute(memory.clone()), short).unwrap();
    assert!(matches!(ended.ending, Ending::Failed(_)), "{:?}", ended.ending);
    assert_eq!(outcomes(&ended), [EventOutcome::InDoubt, EventOutcome::NotReached]);
    assert!(memory.rows("visits").is_empty(), "it was done all the same");
}

#[test]
fn a_schedule_goes_on_during_an_event() {
    let memory = Memory::new();
    let stage = Stage { rate: Some(20_000.0), length: Some(Duration::from_millis(900)) };
    let asked = ChangeOptions { stages: vec![stage], ..ChangeOptions::default() };
    let finished = stage::run(plan(), memory.clone(), options(asked)).unwrap();
    assert_done(&finished);
    assert_eq!(outcomes(&finished), [EventOutcome::Done; 2]);
    let at = events(&finished)[0].at_s.expect("it was sent");
    assert!((0.2..0.9).contains(&at), "5,001 ops at 20,000/s: {at}");
    assert_verified(&memory, &finished);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_done() {
    let refused = |text: &str, options: RunOptions| {
        let memory = Memory::new();
        let error = stage::run(stage::plan(text, None), memory.clone(), options);
        assert_eq!(memory.writes(), 0);
        error.expect_err("it is refused").to_string()
    };
    let resume = Resume::Changes(Progress::new(vec![0; 8]));
    let shard = Some(Shard { index: 1, count: 2 });
    let asked = options(ChangeOptions { resume, ..amount(9) });
    let sharded = RunOptions { shard, mode: PrepareMode::Append, ..asked };
    assert!(refused(VISITS, sharded).contains("--shard"));
    let words = VISITS.replace("truncate: visits", "statement: VACUUM");
    assert!(refused(&words, options(amount(9))).contains("knows no statements"));
    let short = VISITS
        .replace("type: bigint, gen: sequence", "type: smallint, gen: sequence")
        .replace("12000", "900000");
    let told = refused(&short, options(amount(9)));
    assert!(told.contains("changes.events[1].after") && told.contains("run out"), "{told}");
}

#[test]
fn a_run_that_is_stopped_by_time_before_an_event_ends_well() {
    let memory = Memory::new();
    let stage = Stage { rate: Some(1_000.0), length: Some(Duration::from_millis(300)) };
    let asked = ChangeOptions { stages: vec![stage], ..ChangeOptions::default() };
    let finished = stage::run(plan(), memory.clone(), options(asked)).unwrap();
    assert!(matches!(finished.ending, Ending::Done), "{:?}", finished.ending);
    assert_eq!(outcomes(&finished), [EventOutcome::NotReached; 2]);
    assert_verified(&memory, &finished);
}
