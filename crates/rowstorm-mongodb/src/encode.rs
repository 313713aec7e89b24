//! Rows as the `insert` command reads them.
//!
//! The payload is whole commands, one BSON document after another: the driver copies their bytes and looks at none of them.
//! Their arrays of documents are written in place, so that a row is encoded once and never moved by us.

use rowstorm_gen::{Batch, TablePlan};
use rowstorm_sink::rows::{Item, RowEncoder, RowFormat};
use rowstorm_sink::{Buffer, Encoder, Payload};

use crate::identity::{Identity, Ids};
use crate::value::{bytes, close, decimal, element, float, instant_bytes, open, string, uuid};
use crate::wire::{Wire, c_string, tag};
use crate::{COMMAND_ROWS, dialect, json};

/// Encodes one table's rows as `insert` commands.
#[derive(Debug)]
pub struct InsertEncoder {
    rows: RowEncoder<BsonFormat>,
    identity: Identity,
}

impl InsertEncoder {
    /// `head` is a document, as bytes: the command without its documents.
    pub(crate) fn new(table: &TablePlan, mut head: Vec<u8>) -> InsertEncoder {
        // Its closing byte gives way to the documents.
        head.pop();
        head.push(tag::ARRAY);
        head.extend_from_slice(b"documents\0");
        InsertEncoder {
            rows: RowEncoder::new(table, BsonFormat::new(table, head)),
            identity: Identity::of(table),
        }
    }
}

impl Encoder for InsertEncoder {
    fn begin(&mut self, payload: &mut Payload) {
        self.rows.format_mut().open(&mut payload.body);
    }

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        let format = self.rows.format_mut();
        format.ids.clear();
        self.identity.write(batch, &mut format.ids);
        format.row = 0;
        self.rows.encode(batch, &mut payload.body);
    }

    fn end(&mut self, payload: &mut Payload) {
        self.rows.format_mut().close(&mut payload.body);
    }
}

/// The cells of a document.
#[derive(Debug)]
struct BsonFormat {
    /// A command up to its array of documents.
    head: Vec<u8>,
    /// Rows of one command at most.
    command_rows: u32,
    /// Where the command starts.
    command: usize,
    columns: Vec<Column>,
    /// The heads of all columns, one after another, and padding behind them.
    heads: Vec<u8>,
    head_bytes_max: usize,
    /// The `_id` elements of the batch's rows.
    ids: Ids,
    /// The next row, in its batch.
    row: usize,
    /// The next row, in its command: its name in the array.
    place: u32,
    /// Where the row's document starts.
    start: usize,
}

/// One column: its type, and its head (type and name) in the arena.
#[derive(Debug)]
struct Column {
    wire: Wire,
    at: usize,
    len: usize,
}

/// `Buffer::set_from` copies short heads as so many bytes.
const PADDING: usize = 32;
/// A UUID with length and subtype.
const VALUE_BYTES_MAX: usize = 21;

impl BsonFormat {
    fn new(table: &TablePlan, head: Vec<u8>) -> BsonFormat {
        // Without a key a payload that is in part there cannot be sent again, so it is there by one command or not at all.
        let command_rows = if dialect::is_timeseries(table) { u32::MAX } else { COMMAND_ROWS };
        let (mut columns, mut heads) = (Vec::new(), Vec::new());
        for column in &table.columns {
            let wire = Wire::of(table, column);
            let at = heads.len();
            heads.push(wire.tag());
            heads.extend(c_string(&column.name));
            columns.push(Column { wire, at, len: heads.len() - at });
        }
        let head_bytes_max = columns.iter().map(|column| column.len).max().unwrap_or_default();
        heads.resize(heads.len() + PADDING, 0);
        BsonFormat {
            head,
            command_rows,
            command: 0,
            columns,
            heads,
            head_bytes_max,
            ids: Ids::default(),
            row: 0,
            place: 0,
            start: 0,
        }
    }

    /// Begins a command.
    fn open(&mut self, out: &mut Buffer) {
        self.command = out.len();
        out.put(&self.head);
        open(out);
        self.place = 0;
    }

    /// Ends a command.
    fn close(&mut self, out: &mut Buffer) {
        close(self.command + self.head.len(), out);
        close(self.command, out);
    }

    /// Writes a column's head.
    #[inline]
    fn head(&self, column: usize, out: &mut Buffer) -> &Wire {
        let column = &self.columns[column];
        out.set_from(&self.heads, column.at, column.len);
        &column.wire
    }

    /// The type's byte of a value that was not of its column's type.
    fn retag(&self, column: usize, start: usize, tag: u8, out: &mut Buffer) {
        if self.columns[column].wire.tag() != tag {
            out.as_mut_slice()[start] = tag;
        }
    }
}

impl RowFormat for BsonFormat {
    fn fixed_bytes_max(&self) -> usize {
        self.head_bytes_max + VALUE_BYTES_MAX
    }

    #[inline]
    fn row_begin(&mut self, out: &mut Buffer) {
        if self.place == self.command_rows {
            self.close(out);
            self.open(out);
        }
        let mut digits = itoa::Buffer::new();
        let place = digits.format(self.place).as_bytes();
        let id = self.ids.get(self.row);
        // Type, place with its end, length; then the cells, for which the walker has made room.
        out.reserve(18 + id.len() + self.fixed_bytes_max() * (self.columns.len() + 2));
        out.set_array([tag::DOCUMENT]);
        out.put(place);
        out.set_array([0]);
        self.start = out.len();
        out.set_array([0; 4]);
        out.put(id);
        self.place += 1;
        self.row += 1;
    }

    #[inline]
    fn row_end(&mut self, out: &mut Buffer) {
        close(self.start, out);
    }

    /// A null column is a field that is not there.
    #[inline]
    fn null(&mut self, _: usize, _: &mut Buffer) {}

    #[inline]
    fn bool(&mut self, column: usize, value: bool, out: &mut Buffer) {
        self.head(column, out);
        out.set_array([u8::from(value)]);
    }

    #[inline]
    fn int(&mut self, column: usize, value: i64, out: &mut Buffer) {
        let start = out.len();
        if let (Wire::Int32, Ok(small)) = (self.head(column, out), i32::try_from(value)) {
            out.set_array(small.to_le_bytes());
        } else {
            out.set_array(value.to_le_bytes());
            self.retag(column, start, tag::INT64, out);
        }
    }

    #[inline]
    fn float(&mut self, column: usize, value: f64, out: &mut Buffer) {
        let wire = self.head(column, out);
        out.set_array(float(value, wire));
    }

    fn decimal(&mut self, column: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        let start = out.len();
        let wire = self.head(column, out);
        let tag = decimal(unscaled, scale, wire, out);
        self.retag(column, start, tag, out);
    }

    #[inline]
    fn text(&mut self, column: usize, value: &str, out: &mut Buffer) {
        self.head(column, out);
        string(value, out);
    }

    fn bytes(&mut self, column: usize, value: &[u8], out: &mut Buffer) {
        self.head(column, out);
        bytes(value, out);
    }

    #[inline]
    fn timestamp(&mut self, column: usize, micros: i64, out: &mut Buffer) {
        let wire = self.head(column, out);
        out.set_array(instant_bytes(micros, wire));
    }

    fn uuid(&mut self, column: usize, value: &[u8; 16], out: &mut Buffer) {
        self.head(column, out);
        uuid(value, out);
    }

    fn json(&mut self, column: usize, document: &str, out: &mut Buffer) {
        let start = out.len();
        self.head(column, out);
        out.as_mut_slice()[start] = json::write(document, out);
    }

    fn nested(&mut self, column: usize, item: Item<'_>, _: &mut Buffer, out: &mut Buffer) {
        let Column { wire, at, len } = &self.columns[column];
        element(&self.heads[at + 1..at + len], item, wire, out);
    }
}
