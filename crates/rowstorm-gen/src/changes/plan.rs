//! The `changes:` block of a plan's document, compiled.

use std::fmt;
use std::sync::Arc;

use rowstorm_schema::{Generator, Pick, Schema, Transaction};

use super::batch::ranks;
use super::course::Course;
use super::entry::{Entry, OpKind};
use super::event::{Event, EventKind};
use super::pattern::Pattern;
use super::shape::{Shape, TableRules};
use super::stream::ChangeStream;
use super::turnover::Turnover;
use crate::compile::{Hash, invalid};
use crate::{Plan, PlanError, Stream, TablePlan};

/// A plan's changes, ready to be computed: immutable, cheap to clone, shared by all threads.
///
/// ```
/// use rowstorm_gen::changes::{ChangePlan, OpKind};
/// use rowstorm_gen::{Plan, PlanOptions, schema};
///
/// let text = "
/// version: 1
/// tables:
///   orders:
///     key: [id]
///     preload: 1000
///     columns:
///       id:     { type: bigint, gen: sequence }
///       status: { type: text, gen: { one_of: [open, paid] } }
/// changes:
///   streams: 4
///   mix:
///     - { insert: orders, weight: 1 }
///     - { update: orders, set: [status], weight: 2 }
///     - { delete: orders, weight: 1 }
/// ";
/// let schema = schema::Schema::parse(text, schema::Format::Yaml, "orders.yaml")?;
/// let changes = ChangePlan::new(&Plan::new(&schema, PlanOptions::default())?)?;
/// let stream = changes.stream(3);
/// // A quarter of the ops delete, from the oldest row on; every op can be asked for by itself.
/// assert_eq!(stream.count(2, 4_000_000), 1_000_000);
/// let delete = stream.iter(0..4).find(|op| op.kind == OpKind::Delete).unwrap();
/// assert_eq!((delete.row, stream.op(delete.number)), (3, delete));
/// // Half of the ops leave the number of rows as it is, a quarter adds one, a quarter takes one.
/// assert_eq!(stream.live_rows(0, 4_000_000), 250);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChangePlan {
    mix: Arc<Mix>,
    /// How many events are done.
    events_done: usize,
}

/// What all streams have in common.
pub(super) struct Mix {
    pub(super) plan: Plan,
    pub(super) course: Arc<Course>,
    /// By table, as in the plan.
    pub(super) rules: Vec<TableRules>,
    /// By entry: what its statements carry.
    pub(super) shapes: Vec<Shape>,
    /// By entry: its turn within a batch.
    pub(super) ranks: Vec<usize>,
    /// The rows that each table's columns can number.
    pub(super) rows_max: Vec<u64>,
    pub(super) root: Stream,
    pub(super) transaction: Transaction,
    /// The share of transactions that are rolled back first.
    pub(super) rollback: f64,
    events: Vec<Event>,
    fingerprint: u64,
}

/// In short: a document can be long.
impl fmt::Debug for Mix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}, {} streams", self.fingerprint, self.course.streams)
    }
}

impl ChangePlan {
    /// Compiles the changes of a plan's document. The rows of the plan's tables are there before the first change.
    ///
    /// # Errors
    /// [`PlanError::Invalid`] if there is no `changes` block, for what `Schema::parse` would have refused, and for a table
    /// that has too few rows for the mix and gets none.
    pub fn new(plan: &Plan) -> Result<ChangePlan, PlanError> {
        let schema = plan.schema();
        let Some(changes) = &schema.changes else {
            return Err(invalid("changes", "there is no `changes` block"));
        };
        schema.check().map_err(|wrong| {
            let first = wrong.0.first();
            let place = first.map_or("changes", |problem| problem.place.as_str());
            invalid(place, first.map_or(String::new(), |problem| problem.message.clone()))
        })?;
        let entries = (0..)
            .zip(&changes.mix)
            .map(|(at, change)| Entry::new(plan, change, at))
            .collect::<Result<Vec<_>, _>>()?;
        let weights: Vec<f64> = changes.mix.iter().map(|change| change.weight).collect();
        let pattern = Pattern::new(&weights);
        let shuffled = |table| {
            let uniform = |(entry, change): (&Entry, &rowstorm_schema::Change)| {
                entry.table == table
                    && matches!(entry.kind, OpKind::Delete | OpKind::Rekey)
                    && change.pick == Some(Pick::Uniform)
            };
            entries.iter().zip(&changes.mix).any(uniform)
        };
        let turnovers: Vec<_> = (0..plan.tables().len())
            .map(|table| Turnover::new(table, &entries, &pattern, shuffled(table)))
            .collect();
        let streams = changes.streams();
        for (turnover, table) in turnovers.iter().zip(plan.tables()) {
            check_rows(turnover, table, streams)?;
        }
        let root = Stream::new(plan.options().seed).named("#changes");
        let events = (0..)
            .zip(&changes.events)
            .map(|(at, event)| Event::new(plan, event, at))
            .collect::<Result<Vec<_>, _>>()?;
        let fingerprint = fingerprint(plan, schema, &entries, &pattern, streams, &events);
        let course = Course::new(streams, entries, pattern, turnovers, plan.tables(), root);
        let course = Arc::new(course);
        let rules = plan
            .tables()
            .iter()
            .map(|table| TableRules::new(plan, table, &course))
            .collect::<Result<Vec<_>, _>>()?;
        let shape = |entry: &Entry| Shape::of(entry, &rules[entry.table].whole);
        let shapes = course.entries.iter().map(shape).collect();
        let ranks = ranks(&course.entries);
        let rows_max = plan.tables().iter().map(|table| rows_max(table)).collect();
        let mix = Mix {
            plan: plan.clone(),
            course,
            rules,
            shapes,
            ranks,
            rows_max,
            root,
            transaction: changes.transaction.unwrap_or(Transaction::Batch),
            rollback: changes.rollback,
            events,
            fingerprint,
        };
        Ok(ChangePlan { mix: Arc::new(mix), events_done: 0 })
    }

    /// How many streams there are.
    pub fn streams(&self) -> u32 {
        self.mix.course.streams as u32
    }

    /// A stream by its number.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn stream(&self, number: u32) -> ChangeStream {
        assert!(number < self.streams(), "stream {number} of {}", self.streams());
        let mut emptied = Vec::new();
        for event in &self.mix.events[..self.events_done] {
            if let EventKind::Truncate(table) = event.kind {
                emptied.push((table, event.place(number, self.streams())));
            }
        }
        ChangeStream::new(&self.mix, number, emptied)
    }

    /// What is done between ops, in order.
    pub fn events(&self) -> &[Event] {
        &self.mix.events
    }

    /// The same changes, once the first so many events are done: rows that one of them took away are gone from its place on. Of
    /// [`ChangePlan::new`], none is.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn after_events(&self, done: usize) -> ChangePlan {
        assert!(done <= self.mix.events.len(), "{done} events of {}", self.mix.events.len());
        ChangePlan { mix: Arc::clone(&self.mix), events_done: done }
    }

    /// The mix's entries, in the document's order.
    pub fn entries(&self) -> &[Entry] {
        &self.mix.course.entries
    }

    /// The columns that an entry's statements carry, as a table that encoders understand: a row that is inserted is
    /// whole; an update has the key's columns first and then what it sets; a rekey has the key
    /// twice, as it is and as it becomes; a delete and a read have the key. Fill it with [`ChangeStream::fill`]: its own `fill` makes the rows of the beginning.
    pub fn statement(&self, entry: usize) -> &Arc<TablePlan> {
        &self.mix.shapes[entry].plan
    }

    /// A table's columns as changes leave them: as the plan's, but an op's `now` is a value of its own and no dictionary.
    /// Fill it with [`Expected::fill`](super::Expected::fill).
    pub fn table(&self, table: usize) -> &Arc<TablePlan> {
        &self.mix.rules[table].whole.plan
    }

    /// The plan that the changes begin with.
    pub fn plan(&self) -> &Plan {
        &self.mix.plan
    }

    /// A hash of everything that the rows hang on after any number of ops: the plan's own fingerprint, streams, mix, keys
    /// and the rows of the beginning. Equal fingerprints, equal rows.
    pub fn fingerprint(&self) -> u64 {
        self.mix.fingerprint
    }
}

/// A table that is only taken from must have the rows for it.
fn check_rows(turnover: &Turnover, table: &TablePlan, streams: u32) -> Result<(), PlanError> {
    let needed = turnover.needed().saturating_mul(u64::from(streams));
    let rows = table.rows.unwrap_or(0);
    if turnover.insert.is_some() || rows >= needed {
        return Ok(());
    }
    let problem = format!(
        "{rows} rows are too few for {streams} streams of changes: `preload` at least {needed}, or set `changes.streams` lower"
    );
    Err(invalid(&format!("tables.{}", table.name), problem))
}

/// How many rows a table's columns can number: a unique `uniform` and a sequence come to an end.
fn rows_max(table: &TablePlan) -> u64 {
    let of = |column: &rowstorm_schema::Column| match (&column.generator, column.data_type) {
        (Generator::Sequence(spec), rowstorm_schema::DataType::Int(width)) => {
            let (low, high) = width.bounds();
            let room = if spec.step > 0 {
                i128::from(high) - i128::from(spec.start)
            } else {
                i128::from(spec.start) - i128::from(low)
            };
            let steps = room / i128::from(spec.step.unsigned_abs().max(1));
            u64::try_from(steps + 1).unwrap_or(u64::MAX)
        }
        (Generator::Uniform([low, high]), rowstorm_schema::DataType::Int(_)) if column.unique => {
            let ends = crate::compile::integer(low).zip(crate::compile::integer(high));
            ends.map_or(u64::MAX, |(low, high)| (high.wrapping_sub(low) as u64).saturating_add(1))
        }
        (_, _) => u64::MAX,
    };
    table.spec.columns.values().map(of).min().unwrap_or(u64::MAX)
}

fn fingerprint(
    plan: &Plan,
    schema: &Schema,
    entries: &[Entry],
    pattern: &Pattern,
    streams: u32,
    events: &[Event],
) -> u64 {
    let mut hash = Hash::new();
    hash.number(plan.fingerprint());
    hash.number(u64::from(streams));
    let mix = schema.changes.iter().flat_map(|changes| &changes.mix);
    for ((at, entry), change) in entries.iter().enumerate().zip(mix) {
        let table = &plan.tables()[entry.table];
        hash.text(&table.name);
        hash.text(entry.kind.word());
        change.set.iter().for_each(|column| hash.text(column));
        hash.text(&serde_json::to_string(&change.pick).expect("a pick is plain data"));
        hash.number(pattern.share(at));
        table.spec.key.iter().for_each(|column| hash.text(column));
        hash.number(table.rows.unwrap_or(0));
    }
    for event in events {
        hash.number(event.after);
        match &event.kind {
            EventKind::Truncate(table) => hash.text(&plan.tables()[*table].name),
            // Its words change no row that is compared.
            EventKind::Statement(_) => hash.text("#statement"),
        }
    }
    hash.end()
}
