//! Which rows to fill: a run of them, or picked ones (a foreign key picks its parents).

use std::ops::Range;

/// The rows of one fill, in order.
#[derive(Debug, Clone)]
pub enum Rows<'a> {
    /// Every row of a range.
    Run(Range<u64>),
    /// These rows, in this order, repeats allowed.
    Picked(&'a [u64]),
}

impl Rows<'_> {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Rows::Run(range) => (range.end - range.start) as usize,
            Rows::Picked(rows) => rows.len(),
        }
    }

    /// Whether there is nothing to fill.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `each` with every row number. The `match` is outside, the loop inside.
    #[inline]
    pub fn for_each(&self, mut each: impl FnMut(u64)) {
        match self {
            Rows::Run(range) => range.clone().for_each(each),
            Rows::Picked(rows) => rows.iter().for_each(|row| each(*row)),
        }
    }
}
