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

    /// Empties `out` and puts the value of every row into it. The `match` is outside, the loop inside.
    #[inline]
    pub fn map_into<T>(&self, out: &mut Vec<T>, value: impl Fn(u64) -> T) {
        out.clear();
        match self {
            Rows::Run(range) => out.extend(range.clone().map(value)),
            Rows::Picked(rows) => out.extend(rows.iter().map(|row| value(*row))),
        }
    }

    /// Empties `out` and puts the value of every row's entity and tick into it: row = tick × entities + entity.
    #[inline]
    pub(crate) fn map_ticks_into<T: Copy>(
        &self,
        entities: u64,
        out: &mut Vec<T>,
        value: impl Fn(u64, u64) -> T,
    ) {
        out.clear();
        match self {
            Rows::Run(range) => {
                // One division for the run, not one a row.
                let (mut tick, mut entity) = (range.start / entities, range.start % entities);
                let mut left = range.end - range.start;
                out.reserve(left as usize);
                while left > 0 {
                    let run = left.min(entities - entity);
                    out.extend((entity..entity + run).map(|entity| value(entity, tick)));
                    (tick, entity, left) = (tick + 1, 0, left - run);
                }
            }
            Rows::Picked(rows) => {
                out.extend(rows.iter().map(|row| value(row % entities, row / entities)));
            }
        }
    }
}
