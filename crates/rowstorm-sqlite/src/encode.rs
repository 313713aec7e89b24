//! Rows as a run of cells, each in one of the five kinds that SQLite stores, so that binding is a match and no copy.

use rowstorm_gen::{Batch, TablePlan, text};
use rowstorm_sink::rows::{RowEncoder, RowFormat};
use rowstorm_sink::{Buffer, Encoder, Payload};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;

/// Rows as SQLite's own kinds of values.
#[derive(Debug)]
pub struct SqliteEncoder(RowEncoder<Kinds>);

impl SqliteEncoder {
    pub(crate) fn new(table: &TablePlan) -> SqliteEncoder {
        SqliteEncoder(RowEncoder::new(table, Kinds))
    }
}

impl Encoder for SqliteEncoder {
    fn begin(&mut self, _: &mut Payload) {}

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        self.0.encode(batch, &mut payload.body);
    }

    fn end(&mut self, _: &mut Payload) {}
}

/// A tag, then eight bytes, or a length and as many bytes.
#[derive(Debug)]
struct Kinds;

impl RowFormat for Kinds {
    fn fixed_bytes_max(&self) -> usize {
        // The longest instant, in ISO 8601's expanded form, and the 36 characters of a UUID, with tag and length.
        1 + 4 + 40
    }

    fn row_begin(&mut self, _: &mut Buffer) {}

    fn row_end(&mut self, _: &mut Buffer) {}

    fn null(&mut self, _: usize, out: &mut Buffer) {
        out.set_array([NULL]);
    }

    fn bool(&mut self, column: usize, value: bool, out: &mut Buffer) {
        self.int(column, i64::from(value), out);
    }

    #[inline]
    fn int(&mut self, _: usize, value: i64, out: &mut Buffer) {
        out.set_array([INTEGER]);
        out.set_array(value.to_le_bytes());
    }

    fn float(&mut self, _: usize, value: f64, out: &mut Buffer) {
        out.set_array([REAL]);
        out.set_array(value.to_le_bytes());
    }

    fn decimal(&mut self, _: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        string(TEXT, text::decimal(unscaled, scale).as_bytes(), out);
    }

    fn text(&mut self, _: usize, value: &str, out: &mut Buffer) {
        string(TEXT, value.as_bytes(), out);
    }

    fn bytes(&mut self, _: usize, value: &[u8], out: &mut Buffer) {
        string(BLOB, value, out);
    }

    fn timestamp(&mut self, _: usize, micros: i64, out: &mut Buffer) {
        string(TEXT, text::timestamp(micros).as_bytes(), out);
    }

    fn uuid(&mut self, _: usize, value: &[u8; 16], out: &mut Buffer) {
        string(TEXT, text::uuid(value).as_bytes(), out);
    }

    fn json(&mut self, _: usize, document: &str, out: &mut Buffer) {
        string(TEXT, document.as_bytes(), out);
    }
}

fn string(tag: u8, bytes: &[u8], out: &mut Buffer) {
    let len = u32::try_from(bytes.len()).expect("a cell is under 4 GiB");
    out.put_array([tag]);
    out.put_array(len.to_le_bytes());
    out.put(bytes);
}

/// One cell of a body, bound without a copy of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a>(ValueRef<'a>);

impl<'a> Cell<'a> {
    /// The bytes of a text or blob, with whose kind it is; `None` for what fits a register.
    #[inline]
    pub(crate) fn string(self) -> Option<(u8, &'a [u8])> {
        match self.0 {
            ValueRef::Text(bytes) => Some((TEXT, bytes)),
            ValueRef::Blob(bytes) => Some((BLOB, bytes)),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
        }
    }
}

impl ToSql for Cell<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// Takes the next cell off a body.
///
/// # Panics
/// If the body was not written by [`SqliteEncoder`].
#[inline]
pub(crate) fn take<'a>(body: &mut &'a [u8]) -> Cell<'a> {
    let (tag, rest) = body.split_first().expect("a body holds all cells of its rows");
    let (value, rest) = match *tag {
        NULL => (ValueRef::Null, rest),
        INTEGER => {
            let (value, rest) = array(rest);
            (ValueRef::Integer(i64::from_le_bytes(value)), rest)
        }
        REAL => {
            let (value, rest) = array(rest);
            (ValueRef::Real(f64::from_le_bytes(value)), rest)
        }
        tag @ (TEXT | BLOB) => {
            let (len, rest) = array(rest);
            let (bytes, rest) = rest.split_at(u32::from_le_bytes(len) as usize);
            (if tag == TEXT { ValueRef::Text(bytes) } else { ValueRef::Blob(bytes) }, rest)
        }
        tag => panic!("a cell starts with a tag, not {tag}"),
    };
    *body = rest;
    Cell(value)
}

#[inline]
fn array<const N: usize>(bytes: &[u8]) -> ([u8; N], &[u8]) {
    let (array, rest) = bytes.split_first_chunk().expect("a cell is as long as its tag says");
    (*array, rest)
}
