//! Columns that draw once for each entity of a series: a host's region does not change.

use std::sync::Arc;

use crate::rule::Rule;
use crate::{ColumnData, Fill, Rows, Stream, Values};

/// Codes into the entries of all entities, for readers outside the table's own batches.
#[derive(Debug)]
pub(crate) struct SeriesEntries {
    pub(crate) count: u64,
    pub(crate) entries: Arc<ColumnData>,
}

impl Fill for SeriesEntries {
    fn fill(&self, _stream: Stream, rows: Rows<'_>, out: &mut Values) {
        rows.map_ticks_into(self.count, out.codes(&self.entries), |entity, _| entity as u32);
    }
}

/// The value of each row's entity, computed anew: there are too many entities to keep.
#[derive(Debug)]
pub(crate) struct SeriesComputed {
    pub(crate) count: u64,
    pub(crate) entity: Arc<dyn Fill>,
}

impl Fill for SeriesComputed {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let mut entities = Vec::new();
        rows.map_ticks_into(self.count, &mut entities, |entity, _| entity);
        self.entity.fill(stream, Rows::Picked(&entities), out);
    }
}

impl SeriesEntries {
    /// The values of all entities by a rule whose rows are entities; a dictionary is resolved.
    pub(crate) fn new(count: u64, entity: &Rule) -> SeriesEntries {
        let mut entries = ColumnData::default();
        entity.fill(&Rows::Run(0..count), &mut entries);
        if let Values::Dictionary { codes: crate::Codes::Own(codes), entries: list } =
            &entries.values
        {
            entries.values = list.values.gather(codes);
        }
        SeriesEntries { count, entries: Arc::new(entries) }
    }
}
