//! Short stand-ins for long bytes: two rows with the same one are taken to be equal.

/// A hash of 128 bits. It is not made to withstand anybody: of a hundred million different rows, any two are alike by
/// accident with a chance of 1 in 10^22.
pub(super) fn digest(bytes: &[u8]) -> u128 {
    // The digits of pi, as in Blowfish's tables.
    let (mut a, mut b) = (0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344 ^ bytes.len() as u64);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        a = mix(a ^ word);
        b = mix(b.wrapping_add(word.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    }
    u128::from(mix(a ^ b.rotate_left(32))) << 64 | u128::from(mix(b ^ bytes.len() as u64))
}

/// SplitMix64's finaliser (Stafford's mix 13).
fn mix(mut word: u64) -> u64 {
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn bytes_that_differ_little_have_different_digests() {
        let mut halves: [HashSet<u64>; 2] = [HashSet::new(), HashSet::new()];
        let mut count = 0;
        for len in 0..40 {
            for at in 0..len {
                for value in [0, 1, 255_u8] {
                    let mut bytes = vec![7; len];
                    bytes[at] = value;
                    let digest = digest(&bytes);
                    halves[0].insert(digest as u64);
                    halves[1].insert((digest >> 64) as u64);
                    count += 1;
                }
            }
        }
        assert!(halves.iter().all(|half| half.len() == count));
        assert_ne!(digest(&[]), digest(&[0]));
    }
}
