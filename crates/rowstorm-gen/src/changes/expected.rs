//! What must be in the database after so many ops of a stream.
//!
//! Which rows are there is a closed form. Which op wrote a row last is not, for picks that are drawn: the updates are gone
//! through once, and a table of 4 bytes for every live row and updating entry keeps the last of each.

use super::entry::OpKind;
use super::order::SHUFFLED;
use super::rule::edition;
use super::stream::ChangeStream;
use crate::Batch;

/// The rows of one stream after its first ops.
///
/// ```
/// use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
/// use rowstorm_gen::{Batch, Plan, PlanOptions, schema};
///
/// let text = "
/// version: 1
/// tables:
///   orders:
///     key: [id]
///     preload: 4
///     columns:
///       id:     { type: bigint, gen: sequence }
///       amount: { type: int, gen: { uniform: [1, 1000000] } }
/// changes:
///   streams: 1
///   mix:
///     - { insert: orders, weight: 1 }
///     - { update: orders, set: [amount], weight: 1 }
/// ";
/// let schema = schema::Schema::parse(text, schema::Format::Yaml, "orders.yaml")?;
/// let changes = ChangePlan::new(&Plan::new(&schema, PlanOptions::default())?)?;
/// let stream = changes.stream(0);
/// let expected = stream.expected(10);
/// assert_eq!(expected.rows(0).count(), 4 + 5);
///
/// // The row that the tenth op updates holds what that op writes.
/// let last = stream.op(9);
/// let (mut rows, mut written) = (Batch::default(), ChangeBatch::default());
/// expected.fill(last.table, &[last.row], &mut rows);
/// stream.fill(9..10, Fate::Commit, &mut written);
/// let row = &changes.table(last.table).read(&rows)[0];
/// let update = &changes.statement(last.entry).read(&written.groups()[0].batch)[0];
/// assert_eq!(expected.version(last.table, last.row), Some(9));
/// assert_eq!((&row["id"], &row["amount"]), (&update["id"], &update["amount"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Expected {
    stream: ChangeStream,
    ops: u64,
    /// For each entry of the mix: the number of the last op that updated a row, plus 1; 0 for none.
    last: Vec<Vec<u32>>,
    /// For each table: the stream's own number of the first row in `last`.
    first: Vec<u64>,
}

impl ChangeStream {
    /// The rows after the first `ops`: goes through all updates once.
    ///
    /// A table whose rows get other keys takes its 4 bytes for every row that ever was.
    ///
    /// # Panics
    /// If there are not so many ops.
    pub fn expected(&self, ops: u64) -> Expected {
        let tables = self.mix.plan.tables().len();
        let first: Vec<u64> = (0..tables).map(|table| self.first_live(table, ops)).collect();
        let entries = &self.mix.course.entries;
        let mut last: Vec<Vec<u32>> = entries
            .iter()
            .map(|entry| {
                let rows = self.live(entry.table, ops).born - first[entry.table];
                vec![0; if entry.is_drawn_update() { rows as usize } else { 0 }]
            })
            .collect();
        let streams = self.mix.course.streams;
        let place = |table: usize, row: u64| (row / streams).checked_sub(first[table]);
        self.each_told(ops, |op| match (place(op.table, op.row), op.to) {
            (None, _) => {}
            (Some(at), None) => last[op.entry][at as usize] = op.number as u32 + 1,
            // What was written stays with the row.
            (Some(at), Some(to)) => {
                let to = (to / streams - first[op.table]) as usize;
                for (entry, last) in entries.iter().zip(&mut last) {
                    if entry.table == op.table && entry.is_drawn_update() {
                        last[to] = last[at as usize];
                    }
                }
            }
        });
        Expected { stream: self.clone(), ops, last, first }
    }

    /// The least of the stream's own numbers that is alive.
    fn first_live(&self, table: usize, ops: u64) -> u64 {
        let (live, base) = (self.live(table, ops), self.base(table));
        let turnover = &self.mix.course.turnovers[table];
        if turnover.is_rekeyed {
            // A row is told by all that it was before.
            return 0;
        }
        if !turnover.is_shuffled {
            return live.gone;
        }
        live.gone.checked_sub(base).map_or(0, |after| base + after / SHUFFLED * SHUFFLED)
    }
}

impl Expected {
    /// The stream whose rows these are.
    pub fn stream(&self) -> &ChangeStream {
        &self.stream
    }

    /// How many ops were done.
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// The stream's rows of a table, in the order in which they would be deleted.
    pub fn rows(&self, table: usize) -> impl Iterator<Item = u64> {
        self.stream.rows(table, self.ops)
    }

    /// The op that wrote a live row last; `None` if it stands as it was loaded.
    pub fn version(&self, table: usize, row: u64) -> Option<u64> {
        let updated = self.updated(table, row, |_| true);
        updated.max(self.stream.birth(table, row))
    }

    /// Fills `out` with live rows of a table: the columns of [`ChangePlan::table`](super::ChangePlan::table).
    ///
    /// # Panics
    /// If a row is not alive.
    pub fn fill(&self, table: usize, rows: &[u64], out: &mut Batch) {
        let mix = &self.stream.mix;
        let own = u64::from(self.stream.number());
        let cell = |number| edition(number, own, mix.course.streams);
        let births: Vec<(u64, u64)> = rows
            .iter()
            .map(|row| {
                assert!(self.stream.is_live(table, *row, self.ops), "row {row} is not alive");
                let (origin, birth) = self.stream.origin(table, *row);
                (origin, birth.map_or(origin, cell))
            })
            .collect();
        let is_rekeyed = mix.course.turnovers[table].is_rekeyed;
        let (mut written, mut cells) = (Vec::new(), Vec::with_capacity(rows.len()));
        let rules = &mix.rules[table];
        let whole = &rules.whole;
        whole.begin(rows, out);
        for (column, out) in out.columns.iter_mut().enumerate() {
            cells.clear();
            written.clear();
            for (row, (origin, birth)) in rows.iter().zip(&births) {
                let sets = |entry: usize| mix.course.entries[entry].set.contains(&column);
                let op = self.updated(table, *row, sets);
                cells.push(op.map_or(*birth, cell));
                // By the key that the row had when the column was written.
                written.push(match op {
                    None => *origin,
                    Some(op) if is_rekeyed => self.stream.op(op).row,
                    Some(_) => *row,
                });
            }
            let is_key = whole.plan.key.contains(&column);
            rules.column(column, if is_key { rows } else { &written }, &cells, out);
        }
    }

    /// The last update of a row by an entry that fits.
    fn updated(&self, table: usize, row: u64, fits: impl Fn(usize) -> bool) -> Option<u64> {
        let course = &self.stream.mix.course;
        let own = row / course.streams;
        let at = own.checked_sub(self.first[table])? as usize;
        let last = |entry: usize| match course.turns[entry] {
            None => self.last[entry].get(at)?.checked_sub(1).map(u64::from),
            Some(_) => course.turned(u64::from(self.stream.number()), entry, own, self.ops).last,
        };
        let entries = course.entries.iter().enumerate();
        entries
            .filter(|(entry, of)| of.table == table && of.kind == OpKind::Update && fits(*entry))
            .filter_map(|(entry, _)| last(entry))
            .max()
    }
}
