//! Settings, and the grid of them.

use std::fmt;

use anyhow::Context as _;

/// Rows per batch and batches in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Setting {
    pub(super) batch: u32,
    pub(super) in_flight: u32,
}

/// What somebody would take who has not measured: within a tenth of the best on most databases.
pub(super) const REFERENCE: Setting = Setting { batch: 10_000, in_flight: 4 };

pub(super) const BATCHES: &str = "100,300,1000,3000,10000,30000,100000";
pub(super) const IN_FLIGHT: &str = "1,2,4,8,16,32,64";

impl Setting {
    /// Rows in memory at once.
    pub(super) fn footprint(self) -> u64 {
        u64::from(self.batch) * u64::from(self.in_flight)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{} × {}", self.batch, self.in_flight))
    }
}

/// Every batch with every number in flight, batch by batch.
pub(super) fn grid(batches: &[u32], in_flight: &[u32]) -> Vec<Setting> {
    let row = |&batch| in_flight.iter().map(move |&in_flight| Setting { batch, in_flight });
    batches.iter().flat_map(row).collect()
}

/// Numbers with commas between them, in order and each once.
pub(super) fn numbers(text: &str) -> anyhow::Result<Vec<u32>> {
    let number = |word: &str| {
        let number = word.trim().parse().ok().filter(|number| *number > 0);
        number.with_context(|| format!("`{word}` is no number of rows or batches"))
    };
    let mut numbers = text.split(',').map(number).collect::<anyhow::Result<Vec<u32>>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The same things in an order that differs from round to round and is the same each time it is asked for: what follows
/// what must not decide.
pub(super) fn shuffled<T: Copy>(things: &[T], round: u64) -> Vec<T> {
    let mut things = things.to_vec();
    // SplitMix64 (Steele, Lea, Flood 2014); the low bits' modulo is fair enough for an order.
    let mut state = round;
    for end in (1..things.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        things.swap(end, ((mixed ^ (mixed >> 31)) % (end as u64 + 1)) as usize);
    }
    things
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_and_must_be_numbers() {
        assert_eq!(numbers("300, 100,300").unwrap(), [100, 300]);
        assert!(numbers("100,many").is_err());
        assert!(numbers("0").is_err());
        assert!(numbers("").is_err());
    }

    #[test]
    fn a_shuffled_order_has_everything_once_and_changes_with_the_round() {
        let things: Vec<u32> = (0..49).collect();
        let (first, second) = (shuffled(&things, 1), shuffled(&things, 2));
        assert_ne!(first, second);
        assert_eq!(first, shuffled(&things, 1));
        for mut order in [first, second] {
            order.sort_unstable();
            assert_eq!(order, things);
        }
    }

    #[test]
    fn the_grid_is_complete() {
        let (batches, in_flight) = (numbers(BATCHES).unwrap(), numbers(IN_FLIGHT).unwrap());
        let grid = grid(&batches, &in_flight);
        assert_eq!(grid.len(), 49);
        assert!(grid.contains(&REFERENCE));
    }
}
