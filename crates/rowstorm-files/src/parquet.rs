//! Parquet through arrow-rs: columns become Arrow arrays, travel as an Arrow IPC stream, and are written by row groups.
//!
//! A Parquet file has a footer, so it is open from the first payload until `finish`.

use std::error::Error;
use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType as ArrowType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rowstorm_gen::schema::{DataType, IntWidth};
use rowstorm_gen::{Batch, Codes, ColumnData, TablePlan, Values};
use rowstorm_sink::rows::Item;
use rowstorm_sink::{Buffer, Outcome, Payload, SinkError, json};

use crate::audit::Tally;
use crate::error;

/// A row group is written once it holds this much.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// A Parquet file that has no footer yet.
pub(crate) struct Parquet(ArrowWriter<File>);

impl Parquet {
    pub(crate) fn create(table: &TablePlan, path: &Path) -> Result<Parquet, SinkError> {
        let zstd = ZstdLevel::try_new(1).expect("1 is a level of zstd");
        let properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(zstd)).build();
        let file = File::create(path)
            .map_err(|cause| error::from_io(path, "the file cannot be made", cause))?;
        let writer = ArrowWriter::try_new(file, schema(table), Some(properties));
        writer.map(Parquet).map_err(|cause| error::unreadable(path, cause))
    }

    pub(crate) fn write(
        &mut self,
        path: &Path,
        body: &[u8],
        rows: u64,
    ) -> Result<Outcome, SinkError> {
        self.write_streams(body).map_err(|cause| error::unreadable(path, cause))?;
        Ok(Outcome::accepted(rows))
    }

    fn write_streams(&mut self, body: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut body = Cursor::new(body);
        while (body.position() as usize) < body.get_ref().len() {
            for batch in StreamReader::try_new(&mut body, None)? {
                self.0.write(&batch?)?;
            }
        }
        if self.0.in_progress_size() > ROW_GROUP_BYTES {
            self.0.flush()?;
        }
        Ok(())
    }

    pub(crate) fn close(self, path: &Path) -> Result<(), SinkError> {
        self.0.close().map(|_| ()).map_err(|cause| error::unreadable(path, cause))
    }
}

/// Columns to Arrow IPC streams, one for each batch: the body grows with the rows, so that the budget of bytes sees them.
pub(crate) struct ArrowEncoder {
    schema: SchemaRef,
}

impl ArrowEncoder {
    pub(crate) fn new(table: &TablePlan) -> ArrowEncoder {
        ArrowEncoder { schema: schema(table) }
    }

    pub(crate) fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        const WRITES: &str = "writing to memory cannot fail";
        let columns = batch
            .columns
            .iter()
            .zip(self.schema.fields())
            .map(|(data, field)| array(data, field.data_type(), &batch.series))
            .collect();
        let arrow = RecordBatch::try_new(self.schema.clone(), columns)
            .expect("columns are as long as the batch and of the field's type");
        let mut stream = StreamWriter::try_new(&mut payload.body, &self.schema).expect(WRITES);
        stream.write(&arrow).expect(WRITES);
        stream.finish().expect(WRITES);
    }
}

fn schema(table: &TablePlan) -> SchemaRef {
    let fields: Vec<Field> = table
        .columns
        .iter()
        .map(|column| Field::new(&*column.name, arrow_type(column.data_type), column.nullable()))
        .collect();
    Arc::new(Schema::new(fields))
}

fn arrow_type(data_type: DataType) -> ArrowType {
    match data_type {
        DataType::Bool => ArrowType::Boolean,
        DataType::Int(IntWidth::Small) => ArrowType::Int16,
        DataType::Int(IntWidth::Int) => ArrowType::Int32,
        DataType::Int(IntWidth::Big) => ArrowType::Int64,
        DataType::Float { double: false } => ArrowType::Float32,
        DataType::Float { double: true } => ArrowType::Float64,
        DataType::Decimal { precision, scale } => ArrowType::Decimal128(precision, scale as i8),
        DataType::Text { .. } | DataType::Json | DataType::Object | DataType::Array => {
            ArrowType::Utf8
        }
        DataType::Bytes => ArrowType::Binary,
        DataType::Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Uuid => ArrowType::FixedSizeBinary(16),
    }
}

/// A column as an Arrow array; nulls where the column has them.
fn array(data: &ColumnData, wanted: &ArrowType, series: &[u32]) -> ArrayRef {
    let rows = 0..data.values.len();
    let present = |index: usize| !data.is_null(index);
    match &data.values {
        Values::Bool(v) => {
            Arc::new(rows.map(|i| present(i).then_some(v[i])).collect::<BooleanArray>())
        }
        Values::Int(v) => match wanted {
            ArrowType::Int16 => {
                Arc::new(rows.map(|i| present(i).then_some(v[i] as i16)).collect::<Int16Array>())
            }
            ArrowType::Int32 => {
                Arc::new(rows.map(|i| present(i).then_some(v[i] as i32)).collect::<Int32Array>())
            }
            _ => Arc::new(rows.map(|i| present(i).then_some(v[i])).collect::<Int64Array>()),
        },
        Values::Float(v) => match wanted {
            ArrowType::Float32 => {
                Arc::new(rows.map(|i| present(i).then_some(v[i] as f32)).collect::<Float32Array>())
            }
            _ => Arc::new(rows.map(|i| present(i).then_some(v[i])).collect::<Float64Array>()),
        },
        Values::Decimal { unscaled, .. } => {
            let values: Decimal128Array = rows.map(|i| present(i).then_some(unscaled[i])).collect();
            Arc::new(values.with_data_type(wanted.clone()))
        }
        Values::Text(v) | Values::Json(v) => Arc::new(
            rows.map(|i| present(i).then(|| rowstorm_sink::rows::utf8(v, i)))
                .collect::<StringArray>(),
        ),
        Values::Bytes(v) => {
            Arc::new(rows.map(|i| present(i).then(|| v.get(i))).collect::<BinaryArray>())
        }
        Values::Timestamp(v) => Arc::new(
            rows.map(|i| present(i).then_some(v[i]))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        Values::Uuid(v) => Arc::new(
            FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                rows.map(|i| present(i).then_some(v[i])),
                16,
            )
            .expect("a UUID has 16 bytes"),
        ),
        Values::Dictionary { codes, entries } => {
            let codes = match codes {
                Codes::Series => series,
                Codes::Own(codes) => codes,
            };
            let codes: UInt32Array =
                codes.iter().enumerate().map(|(i, code)| present(i).then_some(*code)).collect();
            take(&array(entries, wanted, series), &codes, None).expect("every code has an entry")
        }
        Values::Object(_) | Values::Array { .. } => Arc::new(documents(data, series)),
    }
}

/// Objects and arrays as JSON text.
fn documents(data: &ColumnData, series: &[u32]) -> StringArray {
    let mut text = Buffer::default();
    (0..data.values.len())
        .map(|index| {
            text.clear();
            json::write(Item { data, index, series }, &mut text);
            (!data.is_null(index))
                .then(|| String::from_utf8(text.as_slice().to_vec()).expect("JSON is UTF-8"))
        })
        .collect()
}

/// Reads a file back and counts it.
pub(crate) fn count(path: &Path, tally: &mut Tally) -> Result<(), SinkError> {
    let bad = |cause: &dyn std::fmt::Display| error::unreadable(path, cause);
    let file = File::open(path).map_err(|cause| bad(&cause))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|cause| bad(&cause))?;
    for batch in reader.build().map_err(|cause| bad(&cause))? {
        let batch = batch.map_err(|cause| bad(&cause))?;
        let ints: Vec<Option<ArrayRef>> = batch
            .columns()
            .iter()
            .map(|column| {
                let integer = column.data_type().is_integer();
                integer.then(|| cast(column, &ArrowType::Int64).expect("an integer widens"))
            })
            .collect();
        for row in 0..batch.num_rows() {
            tally.row(|column| {
                let values = ints[column].as_ref()?.as_primitive::<Int64Type>();
                values.is_valid(row).then(|| values.value(row))
            });
        }
    }
    Ok(())
}
