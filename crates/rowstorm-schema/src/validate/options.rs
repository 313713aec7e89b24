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
    let time = here.key("time");
    if check.has_column(table, place, &series.time, &time)
        && table.columns.get(&series.time).is_none_or(|it| it.data_type != DataType::Timestamp)
    {
        check.value(&time, format!("`{}` is no timestamp", series.time), None);
    }
}
