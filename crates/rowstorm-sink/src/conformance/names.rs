//! Names that would break out of a statement, if they were let.

use super::table::{Draft, batch, ints, texts_of};
use super::{Bed, Case, Need, Subject, compare};
use crate::{IndexTime, Prepare, PrepareMode, Scope, Sink};

const HOSTILE: [&str; 12] = [
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
    vec![Case::new("hostile names are quoted", &[Need::Rows], hostile::<S>)]
}

/// Each name as the table's, all of them as its columns', some in its indexes.
async fn hostile<S: Subject>(bed: Bed<S>) {
    for name in HOSTILE {
        let mut draft = Draft::new(name).index(&[name]).index(&[HOSTILE[1], HOSTILE[2]]);
        for column in HOSTILE {
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
        for column in HOSTILE {
            columns.push(if column == name { ints([10, 32]) } else { texts_of([column, "plain"]) });
        }
        let rows = batch(0, columns);
        assert_eq!(bed.write(&table, &rows).await.accepted, 2, "{name}");
        bed.sink.finish(&table, &prepare).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        compare::assert_rows(&table, &[rows], &bed.read(&table).await);
        let audit = bed.audit(&table).await;
        let sum =
            audit.columns.iter().find(|column| column.name == name).and_then(|column| column.sum);
        assert_eq!((audit.rows, audit.distinct_keys, sum), (2, Some(2), Some(42)), "{name}");
        let place = table.columns.iter().position(|column| *column.name == *name);
        let scope =
            Scope::Between { column: place.expect("the column is there"), low: 11, high: 99 };
        assert_eq!(bed.audit_within(&table, &scope).await.rows, 1, "{name}");
        bed.prepare(&table, &prepare).await;
        assert_eq!(bed.read(&table).await.len(), 0, "{name} is dropped by its own name");
    }
}
