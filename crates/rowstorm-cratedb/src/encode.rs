//! Rows as the JSON of a request to `/_sql`: one line for each row, or one for each column.
//!
//! No string of JSON holds a bare newline, so the lines of a body are its rows (or columns) again, without a parser: a
//! payload that is refused as a whole is cut there.

use rowstorm_gen::{Batch, TablePlan, Values, text};
use rowstorm_sink::rows::{ColumnEncoder, Item, RowEncoder, RowFormat, code};
use rowstorm_sink::{Buffer, Encoder, Payload, json};

use crate::dialect;
use crate::message::Messages;
use crate::place::Method;

/// Encodes one table's rows for `/_sql`.
#[derive(Debug)]
pub struct CrateDbEncoder {
    head: Vec<u8>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Rows(RowEncoder<Cells>),
    Columns(ColumnEncoder<Cells>),
    Messages(RowEncoder<Messages>),
}

const TAIL: &[u8] = b"\n]}";

impl CrateDbEncoder {
    pub(crate) fn new(schema: &str, table: &TablePlan, method: Method) -> CrateDbEncoder {
        match method {
            Method::BulkArgs => CrateDbEncoder::of_rows(head(schema, table), table),
            Method::Unnest => CrateDbEncoder {
                head: head_of(&dialect::insert_columns(schema, table), method),
                body: Body::Columns(ColumnEncoder::new(table, Cells::default())),
            },
            Method::Postgres => CrateDbEncoder {
                head: Vec::new(),
                body: Body::Messages(RowEncoder::new(table, Messages::new(table))),
            },
        }
    }

    /// Rows behind a statement of some kind.
    pub(crate) fn of_rows(head: Vec<u8>, table: &TablePlan) -> CrateDbEncoder {
        CrateDbEncoder { head, body: Body::Rows(RowEncoder::new(table, Cells::default())) }
    }
}

impl Encoder for CrateDbEncoder {
    fn begin(&mut self, payload: &mut Payload) {
        payload.body.put(&self.head);
        match &mut self.body {
            Body::Rows(_) | Body::Messages(_) => {}
            Body::Columns(columns) => columns.clear(),
        }
    }

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        match &mut self.body {
            Body::Rows(rows) => rows.encode(batch, &mut payload.body),
            Body::Columns(columns) => columns.encode(batch),
            Body::Messages(rows) => rows.encode(batch, &mut payload.body),
        }
    }

    fn end(&mut self, payload: &mut Payload) {
        let out = &mut payload.body;
        match &mut self.body {
            Body::Rows(_) => {}
            // Every row is whole.
            Body::Messages(_) => return,
            Body::Columns(columns) => {
                for column in columns.columns() {
                    out.put(b"[");
                    out.put(column.strip_suffix(b",").unwrap_or(column));
                    out.put(b"],\n");
                }
            }
        }
        if out.as_slice().ends_with(b",\n") {
            out.truncate(out.len() - 2);
        }
        out.put(TAIL);
    }
}

/// The lines of a body: its rows, or its columns.
pub(crate) fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lines = body.split(|byte| *byte == b'\n').skip(1);
    std::iter::from_fn(move || {
        let line = lines.next()?;
        let line = line.strip_suffix(b",").unwrap_or(line);
        (line.starts_with(b"[")).then_some(line)
    })
}

/// A body of some lines of another.
pub(crate) fn body_of(head: &[u8], lines: &[&[u8]]) -> Vec<u8> {
    let mut body = head.to_vec();
    for (place, line) in lines.iter().enumerate() {
        if place > 0 {
            body.extend_from_slice(b",\n");
        }
        body.extend_from_slice(line);
    }
    body.extend_from_slice(TAIL);
    body
}

/// What stands before the rows of a bulk that inserts.
pub(crate) fn head(schema: &str, table: &TablePlan) -> Vec<u8> {
    head_of(&dialect::insert(schema, table), Method::BulkArgs)
}

/// What stands before the parameters of a statement.
pub(crate) fn head_of(statement: &str, method: Method) -> Vec<u8> {
    let arguments = match method {
        Method::BulkArgs | Method::Postgres => "bulk_args",
        Method::Unnest => "args",
    };
    let statement = serde_json::Value::from(statement);
    format!("{{\"stmt\":{statement},\"{arguments}\":[\n").into_bytes()
}

/// A cell and the comma behind it.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    nested: Buffer,
}

/// `0,` to `999,`: most readings are that small, and a table is faster than a division.
static SMALL: [[u8; 4]; 1000] = small();

const fn small() -> [[u8; 4]; 1000] {
    let mut all = [[b','; 4]; 1000];
    let mut value = 0;
    while value < 1000 {
        let digits =
            [b'0' + (value / 100) as u8, b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8];
        let skip = digits_skipped(value);
        let mut place = skip;
        while place < 3 {
            all[value][place - skip] = digits[place];
            place += 1;
        }
        value += 1;
    }
    all
}

const fn digits_skipped(value: usize) -> usize {
    if value < 10 {
        2
    } else if value < 100 {
        1
    } else {
        0
    }
}

impl RowFormat for Cells {
    fn fixed_bytes_max(&self) -> usize {
        // A UUID with its quotes and the comma, and the row's own bracket.
        40
    }

    #[inline]
    fn row_begin(&mut self, out: &mut Buffer) {
        out.set_array(*b"[");
    }

    #[inline]
    fn row_end(&mut self, out: &mut Buffer) {
        // In place of the last cell's comma.
        out.truncate(out.len() - 1);
        out.set_array(*b"],\n");
    }

    #[inline]
    fn null(&mut self, _: usize, out: &mut Buffer) {
        out.set_array(*b"null,");
    }

    #[inline]
    fn bool(&mut self, _: usize, value: bool, out: &mut Buffer) {
        if value {
            out.set_array(*b"true,");
        } else {
            out.set_array(*b"false,");
        }
    }

    #[inline]
    fn int(&mut self, _: usize, value: i64, out: &mut Buffer) {
        if let Some(cell) = usize::try_from(value).ok().and_then(|value| SMALL.get(value)) {
            out.set_array(*cell);
            out.truncate(out.len() - digits_skipped(value as usize));
        } else {
            out.put(itoa::Buffer::new().format(value).as_bytes());
            out.put_array(*b",");
        }
    }

    fn float(&mut self, _: usize, value: f64, out: &mut Buffer) {
        if value.is_finite() {
            json::float(value, out);
        } else {
            // Java reads these words from a string.
            out.put(match value {
                f64::INFINITY => b"\"Infinity\"",
                f64::NEG_INFINITY => b"\"-Infinity\"",
                _ => b"\"NaN\"",
            });
        }
        out.put_array(*b",");
    }

    fn decimal(&mut self, _: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        // As a string: the server reads a number with a point as a double.
        out.put_array(*b"\"");
        out.put(text::decimal(unscaled, scale).as_bytes());
        out.put_array(*b"\",");
    }

    fn text(&mut self, _: usize, value: &str, out: &mut Buffer) {
        json::string(value, out);
        out.put_array(*b",");
    }

    fn bytes(&mut self, _: usize, value: &[u8], out: &mut Buffer) {
        out.put_array(*b"\"");
        json::hex(value, out);
        out.put_array(*b"\",");
    }

    #[inline]
    fn timestamp(&mut self, column: usize, micros: i64, out: &mut Buffer) {
        self.int(column, millis(micros), out);
    }

    fn uuid(&mut self, _: usize, value: &[u8; 16], out: &mut Buffer) {
        out.put_array(*b"\"");
        out.put(text::uuid(value).as_bytes());
        out.put_array(*b"\",");
    }

    fn json(&mut self, column: usize, document: &str, out: &mut Buffer) {
        self.text(column, document, out);
    }

    fn nested(&mut self, _: usize, item: Item<'_>, _: &mut Buffer, out: &mut Buffer) {
        element(item, &mut self.nested, out);
        out.put_array(*b",");
    }
}

/// CrateDB's instants are milliseconds: what is finer is cut off, towards the past.
pub(crate) fn millis(micros: i64) -> i64 {
    micros.div_euclid(1000)
}

/// An array's items as cells of their type; an object, and what is in it, as JSON.
pub(crate) fn element(item: Item<'_>, scratch: &mut Buffer, out: &mut Buffer) {
    let Item { data, index, series } = item;
    if data.is_null(index) {
        return out.put(b"null");
    }
    match &data.values {
        Values::Array { offsets, items } => {
            out.put(b"[");
            for index in offsets[index]..offsets[index + 1] {
                if index > offsets[item.index] {
                    out.put(b",");
                }
                element(Item { data: items, index: index as usize, series }, scratch, out);
            }
            out.put(b"]");
        }
        Values::Dictionary { codes, entries } => {
            let index = code(codes, index, series) as usize;
            element(Item { data: entries, index, series }, scratch, out);
        }
        Values::Timestamp(values) => {
            out.put(itoa::Buffer::new().format(millis(values[index])).as_bytes());
        }
        Values::Decimal { .. } => {
            out.put(b"\"");
            json::write(item, out);
            out.put(b"\"");
        }
        Values::Json(_) => {
            scratch.clear();
            json::write(item, scratch);
            let document = std::str::from_utf8(scratch.as_slice()).expect("JSON is UTF-8");
            json::string(document, out);
        }
        Values::Bool(_)
        | Values::Int(_)
        | Values::Float(_)
        | Values::Text(_)
        | Values::Bytes(_)
        | Values::Uuid(_)
        | Values::Object(_) => json::write(item, out),
    }
}

#[cfg(test)]
mod tests;
