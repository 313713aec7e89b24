//! `_id`: what makes a document the same one when it is sent again.
//!
//! MongoDB keeps one document of each `_id` and knows no other key, so the table's key becomes one: a single column as it
//! is, several as a document of them. Without a key the row itself is named, by the plan's fingerprint and the row's
//! number: what is sent again is known again, rows of another seed or schema are others, and the same rows appended once
//! more are duplicates.

use rowstorm_gen::{Batch, TablePlan};
use rowstorm_sink::Buffer;
use rowstorm_sink::rows::Item;

use crate::value::{close, element, open};
use crate::wire::{Wire, c_string, tag};

/// The field that the server keeps unique.
pub(crate) const ID: &str = "_id";
const ID_NAME: &[u8] = b"_id\0";

/// How a row's `_id` is made.
#[derive(Debug)]
pub(crate) enum Identity {
    /// The key is a column called `_id`.
    Own,
    /// One column's value.
    Column(Part),
    /// Several columns' values, by their names.
    Columns(Vec<Part>),
    /// An ObjectId of these four bytes and the row's number.
    Row([u8; 4]),
}

/// A column of the key.
#[derive(Debug)]
pub(crate) struct Part {
    place: usize,
    /// Ends in a zero byte.
    name: Vec<u8>,
    wire: Wire,
}

impl Identity {
    pub(crate) fn of(table: &TablePlan) -> Identity {
        match table.key[..] {
            // All bits count: two seeds differ anywhere in it.
            [] => Identity::Row(
                (((table.fingerprint >> 32) ^ table.fingerprint) as u32).to_be_bytes(),
            ),
            [place] if *table.columns[place].name == *ID => Identity::Own,
            _ => Identity::of_key(table),
        }
    }

    /// By which rows that are there are found, with the key's columns alone: also where the key is a column called `_id`.
    pub(crate) fn of_key(table: &TablePlan) -> Identity {
        let part = |&place: &usize| {
            let column = &table.columns[place];
            Part { place, name: c_string(&column.name), wire: Wire::of(table, column) }
        };
        match table.key[..] {
            [ref place] => Identity::Column(part(place)),
            _ => Identity::Columns(table.key.iter().map(part).collect()),
        }
    }

    /// Appends the `_id` element of each row of a batch.
    pub(crate) fn write(&self, batch: &Batch, ids: &mut Ids) {
        let item = |part: &Part, index: usize| Item {
            data: &batch.columns[part.place],
            index,
            series: &batch.series,
        };
        for (index, row) in batch.rows.clone().enumerate() {
            match self {
                Identity::Own => {}
                Identity::Column(part) => {
                    element(ID_NAME, item(part, index), &part.wire, &mut ids.bytes);
                }
                Identity::Columns(parts) => {
                    ids.bytes.put_array([tag::DOCUMENT]);
                    ids.bytes.put(ID_NAME);
                    let start = open(&mut ids.bytes);
                    for part in parts {
                        element(&part.name, item(part, index), &part.wire, &mut ids.bytes);
                    }
                    close(start, &mut ids.bytes);
                }
                Identity::Row(seed) => {
                    ids.bytes.put_array([tag::OBJECT_ID]);
                    ids.bytes.put(ID_NAME);
                    ids.bytes.put_array(*seed);
                    ids.bytes.put_array(row.to_be_bytes());
                }
            }
            ids.ends.push(ids.bytes.len());
        }
    }
}

/// Elements, one for each row of a batch.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    bytes: Buffer,
    ends: Vec<usize>,
}

impl Ids {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes.as_slice()[start..self.ends[row]]
    }
}
