//! Weighted choice in one multiplication and one look-up (Walker 1977, built as Vose 1991 does).

/// Draws places by weight.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    /// For each slot: keep the slot's own place if the fraction is below, else take the other.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    keep_below: u64,
    other: u32,
}

impl Alias {
    /// A table for weights, all of them finite and above 0.
    pub(crate) fn new(weights: &[f64]) -> Alias {
        // Summed in order and divided: plain IEEE arithmetic, the same everywhere.
        let total: f64 = weights.iter().sum();
        let n = weights.len() as f64;
        let mut share: Vec<f64> = weights.iter().map(|weight| weight / total * n).collect();
        let mut slots: Vec<Slot> =
            (0..weights.len()).map(|at| Slot { keep_below: u64::MAX, other: at as u32 }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..weights.len()).partition(|at| share[*at] < 1.0);
        while let (Some(poor), Some(rich)) = (small.pop(), large.pop()) {
            // 2^64: `as` saturates.
            let keep_below = (share[poor] * 18_446_744_073_709_551_616.0) as u64;
            slots[poor] = Slot { keep_below, other: rich as u32 };
            share[rich] -= 1.0 - share[poor];
            if share[rich] < 1.0 { small.push(rich) } else { large.push(rich) }
        }
        Alias { slots }
    }

    /// The place that a random word draws: its product with the number of slots has the slot above the point and a
    /// fresh fraction below.
    #[inline]
    pub(crate) fn at(&self, word: u64) -> u32 {
        let product = u128::from(word) * self.slots.len() as u128;
        let place = (product >> 64) as u32;
        let slot = self.slots[place as usize];
        if (product as u64) < slot.keep_below { place } else { slot.other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    #[test]
    fn places_come_by_weight() {
        let weights = [5.0, 3.0, 2.0, 0.001];
        let alias = Alias::new(&weights);
        let draws = 200_000;
        let mut seen = [0_u32; 4];
        (0..draws).for_each(|row| seen[alias.at(Stream::new(9).at(row).bits()) as usize] += 1);
        for (count, weight) in seen.iter().zip(weights) {
            let share = weight / 10.001;
            let sigma = (share * (1.0 - share) * draws as f64).sqrt();
            let off = (f64::from(*count) - share * draws as f64).abs();
            assert!(off < 5.0 * sigma + 1.0, "{count} for weight {weight}");
        }
    }
}
