//! Rows as `COPY … (FORMAT binary)` reads them.
//!
//! The format is the server's own: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format": each
//! cell is a length of four bytes (-1 is null) and the bytes of the type's `send` function, all in network order.

use rowstorm_gen::{Batch, TablePlan};
use rowstorm_sink::rows::{RowEncoder, RowFormat};
use rowstorm_sink::{Buffer, Encoder, Payload};

use crate::wire::Wire;

/// Signature, no flags, no extension of the header.
const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a row's number of columns: no more rows.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// PostgreSQL counts from 2000-01-01: microseconds from 1970-01-01 till then.
pub(crate) const EPOCH_US: i64 = 946_684_800_000_000;

/// Encodes one table's rows for COPY BINARY.
#[derive(Debug)]
pub struct CopyEncoder(RowEncoder<CopyFormat>);

impl CopyEncoder {
    pub(crate) fn new(table: &TablePlan) -> CopyEncoder {
        let columns = table.columns.iter().map(Wire::of).collect();
        CopyEncoder(RowEncoder::new(table, CopyFormat::new(columns)))
    }
}

impl Encoder for CopyEncoder {
    fn begin(&mut self, payload: &mut Payload) {
        payload.body.put_array(HEADER);
    }

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        self.0.encode(batch, &mut payload.body);
    }

    fn end(&mut self, payload: &mut Payload) {
        payload.body.put_array(TRAILER);
    }
}

/// The cells of COPY BINARY.
#[derive(Debug)]
pub(crate) struct CopyFormat {
    columns: Vec<Wire>,
    /// How many columns from each one on are `int4`: the most common cells are written together.
    fours: Vec<usize>,
}

impl CopyFormat {
    pub(crate) fn new(columns: Vec<Wire>) -> CopyFormat {
        let mut fours = vec![0; columns.len() + 1];
        for (place, wire) in columns.iter().enumerate().rev() {
            fours[place] = if *wire == Wire::Int4 { fours[place + 1] + 1 } else { 0 };
        }
        CopyFormat { columns, fours }
    }
}

impl RowFormat for CopyFormat {
    fn fixed_bytes_max(&self) -> usize {
        // A UUID with its length.
        20
    }

    #[inline]
    fn row_begin(&mut self, out: &mut Buffer) {
        out.set_array((self.columns.len() as i16).to_be_bytes());
    }

    #[inline]
    fn row_end(&mut self, _: &mut Buffer) {}

    #[inline]
    fn null(&mut self, _: usize, out: &mut Buffer) {
        out.set_array(NULL);
    }

    #[inline]
    fn bool(&mut self, _: usize, value: bool, out: &mut Buffer) {
        out.set_array([0, 0, 0, 1, u8::from(value)]);
    }

    #[inline]
    fn int(&mut self, column: usize, value: i64, out: &mut Buffer) {
        match self.columns[column] {
            Wire::Int4 if value == i64::from(value as i32) => out.set_array(int4(value)),
            Wire::Int2 if value == i64::from(value as i16) => {
                let [high, low] = (value as i16).to_be_bytes();
                out.set_array([0, 0, 0, 2, high, low]);
            }
            Wire::Numeric => numeric(value.into(), 0, out),
            // Also a value that `ddl` left too little room for: the server refuses the length, nothing is cut off.
            Wire::Int2
            | Wire::Int4
            | Wire::Int8
            | Wire::Bool
            | Wire::Float4
            | Wire::Float8
            | Wire::Text
            | Wire::Bytea
            | Wire::Timestamp
            | Wire::Uuid
            | Wire::Jsonb => eight(value.to_be_bytes(), out),
        }
    }

    #[inline]
    fn ints(&mut self, first: usize, columns: &[&[i64]], row: usize, out: &mut Buffer) {
        if self.fours[first] < columns.len() {
            for (offset, values) in columns.iter().enumerate() {
                self.int(first + offset, values[row], out);
            }
            return;
        }
        // One check of the buffer's end for all of them.
        let start = out.len();
        let mut fits = true;
        for (cell, values) in out.claim(8 * columns.len()).chunks_exact_mut(8).zip(columns) {
            let value = values[row];
            fits &= value == i64::from(value as i32);
            cell.copy_from_slice(&int4(value));
        }
        if !fits {
            out.truncate(start);
            for (offset, values) in columns.iter().enumerate() {
                self.int(first + offset, values[row], out);
            }
        }
    }

    #[inline]
    fn float(&mut self, column: usize, value: f64, out: &mut Buffer) {
        if self.columns[column] == Wire::Float4 {
            out.set_array((4 << 32 | u64::from((value as f32).to_bits())).to_be_bytes());
        } else {
            eight(value.to_be_bytes(), out);
        }
    }

    fn decimal(&mut self, _: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        numeric(unscaled, scale, out);
    }

    #[inline]
    fn text(&mut self, column: usize, value: &str, out: &mut Buffer) {
        self.json(column, value, out);
    }

    #[inline]
    fn bytes(&mut self, _: usize, value: &[u8], out: &mut Buffer) {
        out.put_array((value.len() as u32).to_be_bytes());
        out.put(value);
    }

    #[inline]
    fn timestamp(&mut self, _: usize, micros: i64, out: &mut Buffer) {
        // The smallest value is the server's "-infinity": an instant too early for it must be refused instead.
        eight(micros.saturating_sub(EPOCH_US).max(i64::MIN + 1).to_be_bytes(), out);
    }

    #[inline]
    fn uuid(&mut self, _: usize, value: &[u8; 16], out: &mut Buffer) {
        out.set_array(16_u32.to_be_bytes());
        out.set_array(*value);
    }

    #[inline]
    fn json(&mut self, column: usize, document: &str, out: &mut Buffer) {
        if self.columns[column] == Wire::Jsonb {
            out.put_array((document.len() as u32 + 1).to_be_bytes());
            out.put_array([1]);
            out.put(document.as_bytes());
        } else {
            self.bytes(column, document.as_bytes(), out);
        }
    }
}

/// An `int4` with its length.
#[inline]
fn int4(value: i64) -> [u8; 8] {
    (4 << 32 | u64::from(value as u32)).to_be_bytes()
}

/// Eight bytes with their length.
#[inline]
fn eight(bytes: [u8; 8], out: &mut Buffer) {
    let mut cell = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    cell[4..].copy_from_slice(&bytes);
    out.set_array(cell);
}

/// Digits of a `numeric` count in base 10,000.
const BASE: u128 = 10_000;
/// 39 decimal digits, cut anywhere: ten groups and one more for the point's place; a scale of up to 255 adds zeros
/// only below, which are not sent.
const GROUPS_MAX: usize = 12;

/// Appends a `numeric`: number of groups, weight of the first, sign, digits after the point, groups.
///
/// The layout is that of `numeric_send` in the server's `utils/adt/numeric.c`; groups of zeros at either end are left
/// out, as there.
fn numeric(unscaled: i128, scale: u8, out: &mut Buffer) {
    let mut groups = [0_u16; GROUPS_MAX];
    let mut count = 0;
    let mut rest = unscaled.unsigned_abs();
    // The point stands between groups: the last group holds what is left over of the scale, filled up with zeros.
    let over = u32::from(scale % 4);
    let mut next = if over > 0 {
        let unit = 10_u128.pow(over);
        let group = rest % unit * (BASE / unit);
        rest /= unit;
        Some(group)
    } else {
        None
    };
    // Groups of nothing below the first digit that counts.
    let mut dropped = 0_i16;
    while rest > 0 || next.is_some() {
        let group = next.take().unwrap_or_else(|| split_group(&mut rest));
        if count == 0 && group == 0 {
            dropped += 1;
        } else {
            groups[count] = group as u16;
            count += 1;
        }
    }
    while count > 0 && groups[count - 1] == 0 {
        count -= 1;
    }
    let fraction = i16::from(scale.div_ceil(4));
    let weight = if count == 0 { 0 } else { count as i16 + dropped - fraction - 1 };
    let sign: u16 = if unscaled < 0 { 0x4000 } else { 0 };

    out.reserve(12 + 2 * count);
    out.set_array((8 + 2 * count as u32).to_be_bytes());
    out.set_array((count as u16).to_be_bytes());
    out.set_array(weight.to_be_bytes());
    out.set_array(sign.to_be_bytes());
    out.set_array(u16::from(scale).to_be_bytes());
    for group in groups[..count].iter().rev() {
        out.set_array(group.to_be_bytes());
    }
}

/// Takes the lowest group off. Most decimals fit 64 bits, whose division is ten times as fast.
#[inline]
fn split_group(rest: &mut u128) -> u128 {
    let group;
    if let Ok(small) = u64::try_from(*rest) {
        group = u128::from(small % BASE as u64);
        *rest = u128::from(small / BASE as u64);
    } else {
        group = *rest % BASE;
        *rest /= BASE;
    }
    group
}

#[cfg(test)]
mod tests;
