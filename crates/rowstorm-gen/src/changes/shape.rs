//! Which columns travel: all of a table, or the key and what an update sets.

use std::sync::Arc;

use super::course::Course;
use super::entry::{Entry, OpKind};
use super::rule::{self, ChangeRule};
use crate::table_plan::set_series;
use crate::{Batch, ColumnData, ColumnPlan, Plan, PlanError, Storage, TablePlan};

/// Some of a table's columns, as a table of their own that encoders understand.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) plan: Arc<TablePlan>,
    /// The columns' places in the whole table.
    places: Vec<usize>,
}

impl Shape {
    /// All columns of a table, as changes store them.
    pub(super) fn whole(table: &TablePlan, columns: Vec<ColumnPlan>) -> Shape {
        let places = (0..columns.len()).collect();
        Shape { plan: Arc::new(with_columns(table, columns, table.key.clone())), places }
    }

    /// What an entry's statements carry: a row that is inserted whole, else the key, and behind it what is set.
    pub(super) fn of(entry: &Entry, whole: &Shape) -> Shape {
        let table = &whole.plan;
        let mut keys = table.key.len();
        let places = match entry.kind {
            OpKind::Insert => return whole.clone(),
            OpKind::Update => [&table.key[..], &entry.set].concat(),
            // The key as it is, and as it becomes.
            OpKind::Rekey => [&table.key[..], &table.key].concat(),
            OpKind::Delete | OpKind::Read => match &entry.query {
                None => table.key.clone(),
                Some(query) => {
                    keys = 0;
                    query.places()
                }
            },
        };
        let columns = places.iter().map(|place| table.columns[*place].clone()).collect();
        let key = (0..keys).collect();
        Shape { plan: Arc::new(with_columns(table, columns, key)), places }
    }

    /// Makes a batch ready for the columns of `rows`.
    pub(super) fn begin(&self, rows: &[u64], out: &mut Batch) {
        out.rows = 0..rows.len() as u64;
        out.series.clear();
        if self.plan.series > 0 {
            out.series.extend(rows.iter().map(|row| (row % self.plan.series) as u32));
        }
        out.columns.resize_with(self.plan.columns.len(), ColumnData::default);
    }
}

fn with_columns(table: &TablePlan, columns: Vec<ColumnPlan>, key: Vec<usize>) -> TablePlan {
    TablePlan {
        name: Arc::clone(&table.name),
        columns,
        key,
        rows: None,
        series: table.series,
        spec: table.spec.clone(),
        fingerprint: table.fingerprint,
    }
}

/// The rules of one table's columns under changes.
#[derive(Debug, Clone)]
pub(super) struct TableRules {
    pub(super) whole: Shape,
    pub(super) rules: Vec<ChangeRule>,
}

impl TableRules {
    /// The rules of a table.
    pub(super) fn new(
        plan: &Plan,
        table: &TablePlan,
        course: &Arc<Course>,
    ) -> Result<TableRules, PlanError> {
        let (rules, columns) = rule::compile(plan, table, course)?;
        Ok(TableRules { whole: Shape::whole(table, columns), rules })
    }

    /// Fills `out` with the columns of a shape, for `rows` at `cells`; columns that stand behind the key are those of `to`,
    /// if there are such rows.
    pub(super) fn fill(
        &self,
        shape: &Shape,
        [rows, to]: [&[u64]; 2],
        cells: &[u64],
        out: &mut Batch,
    ) {
        shape.begin(rows, out);
        for (at, (place, column)) in shape.places.iter().zip(&mut out.columns).enumerate() {
            let is_behind = !to.is_empty() && at >= shape.plan.key.len();
            self.column(*place, if is_behind { to } else { rows }, cells, column);
        }
    }

    /// Fills one column of the whole table.
    pub(super) fn column(&self, place: usize, rows: &[u64], cells: &[u64], out: &mut ColumnData) {
        match &self.whole.plan.columns[place].storage {
            Storage::Series(entries) => set_series(entries, out),
            Storage::Plain | Storage::Dictionary(_) => self.rules[place].fill(rows, cells, out),
        }
    }
}
