//! Random words by position: one stream per column, one cell per row, no state.

/// The odd constant of SplitMix64: 2^64 divided by the golden ratio (Steele, Lea, Flood 2014).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finaliser (variant 13 of Stafford): a bijection on 64 bits.
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A source of random words, one per column, addressed by row.
///
/// Two rows never share their first word, because [`Stream::at`] is a bijection.
///
/// ```
/// use rowstorm_gen::Stream;
/// let stream = Stream::new(42).named("cpu").named("host");
/// assert_eq!(stream.at(7).bits(), stream.at(7).bits());
/// assert_ne!(stream.at(7).bits(), stream.at(8).bits());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stream(u64);

impl Stream {
    /// The stream of a whole run.
    pub fn new(seed: u64) -> Stream {
        Stream(mix(seed.wrapping_add(GOLDEN)))
    }

    /// The stream of a named part: a table, a column, a field. Order of names matters, position does not.
    #[must_use]
    pub fn named(self, name: &str) -> Stream {
        // FNV-1a over the name, then mixed with the parent, so that ("ab", "c") and ("a", "bc") differ.
        let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)
        });
        Stream(mix(self.0.rotate_left(23) ^ mix(hash.wrapping_add(GOLDEN))))
    }

    /// The key of a keyed shuffle that belongs to this stream.
    pub(crate) fn key(self) -> u64 {
        self.0
    }

    /// The cell of a row: O(1), any order.
    #[inline]
    pub fn at(self, row: u64) -> Cell {
        Cell(mix(self.0.wrapping_add(row.wrapping_mul(GOLDEN))))
    }
}

/// The random words of one cell: as many draws as wanted, none of which shifts another cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell(u64);

impl Cell {
    /// 64 random bits: the cell's first draw, different for every row of a stream.
    #[inline]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The cell's draw number `n`; draw 0 is [`Cell::bits`].
    #[inline]
    #[must_use]
    pub fn draw(self, n: u32) -> Cell {
        if n == 0 {
            self
        } else {
            Cell(mix(self.0.wrapping_add(u64::from(n).wrapping_mul(0xD1B5_4A32_D192_ED03))))
        }
    }

    /// The stream of everything below this cell: an entity's ticks.
    #[inline]
    pub(crate) fn stream(self) -> Stream {
        Stream(self.0)
    }

    /// A number below `n` by multiplication (Lemire 2019, without the rejection step: the bias is below n / 2^64).
    #[inline]
    pub fn below(self, n: u64) -> u64 {
        ((u128::from(self.0) * u128::from(n)) >> 64) as u64
    }

    /// A number in [0, 1) with 53 random bits.
    #[inline]
    pub fn unit(self) -> f64 {
        (self.0 >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0) // 2^53
    }

    /// True with probability `p`.
    #[inline]
    pub fn chance(self, p: f64) -> bool {
        self.unit() < p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_nest_and_do_not_run_together() {
        let root = Stream::new(1);
        assert_ne!(root.named("ab").named("c"), root.named("a").named("bc"));
        assert_ne!(root.named("a").named("b"), root.named("b").named("a"));
    }

    #[test]
    fn a_stream_is_the_published_splitmix64() {
        // Vigna's splitmix64.c with seed 0: its first output is our row 1.
        let published = [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F];
        let seen: Vec<u64> = (1..4).map(|row| Stream(0).at(row).bits()).collect();
        assert_eq!(seen, published);
    }

    #[test]
    fn values_stand_still() {
        // Golden, by the Python of docs/determinism.md: if this fails, GENERATOR_VERSION must move.
        let stream = Stream::new(42).named("t").named("c");
        let seen: Vec<u64> = (0..3).map(|row| stream.at(row).bits()).collect();
        assert_eq!(seen, [0xEC2C_CA36_247A_2B1F, 0xB2EC_2BB1_2E17_57EC, 0x05FB_9E17_1415_BF89]);
        assert_eq!(stream.at(2).draw(0), stream.at(2));
        assert_eq!(stream.at(2).draw(1).bits(), 0x79B9_A451_2A5E_DDF8);
    }

    #[test]
    fn below_is_below_and_unit_is_under_one() {
        for row in 0..10_000 {
            let cell = Stream::new(3).at(row);
            assert!(cell.below(7) < 7);
            assert!((0.0..1.0).contains(&cell.unit()));
        }
    }
}
