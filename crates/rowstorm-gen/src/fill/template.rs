//! Text with the row's other columns in it: their own rules compute them once more.

use crate::rule::Rule;
use crate::{Cell, Codes, ColumnData, Fill, Rows, Stream, Strings, Values, text};

/// A template made ready.
#[derive(Debug)]
pub(crate) struct TemplateText {
    pub(crate) pieces: Pieces,
    pub(crate) sources: Vec<Rule>,
}

/// What a template is put together from.
#[derive(Debug)]
pub(crate) struct Pieces {
    pub(crate) parts: Vec<Part>,
    /// For each source: whether it holds floats of 32 bits, which print shorter.
    pub(crate) reals: Vec<bool>,
    /// The entities of the table's series; 1 without.
    pub(crate) entities: u64,
    /// Numbers of this fill's rows per row of the table: items of an array count on their own.
    pub(crate) per_row: u64,
}

/// One piece of the text.
#[derive(Debug)]
pub(crate) enum Part {
    /// As written.
    Text(Box<[u8]>),
    /// The source at this place.
    Source(usize),
    /// A number from `low`, `most` + 1 of them; each range of a template draws its own word.
    Range { low: i64, most: u64, draw: u32 },
    /// The row's number.
    Row,
    /// The entity's number.
    Series,
}

impl Fill for TemplateText {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let columns: Vec<ColumnData> = self
            .sources
            .iter()
            .map(|source| {
                let mut column = ColumnData::default();
                source.fill(&rows, &mut column);
                column
            })
            .collect();
        let texts = out.texts();
        let mut index = 0;
        rows.for_each(|row| {
            self.pieces.write(&columns, index, row, stream.at(row), texts);
            index += 1;
        });
    }
}

impl Pieces {
    /// Adds one text: the sources' values at `index`, the row's numbers, draws from the cell.
    #[inline]
    pub(crate) fn write(
        &self,
        columns: &[ColumnData],
        index: usize,
        row: u64,
        cell: Cell,
        texts: &mut Strings,
    ) {
        let mut digits = itoa::Buffer::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => texts.tail().extend_from_slice(text),
                Part::Source(place) => {
                    write(&columns[*place], index, self.reals[*place], texts.tail());
                }
                Part::Range { low, most, draw } => {
                    let cell = cell.draw(*draw);
                    let offset = most.checked_add(1).map_or(cell.bits(), |n| cell.below(n));
                    let number = low.wrapping_add(offset as i64);
                    texts.tail().extend_from_slice(digits.format(number).as_bytes());
                }
                Part::Row => {
                    let number = digits.format(row / self.per_row);
                    texts.tail().extend_from_slice(number.as_bytes());
                }
                Part::Series => {
                    let number = digits.format(row / self.per_row % self.entities);
                    texts.tail().extend_from_slice(number.as_bytes());
                }
            }
        }
        texts.end();
    }
}

/// Appends a scalar's text; a null has none.
fn write(column: &ColumnData, index: usize, real: bool, out: &mut Vec<u8>) {
    if column.is_null(index) {
        return;
    }
    let string = |strings: &Strings, out: &mut Vec<u8>| out.extend_from_slice(strings.get(index));
    match &column.values {
        Values::Bool(values) => {
            out.extend_from_slice(if values[index] { b"true" } else { b"false" });
        }
        Values::Int(values) => {
            out.extend_from_slice(itoa::Buffer::new().format(values[index]).as_bytes());
        }
        Values::Float(values) if real => {
            let single = values[index] as f32;
            out.extend_from_slice(zmij::Buffer::new().format(single).as_bytes());
        }
        Values::Float(values) => {
            out.extend_from_slice(zmij::Buffer::new().format(values[index]).as_bytes());
        }
        Values::Decimal { unscaled, scale } => {
            out.extend_from_slice(text::decimal(unscaled[index], *scale).as_bytes());
        }
        Values::Text(values) | Values::Bytes(values) | Values::Json(values) => string(values, out),
        Values::Timestamp(values) => {
            out.extend_from_slice(text::timestamp(values[index]).as_bytes());
        }
        Values::Uuid(values) => out.extend_from_slice(text::uuid(&values[index]).as_bytes()),
        Values::Dictionary { codes: Codes::Own(codes), entries } => {
            write(entries, codes[index] as usize, real, out);
        }
        Values::Dictionary { codes: Codes::Series, .. }
        | Values::Object(_)
        | Values::Array { .. } => unreachable!("templates read scalars with codes of their own"),
    }
}
