//! What must be in the database: rows that were loaded, and what changes made of them.

use std::ops::Range;
use std::sync::Arc;
use std::thread;

use rowstorm_gen::changes::{ChangePlan, Expected};
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Plan, TablePlan};

use super::ledger::Duty;

/// The rows that must be there.
///
/// ```
/// use rowstorm_gen::{Plan, PlanOptions, schema};
/// use rowstorm_run::verify::Claim;
///
/// let text = "version: 1\ntables: { t: { key: [id], preload: 10, columns: { id: { type: bigint, gen: sequence } } } }";
/// let schema = schema::Schema::parse(text, schema::Format::Yaml, "t.yaml")?;
/// let plan = Plan::new(&schema, PlanOptions::default())?;
/// assert_eq!(Claim::loaded(plan.clone()).rows(0), 10);
/// // A shard's half of them; the other half may be there.
/// assert_eq!(Claim::ranges(plan, vec![vec![0..5]]).rows(0), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Claim {
    plan: Plan,
    /// By table.
    done: Vec<Vec<Range<u64>>>,
    changed: Option<Changed>,
}

#[derive(Debug)]
struct Changed {
    plan: ChangePlan,
    streams: Vec<Expected>,
}

/// A part of a table's rows that one thread goes through.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Loaded rows.
    Rows(Range<u64>, Duty),
    /// The rows of a stream.
    Stream(usize),
}

/// Rows of one part: enough for a thread to be busy with, few enough to share out.
const PART_ROWS: u64 = 64 * BATCH_ROWS_MAX as u64;

impl Claim {
    /// All rows of all tables, once.
    pub fn loaded(plan: Plan) -> Claim {
        let whole = |table: &Arc<TablePlan>| Vec::from_iter(table.rows.map(|rows| 0..rows));
        let done = plan.tables().iter().map(whole).collect();
        Claim { plan, done, changed: None }
    }

    /// Some ranges of each table's rows, in the plan's order. Other rows of the plan may be there: another shard's.
    pub fn ranges(plan: Plan, mut done: Vec<Vec<Range<u64>>>) -> Claim {
        done.resize(plan.tables().len(), Vec::new());
        for ranges in &mut done {
            ranges.retain(|rows| !rows.is_empty());
            ranges.sort_unstable_by_key(|rows| rows.start);
        }
        Claim { plan, done, changed: None }
    }

    /// What the first ops of each stream leave: `done[stream]` of them. Goes through all updates, on all cores.
    ///
    /// # Panics
    /// If there are not as many numbers as streams, or a stream has not so many ops.
    pub fn changed(changes: &ChangePlan, done: &[u64]) -> Claim {
        assert_eq!(done.len(), changes.streams() as usize, "a number for each stream");
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let mut streams: Vec<Option<Expected>> = done.iter().map(|_| None).collect();
        thread::scope(|scope| {
            for (chunk, first) in streams
                .chunks_mut(done.len().div_ceil(cores))
                .zip((0..).step_by(done.len().div_ceil(cores)))
            {
                scope.spawn(move || {
                    for (at, stream) in chunk.iter_mut().enumerate() {
                        *stream =
                            Some(changes.stream((first + at) as u32).expected(done[first + at]));
                    }
                });
            }
        });
        let plan = changes.plan().clone();
        let streams = streams.into_iter().flatten().collect();
        let tables = plan.tables().len();
        Claim {
            plan,
            done: vec![Vec::new(); tables],
            changed: Some(Changed { plan: changes.clone(), streams }),
        }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A hash of what the rows hang on.
    pub fn fingerprint(&self) -> u64 {
        self.changed.as_ref().map_or(self.plan.fingerprint(), |changed| changed.plan.fingerprint())
    }

    /// How many rows of a table must be there.
    pub fn rows(&self, table: usize) -> u64 {
        match &self.changed {
            None => self.done[table].iter().map(|rows| rows.end - rows.start).sum(),
            Some(changed) => {
                let live = |of: &Expected| of.stream().live_rows(table, of.ops());
                changed.streams.iter().map(live).sum()
            }
        }
    }

    /// A table's columns as [`each`](Claim::each) fills them.
    pub(super) fn table(&self, table: usize) -> &Arc<TablePlan> {
        match &self.changed {
            None => &self.plan.tables()[table],
            Some(changed) => changed.plan.table(table),
        }
    }

    /// The stream that a row belongs to, after its ops; `None` where nothing changes.
    pub(super) fn stream_of(&self, row: u64) -> Option<&Expected> {
        let changed = self.changed.as_ref()?;
        Some(&changed.streams[(row % u64::from(changed.plan.streams())) as usize])
    }

    /// The changes, if there are any.
    pub fn changes(&self) -> Option<&ChangePlan> {
        self.changed.as_ref().map(|changed| &changed.plan)
    }

    /// Rows beyond this one were never there, and are not written by any of the next `ops` of a stream.
    pub(super) fn rows_end(&self, table: usize, ops: u64) -> u64 {
        let Some(changed) = &self.changed else { return 0 };
        let streams = u64::from(changed.plan.streams());
        let born = changed.streams.iter().map(|of| {
            let ops = (of.ops() + ops).min(of.stream().ops());
            let counts = of.stream().counts(table, ops);
            let loaded = self.plan.tables()[table].rows.unwrap_or(0).div_ceil(streams);
            loaded + counts.inserted + counts.rekeyed
        });
        born.max().unwrap_or(0) * streams
    }

    /// Whether rows of the plan may be there that need not.
    pub(super) fn is_partial(&self, table: usize) -> bool {
        self.parts(table).iter().any(|part| matches!(part, Part::Rows(_, Duty::May)))
    }

    /// The loaded rows that must be there, if they are one range.
    pub(super) fn range(&self, table: usize) -> Option<Range<u64>> {
        match self.done[table].as_slice() {
            [] if self.changed.is_none() => Some(0..0),
            [rows] => Some(rows.clone()),
            _ => None,
        }
    }

    /// How many rows `each` goes through in all parts.
    pub(super) fn entries(&self, table: usize) -> u64 {
        let may = self.parts(table).into_iter().map(|part| match part {
            Part::Rows(rows, Duty::May) => rows.end - rows.start,
            Part::Rows(_, Duty::Must) | Part::Stream(_) => 0,
        });
        self.rows(table) + may.sum::<u64>()
    }

    /// A table's rows, in parts for threads.
    pub(super) fn parts(&self, table: usize) -> Vec<Part> {
        if let Some(changed) = &self.changed {
            return (0..changed.streams.len()).map(Part::Stream).collect();
        }
        let mut parts = Vec::new();
        let mut at = 0;
        for rows in &self.done[table] {
            cut(at..rows.start, Duty::May, &mut parts);
            cut(rows.clone(), Duty::Must, &mut parts);
            at = rows.end;
        }
        cut(at..self.plan.tables()[table].rows.unwrap_or(at).max(at), Duty::May, &mut parts);
        parts
    }

    /// Calls `each` with all rows of a part: their numbers and columns.
    pub(super) fn each(&self, table: usize, part: &Part, mut each: impl FnMut(&[u64], &Batch)) {
        let (mut batch, mut rows) = (Batch::default(), Vec::with_capacity(BATCH_ROWS_MAX));
        let step = BATCH_ROWS_MAX.min(STEP_ROWS);
        match part {
            Part::Rows(range, _) => {
                for start in range.clone().step_by(step) {
                    let end = range.end.min(start + step as u64);
                    self.plan.tables()[table].fill(start..end, &mut batch);
                    rows.clear();
                    rows.extend(start..end);
                    each(&rows, &batch);
                }
            }
            Part::Stream(stream) => {
                let Some(changed) = &self.changed else { return };
                let expected = &changed.streams[*stream];
                let mut live = expected.rows(table);
                loop {
                    rows.clear();
                    rows.extend(live.by_ref().take(step));
                    if rows.is_empty() {
                        return;
                    }
                    expected.fill(table, &rows, &mut batch);
                    each(&rows, &batch);
                }
            }
        }
    }

    /// Fills `out` with some rows that must be there, one after another.
    pub(super) fn fill(&self, table: usize, rows: &[u64], mut each: impl FnMut(u64, &Batch)) {
        let mut batch = Batch::default();
        for row in rows {
            match self.stream_of(*row) {
                None => self.plan.tables()[table].fill(*row..row + 1, &mut batch),
                Some(expected) => expected.fill(table, &[*row], &mut batch),
            }
            each(*row, &batch);
        }
    }
}

/// Of the longest texts, a batch must stay below 4 GiB, and several threads have one each.
const STEP_ROWS: usize = 256;

fn cut(rows: Range<u64>, duty: Duty, parts: &mut Vec<Part>) {
    let mut start = rows.start;
    while start < rows.end {
        let end = rows.end.min(start + PART_ROWS);
        parts.push(Part::Rows(start..end, duty));
        start = end;
    }
}
