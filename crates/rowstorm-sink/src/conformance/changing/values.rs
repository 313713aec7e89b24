//! Values that changes carry, and values that they leave alone.

use rowstorm_gen::{ColumnData, Values};

use super::super::table::{Draft, batch, ints, strings, texts_of, with_nulls};
use super::super::values::{TYPES, extreme_values};
use super::super::{Bed, Case, Need, Subject, compare};
use super::mix::{INSERT, UPDATE, mix, rows};
use crate::Changed;

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let mut cases: Vec<Case> = TYPES
        .into_iter()
        .map(|data_type| {
            let name = format!("changes carry every {data_type}");
            Case::new(&name, needs, move |bed: Bed<S>| carried(bed, data_type))
        })
        .collect();
    cases.push(Case::new("columns that do not travel keep their values", needs, kept::<S>));
    cases.push(Case::new("changes carry long text", needs, long::<S>));
    cases
}

/// Inserted, set to null, and set again in the other order.
async fn carried<S: Subject>(bed: Bed<S>, data_type: &'static str) {
    let name: String =
        data_type.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let table = Draft::new(&format!("rowstorm_carried_{name}")).nullable("value", data_type).plan();
    bed.recreate(&table).await;
    let data = ColumnData { values: extreme_values::<S>(data_type), valid: None };
    let count = data.values.len() as i64;
    let mut changer = bed.changer(&mix(&table, &["value"])).await;
    let holes = with_nulls(data.clone(), (0..count).map(|row| row % 2 == 0));
    let nulls = with_nulls(data.clone(), (0..count).map(|_| false));
    let steps = [(INSERT, holes), (UPDATE, data), (UPDATE, nulls.clone())];
    for (statement, values) in steps {
        let values = rows(vec![ints(0..count), values]);
        let answers = bed.commit(&mut changer, &[(statement, &values)]).await;
        assert_eq!(answers, [Changed::matched(count as u64)], "{answers:?}");
        compare::assert_rows::<S>(&table, &[values], &bed.read(&table).await);
    }
    let data = ColumnData { values: extreme_values::<S>(data_type), valid: None };
    let turned = rows(vec![ints((0..count).rev()), data]);
    bed.commit(&mut changer, &[(UPDATE, &turned)]).await;
    let mut read = bed.read(&table).await;
    read.reverse();
    compare::assert_rows::<S>(&table, &[turned], &read);
}

async fn kept<S: Subject>(bed: Bed<S>) {
    let draft = Draft::new("rowstorm_kept").column("label", "text").text("body", 131_072);
    let draft = draft.nullable("raw", "bytes").nullable("size", "decimal(10,2)");
    let table = draft.nullable("at", "timestamp").nullable("doc", "json").plan();
    bed.recreate(&table).await;
    let data = |values| ColumnData { values, valid: None };
    let bits = |skip: i64| (0..4).map(move |row| row != skip);
    let body = "🦀 large 'text' \\ ".repeat(6000);
    let raw: Vec<u8> = (0..=255).collect();
    let load = |labels: [&str; 4]| {
        vec![
            ints(0..4),
            texts_of(labels),
            texts_of([body.as_str(), "", "short", body.as_str()]),
            with_nulls(data(Values::Bytes(strings([&raw[..], b"", b"\0", b"x"]))), bits(0)),
            with_nulls(data(Values::Decimal { unscaled: vec![1, -1, 0, 999], scale: 2 }), bits(1)),
            with_nulls(data(Values::Timestamp(vec![0, 1000, -1000, 5000])), bits(2)),
            with_nulls(data(Values::Json(strings([&b"{}"[..], b"[1]", b"2", b"3"]))), bits(3)),
        ]
    };
    bed.write(&table, &batch(0, load(["a", "b", "c", "d"]))).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let update = rows(vec![ints([3, 0, 1]), texts_of(["D", "A", "B"])]);
    assert_eq!(bed.commit(&mut changer, &[(UPDATE, &update)]).await, [Changed::matched(3)]);
    let wanted = [batch(0, load(["A", "B", "c", "D"]))];
    compare::assert_rows::<S>(&table, &wanted, &bed.read(&table).await);
}

async fn long<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_carried_long").text("value", 131_072).plan();
    bed.recreate(&table).await;
    let mut changer = bed.changer(&mix(&table, &["value"])).await;
    let lines = "a line\twith 'quotes' and \\ and 🦀\r\n".repeat(3000);
    let texts = ["x".repeat(65_536), lines, "\u{7FF}".repeat(40_000)];
    let insert = rows(vec![ints(0..3), texts_of(["", "", ""])]);
    let update = rows(vec![ints(0..3), texts_of(texts.iter().map(String::as_str))]);
    let answers = bed.commit(&mut changer, &[(INSERT, &insert), (UPDATE, &update)]).await;
    assert_eq!(answers, [3, 3].map(Changed::matched));
    compare::assert_rows::<S>(&table, &[update], &bed.read(&table).await);
}
