//! Transactions that SQLite cannot do, or is not let end.
#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its case has failed")]

use std::time::Duration;

use rowstorm_sink::testing::{Course, sum};
use rowstorm_sink::{Attempt, Changed, Hold, Sink, SinkError, SinkErrorKind};
use rowstorm_sqlite::{Sqlite, SqliteChanger};
use rusqlite::Connection;

const DOCUMENT: &str = "
version: 1
tables:
  t:
    key: [id]
    preload: 20
    columns:
      id:   { type: bigint, gen: sequence }
      body: { type: text, gen: { text: { bytes: 500 } } }
changes:
  streams: 1
  mix:
    - { insert: t, weight: 3 }
    - { update: t, set: [body], weight: 2 }
    - { delete: t, weight: 1 }
";

struct Bed {
    sqlite: Sqlite,
    course: Course,
}

async fn bed(sqlite: Sqlite) -> Bed {
    let course = Course::begin(&sqlite, DOCUMENT).await;
    Bed { sqlite, course }
}

impl Bed {
    async fn changer(&self) -> SqliteChanger {
        self.sqlite.changer(&self.course.mix).await.unwrap()
    }

    async fn change(
        &self,
        changer: &mut SqliteChanger,
        ops: std::ops::Range<u64>,
        hold: Option<Hold<'_>>,
    ) -> Result<Vec<Changed>, SinkError> {
        self.course.change(changer, ops, Attempt::First, hold).await
    }

    /// By a connection of its own.
    fn other(&self) -> Connection {
        Connection::open(self.sqlite.path()).unwrap()
    }

    /// Counts by another way than the sink's.
    fn count(&self) -> u64 {
        let count =
            self.other().query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
        count.unwrap() as u64
    }
}

/// Matched and rejected rows, and the one class of refusals.
fn told(changed: &[Changed]) -> (u64, u64, Option<&str>) {
    let class = changed.iter().find_map(|group| group.rejected.refusals.first());
    let [matched, _, _, rejected] = sum(changed);
    (matched, rejected, class.map(|refusal| &*refusal.class))
}

#[tokio::test]
async fn a_locked_database_is_busy_and_nothing_was_changed() {
    let bed = bed(Sqlite::temporary().unwrap()).await;
    // Impatient is only who shall meet the lock: a connection that closes has one for a moment, too.
    let hasty = bed.sqlite.clone().with_lock_wait(Duration::from_millis(100));
    let mut changer = hasty.changer(&bed.course.mix).await.unwrap();
    let lock = bed.other();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = bed.change(&mut changer, 0..30, None).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Busy { retry_after: None });
    lock.execute_batch("ROLLBACK").unwrap();
    assert_eq!(bed.count(), 20);
    assert_eq!(told(&bed.change(&mut changer, 0..30, None).await.unwrap()), (30, 0, None));
    assert_eq!(bed.count(), bed.course.stream.live_rows(0, 30));
}

#[tokio::test]
async fn a_full_database_refuses_whole_transactions_and_keeps_the_earlier_ones() {
    let bed = bed(Sqlite::temporary().unwrap().with_pages_max(40)).await;
    let mut changer = bed.changer().await;
    let mut done = 0;
    let refused = loop {
        let changed = bed.change(&mut changer, done..done + 30, None).await.unwrap();
        if told(&changed).1 > 0 {
            break changed;
        }
        done += 30;
    };
    assert_eq!(told(&refused), (0, 30, Some("13 SQLITE_FULL")));
    assert!(done > 0);
    assert_eq!(bed.count(), bed.course.stream.live_rows(0, done));
}

#[tokio::test]
async fn triggers_that_ignore_or_roll_back_refuse_the_transaction() {
    for (word, class) in
        [("IGNORE", "suppressed"), ("ROLLBACK, 'no'", "1811 SQLITE_CONSTRAINT_TRIGGER")]
    {
        let bed = bed(Sqlite::temporary().unwrap()).await;
        let trigger = format!(
            "CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.id = 25 BEGIN SELECT RAISE({word}); END"
        );
        bed.other().execute_batch(&trigger).unwrap();
        let mut changer = bed.changer().await;
        let refused = bed.change(&mut changer, 0..40, None).await.unwrap();
        assert_eq!(told(&refused), (0, 40, Some(class)));
        assert_eq!(bed.count(), 20);
        bed.other().execute_batch("DROP TRIGGER no").unwrap();
        let changed = bed.change(&mut changer, 0..40, None).await.unwrap();
        assert_eq!(told(&changed), (40, 0, None), "the connection goes on");
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_while_it_is_held_leaves_nothing() {
    let bed = bed(Sqlite::temporary().unwrap()).await;
    let mut changer = bed.changer().await;
    let forever: Hold<'_> = Box::pin(std::future::pending());
    let held = bed.change(&mut changer, 0..30, Some(forever));
    let waited = tokio::time::timeout(Duration::from_millis(200), held).await;
    assert!(waited.is_err(), "it is held");
    assert_eq!(bed.count(), 20);
    let changed = bed.change(&mut changer, 0..30, None).await.unwrap();
    assert_eq!(told(&changed), (30, 0, None));
    assert_eq!(bed.count(), bed.course.stream.live_rows(0, 30));
}
