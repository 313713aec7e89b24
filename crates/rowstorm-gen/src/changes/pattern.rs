//! Which entry of the mix an op belongs to: a fixed round of entries, as even as can be, over and over.
//!
//! A round is drawn up once by Tijdeman's chairman assignment ("The chairman assignment problem", 1980): after any number
//! of ops, every entry is less than one op away from its share. How often an entry came, and when it came for the
//! `n`th time, are a division and a look-up. It knows weights and numbers only; what an entry does stands in
//! [`Entry`](super::Entry).

/// The longest round: weights are kept exactly if they are whole numbers, or have up to three decimals, and add up to no
/// more; others are rounded to shares of this many.
const ROUND_MAX: u64 = 10_000;

/// The order of a mix's entries.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// How often each entry comes in a round.
    shares: Vec<u64>,
    /// The entry at each place of the round.
    round: Vec<u8>,
    /// The places of each entry.
    places: Vec<Vec<u32>>,
    /// How often each entry came before each place, the round's end included: `place × entries + entry`.
    before: Vec<u32>,
}

impl Pattern {
    /// The pattern of some weights, at most 255, all of them finite and above 0.
    pub(super) fn new(weights: &[f64]) -> Pattern {
        let shares = shares(weights);
        let round = assign(&shares);
        let (mut before, mut counts) = (Vec::new(), vec![0_u32; shares.len()]);
        let mut places = vec![Vec::new(); shares.len()];
        for (place, entry) in (0..).zip(&round) {
            before.extend_from_slice(&counts);
            counts[usize::from(*entry)] += 1;
            places[usize::from(*entry)].push(place);
        }
        before.extend_from_slice(&counts);
        Pattern { shares, round, places, before }
    }

    /// Ops of one round.
    #[inline]
    pub(super) fn len(&self) -> u64 {
        self.round.len() as u64
    }

    /// How often an entry comes in one round.
    pub(super) fn share(&self, entry: usize) -> u64 {
        self.shares[entry]
    }

    /// The entry at a place of the round.
    #[inline]
    pub(super) fn entry(&self, place: u64) -> usize {
        usize::from(self.round[place as usize])
    }

    /// How often an entry came in a round before a place.
    #[inline]
    pub(super) fn before(&self, entry: usize, place: u64) -> u64 {
        u64::from(self.before[place as usize * self.shares.len() + entry])
    }

    /// The op at which an entry comes for the `nth` time, counted from 0.
    #[inline]
    pub(super) fn find(&self, entry: usize, nth: u64) -> u64 {
        let (round, place) = (nth / self.shares[entry], nth % self.shares[entry]);
        round * self.len() + u64::from(self.places[entry][place as usize])
    }

    /// The places of an entry in a round, in order.
    pub(super) fn places(&self, entry: usize) -> &[u32] {
        &self.places[entry]
    }

    /// How often an entry came among the first `ops`.
    #[inline]
    pub(super) fn count(&self, entry: usize, ops: u64) -> u64 {
        ops / self.len() * self.shares[entry] + self.before(entry, ops % self.len())
    }
}

/// Weights as whole numbers without a common divisor, at most [`ROUND_MAX`] in all.
fn shares(weights: &[f64]) -> Vec<u64> {
    let whole = [1.0, 10.0, 100.0, 1000.0].into_iter().find_map(|scale| {
        let scaled: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let near = |number: &f64| (number - number.round()).abs() < 1e-9 && *number < 1e15;
        let all = scaled.iter().all(|number| near(number) && number.round() >= 1.0);
        all.then(|| scaled.iter().map(|number| number.round() as u64).collect::<Vec<_>>())
    });
    if let Some(whole) = whole {
        let divisor = whole.iter().copied().fold(0, gcd);
        let shares: Vec<u64> = whole.iter().map(|weight| weight / divisor).collect();
        if shares.iter().sum::<u64>() <= ROUND_MAX {
            return shares;
        }
    }
    // Summed in order and divided: plain IEEE arithmetic, the same everywhere. No entry is rounded away.
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| ((weight / total * ROUND_MAX as f64) as u64).max(1)).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// One round. The next op goes to the entry with the nearest deadline among those that may have one more: with `n`
/// entries, one may if it is at least `1 / (2n - 2)` behind its share by then, and must before it is `1 - 1 / (2n - 2)`
/// behind. In whole numbers, both sides times `(2n - 2)` and the round's length.
fn assign(shares: &[u64]) -> Vec<u8> {
    let length: i128 = shares.iter().copied().map(i128::from).sum();
    let width = (2 * shares.len() as i128 - 2).max(1);
    let mut given = vec![0_i128; shares.len()];
    (1..=length)
        .map(|ops| {
            let behind =
                |entry: usize| (i128::from(shares[entry]) * ops - given[entry] * length) * width;
            let room = |entry: usize| length * (width - 1) - behind(entry);
            let next = (0..shares.len())
                .filter(|entry| behind(*entry) >= length)
                .min_by(|a, b| {
                    // room(a) / share(a) against room(b) / share(b), without a division.
                    (room(*a) * i128::from(shares[*b])).cmp(&(room(*b) * i128::from(shares[*a])))
                })
                .unwrap_or(0);
            given[next] += 1;
            next as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn every_entry_is_less_than_one_op_from_its_share_at_every_prefix(
            weights in proptest::collection::vec(1_u32..60, 1..9),
        ) {
            let floats: Vec<f64> = weights.iter().copied().map(f64::from).collect();
            let total: f64 = floats.iter().sum();
            let pattern = Pattern::new(&floats);
            let mut naive = vec![0_u64; weights.len()];
            for op in 0..3 * pattern.len() + 7 {
                for (entry, count) in naive.iter().enumerate() {
                    prop_assert_eq!(pattern.count(entry, op), *count);
                    let due = op as f64 * floats[entry] / total;
                    prop_assert!((due - *count as f64).abs() < 1.0, "{} {} {}", entry, op, count);
                }
                let entry = pattern.entry(op % pattern.len());
                prop_assert_eq!(pattern.find(entry, naive[entry]), op);
                naive[entry] += 1;
            }
        }
    }

    #[test]
    fn weights_are_exact_or_nearly_so() {
        assert_eq!(shares(&[10.0, 40.0, 10.0, 35.0, 5.0]), [2, 8, 2, 7, 1]);
        assert_eq!(shares(&[0.25, 0.5]), [1, 2]);
        assert_eq!(shares(&[99.99, 0.01]), [9_999, 1]);
        assert_eq!(shares(&[std::f64::consts::PI, 1e-9]), [9_999, 1]);
        let many = Pattern::new(&[1.0; 255]);
        assert_eq!((many.len(), many.entry(254)), (255, 254));
    }
}
