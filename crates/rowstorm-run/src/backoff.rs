//! How long to wait before the next attempt: doubling, capped, and spread so that lanes do not come back together.

use std::time::Duration;

const FIRST_MS: u64 = 100;
const MOST_MS: u64 = 2_000;

/// The pause before attempt `attempt` (from 0) of job `job`: 100 ms · 2^attempt, at most 2 s, times a factor between a
/// half and one that hangs on both numbers alone.
pub(crate) fn pause(job: u64, attempt: u32) -> Duration {
    let full = FIRST_MS.saturating_mul(1 << attempt.min(10)).min(MOST_MS);
    let draw = mix(job.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(attempt)));
    let half_us = full * 500;
    Duration::from_micros(half_us + draw % (half_us + 1))
}

/// The finisher of SplitMix64.
pub(crate) fn mix(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_two_seconds_and_differ_between_jobs() {
        for (attempt, full_ms) in [(0, 100), (1, 200), (4, 1_600), (5, 2_000), (40, 2_000)] {
            for job in 0..100 {
                let pause = pause(job, attempt);
                assert!(pause >= Duration::from_millis(full_ms / 2), "{pause:?}");
                assert!(pause <= Duration::from_millis(full_ms), "{pause:?}");
            }
        }
        assert_ne!(pause(1, 3), pause(2, 3));
        assert_eq!(pause(1, 3), pause(1, 3));
    }
}
