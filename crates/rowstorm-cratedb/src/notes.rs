//! What `explain` says of a table beside its statements.

use rowstorm_gen::TablePlan;
use rowstorm_schema::DataType;

use crate::place::Method;
use crate::{CrateDb, dialect};

impl CrateDb {
    pub(crate) fn notes(&self, table: &TablePlan, method: Method) -> Vec<String> {
        let mut notes: Vec<&str> = Vec::new();
        notes.push(match method {
            Method::BulkArgs => {
                "each row has a result of its own, and every one is read: -2 is a refused row, with a reason for the \
                 first ten of each shard"
            }
            Method::Unnest => {
                "the answer is a count: rows that are missing in it were skipped without a word, and are counted as \
                 rejected"
            }
            Method::Postgres => {
                "each row has a count of its own and no reason: a refused one is sent again over HTTP, which tells it. \
                 Everything else goes over HTTP"
            }
        });
        match (self.server.method(), method) {
            (Method::Unnest, Method::BulkArgs) => {
                notes.push("UNNEST would take this table's arrays apart: rows go in as bulk_args");
            }
            (Method::Postgres, Method::BulkArgs) => {
                notes.push(
                    "the PostgreSQL wire has another form of arrays: rows go in as bulk_args",
                );
            }
            _ => {}
        }
        notes.push(if table.key.is_empty() {
            "without a key, rows whose answer is lost are booked as unknown"
        } else {
            "after a lost answer the payload is sent again: the key keeps one copy of each row, and what stands there \
             is compared"
        });
        let has = |wanted: fn(&DataType) -> bool| {
            table.columns.iter().any(|column| wanted(&column.data_type))
        };
        if has(|it| *it == DataType::Timestamp) {
            notes.push("instants are kept to the millisecond: microseconds are cut off");
        }
        if has(|it| matches!(it, DataType::Uuid | DataType::Bytes | DataType::Json)) {
            notes.push("UUIDs and JSON documents are kept as text, bytes as hexadecimal text");
        }
        if has(|it| matches!(it, DataType::Text { max: Some(_) })) {
            notes.push("a length counts UTF-16 units: 🦀 is two");
        }
        let mut notes: Vec<String> = notes.into_iter().map(str::to_owned).collect();
        if let Some(partition) = dialect::partition(table).filter(|_| !table.key.is_empty()) {
            notes.push(format!(
                "{} is a part of the primary key: equal keys of different partitions are both kept",
                dialect::quote(&partition.name)
            ));
        }
        if table.columns.iter().any(|column| column.unique) {
            notes.push("CrateDB has no unique constraints but the primary key".to_owned());
        }
        if !table.spec.indexes.is_empty() {
            notes.push("every column is indexed by itself: `indexes` makes nothing".to_owned());
        }
        notes
    }
}
