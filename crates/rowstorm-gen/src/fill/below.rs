//! Numbers below a bound for whole runs of rows: the hottest loop there is.

use crate::{Rows, Stream};

/// Up to here one random word serves two rows: 32 bits scaled to a range of n have a bias below n / 2^32, one value
/// in 4,096 more or less often at most; beyond, a word serves one row.
const PAIR_MAX: u64 = 1 << 20;

/// Fills `out` with `value(k)`, k drawn from 0 to `most` for each row, both included.
///
/// Small ranges: row r takes the high (even r) or low (odd r) half of the word of row r / 2, times the range's size,
/// shifted right by 32. Large ranges: the row's own word times the size, shifted right by 64.
#[inline]
pub(super) fn fill<T: Copy + Default>(
    stream: Stream,
    rows: &Rows<'_>,
    most: u64,
    out: &mut Vec<T>,
    value: impl Fn(u64) -> T,
) {
    match most.checked_add(1) {
        None => rows.map_into(out, |row| value(stream.at(row).bits())),
        Some(n) if n > PAIR_MAX => rows.map_into(out, |row| value(stream.at(row).below(n))),
        Some(n) => match rows {
            Rows::Run(range) => pairs(stream, range.start, rows.len(), n, out, value),
            Rows::Picked(rows) => {
                out.clear();
                out.extend(rows.iter().map(|row| {
                    let word = stream.at(row >> 1).bits();
                    value(if row & 1 == 0 { high(word, n) } else { low(word, n) })
                }));
            }
        },
    }
}

#[inline]
fn pairs<T: Copy + Default>(
    stream: Stream,
    mut start: u64,
    len: usize,
    n: u64,
    out: &mut Vec<T>,
    value: impl Fn(u64) -> T,
) {
    // Every place is written below; what the buffer held last time need not be wiped.
    out.resize(len, T::default());
    let mut rest = &mut out[..];
    if start & 1 == 1
        && let Some((first, others)) = std::mem::take(&mut rest).split_first_mut()
    {
        *first = value(low(stream.at(start >> 1).bits(), n));
        start += 1;
        rest = others;
    }
    let mut word = start >> 1;
    let mut pairs = rest.chunks_exact_mut(2);
    for pair in &mut pairs {
        let bits = stream.at(word).bits();
        pair[0] = value(high(bits, n));
        pair[1] = value(low(bits, n));
        word += 1;
    }
    if let [last] = pairs.into_remainder() {
        *last = value(high(stream.at(word).bits(), n));
    }
}

#[inline]
fn high(word: u64, n: u64) -> u64 {
    ((word >> 32) * n) >> 32
}

#[inline]
fn low(word: u64, n: u64) -> u64 {
    ((word & 0xFFFF_FFFF) * n) >> 32
}
