//! Transactions in memory: the accounts of faults, of replays and of what is held open.
#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its case has failed")]

use rowstorm_gen::changes::OpKind;
use rowstorm_sink::testing::{Course, sum};
use rowstorm_sink::{
    Arrived, Attempt, ChangeLimits, Changed, Fault, Memory, MemoryChanger, MemoryRow, Sink,
    SinkErrorKind, Writes,
};

/// So few rows that a transaction updates what it inserted, and deletes what it updated.
const ORDERS: &str = "
version: 1
tables:
  orders:
    key: [id]
    preload: 6
    columns:
      id:    { type: bigint, gen: sequence }
      label: { type: text, gen: { text: { bytes: 8 } } }
      size:  { type: int, gen: { uniform: [0, 1000000] } }
changes:
  streams: 1
  mix:
    - { insert: orders, weight: 2 }
    - { update: orders, set: [size], weight: 5 }
    - { read: orders, weight: 1 }
    - { delete: orders, weight: 2 }
";

struct Bed {
    memory: Memory,
    course: Course,
}

async fn bed(memory: Memory) -> Bed {
    let course = Course::begin(&memory, ORDERS).await;
    Bed { memory, course }
}

impl Bed {
    async fn changer(&self) -> MemoryChanger {
        self.memory.changer(&self.course.mix).await.unwrap()
    }

    async fn change(
        &self,
        changer: &mut MemoryChanger,
        ops: std::ops::Range<u64>,
        attempt: Attempt,
    ) -> Result<Vec<Changed>, SinkErrorKind> {
        self.course.change(changer, ops, attempt, None).await.map_err(|error| error.kind)
    }

    fn expected(&self, ops: u64) -> Vec<MemoryRow> {
        self.course.expected(ops)
    }

    fn standing(&self) -> Vec<MemoryRow> {
        let mut rows = self.memory.rows("orders");
        rows.sort_by_key(|row| row[0].to_string().parse::<i64>().unwrap());
        rows
    }
}

#[tokio::test]
async fn a_replay_of_what_was_committed_confirms_and_misses_nothing() {
    let bed = bed(Memory::new()).await;
    let mut changer = bed.changer().await;
    for first in (0..2000).step_by(40) {
        let ops = first..first + 40;
        let once = bed.change(&mut changer, ops.clone(), Attempt::First).await.unwrap();
        assert_eq!(sum(&once), [40, 0, 0, 0]);
        let again = bed.change(&mut changer, ops.clone(), Attempt::Replay).await.unwrap();
        let [matched, confirmed, missed, rejected] = sum(&again);
        assert_eq!((matched + confirmed, missed, rejected), (40, 0, 0), "{again:?}");
        assert!(confirmed > 0, "{again:?}");
        assert_eq!(bed.standing(), bed.expected(ops.end));
    }
}

#[tokio::test]
async fn a_lost_transaction_arrives_as_it_was_staged_and_its_replay_ends_the_same() {
    for arrived in [Arrived::Nothing, Arrived::NothingInDoubt, Arrived::EverythingInDoubt] {
        // The load is the first write.
        let fault = Fault::Lost { writes: Writes::Nth(2), arrived };
        let bed = bed(Memory::new().with_fault(fault)).await;
        let mut changer = bed.changer().await;
        let lost = bed.change(&mut changer, 0..100, Attempt::First).await.unwrap_err();
        assert!(matches!(lost, SinkErrorKind::Lost(_)));
        let done = if arrived == Arrived::EverythingInDoubt { 100 } else { 0 };
        assert_eq!(bed.standing(), bed.expected(done), "{arrived:?}");
        let dead = bed.change(&mut changer, 0..100, Attempt::First).await.unwrap_err();
        assert!(matches!(dead, SinkErrorKind::Lost(_)), "it is thrown away");
        let answers = bed.change(&mut bed.changer().await, 0..100, Attempt::Replay).await.unwrap();
        assert_eq!(sum(&answers)[2] + sum(&answers)[3], 0, "{answers:?}");
        assert_eq!(bed.standing(), bed.expected(100));
    }
}

#[tokio::test]
async fn a_busy_transaction_leaves_nothing_and_a_full_disk_refuses_all_of_it() {
    let busy = Fault::Busy { writes: Writes::Nth(2), retry_after: None };
    let bed =
        bed(Memory::new().with_fault(busy).with_fault(Fault::RefuseAll { writes: Writes::Nth(3) }))
            .await;
    let mut changer = bed.changer().await;
    let kind = bed.change(&mut changer, 0..50, Attempt::First).await.unwrap_err();
    assert_eq!(kind, SinkErrorKind::Busy { retry_after: None });
    let refused = bed.change(&mut changer, 0..50, Attempt::First).await.unwrap();
    assert_eq!(sum(&refused), [0, 0, 0, 50]);
    assert_eq!(bed.standing(), bed.expected(0));
    bed.change(&mut changer, 0..50, Attempt::First).await.unwrap();
    assert_eq!(bed.standing(), bed.expected(50));
}

#[tokio::test]
async fn one_refused_row_undoes_all_with_transactions_and_stands_alone_without() {
    let limits = |transactions| ChangeLimits { rows: 1024, changers: 8, transactions, pipeline: 1 };
    for (transactions, rejected) in [(true, 200), (false, 1)] {
        let faults = Memory::new().with_fault(Fault::RefuseRows { every: 7 });
        let bed = bed(faults.with_change_limits(limits(transactions))).await;
        // The first row that is inserted is row 6: its insert is refused, and what comes after misses it.
        let insert = bed.course.stream.iter(0..200).find(|op| op.kind == OpKind::Insert).unwrap();
        assert_eq!(insert.row, 6);
        let changer = &mut bed.changer().await;
        let all = bed.change(changer, 0..200, Attempt::First).await.unwrap();
        assert!(sum(&all)[3] >= rejected, "{all:?}");
        assert_eq!(transactions, bed.standing() == bed.expected(0));
        assert_eq!(transactions, sum(&all)[2] == 0, "{all:?}");
    }
}

#[tokio::test]
async fn a_row_that_is_forgotten_is_missed_by_the_next_change() {
    let bed = bed(Memory::new().with_fault(Fault::ForgetRows { every: 10 })).await;
    let answers = bed.change(&mut bed.changer().await, 0..400, Attempt::First).await.unwrap();
    let [matched, confirmed, missed, rejected] = sum(&answers);
    assert!(missed > 0 && matched > 300, "{answers:?}");
    assert_eq!((matched + missed, confirmed, rejected), (400, 0, 0));
}

#[tokio::test]
async fn what_is_held_open_is_seen_when_it_ends() {
    let bed = bed(Memory::new()).await;
    let mut changer = bed.changer().await;
    let hold = Box::pin(async { assert_eq!(bed.standing(), bed.expected(0)) });
    bed.course.change(&mut changer, 0..30, Attempt::First, Some(hold)).await.unwrap();
    assert_eq!(bed.standing(), bed.expected(30));
}
