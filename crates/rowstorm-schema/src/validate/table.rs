//! Tables: keys, indexes, series.

use super::{Check, column, options};
use crate::document::Place;
use crate::limits::COLUMNS_MAX;
use crate::{DataType, IntWidth, Level, Series, Table};

pub(super) fn check(check: &mut Check<'_>, table: &Table, place: &Place) {
    let columns = place.key("columns");
    match table.all_columns().len() {
        0 if check.is_whole(&columns) => check.key(place, "the table has no columns", None),
        count if count > COLUMNS_MAX => {
            check.key(place, format!("{count} columns; at most {COLUMNS_MAX}"), None);
        }
        _ => {}
    }
    if let Some(spec) = &table.series {
        series(check, table, spec, &place.key("series"));
    }
    for (name, column) in &table.columns {
        column::check(check, table, place, name, column);
    }
    key(check, table, place);
    for (at, index) in table.indexes.iter().enumerate() {
        let on = place.key("indexes").index(at).key("on");
        names(check, table, place, &index.on, &on);
        if index.on.is_empty() && check.is_whole(&on) {
            check.value(&on, "an index needs a column", None);
        }
    }
    options::check(check, table, place);
}

fn key(check: &mut Check<'_>, table: &Table, place: &Place) {
    let key = place.key("key");
    names(check, table, place, &table.key, &key);
    for (at, name) in table.key.iter().enumerate() {
        let Some(column) = table.columns.get(name) else { continue };
        let here = key.index(at);
        if column.nulls > 0.0 {
            let nulls = place.key("columns").key(name).key("nulls");
            let help = Some("take `nulls` away, or the column out of `key`".to_owned());
            check.value(&nulls, format!("the key's column `{name}` cannot be null"), help);
        }
        if matches!(column.data_type, DataType::Object | DataType::Array | DataType::Json) {
            check.value(
                &here,
                format!("a column of type `{}` cannot be in a key", column.data_type),
                None,
            );
        }
    }
}

/// A list of the table's columns, each once.
pub(super) fn names(
    check: &mut Check<'_>,
    table: &Table,
    table_place: &Place,
    names: &[String],
    place: &Place,
) {
    for (at, name) in names.iter().enumerate() {
        let here = place.index(at);
        let exists = check.has_column(table, table_place, name, &here);
        if exists && names[..at].contains(name) {
            check.value(&here, format!("`{name}` is here twice"), None);
        }
    }
}

fn series(check: &mut Check<'_>, table: &Table, series: &Series, place: &Place) {
    let (_, int_max) = IntWidth::Int.bounds();
    let int_max = int_max as u64;
    if series.count == 0 {
        check.value(&place.key("count"), "a series needs at least one entity", None);
    }
    let levels = place.key("levels");
    let mut id_level: Option<&str> = None;
    for (name, level) in &series.levels {
        let here = levels.key(name);
        check.name("level", name, &here);
        if table.columns.contains_key(name) {
            let help = Some("a level is a column of its own; rename one of them".to_owned());
            check.key(&here, format!("the level `{name}` is also a column"), help);
        }
        match level {
            Level::Size(size) if *size > int_max => {
                check.value(&here, format!("{size} values do not fit an `int` column"), None);
            }
            Level::Size(_) => {}
            Level::Id => {
                if let Some(first) = id_level.replace(name) {
                    check.value(&here, format!("`{first}` is the entity's number already"), None);
                }
                if series.start.saturating_add(series.count) > int_max {
                    check.value(&here, "the entities' numbers do not fit an `int` column", None);
                }
            }
        }
    }
}
