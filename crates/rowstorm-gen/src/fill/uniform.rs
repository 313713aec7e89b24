//! Every value of a range alike.

use super::below;
use crate::{Cell, Fill, Permutation, Rows, Stream, Values};

/// Values drawn alike from a range.
#[derive(Debug)]
pub(crate) struct Uniform(pub(crate) UniformRange);

/// The ranges: integers and decimals have both ends, floats and instants are without the upper.
#[derive(Debug, Clone, Copy)]
pub(crate) enum UniformRange {
    /// Integers from `low`, `most` + 1 of them.
    Int { low: i64, most: u64 },
    /// The same, each once: a keyed shuffle of the range.
    UniqueInt { low: i64, most: u64 },
    /// Decimals from `low` in units of the last digit, `most` + 1 of them.
    Decimal { low: i128, most: u128, scale: u8 },
    /// Floats.
    Float { low: f64, high: f64, double: bool },
    /// Instants from `low`, `most` + 1 of them.
    Timestamp { low: i64, most: u64 },
}

impl Fill for Uniform {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        match self.0 {
            UniformRange::Int { low, most } => {
                below::fill(stream, &rows, most, out.ints_as_left(), |k| {
                    low.wrapping_add(k as i64)
                });
            }
            UniformRange::UniqueInt { low, most } => unique(stream, &rows, low, most, out),
            UniformRange::Timestamp { low, most } => {
                below::fill(stream, &rows, most, out.timestamps(), |k| low.wrapping_add(k as i64));
            }
            UniformRange::Decimal { low, most, scale } => {
                let out = out.decimals(scale);
                match u64::try_from(most) {
                    Ok(most) => below::fill(stream, &rows, most, out, |k| low + i128::from(k)),
                    Err(_) => rows
                        .map_into(out, |row| low.wrapping_add(wide(stream.at(row), most) as i128)),
                }
            }
            UniformRange::Float { low, high, double } => {
                let out = out.floats();
                let span = high - low;
                if double {
                    let last = high.next_down();
                    rows.map_into(out, |row| (low + stream.at(row).unit() * span).min(last));
                } else {
                    let last = (high as f32).next_down();
                    rows.map_into(out, |row| {
                        f64::from(((low + stream.at(row).unit() * span) as f32).min(last))
                    });
                }
            }
        }
    }
}

/// A bijection on the range: row r is the shuffle's place r, round and round where there are more rows than values.
fn unique(stream: Stream, rows: &Rows<'_>, low: i64, most: u64, out: &mut Values) {
    let out = out.ints();
    match most.checked_add(1) {
        // The stream itself is a bijection on all 64-bit words.
        None => rows.map_into(out, |row| stream.at(row).bits() as i64),
        Some(n) => {
            let shuffle = Permutation::new(n, stream.key());
            rows.map_into(out, |row| low.wrapping_add(shuffle.at(row % n) as i64));
        }
    }
}

/// A number from 0 to `most`, beyond 64 bits: draws as many bits as it has until they are within.
fn wide(cell: Cell, most: u128) -> u128 {
    /// Each try holds with more than one half; 128 failures are out of reach.
    const TRIES: u32 = 128;
    let shift = most.leading_zeros();
    (0..TRIES)
        .map(|attempt| {
            let word = |n| u128::from(cell.draw(2 * attempt + n).bits());
            (word(0) << 64 | word(1)) >> shift
        })
        .find(|number| *number <= most)
        .unwrap_or(0)
}
