//! A column's rule made ready: its stream, its fill and its nulls, apart from how batches store it.

use std::sync::Arc;

use crate::{ColumnData, Fill, Rows, Stream};

/// Fills one column, validity included.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) stream: Stream,
    pub(crate) fill: Arc<dyn Fill>,
    pub(crate) nulls: Option<Nulls>,
}

impl Rule {
    pub(crate) fn fill(&self, rows: &Rows<'_>, out: &mut ColumnData) {
        self.fill.fill(self.stream, rows.clone(), &mut out.values);
        self.fill_nulls(rows, out);
    }

    /// The validity alone.
    pub(crate) fn fill_nulls(&self, rows: &Rows<'_>, out: &mut ColumnData) {
        match &self.nulls {
            None => out.valid = None,
            Some(nulls) => {
                let valid = out.valid.get_or_insert_default();
                valid.clear();
                nulls.for_each(rows, |is_null| valid.push(!is_null));
            }
        }
    }
}

/// Which rows are null: a draw of its own, so that nulls do not move values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nulls {
    stream: Stream,
    /// A row is null if its word is below; `None` if every row is.
    below: Option<u64>,
    /// Drawn for row % entities; for every row if `None`.
    entities: Option<u64>,
}

impl Nulls {
    /// The nulls of a column with this stream; `None` if the share is 0.
    pub(crate) fn new(column: Stream, share: f64) -> Option<Nulls> {
        // 2^64; `as` saturates, and a share of 1 has no threshold.
        let below = (share < 1.0).then_some((share * 18_446_744_073_709_551_616.0) as u64);
        let stream = column.named("#null");
        (share > 0.0).then_some(Nulls { stream, below, entities: None })
    }

    /// The same, drawn once for each entity.
    pub(crate) fn per_entity(self, entities: u64) -> Nulls {
        Nulls { entities: Some(entities), ..self }
    }

    fn for_each(&self, rows: &Rows<'_>, mut each: impl FnMut(bool)) {
        match (self.below, self.entities) {
            (None, _) => rows.for_each(|_| each(true)),
            (Some(below), None) => rows.for_each(|row| each(self.stream.at(row).bits() < below)),
            (Some(below), Some(entities)) => {
                rows.for_each(|row| each(self.stream.at(row % entities).bits() < below));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Row, Value, kinds};

    #[test]
    fn picked_rows_are_the_rows_of_a_run() {
        let plan = kinds::plan(6);
        let table = plan.table("kinds").unwrap();
        let rows: Vec<Row> = table.rows(0..500);
        // Repeats, gaps, odd and even, backwards.
        let picked: Vec<u64> = (0..300_u64).map(|at| at * at * 7 % 500).rev().collect();
        for (place, column) in table.columns.iter().enumerate() {
            let mut out = ColumnData::default();
            column.rule.fill(&Rows::Picked(&picked), &mut out);
            for (index, row) in picked.iter().enumerate() {
                let value = Value::of(&out, index, &[]);
                assert_eq!(value, rows[*row as usize].values()[place], "{}", column.name);
            }
        }
    }
}
