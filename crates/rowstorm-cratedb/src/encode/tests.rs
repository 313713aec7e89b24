//! Bodies against the plan's own account of its rows, and against their own lines.

use std::sync::Arc;

use proptest::prelude::*;
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions};
use serde_json::Value;

use super::*;

fn plan(document: &str) -> Arc<TablePlan> {
    let schema = Schema::parse(document, Format::Yaml, "test.yaml").expect("a valid document");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("a document that compiles");
    Arc::clone(&plan.tables()[0])
}

fn body(table: &TablePlan, method: Method, rows: u64) -> Vec<u8> {
    let mut encoder = CrateDbEncoder::new("doc", table, method);
    let mut payload = Payload::default();
    encoder.begin(&mut payload);
    for first in (0..rows).step_by(700) {
        let mut batch = Batch::default();
        table.fill(first..rows.min(first + 700), &mut batch);
        encoder.encode(&batch, &mut payload);
    }
    encoder.end(&mut payload);
    payload.body.as_slice().to_vec()
}

/// The generated rows by the plan's own account, which knows nothing of encoders.
fn wanted(table: &TablePlan, rows: u64) -> Vec<Vec<Value>> {
    let cell = |value: &rowstorm_gen::Value| match value {
        rowstorm_gen::Value::Null => Value::Null,
        rowstorm_gen::Value::Int(value) => (*value).into(),
        rowstorm_gen::Value::Float(value) => (*value).into(),
        rowstorm_gen::Value::Timestamp(micros) => micros.div_euclid(1000).into(),
        other => Value::from(other.to_string()),
    };
    table.rows(0..rows).iter().map(|row| row.values().iter().map(cell).collect()).collect()
}

const MIXED: &str = r#"
version: 1
tables:
  t:
    series: { count: 7, levels: { plant: 3, sensor: id } }
    columns:
      host:  { type: text, per: series, nulls: 0.3, gen: { template: "host \"{series}\"" } }
      kind:  { type: text, nulls: 0.2, gen: { one_of: ["a\nb", "ü", ""] } }
      ts:    { type: timestamp, gen: { clock: { start: 1969-12-31T23:59:59Z, step: 1ms, jitter: 900us } } }
      large: { type: bigint, nulls: 0.1, gen: { uniform: [-9223372036854775808, 9223372036854775807] } }
      small: { type: int, gen: { uniform: [0, 2000] } }
      load:  { type: float, gen: { normal: { mean: 0, stdev: 1 } } }
      price: { type: "decimal(20,4)", nulls: 0.1, gen: { uniform: [-500.0000, 99999999.9999] } }
      ref:   { type: uuid, gen: uuid_v4 }
"#;

#[test]
fn a_row_is_a_list_and_a_column_is_one_too() {
    let table = plan(MIXED);
    let wanted = wanted(&table, 1500);
    let rows: Value = serde_json::from_slice(&body(&table, Method::BulkArgs, 1500)).unwrap();
    assert_eq!(rows["stmt"], dialect::insert("doc", &table));
    for (row, wanted) in rows["bulk_args"].as_array().unwrap().iter().zip(&wanted) {
        assert_eq!(row.as_array().unwrap(), wanted);
    }
    assert_eq!(rows["bulk_args"].as_array().unwrap().len(), 1500);
    let columns: Value = serde_json::from_slice(&body(&table, Method::Unnest, 1500)).unwrap();
    assert_eq!(columns["stmt"], dialect::insert_columns("doc", &table));
    for (place, column) in columns["args"].as_array().unwrap().iter().enumerate() {
        let wanted: Vec<&Value> = wanted.iter().map(|row| &row[place]).collect();
        assert_eq!(column.as_array().unwrap().iter().collect::<Vec<_>>(), wanted, "{place}");
    }
}

#[test]
fn the_lines_of_a_body_are_its_rows() {
    let table = plan(MIXED);
    let whole = body(&table, Method::BulkArgs, 20);
    let rows: Vec<&[u8]> = lines(&whole).collect();
    assert_eq!(rows.len(), 20);
    assert_eq!(body_of(&head("doc", &table), &rows), whole, "cut and put together");
    assert_eq!(lines(&body(&table, Method::BulkArgs, 0)).count(), 0);
    assert_eq!(lines(&body(&table, Method::Unnest, 20)).count(), table.columns.len());
    let empty: Value = serde_json::from_slice(&body(&table, Method::BulkArgs, 0)).unwrap();
    assert_eq!(empty["bulk_args"].as_array().unwrap().len(), 0);
    let empty: Value = serde_json::from_slice(&body(&table, Method::Unnest, 0)).unwrap();
    assert_eq!(empty["args"].as_array().unwrap().len(), table.columns.len());
}

#[test]
fn numbers_that_json_does_not_have_are_words() {
    let mut out = Buffer::default();
    let mut cells = Cells::default();
    for value in [0.1, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        cells.float(0, value, &mut out);
    }
    assert_eq!(out.as_slice(), br#"0.1,-0.0,"NaN","Infinity","-Infinity","#);
}

proptest! {
    #[test]
    fn every_integer_is_written_with_all_its_digits(value in prop_oneof![any::<i64>(), -1200_i64..1200]) {
        let mut out = Buffer::default();
        out.reserve(64);
        Cells::default().int(0, value, &mut out);
        prop_assert_eq!(std::str::from_utf8(out.as_slice()).unwrap(), format!("{value},"));
    }
}
