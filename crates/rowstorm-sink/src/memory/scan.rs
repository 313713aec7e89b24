//! Rows as they stood when the reading began.

use std::vec;

use super::cells::MemoryRow;
use super::table::MemoryTable;
use crate::{Rows, Scan};

/// Few enough that a table of the tests takes several.
const PAGE_ROWS: usize = 1000;

pub(super) struct MemoryScan(vec::IntoIter<MemoryRow>);

impl MemoryScan {
    pub(super) fn new(table: &MemoryTable) -> MemoryScan {
        MemoryScan(table.rows().collect::<Vec<_>>().into_iter())
    }
}

impl Scan for MemoryScan {
    fn next(&mut self) -> Rows<'_> {
        let page = self.0.by_ref().take(PAGE_ROWS).collect();
        Box::pin(async move { Ok(page) })
    }
}
