//! Rows as text cells, for tables that people read.

use rowstorm::TablePlan;
use rowstorm::generate::{BATCH_ROWS_MAX, Batch, text};
use rowstorm::sink::rows::{RowEncoder, RowFormat};
use rowstorm::sink::{Buffer, json};

/// Control characters of ASCII that part cells and rows; in values they are written as escapes.
const CELL_END: u8 = 0x1f;
const ROW_END: u8 = 0x1e;

/// Rows `from..from + count` of a table, each cell as text.
pub(crate) fn rows(table: &TablePlan, from: u64, count: u64) -> Vec<Vec<String>> {
    let mut encoder = RowEncoder::new(table, Cells);
    let (mut batch, mut out) = (Batch::default(), Buffer::default());
    let mut all = Vec::new();
    let mut at = from;
    while at < from + count {
        let end = (at + BATCH_ROWS_MAX as u64).min(from + count);
        table.fill(at..end, &mut batch);
        out.clear();
        encoder.encode(&batch, &mut out);
        let text = String::from_utf8_lossy(out.as_slice());
        all.extend(text.split_terminator(char::from(ROW_END)).map(|row| {
            row.split_terminator(char::from(CELL_END)).map(ToOwned::to_owned).collect::<Vec<_>>()
        }));
        at = end;
    }
    all
}

struct Cells;

impl Cells {
    fn put(text: &str, out: &mut Buffer) {
        if text.chars().any(char::is_control) {
            let escaped: String = text
                .chars()
                .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
                .collect();
            out.put(escaped.as_bytes());
        } else {
            out.put(text.as_bytes());
        }
        out.put(&[CELL_END]);
    }
}

impl RowFormat for Cells {
    fn fixed_bytes_max(&self) -> usize {
        64
    }

    fn row_begin(&mut self, _: &mut Buffer) {}

    fn row_end(&mut self, out: &mut Buffer) {
        out.put(&[ROW_END]);
    }

    fn null(&mut self, _: usize, out: &mut Buffer) {
        Cells::put("null", out);
    }

    fn bool(&mut self, _: usize, value: bool, out: &mut Buffer) {
        Cells::put(if value { "true" } else { "false" }, out);
    }

    fn int(&mut self, _: usize, value: i64, out: &mut Buffer) {
        Cells::put(&value.to_string(), out);
    }

    fn float(&mut self, _: usize, value: f64, out: &mut Buffer) {
        Cells::put(&value.to_string(), out);
    }

    fn decimal(&mut self, _: usize, unscaled: i128, scale: u8, out: &mut Buffer) {
        Cells::put(text::decimal(unscaled, scale).as_str(), out);
    }

    fn text(&mut self, _: usize, value: &str, out: &mut Buffer) {
        Cells::put(value, out);
    }

    fn bytes(&mut self, _: usize, value: &[u8], out: &mut Buffer) {
        let mut hexadecimal = Buffer::default();
        json::hex(value, &mut hexadecimal);
        out.put(hexadecimal.as_slice());
        out.put(&[CELL_END]);
    }

    fn timestamp(&mut self, _: usize, micros: i64, out: &mut Buffer) {
        Cells::put(text::timestamp(micros).as_str(), out);
    }

    fn uuid(&mut self, _: usize, value: &[u8; 16], out: &mut Buffer) {
        Cells::put(text::uuid(value).as_str(), out);
    }

    fn json(&mut self, _: usize, document: &str, out: &mut Buffer) {
        Cells::put(document, out);
    }
}
