//! Rows as messages of PostgreSQL's protocol: a Bind and an Execute for each, of one statement that was parsed before.
//!
//! Parameters are text of no declared type, so each is read as its column's own: what stands in JSON without quotes is
//! sent as it stands there, instants as milliseconds too. That makes the way back to a line of `/_sql` short.

use rowstorm_gen::{TablePlan, text};
use rowstorm_schema::DataType;
use rowstorm_sink::rows::{Item, RowFormat};
use rowstorm_sink::{Buffer, json};

use crate::encode::{element, millis};

/// Bind, its length, no names of portal and statement, all parameters text, and how many there are.
const BIND_HEAD: usize = 1 + 4 + 1 + 1 + 2 + 2;
/// How the results are wanted: there are none.
const BIND_TAIL: [u8; 2] = [0; 2];
/// Execute of the portal without a name, all rows.
const EXECUTE: [u8; 10] = *b"E\0\0\0\x09\0\0\0\0\0";

/// Writes cells as parameters.
#[derive(Debug)]
pub(crate) struct Messages {
    head: [u8; BIND_HEAD],
    /// Columns of four bytes: the server reads their digits at once, without a `double` between.
    is_real: Vec<bool>,
    /// Where the row's message starts.
    start: usize,
    nested: Buffer,
}

impl Messages {
    pub(crate) fn new(table: &TablePlan) -> Messages {
        let mut head = [0; BIND_HEAD];
        head[0] = b'B';
        let columns =
            u16::try_from(table.columns.len()).expect("a table has at most 65,535 columns");
        head[BIND_HEAD - 2..].copy_from_slice(&columns.to_be_bytes());
        let is_real = |data_type| matches!(data_type, DataType::Float { double: false });
        Messages {
            head,
            is_real: table.columns.iter().map(|column| is_real(column.data_type)).collect(),
            start: 0,
            nested: Buffer::default(),
        }
    }
}

/// Writes something behind its length, which does not count itself.
fn sized(out: &mut Buffer, write: impl FnOnce(&mut Buffer)) {
    let at = out.len();
    out.put_array([0; 4]);
    write(out);
    let length = (out.len() - at - 4) as u32;
    out.as_mut_slice()[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

impl RowFormat for Messages {
    fn fixed_bytes_max(&self) -> usize {
        // A UUID and its length.
        40
    }

    #[inline]
    fn row_begin(&mut self, out: &mut Buffer) {
        self.start = out.len();
        out.set_array(self.head);
    }

    #[inline]
    fn row_end(&mut self, out: &mut Buffer) {
        out.set_array(BIND_TAIL);
        // A length counts itself, and not the letter before it.
        let length = (out.len() - self.start - 1) as u32;
        out.as_mut_slice()[self.start + 1..self.start + 5].copy_from_slice(&length.to_be_bytes());
        out.set_array(EXECUTE);
    }

    #[inline]
    fn null(&mut self, _: usize, out: &mut Buffer) {
        out.set_array((-1_i32).to_be_bytes());
    }

    #[inline]
    fn bool(&mut self, column: usize, value: bool, out: &mut Buffer) {
        self.text(column, if value { "true" } else { "false" }, out);
    }

    #[inline]
    fn int(&mut self, column: usize, value: i64, out: &mut Buffer) {
        self.text(column, itoa::Buffer::new().format(value), out);
    }

    fn float(&mut self, column: usize, value: f64, out: &mut Buffer) {
        let value = if self.is_real[column] { f64::from(value as f32) } else { value };
        if value.is_finite() {
            sized(out, |out| json::float(value, out));
        } else {
            let word = if value.is_nan() {
                "NaN"
            } else {
                ["-Infinity", "Infinity"][usize::from(value > 0.0)]
            };
            self.text(column, word, out);
        }
    }

    fn decimal(&mut self, column: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        self.text(column, text::decimal(unscaled, scale).as_str(), out);
    }

    #[inline]
    fn text(&mut self, _: usize, value: &str, out: &mut Buffer) {
        out.put_array((value.len() as u32).to_be_bytes());
        out.put(value.as_bytes());
    }

    fn bytes(&mut self, _: usize, value: &[u8], out: &mut Buffer) {
        sized(out, |out| json::hex(value, out));
    }

    #[inline]
    fn timestamp(&mut self, column: usize, micros: i64, out: &mut Buffer) {
        self.int(column, millis(micros), out);
    }

    fn uuid(&mut self, column: usize, value: &[u8; 16], out: &mut Buffer) {
        self.text(column, text::uuid(value).as_str(), out);
    }

    fn json(&mut self, column: usize, document: &str, out: &mut Buffer) {
        self.text(column, document, out);
    }

    fn nested(&mut self, _: usize, item: Item<'_>, _: &mut Buffer, out: &mut Buffer) {
        sized(out, |out| element(item, &mut self.nested, out));
    }
}

/// The rows of a body as the lines of a request to `/_sql`.
pub(crate) fn lines(mut body: &[u8], table: &TablePlan) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut line = Buffer::default();
    while !body.is_empty() {
        body = &body[BIND_HEAD..];
        line.clear();
        for (place, column) in table.columns.iter().enumerate() {
            line.put(if place == 0 { b"[" } else { b"," });
            let (length, rest) = body.split_at(4);
            let length = length.try_into().map(i32::from_be_bytes).expect("four bytes");
            let (cell, rest) = rest.split_at(usize::try_from(length).unwrap_or_default());
            body = rest;
            if length < 0 {
                line.put(b"null");
                continue;
            }
            let cell = std::str::from_utf8(cell).expect("the encoder writes UTF-8");
            if is_bare(column.data_type, cell) {
                line.put(cell.as_bytes());
            } else {
                json::string(cell, &mut line);
            }
        }
        line.put(b"]");
        lines.push(line.as_slice().to_vec());
        body = &body[BIND_TAIL.len() + EXECUTE.len()..];
    }
    lines
}

/// Whether a cell stands in JSON without quotes.
fn is_bare(data_type: DataType, cell: &str) -> bool {
    match data_type {
        DataType::Bool
        | DataType::Int(_)
        | DataType::Timestamp
        | DataType::Object
        | DataType::Array => true,
        DataType::Float { .. } => !matches!(cell, "NaN" | "Infinity" | "-Infinity"),
        DataType::Decimal { .. }
        | DataType::Text { .. }
        | DataType::Bytes
        | DataType::Uuid
        | DataType::Json => false,
    }
}
