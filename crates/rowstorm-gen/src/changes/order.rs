//! In which order the rows of a table are deleted: the live rows are an interval of that order, always.
//!
//! A stream's rows of one table are numbered as they are born: first those that are there when the changes begin, then
//! the inserted ones. A row's place says when it goes: the `n`th delete takes the row at place `n`. After `gone` deletes
//! and `born` births the live rows stand at the places `gone..born`, so a row is picked by picking a place, and is alive if its
//! place is. Both directions are computed; nothing is kept.

use crate::Permutation;
use crate::stream::mix;

/// Rows that are shuffled among themselves once all of them are born.
pub(super) const SHUFFLED: u64 = 64;

/// The rows of one table in one stream that may be alive: places in the order of deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Live {
    /// Deletes so far, and the place of the next.
    pub(super) gone: u64,
    /// Rows that were born so far.
    pub(super) born: u64,
}

impl Live {
    #[inline]
    pub(super) fn len(self) -> u64 {
        self.born - self.gone
    }
}

/// A bijection between rows and places.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// First born, first gone: a row's place is its number.
    Oldest,
    /// The rows of the beginning in one shuffle, then [`SHUFFLED`] rows at a time. What is not yet complete stands as
    /// it was born; no delete reaches it.
    Shuffled {
        /// Rows of the beginning, and their shuffle; `None` if there are none.
        first: Option<Permutation>,
        base: u64,
        key: u64,
    },
}

impl Order {
    /// The order in which `base` rows and those born after them are shuffled.
    pub(super) fn shuffled(base: u64, key: u64) -> Order {
        let first = (base > 0).then(|| Permutation::new(base, key));
        Order::Shuffled { first, base, key }
    }

    /// The row at a place.
    #[inline]
    pub(super) fn row(&self, place: u64, born: u64) -> u64 {
        match self {
            Order::Oldest => place,
            Order::Shuffled { base, .. } if born < *base => place,
            Order::Shuffled { first, base, key } => match place.checked_sub(*base) {
                None => first.as_ref().map_or(place, |first| first.at(place)),
                Some(after) => match group(after, born - base, *key) {
                    None => place,
                    Some((start, shuffle)) => base + start + shuffle.at(after - start),
                },
            },
        }
    }

    /// The place of a row that was born.
    #[inline]
    pub(super) fn place(&self, row: u64, born: u64) -> u64 {
        match self {
            Order::Oldest => row,
            Order::Shuffled { base, .. } if born < *base => row,
            Order::Shuffled { first, base, key } => match row.checked_sub(*base) {
                None => first.as_ref().map_or(row, |first| first.place(row)),
                Some(after) => match group(after, born - base, *key) {
                    None => row,
                    Some((start, shuffle)) => base + start + shuffle.place(after - start),
                },
            },
        }
    }
}

/// The shuffled group of a row and where it starts; `None` if not all of it is born.
fn group(after: u64, born: u64, key: u64) -> Option<(u64, Permutation)> {
    let start = after / SHUFFLED * SHUFFLED;
    (start + SHUFFLED <= born).then(|| {
        let number = start / SHUFFLED;
        (start, Permutation::new(SHUFFLED, mix(key ^ mix(number))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_rows_are_one_to_one_whatever_is_born() {
        for order in [Order::Oldest, Order::shuffled(0, 7), Order::shuffled(100, 7)] {
            for born in [99, 100, 101, 163, 164, 165, 400] {
                let mut rows: Vec<u64> = (0..born).map(|place| order.row(place, born)).collect();
                for (place, row) in (0..).zip(&rows) {
                    assert_eq!(order.place(*row, born), place, "{order:?}");
                }
                rows.sort_unstable();
                assert_eq!(rows, (0..born).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_place_below_a_complete_group_never_changes_its_row() {
        let order = Order::shuffled(10, 3);
        for place in 0..10 + SHUFFLED {
            assert_eq!(order.row(place, 10 + SHUFFLED), order.row(place, 1_000));
        }
        assert!((0..10).any(|place| order.row(place, 10) != place));
    }
}
