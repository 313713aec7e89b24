//! Characters of a given length and entropy: slices of a pool, because a copy is ten times faster than a draw.

use std::sync::Arc;

use rowstorm_schema::DataType;

use crate::{Fill, Rows, Stream, Strings, Values};

/// The size of a pool: it stays in a core's second cache, and two rows rarely share a slice.
const POOL_BYTES: usize = 1 << 20;

const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Slices of a pool that was drawn once from the column's own stream.
#[derive(Debug)]
pub(crate) struct TextPool {
    pool: Pool,
    min: usize,
    max: usize,
    is_bytes: bool,
}

struct Pool(Arc<[u8]>);

impl std::fmt::Debug for Pool {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} bytes", self.0.len())
    }
}

impl TextPool {
    /// Values of `min` to `max` bytes for a column of this type and stream. Text without an alphabet is letters and
    /// digits, bytes without one are all 256. A share of `1 - entropy` of the characters is the alphabet's first.
    pub(crate) fn new(
        column: Stream,
        data_type: DataType,
        (min, max): (u32, u32),
        entropy: f64,
        alphabet: Option<&str>,
    ) -> TextPool {
        let is_bytes = data_type == DataType::Bytes;
        let every: Vec<u8> = (0..=255).collect();
        let alphabet = match alphabet {
            Some(alphabet) => alphabet.as_bytes(),
            None if is_bytes => &every,
            None => LETTERS_AND_DIGITS,
        };
        let (min, max) = (min as usize, max as usize);
        let stream = column.named("#pool");
        let n = alphabet.len() as u64;
        let pool = (0..POOL_BYTES.max(2 * max) as u64)
            .map(|at| {
                let cell = stream.at(at);
                let is_random = entropy >= 1.0 || cell.draw(1).chance(entropy);
                alphabet[if is_random { cell.below(n) as usize } else { 0 }]
            })
            .collect();
        TextPool { pool: Pool(pool), min, max, is_bytes }
    }

    #[inline]
    fn push(&self, at: u64, len: usize, out: &mut Strings) {
        let at = at as usize;
        out.push(&self.pool.0[at..at + len]);
    }
}

impl Fill for TextPool {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let out = if self.is_bytes { out.byte_strings() } else { out.texts() };
        let places = |len: usize| (self.pool.0.len() - len + 1) as u64;
        if self.min == self.max {
            let (len, places) = (self.max, places(self.max));
            out.tail().reserve(rows.len() * len);
            rows.for_each(|row| self.push(stream.at(row).below(places), len, out));
        } else {
            let lengths = (self.max - self.min + 1) as u64;
            rows.for_each(|row| {
                let cell = stream.at(row);
                let len = self.min + cell.draw(1).below(lengths) as usize;
                self.push(cell.below(places(len)), len, out);
            });
        }
    }
}
