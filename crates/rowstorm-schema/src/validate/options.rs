//! What only one database knows.

use super::Check;
use crate::document::Place;
use crate::{DataType, Literal, Table, suggest};

/// CrateDB's `column_policy`.
const OBJECT_POLICIES: &[&str] = &["dynamic", "strict", "ignored"];

/// The units of CrateDB's `date_trunc` that make sensible partitions.
const PARTITIONS: &[&str] = &["hour", "day", "week", "month", "year"];

pub(super) fn check(check: &mut Check<'_>, table: &Table, place: &Place) {
    if let Some(sqlite) = &table.sqlite
        && sqlite.without_rowid
        && table.key.is_empty()
    {
        let here = place.key("sqlite").key("without_rowid");
        check.value(&here, "`without_rowid` needs a `key`", None);
    }
    cratedb(check, table, &place.key("cratedb"));
    mongodb(check, table, place);
    hypertable(check, table, place);
}

/// TimescaleDB keeps rows apart within a chunk only, so whatever is unique must have the time in it.
fn hypertable(check: &mut Check<'_>, table: &Table, place: &Place) {
    let Some(options) = table.postgres.as_ref().and_then(|options| options.hypertable.as_ref())
    else {
        return;
    };
    let here = place.key("postgres").key("hypertable");
    if options.chunk.is_some_and(|chunk| chunk.0.is_zero()) {
        check.value(&here.key("chunk"), "a chunk holds more than no time", None);
    }
    let time = here.key("time");
    if !timestamp(check, table, place, &options.time, &time) {
        return;
    }
    if table.columns.get(&options.time).is_some_and(|column| column.nulls > 0.0) {
        check.value(&time, format!("`{}` is null at times", options.time), None);
    }
    let has_time = |columns: &[String]| columns.contains(&options.time);
    let missing =
        |what: &str| format!("{what} of a hypertable must have its time in it: `{}`", options.time);
    if !table.key.is_empty() && !has_time(&table.key) {
        let help = Some(format!("write `key: [{}, {}]`", table.key.join(", "), options.time));
        check.value(&place.key("key"), missing("the key"), help);
    }
    for (name, column) in &table.columns {
        if column.unique && *name != options.time {
            check.value(
                &place.key("columns").key(name).key("unique"),
                missing("a unique column"),
                None,
            );
        }
    }
    for (at, index) in table.indexes.iter().enumerate() {
        if index.unique && !has_time(&index.on) {
            let at = place.key("indexes").index(at).key("on");
            check.value(&at, missing("a unique index"), None);
        }
    }
}

/// Whether there is such a column, and it is a timestamp; says what is wrong.
fn timestamp(
    check: &mut Check<'_>,
    table: &Table,
    place: &Place,
    name: &str,
    here: &Place,
) -> bool {
    if !check.has_column(table, place, name, here) {
        return false;
    }
    // A level of the series has no type of its own: it is no timestamp.
    let is = table.columns.get(name).is_some_and(|it| it.data_type == DataType::Timestamp);
    if !is {
        check.value(here, format!("`{name}` is no timestamp"), None);
    }
    is
}

fn cratedb(check: &mut Check<'_>, table: &Table, place: &Place) {
    let Some(options) = &table.cratedb else { return };
    let words = [
        ("partition_by", &options.partition_by, PARTITIONS),
        ("object_policy", &options.object_policy, OBJECT_POLICIES),
    ];
    for (name, word, known) in words {
        let Some(word) = word else { continue };
        if !known.contains(&word.as_str()) {
            let help = suggest::help(word, known.iter().copied());
            check.value(&place.key(name), format!("unknown word `{word}`"), help);
        }
    }
    let has_time = table.columns.values().any(|column| column.data_type == DataType::Timestamp);
    if options.partition_by.is_some() && !has_time {
        let message = "`partition_by` needs a column of type `timestamp`";
        check.value(&place.key("partition_by"), message, None);
    }
    if options.shards == Some(0) {
        check.value(&place.key("shards"), "a table has at least one shard", None);
    }
    match &options.replicas {
        None | Some(Literal::Int(0..) | Literal::Text(_)) => {}
        Some(other) => {
            let help = Some("write a number, or a range like \"0-1\"".to_owned());
            check.value(
                &place.key("replicas"),
                format!("`{other}` is no number of replicas"),
                help,
            );
        }
    }
}

fn mongodb(check: &mut Check<'_>, table: &Table, place: &Place) {
    let Some(series) = table.mongodb.as_ref().and_then(|options| options.timeseries.as_ref())
    else {
        return;
    };
    let here = place.key("mongodb").key("timeseries");
    if let Some(meta) = &series.meta {
        check.has_column(table, place, meta, &here.key("meta"));
    }
    timestamp(check, table, place, &series.time, &here.key("time"));
}
