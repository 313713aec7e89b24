//! Transactions: rows that change in place, and a log that undoes them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rowstorm_gen::Value;
use rowstorm_gen::changes::{OpKind, Query};

use super::cells::{Cells, decode};
use super::fault::Verdict;
use super::table::{MemoryTable, Refused, spans};
use super::{Fault, Memory, State, lost, no_table, too_large};
use crate::rows::RowEncoder;
use crate::{
    Attempt, Buffer, Change, ChangeLimits, Changed, Changer, Delivery, End, Queried, SinkError,
    SinkErrorKind, Statement, Transaction,
};

/// One connection to a [`Memory`] that changes rows. What a transaction did is seen by others when it ends, all of it.
#[derive(Debug)]
pub struct MemoryChanger {
    memory: Memory,
    mix: Arc<[Statement]>,
    prepared: Vec<Prepared>,
    /// The connections' generation that this one belongs to; `None` once it is lost.
    generation: Option<u64>,
}

#[derive(Debug)]
struct Prepared {
    encoder: RowEncoder<Cells>,
    places: Vec<usize>,
    steady: Vec<usize>,
}

impl MemoryChanger {
    pub(super) fn new(memory: Memory, mix: &Arc<[Statement]>, generation: u64) -> MemoryChanger {
        let prepare = |statement: &Statement| Prepared {
            encoder: RowEncoder::new(&statement.columns, Cells),
            places: statement.places(),
            steady: statement.steady(mix),
        };
        let prepared = mix.iter().map(prepare).collect();
        MemoryChanger { memory, mix: Arc::clone(mix), prepared, generation: Some(generation) }
    }

    fn encode(&mut self, groups: &[Change<'_>]) -> Vec<Buffer> {
        let encode = |group: &Change<'_>| {
            let mut rows = Buffer::default();
            self.prepared[group.statement].encoder.encode(group.batch, &mut rows);
            rows
        };
        groups.iter().map(encode).collect()
    }

    /// What is answered before anything is done; `None` if the faults leave it alone.
    fn verdict(&self, groups: &[Change<'_>], bytes: u64) -> Result<Option<Verdict>, SinkError> {
        let mut state = self.memory.lock();
        state.writes += 1;
        self.check_alive(&state)?;
        let rows_max = self.memory.change_limits.rows as usize;
        if bytes > self.memory.limits.bytes
            || groups.iter().any(|group| group.batch.len() > rows_max)
        {
            return Err(too_large(bytes));
        }
        Ok(state.faults.iter().find_map(|fault| fault.verdict(state.writes, bytes)))
    }

    fn check_alive(&self, state: &State) -> Result<(), SinkError> {
        if self.generation == Some(state.generation) {
            return Ok(());
        }
        Err(lost(Delivery::None, "the connection was cut"))
    }

    async fn answer(
        &mut self,
        mut transaction: Transaction<'_>,
    ) -> Result<Vec<Changed>, SinkError> {
        let rows = self.encode(transaction.groups);
        let bytes = rows.iter().map(|rows| rows.len() as u64).sum();
        let after = match self.verdict(transaction.groups, bytes)? {
            None => None,
            Some(Verdict::Error(error)) => return Err(error),
            Some(Verdict::ErrorAfter(error)) => Some(error),
            Some(Verdict::Refuse { class, sample }) => {
                return Ok(transaction.refused(class, sample));
            }
            Some(Verdict::Silence) => std::future::pending().await,
        };
        if let Some(hold) = transaction.hold.take() {
            hold.await;
        }
        let mut state = self.memory.lock();
        self.check_alive(&state)?;
        let State { tables, faults, .. } = &mut *state;
        let mut work = Work {
            tables,
            faults,
            mix: &self.mix,
            prepared: &self.prepared,
            limits: self.memory.change_limits,
            undo: Vec::new(),
        };
        let changed = work.run(&transaction, &rows)?;
        after.map_or(Ok(changed), Err)
    }
}

impl Changer for MemoryChanger {
    async fn change(&mut self, transaction: Transaction<'_>) -> Result<Vec<Changed>, SinkError> {
        let answer = self.answer(transaction).await;
        if answer.as_ref().is_err_and(|error| matches!(error.kind, SinkErrorKind::Lost(_))) {
            self.generation = None;
        }
        answer
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        let rows = self.encode(std::slice::from_ref(&query)).remove(0);
        match self.verdict(std::slice::from_ref(&query), rows.len() as u64)? {
            None => {}
            Some(Verdict::Error(error) | Verdict::ErrorAfter(error)) => {
                if matches!(error.kind, SinkErrorKind::Lost(_)) {
                    self.generation = None;
                }
                return Err(error);
            }
            Some(Verdict::Refuse { class, sample }) => {
                return Ok(Queried::Refused { class: class.to_owned(), sample: sample.to_owned() });
            }
            Some(Verdict::Silence) => std::future::pending().await,
        }
        let statement = &self.mix[query.statement];
        let Some(Query::Range { column, .. }) = &statement.query else {
            return Err(no_words());
        };
        let ends: Vec<Value> = spans(rows.as_slice(), 2)
            .into_iter()
            .map(|cell| decode(&rows.as_slice()[cell]))
            .collect();
        let [Value::Timestamp(from), Value::Timestamp(until)] = ends[..] else {
            // No instant lies between what is no instant.
            return Ok(Queried::Rows(0));
        };
        let state = self.memory.lock();
        self.check_alive(&state)?;
        let table = state.tables.get(&statement.table.name);
        let table = table.ok_or_else(|| no_table(&statement.table))?;
        let within = |row: &Vec<Value>| matches!(row[*column], Value::Timestamp(at) if (from..=until).contains(&at));
        Ok(Queried::Rows(table.rows().filter(within).count() as u64))
    }
}

/// A statement of the user's own is for a database that has a language.
pub(super) fn no_words() -> SinkError {
    let message = "this process's memory knows no statements: a `range:` it can read, a `statement:` it cannot";
    SinkError::fatal("usage", message)
}

/// One transaction at work, under the lock.
struct Work<'a> {
    tables: &'a mut HashMap<Arc<str>, MemoryTable>,
    faults: &'a [Fault],
    mix: &'a [Statement],
    prepared: &'a [Prepared],
    limits: ChangeLimits,
    /// What stood at a place of a table before, in the order in which it went.
    undo: Vec<(Arc<str>, usize, Range<usize>)>,
}

/// One row of a group, as it was sent.
struct Sent<'a> {
    row: &'a [u8],
    cells: Vec<Range<usize>>,
    /// The number by which faults know it.
    number: u64,
    attempt: Attempt,
    /// Whether an earlier group made it, if the transaction was committed before.
    is_remade: bool,
}

/// What became of one row.
enum Step {
    Matched,
    Confirmed,
    NotFound,
}

impl Work<'_> {
    fn run(
        &mut self,
        transaction: &Transaction<'_>,
        rows: &[Buffer],
    ) -> Result<Vec<Changed>, SinkError> {
        let mut answers = Vec::with_capacity(rows.len());
        for (group, rows) in rows.iter().enumerate() {
            let changed = self.group(transaction, group, rows.as_slice())?;
            let refusal = changed.rejected.refusals.first();
            if let Some(refusal) = refusal.filter(|_| self.limits.transactions) {
                self.roll_back();
                return Ok(transaction.refused(&refusal.class, &refusal.sample));
            }
            answers.push(changed);
        }
        match transaction.end {
            End::RollBack if !self.limits.transactions => {
                self.roll_back();
                let message = "there are no transactions, so nothing can be rolled back";
                return Err(SinkError::fatal("no transactions", message));
            }
            End::RollBack => self.roll_back(),
            End::Commit => self.tables.values_mut().for_each(MemoryTable::tidy),
        }
        Ok(answers)
    }

    /// Does the rows of a group.
    fn group(
        &mut self,
        transaction: &Transaction<'_>,
        group: usize,
        mut rows: &[u8],
    ) -> Result<Changed, SinkError> {
        let change = &transaction.groups[group];
        let statement = &self.mix[change.statement];
        if !self.tables.contains_key(&statement.table.name) {
            self.roll_back();
            return Err(no_table(&statement.table));
        }
        let (mut matched, mut confirmed) = (0, 0);
        let mut changed = Changed::default();
        for (index, is_remade) in transaction.remade(group, self.mix).into_iter().enumerate() {
            let cells = spans(rows, statement.columns.columns.len());
            let (row, rest) = rows.split_at(cells.last().map_or(0, |cell| cell.end));
            rows = rest;
            let number = row_number(statement, row, &cells, index);
            let sent = Sent { row, cells, number, attempt: transaction.attempt, is_remade };
            match self.step(change.statement, &sent) {
                Ok(Step::Matched) => matched += 1,
                Ok(Step::Confirmed) => confirmed += 1,
                Ok(Step::NotFound) => {}
                Err((class, sample)) => changed.rejected.add(class, 1, sample),
            }
        }
        let looked_for = change.batch.len() as u64 - confirmed - changed.rejected.count;
        let found = Changed::found(matched, looked_for, transaction.gone(group, self.mix))?;
        let confirmed = found.confirmed + confirmed;
        Ok(Changed { confirmed, rejected: changed.rejected, ..found })
    }

    fn step(&mut self, at: usize, sent: &Sent<'_>) -> Result<Step, Refused> {
        let Sent { row, cells, number, attempt, is_remade } = sent;
        let statement = &self.mix[at];
        let table = self.tables.get_mut(&statement.table.name).expect("it was looked for");
        let is_write = statement.kind != OpKind::Read;
        if is_write && self.faults.iter().any(|fault| fault.refuses_row(*number)) {
            return Err(("staged", format!("row {number} is refused by a fault")));
        }
        let is_kept = !self.faults.iter().any(|fault| fault.forgets_row(*number));
        let key = &row[..statement.keys().checked_sub(1).map_or(0, |last| cells[last].end)];
        let prepared = &self.prepared[at];
        let (place, mut new) = match statement.kind {
            OpKind::Insert => (None, row.to_vec()),
            OpKind::Update | OpKind::Delete | OpKind::Rekey | OpKind::Read => {
                let Some(place) = table.find(key) else { return Ok(Step::NotFound) };
                (Some(place), changed_row(statement.kind, prepared, table, place, sent))
            }
        };
        let mut step = Step::Matched;
        match statement.kind {
            OpKind::Read => return Ok(Step::Matched),
            OpKind::Delete => {}
            OpKind::Insert | OpKind::Update | OpKind::Rekey => {
                table.check(&new)?;
                match (table.twin(&new, place), attempt) {
                    (None, _) => {}
                    (Some(_), Attempt::Replay) if *is_remade => {
                        new.clear();
                        step = Step::NotFound;
                    }
                    (Some(twin), Attempt::Replay)
                        if place.is_none() && is_steady(table, twin, sent, &prepared.steady) =>
                    {
                        return Ok(Step::Confirmed);
                    }
                    (Some(_), Attempt::First | Attempt::Replay) => {
                        return Err(("unique", format!("row {number} is a duplicate")));
                    }
                }
            }
        }
        if is_kept {
            let (place, old) = match place {
                None => (table.insert(&new), 0..0),
                Some(place) => (place, table.put(place, &new)),
            };
            self.undo.push((Arc::clone(&statement.table.name), place, old));
        }
        Ok(step)
    }

    fn roll_back(&mut self) {
        for (table, place, old) in self.undo.drain(..).rev() {
            let table = self.tables.get_mut(&table).expect("it was changed");
            table.point(place, old);
        }
    }
}

/// What a row becomes: the cells that travel take their places; of a delete nothing is left.
fn changed_row(
    kind: OpKind,
    prepared: &Prepared,
    table: &MemoryTable,
    place: usize,
    sent: &Sent<'_>,
) -> Vec<u8> {
    if kind == OpKind::Delete {
        return Vec::new();
    }
    let old = table.row(place);
    let mut whole: Vec<&[u8]> = table.spans(old).into_iter().map(|cell| &old[cell]).collect();
    for (place, cell) in prepared.places.iter().zip(&sent.cells) {
        whole[*place] = &sent.row[cell.clone()];
    }
    whole.concat()
}

/// Whether the row that stands has the same values in columns that stay.
fn is_steady(table: &MemoryTable, twin: usize, sent: &Sent<'_>, steady: &[usize]) -> bool {
    let standing = table.row(twin);
    let there = table.spans(standing);
    let same =
        |column: &usize| standing[there[*column].clone()] == sent.row[sent.cells[*column].clone()];
    steady.iter().all(same)
}

/// The number by which faults know a row.
fn row_number(statement: &Statement, row: &[u8], cells: &[Range<usize>], index: usize) -> u64 {
    let first = match statement.kind {
        OpKind::Insert => statement.table.key.first().copied(),
        OpKind::Update | OpKind::Delete | OpKind::Rekey | OpKind::Read => Some(0),
    };
    match first.map(|column| decode(&row[cells[column].clone()])) {
        Some(Value::Int(key)) if key > 0 => key as u64 - 1,
        _ => index as u64,
    }
}
