//! What a column holds after a change: a function of the row and of the op that wrote it.
//!
//! Every value is drawn at a **cell**: a row's own number for the rows of the beginning, [`edition`] of the op for what an op
//! writes. No two ops share an edition, and no edition is a row. What says which row it is stays with the row's number:
//! [`rowstorm_schema::Fixed`] lists those columns.

use std::collections::HashMap;
use std::sync::Arc;

use rowstorm_schema::{DataType, Fixed, Generator, RefSpec, Skew, StatesSpec};

use super::course::Course;
use super::walk::StatesRule;
use crate::compile::{invalid, machine, template_parts};
use crate::fill::{Pieces, Skewed, Zipf};
use crate::rule::Rule;
use crate::{
    ColumnData, ColumnPlan, Fill, Permutation, Plan, PlanError, Rows, Storage, Stream, TablePlan,
    Values,
};

/// Editions start here, beyond all rows; arrays multiply by up to 10,000 and stay below 2^64.
const EDITION: u64 = 1 << 44;

/// What a transaction writes that is rolled back: no edition of any other.
const ROLLED_BACK: u64 = 1 << 45;

/// The cell of what op `number` of a stream writes.
#[inline]
pub(super) fn edition(number: u64, stream: u64, streams: u64) -> u64 {
    EDITION + number * streams + stream
}

/// The cell of what an op would have written, had its transaction not been rolled back.
#[inline]
pub(super) fn rolled_back(edition: u64) -> u64 {
    edition + ROLLED_BACK
}

/// The number of the op over all streams; `None` for a row of the beginning.
#[inline]
pub(super) fn op_of(cell: u64) -> Option<u64> {
    (cell >= EDITION).then_some(cell & (EDITION - 1))
}

/// A column's rule under changes.
#[derive(Debug, Clone)]
pub(super) enum ChangeRule {
    /// By the row's own number, whoever wrote it.
    Row(Rule),
    /// By the cell.
    Cell(Rule),
    /// Put together from other columns.
    Template(Arc<TemplateRule>),
    /// The state of the row at the time of the op.
    States(Arc<StatesRule>),
}

/// A template, its draws at the cell, its row numbers the row's own.
#[derive(Debug)]
pub(super) struct TemplateRule {
    pieces: Pieces,
    sources: Vec<ChangeRule>,
    rule: Rule,
}

impl ChangeRule {
    /// Fills `out` with the values of `rows` at `cells`, side by side.
    pub(super) fn fill(&self, rows: &[u64], cells: &[u64], out: &mut ColumnData) {
        match self {
            ChangeRule::Row(rule) => rule.fill(&Rows::Picked(rows), out),
            ChangeRule::Cell(rule) => rule.fill(&Rows::Picked(cells), out),
            ChangeRule::Template(template) => template.fill(rows, cells, out),
            ChangeRule::States(states) => states.fill(rows, cells, out),
        }
    }
}

impl TemplateRule {
    fn fill(&self, rows: &[u64], cells: &[u64], out: &mut ColumnData) {
        let columns: Vec<ColumnData> = self
            .sources
            .iter()
            .map(|source| {
                let mut column = ColumnData::default();
                source.fill(rows, cells, &mut column);
                column
            })
            .collect();
        let texts = out.values.texts();
        for (index, (row, cell)) in rows.iter().zip(cells).enumerate() {
            self.pieces.write(&columns, index, *row, self.rule.stream.at(*cell), texts);
        }
        self.rule.fill_nulls(&Rows::Picked(cells), out);
    }
}

/// The rules of a table's columns, and the columns as changes store them.
pub(super) fn compile(
    plan: &Plan,
    table: &TablePlan,
    course: &Arc<Course>,
) -> Result<(Vec<ChangeRule>, Vec<ColumnPlan>), PlanError> {
    let fixed = plan.schema().fixed(&table.name);
    let compiler = Compiler { plan, table, course, fixed };
    let rules: Vec<ChangeRule> =
        table.columns.iter().map(|column| compiler.rule(column)).collect::<Result<_, _>>()?;
    let columns = table
        .columns
        .iter()
        .map(|column| {
            // An op's `now` is its own: no single entry.
            let is_now = compiler.generator(column).is_some_and(|of| *of == Generator::Now);
            let storage = if is_now { Storage::Plain } else { column.storage.clone() };
            ColumnPlan { storage, ..column.clone() }
        })
        .collect();
    Ok((rules, columns))
}

struct Compiler<'a> {
    plan: &'a Plan,
    table: &'a TablePlan,
    course: &'a Arc<Course>,
    fixed: HashMap<&'a str, Fixed>,
}

impl<'a> Compiler<'a> {
    /// The generator of a column that changes may draw anew.
    fn generator(&self, column: &ColumnPlan) -> Option<&'a Generator> {
        let is_custom = self.plan.is_custom(&self.table.name, &column.name);
        let is_fixed = self.fixed.get(&*column.name).is_some_and(|why| *why != Fixed::Same);
        let spec = self.plan.schema().tables[&*self.table.name].columns.get(&*column.name);
        spec.filter(|_| !is_custom && !is_fixed).map(|spec| &spec.generator)
    }

    fn rule(&self, column: &ColumnPlan) -> Result<ChangeRule, PlanError> {
        let rule = column.rule.clone();
        Ok(match self.generator(column) {
            None => ChangeRule::Row(rule),
            Some(Generator::Template(text)) => self.template(column, text)?,
            Some(Generator::States(spec)) => self.states(column, spec)?,
            Some(Generator::Ref(spec)) => {
                let fill = self.parents(column, spec)?;
                ChangeRule::Cell(Rule { fill: Arc::new(fill), ..rule })
            }
            Some(Generator::Now) => {
                let fill = Stamp { epoch_us: self.plan.options().epoch_us };
                ChangeRule::Cell(Rule { fill: Arc::new(fill), ..rule })
            }
            Some(_) => ChangeRule::Cell(rule),
        })
    }

    fn template(&self, column: &ColumnPlan, text: &str) -> Result<ChangeRule, PlanError> {
        let place = format!("tables.{}.columns.{}", self.table.name, column.name);
        let mut sources = Vec::new();
        let mut reals = Vec::new();
        let parts = template_parts(&place, text, |name| {
            let source = self.table.columns.iter().find(|column| *column.name == *name);
            let source = source.ok_or_else(|| invalid(&place, "there is no such column"))?;
            reals.push(source.data_type == DataType::Float { double: false });
            sources.push(self.rule(source)?);
            Ok(())
        })?;
        let pieces = Pieces { parts, reals, entities: self.table.series.max(1), per_row: 1 };
        let rule = column.rule.clone();
        Ok(ChangeRule::Template(Arc::new(TemplateRule { pieces, sources, rule })))
    }

    fn states(&self, column: &ColumnPlan, spec: &StatesSpec) -> Result<ChangeRule, PlanError> {
        let place = format!("tables.{}.columns.{}", self.table.name, column.name);
        let mut machine = machine(&place, column.data_type, spec)?;
        if let Storage::Dictionary(entries) = &column.storage {
            machine.entries = Arc::clone(entries);
        }
        let table = self.plan.tables().iter().position(|table| table.name == self.table.name);
        let table = table.ok_or_else(|| invalid(&place, "there is no such table"))?;
        let place = self.table.columns.iter().position(|of| of.name == column.name);
        let entry = self.course.entries.iter().position(|entry| {
            entry.table == table && place.is_some_and(|place| entry.set.contains(&place))
        });
        let (course, rule) = (Arc::clone(self.course), column.rule.clone());
        Ok(ChangeRule::States(Arc::new(StatesRule { machine, course, table, entry, rule })))
    }

    fn parents(&self, column: &ColumnPlan, spec: &RefSpec) -> Result<LiveParents, PlanError> {
        let place = format!("tables.{}.columns.{}", self.table.name, column.name);
        let tables = self.plan.tables();
        let at = tables.iter().position(|table| *table.name == *spec.table);
        let at =
            at.ok_or_else(|| invalid(&place, format!("there is no table `{}`", spec.table)))?;
        let parent = &tables[at];
        let name = spec.column.as_ref().or_else(|| parent.spec.key.first());
        let found = name.and_then(|name| parent.columns.iter().find(|of| *of.name == **name));
        let found = found.ok_or_else(|| invalid(&place, "there is no such column"))?;
        let rows = parent.rows.unwrap_or(0).max(1);
        let stream = column.rule.stream;
        let skewed = match spec.skew {
            None | Some(Skew::Uniform) => None,
            Some(Skew::Zipf(exponent)) => {
                let shuffle = Permutation::new(rows, stream.named("#shuffle").key());
                Some(Skewed { law: Zipf::new(rows, exponent), shuffle })
            }
        };
        let course = Arc::clone(self.course);
        Ok(LiveParents { parent: found.rule.clone(), rows, skewed, course, table: at })
    }
}

/// Foreign keys of rows that an op writes: the parents of the beginning, and those that the op's own stream inserted before.
///
/// Other streams insert as many. So a new parent of one's own is picked as often as all of theirs that came at its
/// turn, and over all streams every parent is picked alike. A skew holds among the parents of the beginning.
#[derive(Debug)]
struct LiveParents {
    parent: Rule,
    /// The parents of the beginning; at least 1.
    rows: u64,
    skewed: Option<Skewed>,
    course: Arc<Course>,
    table: usize,
}

impl LiveParents {
    fn row(&self, stream: Stream, live: Stream, cell: u64) -> u64 {
        if let Some(op) = op_of(cell) {
            let streams = self.course.streams;
            let (number, own) = (op / streams, op % streams);
            let preload = self.course.starts(own)[self.table].preload;
            let born = self.course.live(own, self.table, number).born - preload;
            let drawn = live.at(cell).below(self.rows + born * streams);
            if let Some(new) = drawn.checked_sub(self.rows) {
                return (preload + new / streams) * streams + own;
            }
        }
        match &self.skewed {
            None => stream.at(cell).below(self.rows),
            Some(Skewed { law, shuffle }) => shuffle.at(law.rank(stream.at(cell)) - 1),
        }
    }
}

impl Fill for LiveParents {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let (live, mut parents) = (stream.named("#live"), Vec::new());
        rows.map_into(&mut parents, |cell| self.row(stream, live, cell));
        self.parent.fill.fill(self.parent.stream, Rows::Picked(&parents), out);
    }
}

/// `now`: the run's start for the rows of the beginning, and a microsecond more for every op.
#[derive(Debug)]
struct Stamp {
    epoch_us: i64,
}

impl Fill for Stamp {
    fn fill(&self, _: Stream, rows: Rows<'_>, out: &mut Values) {
        rows.map_into(out.timestamps(), |cell| {
            self.epoch_us.wrapping_add(op_of(cell).map_or(0, |op| op as i64 + 1))
        });
    }
}
