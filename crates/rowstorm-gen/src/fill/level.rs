//! The levels of a series' hierarchy, made from the entity's number.

use rowstorm_schema::LevelRule;

use crate::{Fill, Rows, Stream, Values};

/// One level's value for each entity; rows are entities.
#[derive(Debug)]
pub(crate) struct LevelNumber {
    pub(crate) rule: LevelRule,
    /// The number of entity 0.
    pub(crate) start: u64,
}

impl Fill for LevelNumber {
    fn fill(&self, _stream: Stream, rows: Rows<'_>, out: &mut Values) {
        rows.map_into(out.ints(), |entity| self.rule.value(self.start + entity) as i64);
    }
}
