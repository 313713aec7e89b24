//! Which live row an update or a read takes: a place between the deleted and the unborn, drawn by the op's own cell.

use std::sync::{Arc, OnceLock};

use rowstorm_schema::Pick;

use super::order::Live;
use crate::Cell;
use crate::fill::Zipf;
use crate::stream::mix;

/// The most draws that may fall on places where nobody lives; at least a half of all places are taken, and the last
/// resort is a live row drawn alike.
const DRAWS_MAX: u32 = 64;

/// The share of picks that a hotspot takes.
const HOTSPOT_PICKS: f64 = 0.8;

/// A way to pick, made ready.
#[derive(Debug, Clone)]
pub(super) enum Picker {
    /// All alike.
    Uniform,
    /// By age, the youngest most often.
    Latest(Arc<Laws>),
    /// By age, the oldest most often.
    Oldest(Arc<Laws>),
    /// By Zipf's law; the hot rows are spread over all.
    Zipf(Arc<Laws>),
    /// This share of rows takes [`HOTSPOT_PICKS`].
    Hotspot(f64),
}

impl Picker {
    pub(super) fn new(pick: Pick) -> Picker {
        match pick {
            Pick::Uniform => Picker::Uniform,
            Pick::Latest => Picker::Latest(Laws::new(1.0)),
            Pick::Oldest => Picker::Oldest(Laws::new(1.0)),
            Pick::Zipf(exponent) => Picker::Zipf(Laws::new(exponent)),
            Pick::Hotspot(share) => Picker::Hotspot(share),
        }
    }

    /// A place of `live`, which is not empty. `key` spreads the hot rows, alike for all ops of a stream's table.
    #[inline]
    pub(super) fn place(&self, cell: Cell, live: Live, key: u64) -> u64 {
        match self {
            Picker::Uniform => live.gone + cell.below(live.len()),
            Picker::Latest(laws) => {
                live.born - 1 - tries(cell, live, |cell| laws.below(cell, live.len()))
            }
            Picker::Oldest(laws) => {
                live.gone + tries(cell, live, |cell| laws.below(cell, live.len()))
            }
            Picker::Zipf(laws) => {
                let bits = bits(live.len());
                live.gone
                    + tries(cell, live, |cell| seat(live, bits, key, laws.law(bits).rank(cell) - 1))
            }
            Picker::Hotspot(share) => {
                let bits = bits(live.len());
                let seats = 1_u64 << bits;
                let hot = ((seats as f64 * share).ceil() as u64).clamp(1, (seats - 1).max(1));
                let is_hot = cell.chance(HOTSPOT_PICKS) || seats == 1;
                live.gone
                    + tries(cell.draw(DRAWS_MAX + 2), live, |cell| {
                        let rank =
                            if is_hot { cell.below(hot) } else { hot + cell.below(seats - hot) };
                        seat(live, bits, key, rank)
                    })
            }
        }
    }
}

/// The first draw below the number of live rows.
#[inline]
fn tries(cell: Cell, live: Live, draw: impl Fn(Cell) -> u64) -> u64 {
    (0..DRAWS_MAX)
        .map(|number| draw(cell.draw(number)))
        .find(|place| *place < live.len())
        .unwrap_or_else(|| cell.draw(DRAWS_MAX + 1).below(live.len()))
}

/// The live row with a rank, counted from the oldest; beyond the live ones if nobody has it.
///
/// A rank is a seat out of 2^bits, of which at least a half is taken. A place sits by its number modulo 2^bits: it keeps
/// its seat, and so its rank, for life, while the live rows move on; a seat that gets free goes to the next row
/// that is born. Only where the live rows outgrow a power of two are all seated anew.
#[inline]
fn seat(live: Live, bits: u32, key: u64, rank: u64) -> u64 {
    let mask = (1_u64 << bits) - 1;
    scramble(rank, bits, key).wrapping_sub(live.gone) & mask
}

/// The bits of the smallest power of two that is not below `n`.
#[inline]
fn bits(n: u64) -> u32 {
    64 - (n - 1).leading_zeros()
}

/// A keyed bijection on numbers of some bits: each step can be undone.
#[inline]
fn scramble(number: u64, bits: u32, key: u64) -> u64 {
    let mask = (1_u64 << bits) - 1;
    let shift = (bits / 2).max(1);
    let mut number = number;
    for multiplier in [0x9E37_79B9_7F4A_7C15_u64, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB] {
        number = number.wrapping_add(mix(key ^ multiplier)).wrapping_mul(multiplier) & mask;
        number ^= number >> shift;
    }
    number
}

/// Zipf's law with one exponent for every power of two of ranks, drawn up when it is first asked for.
#[derive(Debug)]
pub(super) struct Laws {
    exponent: f64,
    laws: [OnceLock<Zipf>; 64],
}

impl Laws {
    fn new(exponent: f64) -> Arc<Laws> {
        Arc::new(Laws { exponent, laws: [const { OnceLock::new() }; 64] })
    }

    #[inline]
    fn law(&self, bits: u32) -> &Zipf {
        self.laws[bits as usize].get_or_init(|| Zipf::new(1 << bits, self.exponent))
    }

    /// A rank from 0; `n` or beyond if the draw does not fit.
    #[inline]
    fn below(&self, cell: Cell, n: u64) -> u64 {
        self.law(bits(n)).rank(cell) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    fn seen(pick: Pick, live: Live, draws: u64) -> Vec<u64> {
        let picker = Picker::new(pick);
        let mut seen = vec![0; live.len() as usize];
        for draw in 0..draws {
            let place = picker.place(Stream::new(5).at(draw), live, 77);
            seen[(place - live.gone) as usize] += 1;
        }
        seen
    }

    const ALL: [Pick; 5] =
        [Pick::Uniform, Pick::Latest, Pick::Oldest, Pick::Zipf(1.1), Pick::Hotspot(0.2)];

    #[test]
    fn every_pick_is_alive_and_every_live_row_is_picked() {
        for pick in ALL {
            for (gone, born) in [(0, 1), (7, 9), (1_000, 1_003), (5, 70)] {
                let seen = seen(pick, Live { gone, born }, 20_000);
                assert!(seen.iter().all(|count| *count > 0), "{pick:?} {seen:?}");
            }
        }
    }

    /// The laws themselves, by plain sums over the weights.
    #[test]
    fn ages_and_ranks_come_by_their_weights() {
        let (n, draws) = (48_u32, 400_000);
        let live = Live { gone: 100, born: 100 + u64::from(n) };
        let check = |counts: &[u64], exponent: f64| {
            let total: f64 = (1..=n).map(|rank| f64::from(rank).powf(-exponent)).sum();
            for (rank, count) in (1..=n).zip(counts) {
                let share = f64::from(rank).powf(-exponent) / total;
                let sigma = (share * (1.0 - share) * draws as f64).sqrt();
                let off = (*count as f64 - share * draws as f64).abs();
                assert!(off < 5.0 * sigma, "{exponent} {rank}: {count}");
            }
        };
        let mut latest = seen(Pick::Latest, live, draws);
        latest.reverse();
        check(&latest, 1.0);
        check(&seen(Pick::Oldest, live, draws), 1.0);
        // 64 seats, 48 of them taken: the ranks that nobody has fall out, so only the order can be told.
        let mut zipf = seen(Pick::Zipf(1.1), Live { gone: 100, born: 164 }, draws);
        zipf.sort_unstable_by(|a, b| b.cmp(a));
        let total: f64 = (1..=64).map(|rank| f64::from(rank).powf(-1.1)).sum();
        assert!((zipf[0] as f64 / draws as f64 - 1.0 / total).abs() < 0.01, "{zipf:?}");
    }

    #[test]
    fn a_hotspot_takes_four_fifths() {
        let (live, draws) = (Live { gone: 3, born: 3 + 1_000 }, 200_000);
        let mut seen = seen(Pick::Hotspot(0.1), live, draws);
        seen.sort_unstable_by(|a, b| b.cmp(a));
        // 103 of 1,024 seats are hot, and about that share of them is taken.
        let hot: u64 = seen.iter().take(103).sum();
        assert!((hot as f64 / draws as f64 - 0.8).abs() < 0.02, "{hot}");
    }

    #[test]
    fn a_hot_row_stays_hot_while_others_come_and_go() {
        let hottest = |gone: u64| {
            let live = Live { gone, born: gone + 64 };
            let counts = seen(Pick::Zipf(2.0), live, 5_000);
            gone + (0..64).max_by_key(|place| counts[*place as usize]).unwrap()
        };
        let first = hottest(1_000);
        for gone in 1_000..=first {
            assert_eq!(hottest(gone), first);
        }
        assert_eq!(hottest(first + 1), first + 64, "its seat goes to the next that is born");
    }

    #[test]
    fn a_scramble_takes_every_number_once() {
        for bits in 0..12 {
            let mut all: Vec<u64> = (0..1 << bits).map(|n| scramble(n, bits, 99)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..1 << bits).collect::<Vec<_>>());
        }
    }
}
