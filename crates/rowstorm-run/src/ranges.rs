//! A set of rows as ranges, neighbours merged.

use std::collections::BTreeMap;
use std::ops::Range;

/// Which rows are done: for `--resume`. Rows come nearly in order, so the set stays as small as the lanes are many.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds a range that is not in the set yet.
    pub(crate) fn add(&mut self, rows: Range<u64>) {
        if rows.is_empty() {
            return;
        }
        let Range { mut start, mut end } = rows;
        if let Some((&before, &until)) = self.0.range(..start).next_back() {
            debug_assert!(until <= start, "rows are done once");
            if until == start {
                self.0.remove(&before);
                start = before;
            }
        }
        if let Some(until) = self.0.remove(&end) {
            end = until;
        }
        self.0.insert(start, end);
    }

    /// The ranges, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u64>> {
        self.0.iter().map(|(&start, &end)| start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_merge_in_any_order() {
        let mut ranges = Ranges::default();
        for rows in [0..10, 20..30, 40..50, 10..20, 5..5] {
            ranges.add(rows);
        }
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [0..30, 40..50]);
        ranges.add(30..40);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [Range { start: 0, end: 50 }]);
    }
}
