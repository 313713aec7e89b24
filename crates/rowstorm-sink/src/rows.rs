//! The row walker: columns become the rows of a wire, and an adapter only says how one cell is written.
//!
//! What makes it fast stands here once, for every row-wise wire: the kinds of all columns are matched once a batch,
//! runs of integer columns go through one tight loop, dictionary entries are encoded once and copied from then on, and
//! neighbours that hang on one series (a host's ten tags) are copied as one encoded run.

use rowstorm_gen::{Batch, Bitmap, Codes, ColumnData, Storage, Strings, TablePlan, Values};

use crate::buffer::OVERCOPY_BYTES;
use crate::{Buffer, json};

mod columns;

pub use columns::ColumnEncoder;

/// How one wire writes the cells of a row. Every method appends; cells come in the table's order.
///
/// Before `row_begin`, `row_end`, `null`, `bool`, `int`, `ints`, `float`, `timestamp` and `uuid` there is room for
/// [`fixed_bytes_max`](RowFormat::fixed_bytes_max) bytes, so they may use [`Buffer::set_array`].
pub trait RowFormat: Send + 'static {
    /// The most bytes that a cell of fixed width takes, with everything around it (separator, key, length).
    fn fixed_bytes_max(&self) -> usize;
    /// Opens a row.
    fn row_begin(&mut self, out: &mut Buffer);
    /// Closes a row.
    fn row_end(&mut self, out: &mut Buffer);
    /// A null.
    fn null(&mut self, column: usize, out: &mut Buffer);
    /// A boolean.
    fn bool(&mut self, column: usize, value: bool, out: &mut Buffer);
    /// An integer, within the column's width.
    fn int(&mut self, column: usize, value: i64, out: &mut Buffer);
    /// One row's integers of columns side by side, each within its column's width. One by one, unless the wire writes
    /// them faster together.
    #[inline]
    fn ints(&mut self, first: usize, columns: &[&[i64]], row: usize, out: &mut Buffer) {
        for (offset, values) in columns.iter().enumerate() {
            self.int(first + offset, values[row], out);
        }
    }
    /// A float; within `f32` if the column is `real`.
    fn float(&mut self, column: usize, value: f64, out: &mut Buffer);
    /// A decimal: `unscaled / 10^scale`.
    fn decimal(&mut self, column: usize, unscaled: i128, scale: u8, out: &mut Buffer);
    /// Text.
    fn text(&mut self, column: usize, value: &str, out: &mut Buffer);
    /// Bytes.
    fn bytes(&mut self, column: usize, value: &[u8], out: &mut Buffer);
    /// An instant, in microseconds since 1970-01-01T00:00:00Z.
    fn timestamp(&mut self, column: usize, micros: i64, out: &mut Buffer);
    /// A UUID.
    fn uuid(&mut self, column: usize, value: &[u8; 16], out: &mut Buffer);
    /// A JSON document; objects and arrays, too, unless [`nested`](RowFormat::nested) says otherwise.
    fn json(&mut self, column: usize, document: &str, out: &mut Buffer);

    /// An object or array: as a JSON document unless the wire has a form of its own.
    fn nested(&mut self, column: usize, item: Item<'_>, scratch: &mut Buffer, out: &mut Buffer) {
        scratch.clear();
        json::write(item, scratch);
        let document = std::str::from_utf8(scratch.as_slice()).expect("JSON is UTF-8");
        self.json(column, document, out);
    }
}

/// One value of a column, with the series codes that dictionary columns inside it may need.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The column.
    pub data: &'a ColumnData,
    /// Which value.
    pub index: usize,
    /// The batch's [`series`](Batch::series).
    pub series: &'a [u32],
}

/// Encodes batches of one table row by row.
#[derive(Debug)]
pub struct RowEncoder<F> {
    format: F,
    steps: Vec<Step>,
    scratch: Buffer,
}

/// What is done for each row, in order.
#[derive(Debug)]
enum Step {
    /// Copy the encoded run of a series' columns.
    Series(Arena),
    /// Copy the encoded entry of one column's code.
    Entry { column: usize, entries: Arena },
    /// Integer columns without nulls, side by side.
    Ints { first: usize, count: usize },
    /// Any other cell.
    Cell { column: usize },
}

/// Encoded entries, one after another, ending in [`OVERCOPY_BYTES`] of padding.
#[derive(Debug, Default)]
struct Arena {
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
}

/// Encoded runs beyond this are not kept: they would leave a core's cache, and memory is stated.
const ARENA_BYTES_MAX: usize = 16 << 20;

impl<F: RowFormat> RowEncoder<F> {
    /// An encoder for a table. Entries of dictionaries are encoded here, once.
    pub fn new(table: &TablePlan, mut format: F) -> RowEncoder<F> {
        let mut scratch = Buffer::default();
        let mut steps = Vec::new();
        let mut column = 0;
        while column < table.columns.len() {
            let step = Step::at(table, column, &mut format, &mut scratch);
            column += step.columns();
            steps.push(step.kind);
        }
        RowEncoder { format, steps, scratch }
    }

    /// The wire's format.
    pub fn format(&self) -> &F {
        &self.format
    }

    /// The wire's format, to be told what is not in the columns: where a batch starts.
    pub fn format_mut(&mut self) -> &mut F {
        &mut self.format
    }

    /// Appends all rows of a batch.
    pub fn encode(&mut self, batch: &Batch, out: &mut Buffer) {
        let sources: Vec<Source<'_>> =
            self.steps.iter().map(|step| Source::new(step, batch)).collect();
        let fixed = self.format.fixed_bytes_max();
        let room = fixed * (batch.columns.len() + 2);
        for row in 0..batch.len() {
            out.reserve(room);
            self.format.row_begin(out);
            for source in &sources {
                source.write(row, &mut self.format, &mut self.scratch, room, out);
            }
            self.format.row_end(out);
        }
    }
}

/// A step with the number of columns that it covers.
struct Planned {
    kind: Step,
    columns: usize,
}

impl Planned {
    fn columns(&self) -> usize {
        self.columns
    }
}

impl Step {
    /// The widest step that starts at a column.
    fn at<F: RowFormat>(
        table: &TablePlan,
        column: usize,
        format: &mut F,
        scratch: &mut Buffer,
    ) -> Planned {
        let columns = &table.columns[column..];
        match &columns[0].storage {
            Storage::Series(_) => {
                let run: Vec<&ColumnData> = columns
                    .iter()
                    .map_while(|next| match &next.storage {
                        Storage::Series(entries) => Some(&**entries),
                        Storage::Plain | Storage::Dictionary(_) => None,
                    })
                    .collect();
                match Arena::of_runs(&run, column, format, scratch) {
                    Some(arena) => Planned { columns: run.len(), kind: Step::Series(arena) },
                    None => Planned { columns: 1, kind: Step::Cell { column } },
                }
            }
            Storage::Dictionary(entries) => {
                match Arena::of_runs(&[entries], column, format, scratch) {
                    Some(entries) => Planned { columns: 1, kind: Step::Entry { column, entries } },
                    None => Planned { columns: 1, kind: Step::Cell { column } },
                }
            }
            Storage::Plain => {
                let count = columns
                    .iter()
                    .take_while(|next| {
                        matches!(next.storage, Storage::Plain)
                            && matches!(next.data_type, rowstorm_gen::schema::DataType::Int(_))
                            && !next.nullable()
                    })
                    .count();
                if count == 0 {
                    Planned { columns: 1, kind: Step::Cell { column } }
                } else {
                    Planned { columns: count, kind: Step::Ints { first: column, count } }
                }
            }
        }
    }
}

impl Arena {
    /// Encodes entry `e` of all columns side by side, for every `e`; `None` if that is too much to keep.
    fn of_runs<F: RowFormat>(
        run: &[&ColumnData],
        first: usize,
        format: &mut F,
        scratch: &mut Buffer,
    ) -> Option<Arena> {
        let entries = run.iter().map(|column| column.values.len()).min()?;
        let mut out = Buffer::default();
        let mut spans = Vec::with_capacity(entries);
        for entry in 0..entries {
            let start = out.len();
            for (offset, data) in run.iter().enumerate() {
                out.reserve(format.fixed_bytes_max());
                write_cell(
                    first + offset,
                    Item { data, index: entry, series: &[] },
                    format,
                    scratch,
                    &mut out,
                );
            }
            if out.len() > ARENA_BYTES_MAX {
                return None;
            }
            spans.push((start as u32, (out.len() - start) as u32));
        }
        let mut bytes = out.as_slice().to_vec();
        bytes.resize(bytes.len() + OVERCOPY_BYTES, 0);
        Some(Arena { bytes, spans })
    }

    /// Appends one entry and leaves `room` behind it.
    #[inline]
    fn write(&self, entry: u32, room: usize, out: &mut Buffer) {
        let (at, len) = self.spans[entry as usize];
        out.reserve(len as usize + room);
        out.set_from(&self.bytes, at as usize, len as usize);
    }
}

/// A step, bound to the columns of one batch.
enum Source<'a> {
    Series { arena: &'a Arena, codes: &'a [u32] },
    Entry { column: usize, arena: &'a Arena, codes: &'a [u32], valid: Option<&'a Bitmap> },
    Ints { first: usize, columns: Vec<&'a [i64]> },
    Cell { column: usize, data: &'a ColumnData, series: &'a [u32] },
}

impl<'a> Source<'a> {
    fn new(step: &'a Step, batch: &'a Batch) -> Source<'a> {
        let cell = |column: usize| Source::Cell {
            column,
            data: &batch.columns[column],
            series: &batch.series,
        };
        match step {
            Step::Series(arena) => Source::Series { arena, codes: &batch.series },
            Step::Entry { column, entries } => {
                let data = &batch.columns[*column];
                let Values::Dictionary { codes: Codes::Own(codes), .. } = &data.values else {
                    return cell(*column);
                };
                let valid = data.valid.as_ref();
                Source::Entry { column: *column, arena: entries, codes, valid }
            }
            Step::Ints { first, count } => {
                let columns = batch.columns[*first..*first + *count]
                    .iter()
                    .map(|data| match &data.values {
                        Values::Int(values) => &values[..],
                        other => panic!("an int column holds ints, not {}", kind(other)),
                    })
                    .collect();
                Source::Ints { first: *first, columns }
            }
            Step::Cell { column } => cell(*column),
        }
    }

    /// Writes this step's cells of one row; `room` is kept free behind them.
    #[inline]
    fn write<F: RowFormat>(
        &self,
        row: usize,
        format: &mut F,
        scratch: &mut Buffer,
        room: usize,
        out: &mut Buffer,
    ) {
        match self {
            Source::Series { arena, codes } => arena.write(codes[row], room, out),
            Source::Entry { column, arena, codes, valid } => {
                if valid.is_some_and(|valid| !valid.get(row)) {
                    format.null(*column, out);
                } else {
                    arena.write(codes[row], room, out);
                }
            }
            Source::Ints { first, columns } => format.ints(*first, columns, row, out),
            Source::Cell { column, data, series } => {
                write_cell(*column, Item { data, index: row, series }, format, scratch, out);
                out.reserve(room);
            }
        }
    }
}

/// Writes any one value.
fn write_cell<F: RowFormat>(
    column: usize,
    item: Item<'_>,
    format: &mut F,
    scratch: &mut Buffer,
    out: &mut Buffer,
) {
    let Item { data, index, series } = item;
    if data.is_null(index) {
        return format.null(column, out);
    }
    match &data.values {
        Values::Bool(values) => format.bool(column, values[index], out),
        Values::Int(values) => format.int(column, values[index], out),
        Values::Float(values) => format.float(column, values[index], out),
        Values::Decimal { unscaled, scale } => format.decimal(column, unscaled[index], *scale, out),
        Values::Text(values) => format.text(column, utf8(values, index), out),
        Values::Bytes(values) => format.bytes(column, values.get(index), out),
        Values::Timestamp(values) => format.timestamp(column, values[index], out),
        Values::Uuid(values) => format.uuid(column, &values[index], out),
        Values::Json(values) => format.json(column, utf8(values, index), out),
        Values::Dictionary { codes, entries } => {
            let index = code(codes, index, series) as usize;
            write_cell(column, Item { data: entries, index, series }, format, scratch, out);
        }
        Values::Object(_) | Values::Array { .. } => format.nested(column, item, scratch, out),
    }
}

/// The entry that a dictionary column names at an index.
#[inline]
pub fn code(codes: &Codes, index: usize, series: &[u32]) -> u32 {
    match codes {
        Codes::Series => series[index],
        Codes::Own(codes) => codes[index],
    }
}

/// A string as text.
///
/// # Panics
/// If it is not UTF-8, which a text column always is.
#[inline]
pub fn utf8(values: &Strings, index: usize) -> &str {
    std::str::from_utf8(values.get(index)).expect("a text column holds UTF-8")
}

fn kind(values: &Values) -> &'static str {
    match values {
        Values::Bool(_) => "bool",
        Values::Int(_) => "int",
        Values::Float(_) => "float",
        Values::Decimal { .. } => "decimal",
        Values::Text(_) => "text",
        Values::Bytes(_) => "bytes",
        Values::Timestamp(_) => "timestamp",
        Values::Uuid(_) => "uuid",
        Values::Json(_) => "json",
        Values::Dictionary { .. } => "a dictionary",
        Values::Object(_) => "an object",
        Values::Array { .. } => "an array",
    }
}
