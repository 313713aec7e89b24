//! The memory's own format: one tag byte for each cell, then the value, little-endian; strings with their length.

use rowstorm_gen::Value;

use crate::Buffer;
use crate::rows::RowFormat;

/// One row that a [`Memory`](crate::Memory) holds, a value for each column; objects and arrays are JSON.
pub type MemoryRow = Vec<Value>;

const NULL: u8 = 0;
const BOOL: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 3;
const DECIMAL: u8 = 4;
const TEXT: u8 = 5;
const BYTES: u8 = 6;
const TIMESTAMP: u8 = 7;
const UUID: u8 = 8;
const JSON: u8 = 9;

/// Writes cells.
#[derive(Debug)]
pub(super) struct Cells;

impl RowFormat for Cells {
    fn fixed_bytes_max(&self) -> usize {
        1 + 16
    }

    fn row_begin(&mut self, _: &mut Buffer) {}

    fn row_end(&mut self, _: &mut Buffer) {}

    fn null(&mut self, _: usize, out: &mut Buffer) {
        out.set_array([NULL]);
    }

    fn bool(&mut self, _: usize, value: bool, out: &mut Buffer) {
        out.set_array([BOOL, u8::from(value)]);
    }

    fn int(&mut self, _: usize, value: i64, out: &mut Buffer) {
        out.set_array([INT]);
        out.set_array(value.to_le_bytes());
    }

    fn float(&mut self, _: usize, value: f64, out: &mut Buffer) {
        out.set_array([FLOAT]);
        out.set_array(value.to_le_bytes());
    }

    fn decimal(&mut self, _: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        out.put_array([DECIMAL, scale]);
        out.put_array(unscaled.to_le_bytes());
    }

    fn text(&mut self, _: usize, value: &str, out: &mut Buffer) {
        string(TEXT, value.as_bytes(), out);
    }

    fn bytes(&mut self, _: usize, value: &[u8], out: &mut Buffer) {
        string(BYTES, value, out);
    }

    fn timestamp(&mut self, _: usize, micros: i64, out: &mut Buffer) {
        out.set_array([TIMESTAMP]);
        out.set_array(micros.to_le_bytes());
    }

    fn uuid(&mut self, _: usize, value: &[u8; 16], out: &mut Buffer) {
        out.set_array([UUID]);
        out.set_array(*value);
    }

    fn json(&mut self, _: usize, document: &str, out: &mut Buffer) {
        string(JSON, document.as_bytes(), out);
    }
}

fn string(tag: u8, bytes: &[u8], out: &mut Buffer) {
    let len = u32::try_from(bytes.len()).expect("a cell is under 4 GiB");
    out.put_array([tag]);
    out.put_array(len.to_le_bytes());
    out.put(bytes);
}

/// How many bytes the cell takes that starts here.
pub(super) fn cell_len(bytes: &[u8]) -> usize {
    match bytes[0] {
        NULL => 1,
        BOOL => 2,
        INT | FLOAT | TIMESTAMP => 9,
        UUID => 17,
        DECIMAL => 18,
        TEXT | BYTES | JSON => 5 + u32::from_le_bytes(array(&bytes[1..])) as usize,
        tag => panic!("a cell starts with a tag, not {tag}"),
    }
}

/// The value of one cell.
pub(super) fn decode(cell: &[u8]) -> Value {
    let string = || String::from_utf8(cell[5..].to_vec()).expect("text is UTF-8");
    match cell[0] {
        NULL => Value::Null,
        BOOL => Value::Bool(cell[1] == 1),
        INT => Value::Int(i64::from_le_bytes(array(&cell[1..]))),
        FLOAT => Value::Float(f64::from_le_bytes(array(&cell[1..]))),
        DECIMAL => {
            Value::Decimal { scale: cell[1], unscaled: i128::from_le_bytes(array(&cell[2..])) }
        }
        TEXT => Value::Text(string()),
        BYTES => Value::Bytes(cell[5..].to_vec()),
        TIMESTAMP => Value::Timestamp(i64::from_le_bytes(array(&cell[1..]))),
        UUID => Value::Uuid(array(&cell[1..])),
        JSON => Value::Json(string()),
        tag => panic!("a cell starts with a tag, not {tag}"),
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes[..N].try_into().expect("a slice of N bytes is an array of N")
}
