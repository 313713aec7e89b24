//! The same cells, a column after another: for wires that carry columns.

use rowstorm_gen::{Batch, Storage, TablePlan, Values};

use super::{Arena, Item, RowFormat, write_cell};
use crate::Buffer;

/// Encodes batches of one table column by column, each column into a buffer of its own.
///
/// Cells are those of the [`RowFormat`]; a row's opening and closing are not written. Entries of dictionaries are encoded
/// once, as in a [`RowEncoder`](super::RowEncoder).
#[derive(Debug)]
pub struct ColumnEncoder<F> {
    format: F,
    columns: Vec<Column>,
    scratch: Buffer,
}

#[derive(Debug)]
struct Column {
    /// The encoded entries, where the column has a dictionary that is not too large.
    entries: Option<Arena>,
    cells: Buffer,
}

impl<F: RowFormat> ColumnEncoder<F> {
    /// An encoder for a table.
    pub fn new(table: &TablePlan, mut format: F) -> ColumnEncoder<F> {
        let mut scratch = Buffer::default();
        let columns = table.columns.iter().enumerate().map(|(place, column)| {
            let entries = match &column.storage {
                Storage::Series(entries) | Storage::Dictionary(entries) => {
                    Arena::of_runs(&[entries], place, &mut format, &mut scratch)
                }
                Storage::Plain => None,
            };
            Column { entries, cells: Buffer::default() }
        });
        let columns = columns.collect();
        ColumnEncoder { format, columns, scratch }
    }

    /// Forgets the cells, keeps the memory.
    pub fn clear(&mut self) {
        for column in &mut self.columns {
            column.cells.clear();
        }
    }

    /// The cells of each column, since the last [`clear`](ColumnEncoder::clear).
    pub fn columns(&self) -> impl Iterator<Item = &[u8]> {
        self.columns.iter().map(|column| column.cells.as_slice())
    }

    /// Appends all rows of a batch.
    pub fn encode(&mut self, batch: &Batch) {
        let room = self.format.fixed_bytes_max();
        for (place, (column, data)) in self.columns.iter_mut().zip(&batch.columns).enumerate() {
            let Column { entries, cells } = column;
            match (&data.values, &*entries) {
                (Values::Dictionary { codes, .. }, Some(arena)) => {
                    for row in 0..batch.len() {
                        if data.is_null(row) {
                            cells.reserve(room);
                            self.format.null(place, cells);
                        } else {
                            arena.write(super::code(codes, row, &batch.series), room, cells);
                        }
                    }
                }
                (Values::Int(values), _) if data.valid.is_none() => {
                    for value in values {
                        cells.reserve(room);
                        self.format.int(place, *value, cells);
                    }
                }
                _ => {
                    for index in 0..batch.len() {
                        cells.reserve(room);
                        let item = Item { data, index, series: &batch.series };
                        write_cell(place, item, &mut self.format, &mut self.scratch, cells);
                    }
                }
            }
        }
    }
}
