//! Columns of a run of rows, laid out as Arrow lays out: plain vectors, offsets and bytes, a validity bitmap.

use std::ops::Range;
use std::sync::Arc;

/// The rows of one range as columns, at most [`BATCH_ROWS_MAX`](crate::BATCH_ROWS_MAX) of them.
///
/// A batch is a reusable buffer: [`TablePlan::fill`](crate::TablePlan::fill) clears it and keeps its memory.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The rows that the columns hold.
    pub rows: Range<u64>,
    /// The entity of each row (row % count), where the table has series; else empty.
    /// Dictionary columns with [`Codes::Series`] read their codes here, all of them the same.
    pub series: Vec<u32>,
    /// The columns, in the table's order.
    pub columns: Vec<ColumnData>,
}

impl Batch {
    /// How many rows.
    pub fn len(&self) -> usize {
        (self.rows.end - self.rows.start) as usize
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// One column: values, and which of them are null.
#[derive(Debug, Clone, Default)]
pub struct ColumnData {
    /// The values; a null row still has one, of no meaning.
    pub values: Values,
    /// Which rows are not null; `None` if all are.
    pub valid: Option<Bitmap>,
}

impl ColumnData {
    /// Whether the value at `index` is null.
    #[inline]
    pub fn is_null(&self, index: usize) -> bool {
        self.valid.as_ref().is_some_and(|valid| !valid.get(index))
    }
}

/// The values of one column.
#[derive(Debug, Clone)]
pub enum Values {
    /// Booleans.
    Bool(Vec<bool>),
    /// Integers of any width.
    Int(Vec<i64>),
    /// Floats of any width.
    Float(Vec<f64>),
    /// Decimals without their point.
    Decimal {
        /// The digits as one number.
        unscaled: Vec<i128>,
        /// How many of them stand after the point.
        scale: u8,
    },
    /// UTF-8.
    Text(Strings),
    /// Bytes.
    Bytes(Strings),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(Vec<i64>),
    /// UUIDs, in network order.
    Uuid(Vec<[u8; 16]>),
    /// JSON documents as text.
    Json(Strings),
    /// Codes into a fixed list of entries; each encoder encodes an entry once.
    Dictionary {
        /// The entry of each row.
        codes: Codes,
        /// The entries, of any other kind.
        entries: Arc<ColumnData>,
    },
    /// Fields by name, side by side, each as long as this column.
    Object(Vec<(Arc<str>, ColumnData)>),
    /// Item `i` of the column is `items[offsets[i]..offsets[i + 1]]`.
    Array {
        /// One more than there are rows; the first is 0.
        offsets: Vec<u32>,
        /// All items, one after another.
        items: Box<ColumnData>,
    },
}

impl Default for Values {
    fn default() -> Self {
        Values::Int(Vec::new())
    }
}

/// Where the codes of a dictionary column stand.
#[derive(Debug, Clone)]
pub enum Codes {
    /// In the batch's [`series`](Batch::series): the entity is the code. Neighbours of this kind form a group whose
    /// encoded run is copied whole.
    Series,
    /// The column's own.
    Own(Vec<u32>),
}

/// Byte strings, one after another: string `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone)]
pub struct Strings {
    offsets: Vec<u32>,
    bytes: Vec<u8>,
}

impl Default for Strings {
    fn default() -> Self {
        Strings { offsets: vec![0], bytes: Vec::new() }
    }
}

impl Strings {
    /// Forgets all strings, keeps the memory.
    pub fn clear(&mut self) {
        self.offsets.truncate(1);
        self.bytes.clear();
    }

    /// Adds one string.
    #[inline]
    pub fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.end();
    }

    /// The bytes behind the last string's end: append to them, then call [`Strings::end`].
    #[inline]
    pub fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the string that was appended to [`Strings::tail`].
    #[inline]
    pub fn end(&mut self) {
        let end =
            u32::try_from(self.bytes.len()).expect("a batch holds less than 4 GiB of one column");
        self.offsets.push(end);
    }

    /// How many strings.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One string.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }

    /// All strings, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.offsets.windows(2).map(|pair| &self.bytes[pair[0] as usize..pair[1] as usize])
    }

    /// The offsets (one more than strings) and the bytes, as Arrow wants them.
    pub fn parts(&self) -> (&[u32], &[u8]) {
        (&self.offsets, &self.bytes)
    }
}

/// Bits, least significant first, as Arrow's validity: 1 is a value, 0 is null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bitmap {
    bits: Vec<u8>,
    len: usize,
}

impl Bitmap {
    /// Forgets all bits, keeps the memory.
    pub fn clear(&mut self) {
        self.bits.clear();
        self.len = 0;
    }

    /// Adds one bit.
    #[inline]
    pub fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(8) {
            self.bits.push(0);
        }
        let last =
            self.bits.last_mut().expect("a byte was pushed for the first of every eight bits");
        *last |= u8::from(bit) << (self.len % 8);
        self.len += 1;
    }

    /// One bit.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub fn get(&self, index: usize) -> bool {
        assert!(index < self.len, "bit {index} of {}", self.len);
        self.bits[index / 8] >> (index % 8) & 1 == 1
    }

    /// How many bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }
}
