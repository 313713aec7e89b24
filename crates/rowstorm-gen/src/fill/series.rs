//! Columns that draw once for each entity of a series: a host's region does not change.

use std::sync::Arc;

use crate::rule::Rule;
use crate::{Codes, ColumnData, Fill, Rows, Stream, Strings, Values};

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

/// The most bytes of texts that are kept for all entities of one column.
const TEXT_BYTES_MAX: u64 = 32 << 20;

/// Entities whose texts are measured to tell how long those of all will be.
const PROBED: u64 = 64;

impl SeriesEntries {
    /// The values of all entities by a rule whose rows are entities, a dictionary resolved; `None` if their texts are
    /// too long to keep.
    pub(crate) fn new(count: u64, entity: &Rule) -> Option<SeriesEntries> {
        let mut entries = ColumnData::default();
        let probed = count.min(PROBED);
        entity.fill(&Rows::Run(0..probed), &mut entries);
        if text_bytes(&entries.values) / probed.max(1) * count > TEXT_BYTES_MAX {
            return None;
        }
        entity.fill(&Rows::Run(0..count), &mut entries);
        if let Values::Dictionary { codes: Codes::Own(codes), entries: list } = &entries.values {
            entries.values = list.values.gather(codes);
        }
        Some(SeriesEntries { count, entries: Arc::new(entries) })
    }
}

/// The bytes of all texts in a column, a dictionary's entries by their mean.
fn text_bytes(values: &Values) -> u64 {
    let len = |strings: &Strings| strings.parts().1.len() as u64;
    match values {
        Values::Text(strings) | Values::Bytes(strings) | Values::Json(strings) => len(strings),
        Values::Dictionary { entries, .. } => {
            let mean = text_bytes(&entries.values) / entries.values.len().max(1) as u64;
            mean * values.len() as u64
        }
        Values::Object(fields) => fields.iter().map(|(_, field)| text_bytes(&field.values)).sum(),
        Values::Array { items, .. } => text_bytes(&items.values),
        Values::Bool(_)
        | Values::Int(_)
        | Values::Float(_)
        | Values::Decimal { .. }
        | Values::Timestamp(_)
        | Values::Uuid(_) => 0,
    }
}
