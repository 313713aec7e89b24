//! Rows read back by the sink itself.

use std::sync::Arc;

use rowstorm_gen::{ColumnData, TablePlan, Value};

use super::names::HOSTILE;
use super::table::{Draft, batch, ids_and_texts, ints, pairs, plan, texts_of, with_nulls};
use super::values::{EVERY_KIND, TYPES, extreme_values, fill};
use super::{Bed, Case, NamePlace, Need, Subject, compare};
use crate::Sink;

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Scan];
    let mut cases: Vec<Case> = TYPES
        .into_iter()
        .map(|data_type| {
            let name = format!("a scan tells every {data_type} as it was written");
            Case::new(&name, needs, move |bed: Bed<S>| extremes(bed, data_type))
        })
        .collect();
    cases.extend([
        Case::new("a scan tells generated rows of every kind", needs, generated::<S>),
        Case::new("a scan tells long and awkward text", needs, long::<S>),
        Case::new("a scan of an empty table is over at once", needs, empty::<S>),
        Case::new("a scan of many rows tells each of them once", needs, many::<S>),
        Case::new("a scan finds tables and columns of hostile names", needs, hostile::<S>),
        Case::new("a scan of a table that is not there is an error", needs, missing::<S>),
    ]);
    cases
}

impl<S: Subject> Bed<S> {
    /// All rows of a table, ordered by the first column.
    pub(super) async fn scan(&self, table: &Arc<TablePlan>) -> Vec<Vec<Value>> {
        let mut scan = self.sink.scan(table).await.expect("the scan begins");
        let mut rows = Vec::new();
        loop {
            let page = scan.next().await.expect("the scan goes on");
            if page.is_empty() {
                break;
            }
            rows.extend(page);
        }
        assert!(scan.next().await.expect("the scan is over").is_empty(), "it stays over");
        rows.sort_by_key(|row: &Vec<Value>| match row[0] {
            Value::Int(id) => id,
            ref other => panic!("the first column is an integer, not {other:?}"),
        });
        rows
    }
}

async fn extremes<S: Subject>(bed: Bed<S>, data_type: &'static str) {
    let name: String =
        data_type.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let table = Draft::new(&format!("rowstorm_scan_{name}")).nullable("value", data_type).plan();
    bed.recreate(&table).await;
    let data = ColumnData { values: extreme_values::<S>(data_type), valid: None };
    let count = data.values.len() as i64;
    let plain = batch(0, vec![ints(0..count), data.clone()]);
    let valid = (0..count).map(|row| row % 2 == 0);
    let holes = batch(count as u64, vec![ints(count..2 * count), with_nulls(data, valid)]);
    let rows = [plain, holes];
    for batch in &rows {
        assert_eq!(bed.write(&table, batch).await.accepted, count as u64);
    }
    compare::assert_values::<S>(&table, &rows, &bed.scan(&table).await);
}

async fn generated<S: Subject>(bed: Bed<S>) {
    let table = plan(&EVERY_KIND.replace("rowstorm_generated", "rowstorm_scan_generated"));
    bed.recreate(&table).await;
    let batches = fill(&table, 2500);
    for batch in &batches {
        bed.write(&table, batch).await;
    }
    compare::assert_values::<S>(&table, &batches, &bed.scan(&table).await);
}

async fn long<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_scan_long").text("value", 131_072).plan();
    bed.recreate(&table).await;
    let lines = "a line\twith 'quotes' and \\ and 🦀\r\n".repeat(3000);
    let texts = ["x".repeat(65_536), lines, "\u{7FF}".repeat(40_000)];
    let rows = [batch(0, vec![ints(0..3), texts_of(texts.iter().map(String::as_str))])];
    bed.write(&table, &rows[0]).await;
    compare::assert_values::<S>(&table, &rows, &bed.scan(&table).await);
}

async fn empty<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_scan_empty");
    bed.recreate(&table).await;
    assert!(bed.scan(&table).await.is_empty());
}

/// More than any server sends at once unless it is asked to.
const MANY_ROWS: i64 = 12_345;

async fn many<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_scan_many");
    bed.recreate(&table).await;
    let mut writer = bed.writer(&table).await;
    let batches: Vec<_> = (0..MANY_ROWS)
        .step_by(1000)
        .map(|first| ids_and_texts(first as u64, first..MANY_ROWS.min(first + 1000)))
        .collect();
    for batch in &batches {
        bed.write_with(&mut writer, &table, batch).await;
    }
    compare::assert_values::<S>(&table, &batches, &bed.scan(&table).await);
}

async fn hostile<S: Subject>(bed: Bed<S>) {
    for name in HOSTILE.into_iter().filter(|name| S::can_name(NamePlace::Column, name)) {
        let table = if S::can_name(NamePlace::Table, name) { name } else { "rowstorm_hostile" };
        let table = Draft::new(table).column(name, "text").plan();
        bed.recreate(&table).await;
        let rows = [batch(0, vec![ints(0..2), texts_of([name, "plain"])])];
        bed.write(&table, &rows[0]).await;
        compare::assert_values::<S>(&table, &rows, &bed.scan(&table).await);
    }
}

async fn missing<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_scan_missing");
    if let Ok(mut scan) = bed.sink.scan(&table).await {
        scan.next().await.expect_err("there is no such table");
    }
}
