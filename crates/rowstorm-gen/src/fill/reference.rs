//! Foreign keys: the parent's own rule computes the value of a picked parent row. No table of keys, any size.

use super::Zipf;
use crate::rule::Rule;
use crate::{Fill, Permutation, Rows, Stream, Values};

/// Values of a parent's column.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) parent: Rule,
    /// The parent's rows; at least 1.
    pub(crate) rows: u64,
    pub(crate) skewed: Option<Skewed>,
}

/// Picks by Zipf's law; the hot parents are spread over the table by a keyed shuffle.
#[derive(Debug)]
pub(crate) struct Skewed {
    pub(crate) law: Zipf,
    pub(crate) shuffle: Permutation,
}

impl Fill for Reference {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let mut parents = Vec::new();
        match &self.skewed {
            None => rows.map_into(&mut parents, |row| stream.at(row).below(self.rows)),
            Some(Skewed { law, shuffle }) => {
                rows.map_into(&mut parents, |row| shuffle.at(law.rank(stream.at(row)) - 1));
            }
        }
        self.parent.fill.fill(self.parent.stream, Rows::Picked(&parents), out);
    }
}
