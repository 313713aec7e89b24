//! What `information_schema` and `sys` say.

use serde_json::{Value, json};

use super::parse::Name;
use super::select::World;
use super::table::{Column, Table, Type};

/// A virtual table's columns and rows, if it is one.
pub(super) fn relation(
    world: &World<'_>,
    name: &Name,
) -> Option<(Vec<&'static str>, Vec<Vec<Value>>)> {
    let tables = &world.store.tables;
    Some(match (&*name.0, &*name.1) {
        ("information_schema", "columns") => {
            let rows = tables.iter().flat_map(|((schema, name), table)| {
                columns(table).into_iter().enumerate().map(
                    move |(place, (column, data_type, is_nullable))| {
                        let length = if let Type::Text(Some(max)) = data_type {
                            json!(max)
                        } else {
                            Value::Null
                        };
                        let nullable = if is_nullable { "YES" } else { "NO" };
                        vec![
                            json!(schema),
                            json!(name),
                            json!(column),
                            json!(data_type.name()),
                            json!(nullable),
                            length,
                            json!(place + 1),
                        ]
                    },
                )
            });
            let names = vec![
                "table_schema",
                "table_name",
                "column_name",
                "data_type",
                "is_nullable",
                "character_maximum_length",
                "ordinal_position",
            ];
            (names, rows.collect())
        }
        ("information_schema", "key_column_usage") => {
            let rows = tables.iter().flat_map(|((schema, name), table)| {
                table.key.iter().map(move |column| vec![json!(schema), json!(name), json!(column)])
            });
            (vec!["table_schema", "table_name", "column_name"], rows.collect())
        }
        ("information_schema", "tables") => {
            let rows = tables.iter().map(|((schema, name), table)| {
                let settings = json!({"translog": {"durability": "REQUEST", "sync_interval": 5000}, "refresh_interval": 1000});
                vec![json!(schema), json!(name), json!(table.shards), json!(table.replicas), settings]
            });
            (
                vec![
                    "table_schema",
                    "table_name",
                    "number_of_shards",
                    "number_of_replicas",
                    "settings",
                ],
                rows.collect(),
            )
        }
        ("sys", "nodes") => {
            let pools = json!([{"name": "search", "rejected": 3}, {"name": "write", "completed": 40, "rejected": world.rejected}]);
            (vec!["name", "thread_pools"], vec![vec![json!("double"), pools]])
        }
        ("sys", "cluster") => {
            let settings = json!({
                "indices": {"breaker": {"total": {"limit": "1.8gb"}, "query": {"limit": "1.1gb"}, "request": {"limit": "1.1gb"}}},
                "overload_protection": {"dml": {"initial_concurrency": 5, "max_concurrency": 100, "queue_size": 25}},
            });
            (vec!["settings"], vec![vec![settings]])
        }
        _ => return None,
    })
}

/// A table's columns: those that were declared, and what appeared inside objects.
pub(super) fn columns(table: &Table) -> Vec<(String, &Type, bool)> {
    let mut all = Vec::new();
    for column in &table.columns {
        add(&column.name, column, &mut all);
    }
    all
}

fn add<'a>(name: &str, column: &'a Column, all: &mut Vec<(String, &'a Type, bool)>) {
    all.push((name.to_owned(), &column.data_type, column.is_nullable));
    if let Type::Object(_, fields) = &column.data_type {
        for field in fields {
            add(&format!("{name}['{}']", field.name), field, all);
        }
    }
}
