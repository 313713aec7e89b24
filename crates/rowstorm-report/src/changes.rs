//! The part of a record that says what became of a schema's `changes:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{EventOutcome, EventRecord};
use crate::record::{Batching, Latency, Second};

/// The changes of a run: inserts, updates, deletes, rekeys and reads, after the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// What the rows hang on: the plan's fingerprint, streams, mix, and the rows of the beginning; 16 hex digits.
    pub fingerprint: String,
    /// How many streams the rows are split into.
    pub streams: u32,
    /// The schedule that was asked for: `10000/s:60s`, `1000/s:20s,max:20s`, `max`.
    #[serde(default)]
    pub asked: String,
    /// The ops that were asked for, all shards together, earlier runs included; `None` leaves the end to the schedule.
    #[serde(default)]
    pub amount: Option<u64>,
    /// What one COMMIT held: `batch`, `row`, `100 rows`.
    pub transaction: String,
    /// The share of transactions that were done once with other values, and rolled back.
    pub rollback: f64,
    /// The most ops of one batch.
    pub batch: u32,
    /// Transactions that were in flight at once, at most.
    pub in_flight: u32,
    /// Transactions that a connection sent without waiting for the answers between, at most. Their service times are from sending all
    /// to the answer of each. 0 in records of releases that always waited.
    #[serde(default)]
    pub pipeline: u32,
    /// How the controller came to both at `max`: ops are its rows, and seconds are those of the changes. `None` where a rate or given numbers
    /// left it nothing to decide.
    #[serde(default)]
    pub tuning: Option<Batching>,
    /// All tables and kinds together: `matched + confirmed + missed + rejected + unknown == planned`.
    pub rows: ChangeRows,
    /// Each table with its kinds.
    pub tables: Vec<ChangeTable>,
    /// How long each kind took, all tables together.
    pub kinds: Vec<ChangeKind>,
    /// Reads of a range of time and by statements: each entry of the mix by itself. They are in `rows` and `tables` as a row each.
    #[serde(default)]
    pub queries: Vec<ChangeQuery>,
    /// What was done between ops, each once: the schema's `changes.events`, in their order.
    #[serde(default)]
    pub events: Vec<EventRecord>,
    /// Transactions by how they ended.
    pub transactions: Transactions,
    /// Seconds from the first to the last, without load and counting.
    pub seconds: f64,
    /// Rows changed per second; reads are not among them.
    pub changes_per_second: f64,
    /// Rows read by their keys per second, and queries.
    pub reads_per_second: f64,
    /// The schedule, where there was one.
    pub schedule: Option<ChangeSchedule>,
    /// Each stage of the schedule, in order; one, unless `--stages` said otherwise.
    pub stages: Vec<ChangeStage>,
    /// One entry per second; its `rows` are ops, its latencies those of whole transactions.
    pub series: Vec<Second>,
    /// How many ops of each stream are done, by the stream's number: all that the rows hang on. Streams of other shards have 0.
    pub ranges_done: Vec<u64>,
    /// How many ops of each stream were done by the run that this one goes on with; empty if it began anew.
    #[serde(default)]
    pub resumed_from: Vec<u64>,
    /// The record that this run went on with; of a shard that went on with its own, the load's. Empty if it began anew.
    #[serde(default)]
    pub resumed_record: String,
    /// Transactions that were sent, and of which nobody can tell whether they were committed: a run that resumes sends them once more.
    #[serde(default)]
    pub in_doubt: Vec<ReplayedOps>,
    /// Transactions that were sent again because nobody could tell whether they had been committed: a stream of change events may
    /// show them twice. At most a thousand.
    #[serde(default)]
    pub replayed: Vec<ReplayedOps>,
    /// What the server's own log of changes has, where it was read.
    #[serde(default)]
    pub cdc: Option<Cdc>,
}

/// Rows by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRows {
    /// Handed out.
    pub planned: u64,
    /// Inserted, or found and changed or read.
    pub matched: u64,
    /// Sent twice, and found as the first time had left them.
    pub confirmed: u64,
    /// No row had the key: a lost insert, a wrong order, or somebody else's delete.
    pub missed: u64,
    /// Refused by the database.
    pub rejected: u64,
    /// Sent, and nobody can tell.
    pub unknown: u64,
}

/// One table's changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeTable {
    /// The table's name.
    pub table: String,
    /// What was done to it.
    pub kinds: Vec<TableKind>,
    /// Rows that must be there afterwards, computed from the ops that are done; `None` where other shards write, too.
    pub expected: Option<u64>,
    /// Rows that the database counts afterwards, less those that were there before and are none of this run's.
    pub audited: Option<u64>,
}

/// One kind of change of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableKind {
    /// `insert`, `update`, `delete`, `rekey`, `read` (by the key) or `query`.
    pub kind: String,
    /// Its rows; of queries one each.
    pub rows: ChangeRows,
}

/// The server's own log of changes, from before the first change to behind the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cdc {
    /// Transactions in the log that changed one of the tables.
    pub transactions: u64,
    /// Events of each table and kind.
    pub kinds: Vec<CdcKind>,
}

/// Events of one kind of one table in the server's log, beside the changes that were acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CdcKind {
    /// The table's name.
    pub table: String,
    /// `insert`, `update`, `rekey` or `delete`; `truncate` for somebody's truncation.
    pub kind: String,
    /// Changes that the server acknowledged.
    pub acknowledged: u64,
    /// Those among them that left their row as it was, where the log leaves such updates out.
    pub unchanged: u64,
    /// Changes of which nobody can tell how many events they are: sent twice, without an answer, or of columns whose stored form is not
    /// known.
    pub in_doubt: u64,
    /// Events in the log.
    pub found: u64,
}

/// How long one kind of change took, in milliseconds, one entry for each row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeKind {
    /// `insert`, `update`, `delete`, `rekey` or `read`.
    pub kind: String,
    /// Rows that were timed.
    pub rows: u64,
    /// From sending a row's transaction to its answer.
    pub service_ms: Latency,
    /// From a row's place in the schedule to the answer: the wait in a queue is in it. As `service_ms` where there is no schedule.
    pub response_ms: Latency,
}

/// One query of the mix: a read of a range of time, or by a statement.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeQuery {
    /// Its entry of the mix, from 0.
    pub entry: usize,
    /// The table's name.
    pub table: String,
    /// What was sent, with placeholders.
    pub words: String,
    /// How often it was answered.
    pub answered: u64,
    /// How often it was refused, or given up.
    pub refused: u64,
    /// Rows that it returned, all together.
    pub rows: u64,
    /// From sending it to the end of its answer.
    pub service_ms: Latency,
    /// From its place in the schedule to the end of its answer. As `service_ms` where there is no schedule.
    pub response_ms: Latency,
}

/// Transactions by how they ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transactions {
    /// Committed.
    pub committed: u64,
    /// Done once with other values, and rolled back, before they were done.
    pub rolled_back: u64,
    /// Rows that were rolled back; they are in no other account.
    pub rolled_back_rows: u64,
    /// Held open before they were committed (`hold`).
    #[serde(default)]
    pub held: u64,
    /// Attempts that were made again.
    pub retries: u64,
}

/// An open-loop schedule, and how it was kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSchedule {
    /// `constant` or `poisson`.
    pub arrivals: String,
    /// What was done with ops that were late: `queue` or `drop`.
    pub late_policy: String,
    /// Rows changed per second that were asked for.
    pub target_per_second: f64,
    /// Rows changed per second that were reached.
    pub achieved_per_second: f64,
    /// From the intended start to the real one, one entry for each op.
    pub lag_ms: Latency,
    /// Ops that began more than ten milliseconds late; batches form within five.
    pub late: u64,
    /// Places in the schedule that were given up (`late: drop`): no op was done for them.
    pub skipped: u64,
    /// Places in the schedule that had come and were not begun when the time was over.
    pub left: u64,
}

/// One stage of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeStage {
    /// When it began, in seconds since the first op.
    pub from_s: f64,
    /// How long it lasted.
    pub seconds: f64,
    /// Rows changed per second that were asked for; `None` is as fast as it goes.
    pub target_per_second: Option<f64>,
    /// Rows changed per second that were answered while it lasted.
    pub achieved_per_second: f64,
    /// Response times of the ops that had their place in it.
    pub response_ms: Latency,
    /// From the intended start to the real one.
    pub lag_ms: Latency,
    /// Places in the schedule that were given up.
    pub skipped: u64,
    /// Rows missed, rejected or unknown.
    pub errors: u64,
}

/// Ops of one stream that were sent twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplayedOps {
    /// The stream's number.
    pub stream: u32,
    /// The first op.
    pub from: u64,
    /// One behind the last op.
    pub to: u64,
}

impl Cdc {
    /// Whether there are as many events of each kind as there must be.
    pub fn agrees(&self) -> bool {
        self.kinds.iter().all(CdcKind::agrees)
    }
}

impl CdcKind {
    /// Events that must be there, give or take those in doubt.
    pub fn expected(&self) -> u64 {
        self.acknowledged.saturating_sub(self.unchanged)
    }

    /// Whether as many are there as must be.
    ///
    /// ```
    /// use rowstorm_report::CdcKind;
    /// let kind = CdcKind { acknowledged: 10, unchanged: 2, in_doubt: 1, found: 9, ..CdcKind::default() };
    /// assert!(kind.agrees());
    /// assert!(!CdcKind { found: 10, ..kind }.agrees());
    /// ```
    pub fn agrees(&self) -> bool {
        self.found.abs_diff(self.expected()) <= self.in_doubt
    }
}

impl Changes {
    /// How many of the events are done, and how many begun: one more where the next is in doubt.
    pub fn events_done(&self) -> (usize, usize) {
        let done = self.events.iter().take_while(|event| event.outcome.is_over()).count();
        let next = self.events.get(done).map(|event| event.outcome);
        (done, done + usize::from(next == Some(EventOutcome::InDoubt)))
    }
}

impl ChangeRows {
    /// Rows that are as they should be.
    pub fn done(&self) -> u64 {
        self.matched + self.confirmed
    }

    /// Rows that are not, or of which nobody can tell.
    pub fn bad(&self) -> u64 {
        self.missed + self.rejected + self.unknown
    }

    /// Whether every row stands in one place.
    pub fn balances(&self) -> bool {
        self.done() + self.bad() == self.planned
    }
}

impl std::ops::AddAssign for ChangeRows {
    fn add_assign(&mut self, other: ChangeRows) {
        self.planned += other.planned;
        self.matched += other.matched;
        self.confirmed += other.confirmed;
        self.missed += other.missed;
        self.rejected += other.rejected;
        self.unknown += other.unknown;
    }
}
