//! A keyed shuffle of `0..n` that is computed at any place: no table, no state.

/// A bijection on `0..n`, drawn by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permutation {
    n: u64,
    half_bits: u32,
    key: u64,
}

impl Permutation {
    /// The permutation of `0..n` that `key` draws.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: u64, key: u64) -> Permutation {
        assert!(n > 0, "a permutation needs at least one place");
        let bits = (64 - (n - 1).leading_zeros()).max(2);
        Permutation { n, half_bits: bits.div_ceil(2), key }
    }

    /// Where `index` goes: a Feistel network of four rounds, walked until it falls below `n` (Black, Rogaway 2002).
    ///
    /// # Panics
    /// If `index` is not below `n`.
    pub fn at(&self, index: u64) -> u64 {
        assert!(index < self.n, "{index} is not below {}", self.n);
        let mut place = self.rounds(index);
        while place >= self.n {
            place = self.rounds(place);
        }
        place
    }

    /// Where `at` came from: `place(at(index)) == index`.
    ///
    /// # Panics
    /// If `at` is not below `n`.
    pub fn place(&self, at: u64) -> u64 {
        assert!(at < self.n, "{at} is not below {}", self.n);
        let mut index = self.rounds_back(at);
        while index >= self.n {
            index = self.rounds_back(index);
        }
        index
    }

    fn rounds(&self, place: u64) -> u64 {
        let (mut left, mut right) = (place >> self.half_bits, place & self.mask());
        for round in 0..4 {
            (left, right) = (right, left ^ self.round(right, round));
        }
        left << self.half_bits | right
    }

    fn rounds_back(&self, place: u64) -> u64 {
        let (mut left, mut right) = (place >> self.half_bits, place & self.mask());
        for round in (0..4).rev() {
            (left, right) = (right ^ self.round(left, round), left);
        }
        left << self.half_bits | right
    }

    #[inline]
    fn round(&self, half: u64, round: u64) -> u64 {
        crate::stream::mix(self.key ^ half ^ (round << 60)) & self.mask()
    }

    fn mask(&self) -> u64 {
        (1 << self.half_bits) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_taken_once() {
        for n in [1, 2, 3, 5, 64, 100, 1000] {
            let permutation = Permutation::new(n, 7);
            let mut seen: Vec<u64> = (0..n).map(|index| permutation.at(index)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..n).collect::<Vec<_>>());
            assert!((0..n).all(|index| permutation.place(permutation.at(index)) == index));
        }
    }
}
