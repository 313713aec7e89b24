//! Parquet files, read back by the Arrow reader and compared with the plan's own values, cell for cell.
//!
//! What is compared shares no code with the writer: `TablePlan::rows` against text made of Arrow's arrays.
#![cfg(feature = "parquet")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read has failed")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes as types;
use arrow::datatypes::DataType as ArrowType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rowstorm_files::{FileFormat, Files};
use rowstorm_gen::schema::Schema;
use rowstorm_gen::{Batch, Plan, PlanOptions, TablePlan, Value};
use rowstorm_sink::{
    Encoder, IndexTime, Payload, Prepare, PrepareMode, Scope, Sink, SinkError, Writer,
};

/// The first 2026-01-01, in microseconds.
const EPOCH_US: i64 = 1_767_225_600_000_000;

fn plan(name: &str, rows: u64) -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let schema = Schema::load(folder.join(name)).expect("a sample schema");
    let options = PlanOptions { epoch_us: EPOCH_US, rows: Some(rows), ..PlanOptions::default() };
    Plan::new(&schema, options).expect("a plan")
}

fn prepare(mode: PrepareMode) -> Prepare {
    Prepare { mode, indexes: IndexTime::None }
}

/// Writes a table's rows in payloads of several batches; where the file is.
async fn write(files: &Files, table: &Arc<TablePlan>, rows: u64) -> Result<PathBuf, SinkError> {
    let create = prepare(PrepareMode::Create);
    files.prepare(table, &create).await?;
    let (mut encoder, mut writer) = (files.encoder(table), files.writer(table).await?);
    let (mut batch, mut payload) = (Batch::default(), Payload::default());
    for start in (0..rows).step_by(1_500) {
        payload.clear();
        payload.rows = start..rows.min(start + 1_500);
        encoder.begin(&mut payload);
        for first in payload.rows.clone().step_by(1_000) {
            table.fill(first..payload.rows.end.min(first + 1_000), &mut batch);
            let before = payload.body.len();
            encoder.encode(&batch, &mut payload);
            assert!(payload.body.len() > before, "the budget of bytes sees rows as they come");
        }
        encoder.end(&mut payload);
        assert_eq!(writer.write(&payload).await?.accepted, payload.len());
    }
    files.finish(table, &create).await?;
    Ok(files.path(&table.name))
}

fn read(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_cell_reads_back_as_it_was_generated() {
    for (name, rows) in [("events.yaml", 4_040), ("payload.yaml", 3_000), ("cpu.yaml", 3_000)] {
        let plan = plan(name, rows);
        let folder = tempfile::tempdir().unwrap();
        for table in plan.tables() {
            let rows = table.rows.expect("rows were asked for");
            let files = Files::new(folder.path(), FileFormat::Parquet);
            let path = write(&files, table, rows).await.unwrap();
            let mut wanted = table.rows(0..rows).into_iter();
            for batch in read(&path) {
                assert_eq!(batch.num_columns(), table.columns.len());
                for row in 0..batch.num_rows() {
                    let wanted = wanted.next().expect("no more rows than were written");
                    for ((column, value), array) in wanted.iter().zip(batch.columns()) {
                        assert_cell(column, value, array, row);
                    }
                }
            }
            assert_eq!(wanted.count(), 0, "{name}: rows are missing");
            let audit = files.audit(table, &Scope::Table).await.unwrap();
            assert_eq!(audit.rows, rows, "{name}");
        }
    }
}

#[tokio::test]
async fn the_types_say_what_they_hold() {
    let plan = plan("events.yaml", 101);
    let table = plan.table("events").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path(), FileFormat::Parquet);
    let path = write(&files, table, table.rows.unwrap()).await.unwrap();
    let schema = read(&path)[0].schema();
    let utc = ArrowType::Timestamp(types::TimeUnit::Microsecond, Some("UTC".into()));
    for (column, data_type, nullable) in [
        ("id", ArrowType::FixedSizeBinary(16), false),
        ("ts", utc.clone(), false),
        ("due", utc, true),
        ("level", ArrowType::Int16, false),
        ("port", ArrowType::Int32, false),
        ("seq", ArrowType::Int64, false),
        ("load", ArrowType::Float32, false),
        ("latency_ms", ArrowType::Float64, false),
        ("price", ArrowType::Decimal128(12, 4), true),
        ("total", ArrowType::Decimal128(38, 10), false),
        ("is_error", ArrowType::Boolean, false),
        ("digest", ArrowType::Binary, false),
        ("client", ArrowType::Utf8, false),
    ] {
        let field = schema.field_with_name(column).unwrap();
        assert_eq!((field.data_type(), field.is_nullable()), (&data_type, nullable), "{column}");
    }
}

#[tokio::test]
async fn a_file_with_rows_is_not_appended_to_and_not_written_over() {
    let plan = plan("payload.yaml", 100);
    let table = &plan.tables()[0];
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path(), FileFormat::Parquet);
    write(&files, table, 100).await.unwrap();
    for (mode, says) in [(PrepareMode::Append, "appended"), (PrepareMode::Create, "rows already")] {
        let error = files.prepare(table, &prepare(mode)).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(files.audit(table, &Scope::Table).await.unwrap().rows, 100);
}

fn assert_cell(column: &str, value: &Value, array: &dyn Array, row: usize) {
    if array.is_null(row) || *value == Value::Null {
        assert!(array.is_null(row) && *value == Value::Null, "{column}, row {row}: {value:?}");
        return;
    }
    match value {
        Value::Null => unreachable!("looked at above"),
        Value::Bool(value) => assert_eq!(array.as_boolean().value(row), *value, "{column}"),
        Value::Int(value) => assert_eq!(integer(array, row), *value, "{column}"),
        Value::Float(value) => {
            let read = match array.data_type() {
                ArrowType::Float32 => {
                    f64::from(array.as_primitive::<types::Float32Type>().value(row))
                }
                _ => array.as_primitive::<types::Float64Type>().value(row),
            };
            assert_eq!(read.to_bits(), value.to_bits(), "{column}: {read} {value}");
        }
        Value::Decimal { unscaled, scale } => {
            let array = array.as_primitive::<types::Decimal128Type>();
            assert_eq!(array.scale() as u8, *scale, "{column}");
            assert_eq!(array.value(row), *unscaled, "{column}");
        }
        Value::Text(value) => assert_eq!(array.as_string::<i32>().value(row), value, "{column}"),
        Value::Bytes(value) => assert_eq!(array.as_binary::<i32>().value(row), value, "{column}"),
        Value::Timestamp(value) => {
            let array = array.as_primitive::<types::TimestampMicrosecondType>();
            assert_eq!(array.value(row), *value, "{column}");
        }
        Value::Uuid(value) => {
            assert_eq!(array.as_fixed_size_binary().value(row), value, "{column}");
        }
        Value::Json(_) | Value::Object(_) | Value::Array(_) => {
            let read: serde_json::Value =
                serde_json::from_str(array.as_string::<i32>().value(row)).unwrap();
            assert!(is_document(value, &read), "{column}, row {row}: {value} {read}");
        }
    }
}

fn integer(array: &dyn Array, row: usize) -> i64 {
    match array.data_type() {
        ArrowType::Int16 => array.as_primitive::<types::Int16Type>().value(row).into(),
        ArrowType::Int32 => array.as_primitive::<types::Int32Type>().value(row).into(),
        _ => array.as_primitive::<types::Int64Type>().value(row),
    }
}

/// Whether a document is this value.
fn is_document(value: &Value, document: &serde_json::Value) -> bool {
    match value {
        Value::Null => document.is_null(),
        Value::Bool(value) => document.as_bool() == Some(*value),
        Value::Int(value) => document.as_i64() == Some(*value),
        Value::Float(value) => document.as_f64() == Some(*value),
        // In a document, a decimal is a number.
        Value::Decimal { .. } => {
            document.as_f64().map(f64::to_bits)
                == value.to_string().parse::<f64>().ok().map(f64::to_bits)
        }
        Value::Json(text) => {
            serde_json::from_str::<serde_json::Value>(text).ok().as_ref() == Some(document)
        }
        Value::Object(fields) => {
            let is_field = |(name, value): &(Arc<str>, Value)| {
                document.get(&**name).is_some_and(|document| is_document(value, document))
            };
            document.as_object().is_some_and(|object| object.len() == fields.len())
                && fields.iter().all(is_field)
        }
        Value::Array(items) => document.as_array().is_some_and(|read| {
            read.len() == items.len()
                && items.iter().zip(read).all(|(item, read)| is_document(item, read))
        }),
        Value::Text(_) | Value::Bytes(_) | Value::Timestamp(_) | Value::Uuid(_) => {
            document.as_str() == Some(&value.to_string())
        }
    }
}
