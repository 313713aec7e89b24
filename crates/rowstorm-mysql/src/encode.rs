//! Rows as `LOAD DATA` reads them by default: tabs between cells, a line for each row, backslashes in front of what
//! would end either, `\N` for null.
//!
//! A line break stands only between rows, so a payload can be cut where one is; and a text that has no quote in it is a
//! literal as it stands. So the same bytes serve both ways in: see [`send`](crate::send).

use rowstorm_gen::{Batch, TablePlan, text};
use rowstorm_sink::rows::{RowEncoder, RowFormat};
use rowstorm_sink::{Buffer, Encoder, Payload, json};

use rowstorm_schema::DataType;

use crate::types::Cell;

/// A UUID or an instant of a far year, with its tab.
const FIXED_BYTES_MAX: usize = 40;
/// Bytes that are looked at together: whether any needs a backslash.
const BLOCK_BYTES: usize = 32;

/// The numbers below 1,000 with their tabs, and zeros behind them that are written over.
const SMALL: [[u8; 4]; 1000] = small();
/// The same with all three digits.
const THREE: [[u8; 3]; 1000] = three();
const SECOND_US: i64 = 1_000_000;

const fn three() -> [[u8; 3]; 1000] {
    let (mut all, mut value) = ([[b'0'; 3]; 1000], 0);
    while value < 1000 {
        let digits = [value / 100, value / 10 % 10, value % 10];
        all[value] = [b'0' + digits[0] as u8, b'0' + digits[1] as u8, b'0' + digits[2] as u8];
        value += 1;
    }
    all
}

const fn small() -> [[u8; 4]; 1000] {
    let (mut all, mut value) = ([[0; 4]; 1000], 0);
    while value < 1000 {
        let [a, b, c] = THREE[value];
        all[value] = match value {
            0..10 => [c, b'\t', 0, 0],
            10..100 => [b, c, b'\t', 0],
            _ => [a, b, c, b'\t'],
        };
        value += 1;
    }
    all
}

/// Encodes one table's rows for `LOAD DATA`.
#[derive(Debug)]
pub struct LoadEncoder(RowEncoder<Lines>);

impl LoadEncoder {
    pub(crate) fn new(table: &TablePlan) -> LoadEncoder {
        let columns = table.columns.iter().map(|column| Column {
            is_single: column.data_type == DataType::Float { double: false },
            cell: Cell::of(column),
        });
        LoadEncoder(RowEncoder::new(table, Lines::new(columns.collect())))
    }
}

impl Encoder for LoadEncoder {
    fn begin(&mut self, _: &mut Payload) {}

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        self.0.encode(batch, &mut payload.body);
    }

    fn end(&mut self, _: &mut Payload) {}
}

/// The cells: each ends in a tab, the last one's becomes the line's end.
#[derive(Debug)]
struct Lines {
    columns: Vec<Column>,
    /// The second of the last instant, and its first 20 bytes: neighbours are often of the same one.
    second: i64,
    until_second: [u8; 20],
}

#[derive(Debug)]
struct Column {
    /// A float of four bytes.
    is_single: bool,
    cell: Cell,
}

impl Lines {
    fn new(columns: Vec<Column>) -> Lines {
        let mut lines = Lines { columns, second: 0, until_second: [0; 20] };
        lines.until_second.copy_from_slice(&text::timestamp(0).as_bytes()[..20]);
        lines
    }
}

impl RowFormat for Lines {
    fn fixed_bytes_max(&self) -> usize {
        FIXED_BYTES_MAX
    }

    #[inline]
    fn row_begin(&mut self, _: &mut Buffer) {}

    #[inline]
    fn row_end(&mut self, out: &mut Buffer) {
        out.truncate(out.len() - 1);
        out.set_array(*b"\n");
    }

    #[inline]
    fn null(&mut self, _: usize, out: &mut Buffer) {
        out.set_array(*b"\\N\t");
    }

    #[inline]
    fn bool(&mut self, _: usize, value: bool, out: &mut Buffer) {
        out.set_array([b'0' + u8::from(value), b'\t']);
    }

    #[inline]
    fn int(&mut self, _: usize, value: i64, out: &mut Buffer) {
        if let Ok(0..1000) = usize::try_from(value) {
            let bytes = SMALL[value as usize];
            out.set_array(bytes);
            out.truncate(out.len() - bytes.len() + small_len(value));
        } else {
            cell(itoa::Buffer::new().format(value).as_bytes(), out);
        }
    }

    #[inline]
    fn ints(&mut self, first: usize, columns: &[&[i64]], row: usize, out: &mut Buffer) {
        // One check of the buffer's end for all of them.
        let start = out.len();
        let room = out.claim(4 * columns.len());
        let mut len = 0;
        for values in columns {
            let value = values[row];
            let Some(bytes) = usize::try_from(value).ok().and_then(|value| SMALL.get(value)) else {
                out.truncate(start);
                for (offset, values) in columns.iter().enumerate() {
                    self.int(first + offset, values[row], out);
                }
                return;
            };
            room[len..len + 4].copy_from_slice(bytes);
            len += small_len(value);
        }
        out.truncate(start + len);
    }

    #[inline]
    fn float(&mut self, column: usize, value: f64, out: &mut Buffer) {
        // The server reads a double and rounds it: fewer digits than the double has could round the other way.
        let single = self.columns[column].is_single;
        let value = if single { f64::from(value as f32) } else { value };
        cell(zmij::Buffer::new().format(value).as_bytes(), out);
    }

    fn decimal(&mut self, _: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        cell(text::decimal(unscaled, scale).as_bytes(), out);
    }

    #[inline]
    fn text(&mut self, _: usize, value: &str, out: &mut Buffer) {
        escape(value.as_bytes(), out);
        out.put_array(*b"\t");
    }

    fn bytes(&mut self, _: usize, value: &[u8], out: &mut Buffer) {
        json::hex(value, out);
        out.put_array(*b"\t");
    }

    #[inline]
    fn timestamp(&mut self, _: usize, micros: i64, out: &mut Buffer) {
        let second = micros.div_euclid(SECOND_US);
        if second == self.second {
            let micros = micros.rem_euclid(SECOND_US) as usize;
            out.set_array(self.until_second);
            out.set_array(THREE[micros / 1000]);
            out.set_array(THREE[micros % 1000]);
            return out.set_array(*b"\t");
        }
        let piece = text::timestamp(micros);
        // Years beyond four digits have a sign and are longer.
        if let Some((until_second, [_, _, _, _, _, _, b'Z'])) = piece.as_bytes().split_first_chunk()
        {
            (self.second, self.until_second) = (second, *until_second);
        }
        // Without the zone's `Z`, which the server does not read.
        cell(&piece.as_bytes()[..piece.as_bytes().len() - 1], out);
    }

    fn uuid(&mut self, column: usize, value: &[u8; 16], out: &mut Buffer) {
        match self.columns[column].cell {
            Cell::Plain => cell(text::uuid(value).as_bytes(), out),
            Cell::Hex => self.bytes(column, value, out),
        }
    }

    fn json(&mut self, column: usize, document: &str, out: &mut Buffer) {
        self.text(column, document, out);
    }
}

/// The bytes of a number below 1,000 with its tab.
#[inline]
fn small_len(value: i64) -> usize {
    2 + usize::from(value >= 10) + usize::from(value >= 100)
}

#[inline]
fn cell(bytes: &[u8], out: &mut Buffer) {
    out.put(bytes);
    out.put_array(*b"\t");
}

/// Appends text with a backslash in front of what would end a cell, a line or an escape.
fn escape(value: &[u8], out: &mut Buffer) {
    out.reserve(value.len() + 1);
    let is_special = |byte: &u8| matches!(byte, b'\\' | b'\t' | b'\n');
    for block in value.chunks(BLOCK_BYTES) {
        // All bytes, not until the first: so it is a few vector instructions.
        if block.iter().fold(false, |any, byte| any | is_special(byte)) {
            for &byte in block {
                match byte {
                    b'\t' => out.put_array(*b"\\t"),
                    b'\n' => out.put_array(*b"\\n"),
                    b'\\' => out.put_array(*b"\\\\"),
                    other => out.put_array([other]),
                }
            }
        } else {
            out.put(block);
        }
    }
}

/// A cell's text without its backslashes.
pub(crate) fn unescape(cell: &[u8]) -> Vec<u8> {
    let (mut text, mut bytes) = (Vec::with_capacity(cell.len()), cell.iter());
    while let Some(&byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                other => *other.unwrap_or(&byte),
            },
            other => other,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str) -> Vec<u8> {
        let mut out = Buffer::default();
        escape(text.as_bytes(), &mut out);
        out.as_slice().to_vec()
    }

    proptest! {
        #[test]
        fn an_escaped_text_reads_back_and_holds_no_separator(text in "([\\\\\t\na]|\\PC){0,80}") {
            let line = encoded(&text);
            prop_assert!(!line.contains(&b'\t') && !line.contains(&b'\n'));
            prop_assert_eq!(unescape(&line), text.as_bytes());
        }
    }

    #[test]
    fn numbers_and_instants_are_the_same_alone_and_among_others() {
        let values: Vec<i64> = (-2000..2000).chain([i64::MIN, i64::MAX]).collect();
        let (mut lines, mut out, mut wanted) =
            (Lines::new(Vec::new()), Buffer::default(), String::new());
        for row in 1..values.len() {
            out.reserve(400);
            lines.ints(0, &[&values, &values[1..], &values[..row]], row - 1, &mut out);
            lines.timestamp(3, values[row], &mut out);
            lines.timestamp(3, values[row].wrapping_mul(333_333), &mut out);
            for value in [values[row - 1], values[row], values[row - 1]] {
                let _ = write!(wanted, "{value}\t");
            }
            for micros in [values[row], values[row].wrapping_mul(333_333)] {
                wanted += text::timestamp(micros).as_str().trim_end_matches('Z');
                wanted.push('\t');
            }
        }
        assert_eq!(std::str::from_utf8(out.as_slice()).unwrap(), wanted);
    }

    #[test]
    fn cells_end_in_tabs_and_rows_in_lines() {
        let column = || Column { is_single: false, cell: Cell::Plain };
        let mut lines = Lines::new((0..4).map(|_| column()).collect());
        let mut out = Buffer::default();
        out.reserve(400);
        for value in [0, 9, 10, 99, 100, -1, i64::MIN] {
            lines.int(0, value, &mut out);
        }
        lines.float(1, f64::NAN, &mut out);
        lines.timestamp(2, 1, &mut out);
        lines.text(3, "\\N", &mut out);
        lines.null(3, &mut out);
        lines.row_end(&mut out);
        assert_eq!(
            std::str::from_utf8(out.as_slice()).unwrap(),
            "0\t9\t10\t99\t100\t-1\t-9223372036854775808\tNaN\t1970-01-01T00:00:00.000001\t\\\\N\t\\N\n"
        );
    }
}
