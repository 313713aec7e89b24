//! Moments and settings that a seed draws.

use std::time::Duration;

/// `SplitMix64` (Steele, Lea and Flood 2014): a sequence of 64-bit words.
pub(super) struct Moments(u64);

impl Moments {
    pub(super) fn new(seed: u64) -> Moments {
        Moments(seed)
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A moment before `end`, each alike.
    pub(super) fn before(&mut self, end: Duration) -> Duration {
        end.mul_f64((self.word() >> 11) as f64 / (1u64 << 53) as f64)
    }

    /// One of these.
    pub(super) fn one_of<const N: usize>(&mut self, choices: [u32; N]) -> u32 {
        choices[(self.word() % N as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_the_seeds_and_lie_before_the_end() {
        let end = Duration::from_secs(3);
        let draw = |seed| {
            let mut moments = Moments::new(seed);
            (0..100).map(|_| moments.before(end)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|moment| *moment < end));
        assert!(draw(7).iter().any(|moment| *moment > end / 2));
    }
}
