//! Rows as CSV and JSON Lines.

use rowstorm_gen::{Batch, TablePlan, text};
use rowstorm_sink::rows::{Item, RowEncoder, RowFormat};
use rowstorm_sink::{Buffer, Encoder, Payload, json};

use crate::FileFormat;

/// Rows to the bytes of one of the formats.
pub struct FileEncoder(Kind);

enum Kind {
    Csv(RowEncoder<Csv>),
    JsonLines(RowEncoder<JsonLines>),
    #[cfg(feature = "parquet")]
    Parquet(crate::parquet::ArrowEncoder),
}

impl FileEncoder {
    pub(crate) fn new(format: FileFormat, table: &TablePlan) -> FileEncoder {
        FileEncoder(match format {
            FileFormat::Csv => Kind::Csv(RowEncoder::new(table, Csv)),
            FileFormat::JsonLines => Kind::JsonLines(RowEncoder::new(table, JsonLines::new(table))),
            #[cfg(feature = "parquet")]
            FileFormat::Parquet => Kind::Parquet(crate::parquet::ArrowEncoder::new(table)),
            #[cfg(not(feature = "parquet"))]
            FileFormat::Parquet => {
                panic!("Parquet needs the feature `parquet`: ask FileFormat::available first")
            }
        })
    }
}

impl Encoder for FileEncoder {
    fn begin(&mut self, _: &mut Payload) {}

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        match &mut self.0 {
            Kind::Csv(rows) => rows.encode(batch, &mut payload.body),
            Kind::JsonLines(rows) => rows.encode(batch, &mut payload.body),
            #[cfg(feature = "parquet")]
            Kind::Parquet(encoder) => encoder.encode(batch, payload),
        }
    }

    fn end(&mut self, _: &mut Payload) {}
}

/// The most bytes of a number, an instant or a UUID with what stands around it, keys aside.
const FIXED_BYTES_MAX: usize = 64;

struct Csv;

impl Csv {
    fn cell(column: usize, bytes: &[u8], out: &mut Buffer) {
        if column > 0 {
            out.put(b",");
        }
        out.put(bytes);
    }
}

impl RowFormat for Csv {
    fn fixed_bytes_max(&self) -> usize {
        FIXED_BYTES_MAX
    }

    fn row_begin(&mut self, _: &mut Buffer) {}

    fn row_end(&mut self, out: &mut Buffer) {
        out.put(b"\n");
    }

    fn null(&mut self, column: usize, out: &mut Buffer) {
        Csv::cell(column, b"", out);
    }

    fn bool(&mut self, column: usize, value: bool, out: &mut Buffer) {
        Csv::cell(column, if value { b"true" } else { b"false" }, out);
    }

    fn int(&mut self, column: usize, value: i64, out: &mut Buffer) {
        Csv::cell(column, itoa::Buffer::new().format(value).as_bytes(), out);
    }

    fn float(&mut self, column: usize, value: f64, out: &mut Buffer) {
        Csv::cell(column, zmij::Buffer::new().format(value).as_bytes(), out);
    }

    fn decimal(&mut self, column: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        Csv::cell(column, text::decimal(unscaled, scale).as_bytes(), out);
    }

    fn text(&mut self, column: usize, value: &str, out: &mut Buffer) {
        Csv::cell(column, b"", out);
        csv_text(value, out);
    }

    fn bytes(&mut self, column: usize, value: &[u8], out: &mut Buffer) {
        Csv::cell(column, b"\\x", out);
        json::hex(value, out);
    }

    fn timestamp(&mut self, column: usize, micros: i64, out: &mut Buffer) {
        Csv::cell(column, text::timestamp(micros).as_bytes(), out);
    }

    fn uuid(&mut self, column: usize, value: &[u8; 16], out: &mut Buffer) {
        Csv::cell(column, text::uuid(value).as_bytes(), out);
    }

    fn json(&mut self, column: usize, document: &str, out: &mut Buffer) {
        self.text(column, document, out);
    }
}

/// Appends a CSV field: quoted if it is empty (an unquoted nothing is a null) or holds what would end it.
pub(crate) fn csv_text(value: &str, out: &mut Buffer) {
    let needs_quotes = value.is_empty()
        || value.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
        || value.starts_with([' ', '\t', '\\'])
        || value.ends_with([' ', '\t']);
    if !needs_quotes {
        return out.put(value.as_bytes());
    }
    out.put(b"\"");
    for (place, part) in value.split('"').enumerate() {
        if place > 0 {
            out.put(b"\"\"");
        }
        out.put(part.as_bytes());
    }
    out.put(b"\"");
}

/// Rows as JSON objects; keys are escaped once.
struct JsonLines {
    keys: Vec<Vec<u8>>,
}

impl JsonLines {
    fn new(table: &TablePlan) -> JsonLines {
        let key = |(place, column): (usize, &rowstorm_gen::ColumnPlan)| {
            let mut out = Buffer::default();
            out.put(if place == 0 { b"{" } else { b"," });
            json::string(&column.name, &mut out);
            out.put(b":");
            out.as_slice().to_vec()
        };
        JsonLines { keys: table.columns.iter().enumerate().map(key).collect() }
    }

    fn cell(&self, column: usize, bytes: &[u8], out: &mut Buffer) {
        out.put(&self.keys[column]);
        out.put(bytes);
    }

    fn quoted(&self, column: usize, bytes: &[u8], out: &mut Buffer) {
        self.cell(column, b"\"", out);
        out.put(bytes);
        out.put(b"\"");
    }
}

impl RowFormat for JsonLines {
    fn fixed_bytes_max(&self) -> usize {
        FIXED_BYTES_MAX + self.keys.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn row_begin(&mut self, _: &mut Buffer) {}

    fn row_end(&mut self, out: &mut Buffer) {
        out.put(b"}\n");
    }

    fn null(&mut self, column: usize, out: &mut Buffer) {
        self.cell(column, b"null", out);
    }

    fn bool(&mut self, column: usize, value: bool, out: &mut Buffer) {
        self.cell(column, if value { b"true" } else { b"false" }, out);
    }

    fn int(&mut self, column: usize, value: i64, out: &mut Buffer) {
        self.cell(column, itoa::Buffer::new().format(value).as_bytes(), out);
    }

    fn float(&mut self, column: usize, value: f64, out: &mut Buffer) {
        self.cell(column, b"", out);
        json::float(value, out);
    }

    fn decimal(&mut self, column: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        self.cell(column, text::decimal(unscaled, scale).as_bytes(), out);
    }

    fn text(&mut self, column: usize, value: &str, out: &mut Buffer) {
        self.cell(column, b"", out);
        json::string(value, out);
    }

    fn bytes(&mut self, column: usize, value: &[u8], out: &mut Buffer) {
        self.cell(column, b"\"", out);
        json::hex(value, out);
        out.put(b"\"");
    }

    fn timestamp(&mut self, column: usize, micros: i64, out: &mut Buffer) {
        self.quoted(column, text::timestamp(micros).as_bytes(), out);
    }

    fn uuid(&mut self, column: usize, value: &[u8; 16], out: &mut Buffer) {
        self.quoted(column, text::uuid(value).as_bytes(), out);
    }

    fn json(&mut self, column: usize, document: &str, out: &mut Buffer) {
        self.cell(column, document.as_bytes(), out);
    }

    fn nested(&mut self, column: usize, item: Item<'_>, _: &mut Buffer, out: &mut Buffer) {
        self.cell(column, b"", out);
        json::write(item, out);
    }
}
