//! A row's state at the time of an op: its start, and as many moves as it had turns by then.

use std::sync::Arc;

use super::course::Course;
use super::rule::{edition, op_of};
use crate::fill::Machine;
use crate::rule::Rule;
use crate::{ColumnData, Rows};

/// A column of states under changes.
#[derive(Debug)]
pub(super) struct StatesRule {
    pub(super) machine: Machine,
    pub(super) course: Arc<Course>,
    pub(super) table: usize,
    /// The entry whose updates move the rows, if there is one.
    pub(super) entry: Option<usize>,
    pub(super) rule: Rule,
}

impl StatesRule {
    pub(super) fn fill(&self, rows: &[u64], cells: &[u64], out: &mut ColumnData) {
        let codes = out.values.codes(&self.machine.entries);
        codes.extend(rows.iter().zip(cells).map(|(row, cell)| self.state(*row, *cell)));
        self.rule.fill_nulls(&Rows::Picked(cells), out);
    }

    fn state(&self, row: u64, cell: u64) -> u32 {
        let stream = self.rule.stream;
        let Some(op) = op_of(cell) else { return self.machine.start(stream.at(cell)) };
        let streams = self.course.streams;
        let (number, of, own) = (op / streams, op % streams, row / streams);
        let birth = self.course.birth(of, self.table, own);
        let born_at = birth.map_or(row, |birth| edition(birth, of, streams));
        let start = self.machine.start(stream.at(born_at));
        let turned = self.entry.map(|entry| self.course.turned(of, entry, own, number + 1));
        let moves = turned.map_or(0, |turned| turned.times);
        self.machine.walk(start, moves, stream.named("#moves").at(row))
    }
}
