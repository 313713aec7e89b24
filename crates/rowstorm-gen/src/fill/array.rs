//! Several values of one type in a row.

use crate::rule::Rule;
use crate::{ColumnData, Fill, Rows, Stream, Values};

/// Between `min` and `max` items; item i of row r is the items' rule at row `r × max + i`, a number of its own.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) items: Rule,
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Fill for Array {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        if !matches!(out, Values::Array { .. }) {
            *out = Values::Array { offsets: Vec::new(), items: Box::default() };
        }
        let Values::Array { offsets, items } = out else { unreachable!("it was just set") };
        offsets.clear();
        offsets.push(0);
        let lengths = u64::from(self.max - self.min) + 1;
        let mut cells = Vec::with_capacity(rows.len() * self.max as usize);
        rows.for_each(|row| {
            let len = u64::from(self.min) + stream.at(row).below(lengths);
            let first = row.wrapping_mul(u64::from(self.max));
            cells.extend((0..len).map(|item| first.wrapping_add(item)));
            offsets.push(u32::try_from(cells.len()).expect("a batch holds less than 2^32 items"));
        });
        fill_items(&self.items, &cells, items);
    }
}

fn fill_items(rule: &Rule, cells: &[u64], items: &mut ColumnData) {
    rule.fill(&Rows::Picked(cells), items);
}
