//! Names that would break out of a statement, if they were let.

use super::bed::APPEND;
use super::table::{Draft, batch, ints, texts_of};
use super::{Bed, Case, NamePlace, Need, Subject, compare};
use crate::{IndexTime, Prepare, PrepareMode, Scope, Sink, SinkErrorKind};

pub(super) const HOSTILE: [&str; 12] = [
    "two words",
    "\"; drop table x; --",
    "'; drop table x; --",
    "back\\slash\\",
    "`tick`",
    "[bracket]",
    "select",
    "dot.ted",
    "100%s{0}$1?:a",
    "Größe ☃ 🦀",
    "7seven",
    // PostgreSQL keeps 63 bytes of a name, MySQL 64 characters.
    "n23456789_123456789_123456789_123456789_123456789_123456789_123",
];

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    vec![
        Case::new("hostile names are quoted", &[Need::Rows], hostile::<S>),
        Case::new("names that cannot be are refused", &[Need::Rows], refused::<S>),
    ]
}

/// Each name as the table's, all of them as its columns', some in its indexes.
async fn hostile<S: Subject>(bed: Bed<S>) {
    let names: Vec<&str> =
        HOSTILE.into_iter().filter(|name| S::can_name(NamePlace::Column, name)).collect();
    for &name in &names {
        let table_name =
            if S::can_name(NamePlace::Table, name) { name } else { "rowstorm_hostile" };
        let mut draft = Draft::new(table_name).index(&[name]).index(&[names[1], names[2]]);
        for &column in &names {
            draft = if column == name {
                draft.column(column, "bigint")
            } else {
                draft.column(column, "text")
            };
        }
        let table = draft.plan();
        let prepare = Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::After };
        bed.prepare(&table, &prepare).await;
        let mut columns = vec![ints(0..2)];
        for &column in &names {
            columns.push(if column == name { ints([10, 32]) } else { texts_of([column, "plain"]) });
        }
        let rows = batch(0, columns);
        assert_eq!(bed.write(&table, &rows).await.accepted, 2, "{name}");
        bed.sink.finish(&table, &prepare).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        compare::assert_rows::<S>(&table, &[rows], &bed.read(&table).await);
        let audit = bed.audit(&table).await;
        let sum =
            audit.columns.iter().find(|column| column.name == name).and_then(|column| column.sum);
        assert_eq!(
            (audit.rows, audit.distinct_keys, sum),
            (2, Bed::<S>::counted_keys(2), Some(42)),
            "{name}"
        );
        let place = table.columns.iter().position(|column| *column.name == *name);
        let scope =
            Scope::Between { column: place.expect("the column is there"), low: 11, high: 99 };
        assert_eq!(bed.audit_within(&table, &scope).await.rows, 1, "{name}");
        bed.prepare(&table, &prepare).await;
        assert_eq!(bed.read(&table).await.len(), 0, "{name} is dropped by its own name");
    }
}

/// Two names that are changed until they fit could become the same: they are refused before anything is made.
async fn refused<S: Subject>(bed: Bed<S>) {
    for name in HOSTILE {
        let as_table = Draft::new(name).column("label", "text");
        let as_column = Draft::new("rowstorm_refused").column(name, "text");
        for (place, draft) in [(NamePlace::Table, as_table), (NamePlace::Column, as_column)] {
            if S::can_name(place, name) {
                continue;
            }
            let refused = bed.sink.prepare(&draft.plan(), &APPEND).await;
            let error = refused.expect_err("the database cannot hold this name");
            assert_eq!(error.kind, SinkErrorKind::Fatal, "{name}: {error:?}");
            // As it is quoted, or as it is.
            let told = error.message.replace("\"\"", "\"").replace("``", "`");
            assert!(told.contains(name), "{told} names {name}");
        }
    }
}
