//! What the changes of this run (or this shard of it) are, known before the first row.

use std::sync::Arc;
use std::time::Duration;

use rowstorm_gen::Plan;
use rowstorm_gen::changes::{ChangePlan, ChangeStream, OpKind, share};
use rowstorm_gen::schema::{Changes, HoldSpec, Transaction};
use rowstorm_sink::{BoxSink, ChangeLimits, Sink, Statement};

use super::options::{ChangeOptions, Resume};
use super::script::Scripted;
use crate::backoff::mix;
use crate::{RunError, RunOptions, Setting};

/// Ops of one batch at most, where nothing is said: from here on a statement's rows cost more than its round trip.
const BATCH_AUTO: u32 = 1_000;
/// Transactions in flight to begin with, where nothing is said. Under group commit a few are enough: a batch that waits grows.
const IN_FLIGHT_BATCHES: u32 = 4;
/// The same where a transaction's size is given, and only their number makes up for a slow commit.
const IN_FLIGHT_SIZED: u32 = 16;
/// More transactions in flight than this help no database, and each has a connection.
const LANES_MAX: u32 = 64;
/// A transaction is made in pieces of so many ops: the most that a stream fills at once.
const PIECE_OPS_MAX: u32 = rowstorm_gen::BATCH_ROWS_MAX as u32;

/// The changes, compiled for one sink.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) plan: ChangePlan,
    pub(crate) statements: Arc<[Statement]>,
    /// By entry: a query's words as they are sent, empty for all others.
    pub(crate) queries: Vec<String>,
    /// What is done between ops.
    pub(crate) events: Vec<Scripted>,
    pub(crate) limits: ChangeLimits,
    pub(crate) transaction: Transaction,
    pub(crate) rollback: f64,
    hold: Option<HoldSpec>,
    /// This shard's streams.
    pub(crate) streams: Vec<Arc<ChangeStream>>,
    /// Where each stream ends, by its number; 0 for those of other shards.
    pub(crate) ends: Vec<u64>,
    /// Ops of a batch, at most.
    pub(crate) batch: u32,
    /// Ops that are filled at once.
    pub(crate) piece: u32,
    /// Transactions in flight: those that are given, or those to begin with.
    pub(crate) in_flight: u32,
    /// The most that there can be.
    pub(crate) lanes_max: u32,
    /// Whether a transaction may be sent twice.
    pub(crate) idempotent: bool,
    /// Transactions that a lane may send without waiting for the answers between.
    pub(crate) pipeline: u32,
    /// Ops for each row that is changed: more than one where the mix reads.
    pub(crate) ops_per_change: f64,
    /// The shard from 0, and how many there are.
    pub(crate) shard: (u32, u32),
}

impl Work {
    /// # Errors
    /// The mix is not for this database, or the settings contradict each other.
    pub(crate) fn of(
        plan: &Plan,
        sink: &BoxSink,
        options: &RunOptions,
        asked: &ChangeOptions,
    ) -> Result<Work, RunError> {
        asked.check().map_err(RunError::Options)?;
        let changes =
            ChangePlan::new(plan).map_err(|error| RunError::Options(error.to_string()))?;
        let document = plan.schema().changes.as_ref();
        let document = document.expect("changes that compiled stand in the document");
        let statements = Statement::all(&changes);
        let limits = sink.change_limits(&statements)?;
        let transaction = document.transaction.unwrap_or(Transaction::Batch);
        check_transactions(limits, document, &options.target)?;
        let events = Scripted::all(&changes, sink)?;
        let shard = options.shard.map_or((0, 1), |shard| (shard.index - 1, shard.count));
        let mine = |stream: &u32| stream % shard.1 == shard.0;
        let streams: Vec<_> = (0..changes.streams())
            .filter(mine)
            .map(|stream| Arc::new(changes.stream(stream)))
            .collect();
        let mut ends = vec![0; changes.streams() as usize];
        for stream in &streams {
            ends[stream.number() as usize] = end(stream, asked.amount, changes.streams());
        }
        check_events(&changes, shard.1)?;
        check_resume(&asked.resume, ends.len())?;
        let usual = match transaction {
            Transaction::Batch => IN_FLIGHT_BATCHES,
            Transaction::Row | Transaction::Rows(_) => IN_FLIGHT_SIZED,
        };
        let (in_flight, lanes_max) = match asked.in_flight {
            Setting::Fixed(given) => (given, given),
            Setting::Auto | Setting::AutoFreeze => (usual, LANES_MAX),
        };
        let lanes_max = lanes_max.min(limits.changers).min(streams.len() as u32).max(1);
        let batch = match asked.batch {
            Setting::Fixed(given) => given,
            Setting::Auto | Setting::AutoFreeze => BATCH_AUTO,
        };
        let words = |statement: &Statement| {
            let query = statement.query.as_ref().and_then(|_| sink.explain_change(statement));
            query.unwrap_or_default()
        };
        let is_insert = |statement: &&Statement| statement.kind == OpKind::Insert;
        let mut inserts = statements.iter().filter(is_insert);
        let idempotent = inserts.all(|insert| sink.limits(&insert.table).idempotent);
        let is_plain = idempotent && is_plain(document, &statements);
        Ok(Work {
            events,
            limits,
            transaction,
            rollback: document.rollback,
            hold: document.hold.filter(|hold| hold.share > 0.0),
            in_flight: in_flight.clamp(1, lanes_max),
            lanes_max,
            batch: batch.max(1),
            piece: limits.rows.clamp(1, PIECE_OPS_MAX),
            idempotent,
            pipeline: if is_plain { asked.pipeline.unwrap_or(limits.pipeline) } else { 1 },
            ops_per_change: ops_per_change(document),
            shard,
            queries: statements.iter().map(words).collect(),
            statements,
            streams,
            ends,
            plan: changes,
        })
    }

    /// A stream of this shard, by its number.
    pub(crate) fn stream(&self, number: u32) -> &Arc<ChangeStream> {
        &self.streams[(number / self.shard.1) as usize]
    }

    /// How long the transaction that begins with an op is held open: a draw of its own for every op of a stream.
    pub(crate) fn hold(&self, stream: u32, op: u64) -> Option<Duration> {
        let hold = self.hold?;
        let word = mix(self.plan.fingerprint() ^ mix(op ^ (u64::from(stream) << 32)));
        let draw = (word >> 11) as f64 / (1u64 << 53) as f64;
        (draw < hold.share).then_some(hold.time.0)
    }

    /// Whether other shards change the same tables.
    pub(crate) fn is_part(&self) -> bool {
        self.shard.1 > 1
    }
}

/// Whether every transaction has a given size, and only begins, changes rows and commits. A batch is as large as is good for it already.
fn is_plain(document: &Changes, statements: &[Statement]) -> bool {
    let is_sized = match document.transaction {
        Some(Transaction::Row | Transaction::Rows(_)) => true,
        Some(Transaction::Batch) | None => false,
    };
    is_sized
        && document.rollback == 0.0
        && document.hold.is_none()
        && statements.iter().all(|statement| statement.query.is_none())
}

/// Ops for each row that is changed. A mix of reads alone is paced by its reads.
fn ops_per_change(document: &Changes) -> f64 {
    let weight = |read: bool| {
        let is = |change: &&rowstorm_gen::schema::Change| change.read.is_some() == read;
        document.mix.iter().filter(is).map(|change| change.weight).sum::<f64>()
    };
    let (changed, read) = (weight(false), weight(true));
    if changed > 0.0 { (changed + read) / changed } else { 1.0 }
}

/// Where a stream ends: its share of the amount, at most all it has.
fn end(stream: &ChangeStream, amount: Option<u64>, streams: u32) -> u64 {
    let Some(amount) = amount else { return stream.ops() };
    share(amount, stream.number(), streams).min(stream.ops())
}

/// Streams wait for each other before an event, and shards are on other machines; a stream that ends before would keep all waiting.
fn check_events(changes: &ChangePlan, shards: u32) -> Result<(), RunError> {
    let events = changes.events();
    if shards > 1 && !events.is_empty() {
        let text = "`changes.events` wait for all streams, and --shard has only some of them: leave one of the two out";
        return Err(RunError::Options(text.to_owned()));
    }
    for (at, event) in events.iter().enumerate() {
        for stream in (0..changes.streams()).map(|number| changes.stream(number)) {
            let place = event.place(stream.number(), changes.streams());
            if place > stream.ops() {
                let ops = stream.ops();
                let text = format!(
                    "changes.events[{at}].after: stream {} has {ops} ops, and would have to do {place} before it: its tables run out of rows",
                    stream.number()
                );
                return Err(RunError::Options(text));
            }
        }
    }
    Ok(())
}

fn check_resume(resume: &Resume, streams: usize) -> Result<(), RunError> {
    match resume {
        Resume::Changes(progress) if progress.done.len() != streams => {
            Err(RunError::Options("the record is of another number of streams".to_owned()))
        }
        Resume::Changes(_) | Resume::Anew | Resume::Load => Ok(()),
    }
}

fn check_transactions(
    limits: ChangeLimits,
    document: &Changes,
    target: &str,
) -> Result<(), RunError> {
    let wrong = |text: String| Err(RunError::Options(text));
    if limits.rows == 0 || limits.changers == 0 {
        return wrong(format!("{target} takes no changes"));
    }
    if limits.transactions {
        return Ok(());
    }
    if document.rollback > 0.0 {
        return wrong(format!(
            "{target} has no transactions, so nothing can be rolled back: leave `changes.rollback` out"
        ));
    }
    if document.hold.is_some() {
        return wrong(format!(
            "{target} has no transactions, so none can be held open: leave `changes.hold` out"
        ));
    }
    match document.transaction.unwrap_or(Transaction::Batch) {
        Transaction::Batch => Ok(()),
        // What only reads commits nothing.
        _ if document.mix.iter().all(|change| change.read.is_some()) => Ok(()),
        Transaction::Row | Transaction::Rows(_) => wrong(format!(
            "{target} has no transactions: `changes.transaction` can only be `batch`, an order of sending"
        )),
    }
}
