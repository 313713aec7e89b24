//! What the audit says, against sums that are made here by loops.

use std::collections::HashSet;

use super::table::{Draft, batch, ids_and_texts, ints, pairs, with_nulls};
use super::{Bed, Case, Need, Subject};
use crate::{Audit, ColumnAudit, Scope, Sink};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    vec![
        Case::new("the audit sees the last write at once", &[], at_once::<S>),
        Case::new("the audit counts keys and sums and extremes", &[Need::Rows], sums::<S>),
        Case::new("the audit of an empty table has no sums", &[Need::Rows], empty::<S>),
        Case::new("the audit keeps to its scope", &[Need::Rows], scope::<S>),
        Case::new(
            "without a key the audit counts copies",
            &[Need::Rows, Need::Copies],
            keyless::<S>,
        ),
    ]
}

async fn at_once<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_at_once");
    bed.recreate(&table).await;
    let mut writer = bed.writer(&table).await;
    for payload in 0..20_u64 {
        let ids = payload as i64 * 10..payload as i64 * 10 + 10;
        bed.write_with(&mut writer, &table, &ids_and_texts(payload * 10, ids)).await;
        assert_eq!(bed.audit(&table).await.rows, payload * 10 + 10);
    }
}

async fn sums<S: Subject>(bed: Bed<S>) {
    let draft = Draft::new("rowstorm_sums").nullable("large", "bigint").nullable("label", "text");
    let table = draft.nullable("small", "smallint").nullable("nothing", "int").plan();
    bed.recreate(&table).await;
    // Sums that leave 64 bits on both sides of zero, and a column of nulls only.
    let ids: Vec<i64> = (0..600).map(|row| row * 7 - 1000).collect();
    let large: Vec<i64> =
        (0..600).map(|row| if row % 3 == 0 { i64::MIN + row } else { i64::MAX - row }).collect();
    let small: Vec<i64> = (0..600).map(|row| row % 65_536 - 32_768).collect();
    let labels: Vec<String> = (0..600).map(|row| format!("{row}")).collect();
    let valid = |step: usize| (0..600).map(move |row| row % step != 0);
    let rows = batch(
        0,
        vec![
            ints(ids.iter().copied()),
            with_nulls(ints(large.iter().copied()), valid(5)),
            super::table::texts_of(labels.iter().map(String::as_str)),
            with_nulls(ints(small.iter().copied()), valid(4)),
            with_nulls(ints([0; 600]), valid(1)),
        ],
    );
    assert_eq!(bed.write(&table, &rows).await.accepted, 600);
    let wanted = Audit {
        rows: 600,
        distinct_keys: Bed::<S>::counted_keys(ids.iter().collect::<HashSet<_>>().len() as u64),
        columns: vec![
            column("id", &ids, 0..600),
            column("large", &large, (0..600).filter(|row| row % 5 != 0)),
            column("small", &small, (0..600).filter(|row| row % 4 != 0)),
            column("nothing", &[], 0..0),
        ],
    };
    assert_eq!(bed.audit(&table).await, wanted);
}

fn column(name: &str, values: &[i64], rows: impl Iterator<Item = usize>) -> ColumnAudit {
    let mut audit = ColumnAudit { name: name.to_owned(), sum: None, min: None, max: None };
    for value in rows.map(|row| values[row]) {
        audit.sum = Some(audit.sum.unwrap_or_default() + i128::from(value));
        audit.min = Some(audit.min.map_or(value, |min| min.min(value)));
        audit.max = Some(audit.max.map_or(value, |max| max.max(value)));
    }
    audit
}

async fn empty<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_audit_empty");
    bed.recreate(&table).await;
    let audit = bed.audit(&table).await;
    let columns = vec![column("id", &[], 0..0)];
    assert_eq!(audit, Audit { rows: 0, distinct_keys: Bed::<S>::counted_keys(0), columns });
}

async fn scope<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_scope");
    bed.recreate(&table).await;
    bed.write(&table, &ids_and_texts(0, -50..50)).await;
    let ids: Vec<i64> = (-10..=20).collect();
    let scope = Scope::Between { column: 0, low: -10, high: 20 };
    let wanted = Audit {
        rows: 31,
        distinct_keys: Bed::<S>::counted_keys(31),
        columns: vec![column("id", &ids, 0..31)],
    };
    assert_eq!(bed.audit_within(&table, &scope).await, wanted, "both ends are included");
}

async fn keyless<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_keyless").column("label", "text").without_key().plan();
    bed.recreate(&table).await;
    for _ in 0..2 {
        assert_eq!(bed.write(&table, &ids_and_texts(0, 0..10)).await.accepted, 10);
    }
    let audit = bed.audit(&table).await;
    assert_eq!((audit.rows, audit.distinct_keys), (20, None));
    assert!(!bed.sink.limits(&table).idempotent, "nothing keeps one copy");
}
