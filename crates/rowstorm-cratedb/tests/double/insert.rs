//! INSERT, by `bulk_args`, by `args`, and from UNNEST.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::parse::Insert;
use super::table::{Store, Table};
use super::{Done, Fault, Refused, Release, touched};

/// The first so many failed rows of each shard have a reason.
pub(super) const REASONS: u64 = 10;

/// A bulk: the rows are cast first, and one that cannot be fails them all; then each stands for itself.
pub(super) fn bulk(
    store: &mut Store,
    release: Release,
    insert: &Insert,
    rows: &[Value],
    fault: Option<&Fault>,
) -> Done<String> {
    let table = store.table_mut(&insert.name)?;
    let places = places(table, insert)?;
    let cast = rows.iter().map(|row| {
        let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
        cast(table, &places, cells)
    });
    let cast: Vec<Vec<Value>> = cast.collect::<Done<_>>()?;
    let mut reasons: HashMap<u64, u64> = HashMap::new();
    let mut results = Vec::with_capacity(rows.len());
    let mut of_all = None;
    for (number, row) in cast.into_iter().enumerate() {
        let shard = shard(table, &row, number);
        let done = match befallen(fault, number) {
            Some(refused) => Err(refused),
            None => table.store(row).and_then(|()| denied(fault, number)),
        };
        let Err(refused) = done else {
            results.push(json!({"rowcount": 1}));
            continue;
        };
        if release == Release::V6_4_2 && refused.code >= 5000
            || release == Release::V5_9 && rows.len() == 1
        {
            of_all = Some(refused);
            continue;
        }
        let told = reasons.entry(shard).or_default();
        *told += 1;
        results.push(if *told <= REASONS {
            json!({"rowcount": -2, "error": {"code": refused.code, "message": refused.message}})
        } else {
            json!({"rowcount": -2})
        });
    }
    match of_all {
        Some(refused) => Err(refused),
        None => Ok(format!(
            "{{\"cols\":[],\"duration\":2.195417,\"results\":{}}}",
            Value::from(results)
        )),
    }
}

/// One row of parameters, or their columns: `INSERT … SELECT` skips what it cannot write, and counts the rest.
pub(super) fn single(store: &mut Store, insert: &Insert, args: &[Value]) -> Done<String> {
    let table = store.table_mut(&insert.name)?;
    let places = places(table, insert)?;
    if !insert.is_unnest {
        let row = cast(table, &places, args)?;
        table.store(row)?;
        return Ok(touched(1));
    }
    let mut columns = Vec::new();
    for column in args {
        let Some(cells) = column.as_array() else {
            return Err(Refused::parse("SQLParseException[UNNEST takes arrays]"));
        };
        check_one_kind(cells)?;
        columns.push(cells);
    }
    let count = columns.iter().map(|cells| cells.len()).max().unwrap_or_default();
    let mut written = 0;
    for number in 0..count {
        let row: Vec<Value> =
            columns.iter().map(|cells| cells.get(number).cloned().unwrap_or_default()).collect();
        let stored = cast(table, &places, &row).and_then(|row| table.store(row));
        written += u64::from(stored.is_ok());
    }
    Ok(touched(written))
}

/// An array of parameters has one type.
fn check_one_kind(cells: &[Value]) -> Done<()> {
    let words =
        cells.iter().any(|cell| cell.as_str().is_some_and(|word| word.parse::<f64>().is_err()));
    if words && cells.iter().any(Value::is_number) {
        return Err(Refused::parse(
            "SQLParseException[Cannot cast value `[…]` to type `integer_array`]",
        ));
    }
    Ok(())
}

fn places(table: &Table, insert: &Insert) -> Done<Vec<usize>> {
    if insert.marks != insert.columns.len() {
        let message =
            "SQLParseException[Number of target columns does not match number of source columns]";
        return Err(Refused::parse(message));
    }
    let place = |name: &String| {
        let place = table.columns.iter().position(|column| column.name == *name);
        place.ok_or_else(|| {
            Refused::new(404, 4043, format!("ColumnUnknownException[Column {name} unknown]"))
        })
    };
    insert.columns.iter().map(place).collect()
}

/// What the coordinating node does with a row: parameters, casts, generated columns, a look at the key.
fn cast(table: &Table, places: &[usize], cells: &[Value]) -> Done<Vec<Value>> {
    if cells.len() < places.len() {
        let message = format!(
            "SQLParseException[The query contains a parameter placeholder ${}, but there are only {} parameter values]",
            cells.len() + 1,
            cells.len()
        );
        return Err(Refused::parse(message));
    }
    let mut row = vec![Value::Null; table.columns.len()];
    for (&place, cell) in places.iter().zip(cells) {
        row[place] = table.columns[place].data_type.cast(cell.clone())?;
    }
    for (place, column) in table.columns.iter().enumerate() {
        if let Some((unit, of)) = &column.generated
            && let Some(of) = table.columns.iter().position(|column| column.name == *of)
        {
            row[place] = truncated(unit, &row[of])?;
        }
    }
    let is_key = |name: &String| table.key.contains(name);
    if table.columns.iter().zip(&row).any(|(column, cell)| cell.is_null() && is_key(&column.name)) {
        return Err(Refused::parse("SQLParseException[A primary key value must not be NULL]"));
    }
    Ok(row)
}

/// `date_trunc`, in milliseconds. Weeks start on Monday; 1970 started on a Thursday.
fn truncated(unit: &str, instant: &Value) -> Done<Value> {
    const DAY: i64 = 86_400_000;
    let Some(instant) = instant.as_i64() else { return Ok(Value::Null) };
    let (step, offset) = match unit {
        "hour" => (3_600_000, 0),
        "day" => (DAY, 0),
        "week" => (7 * DAY, 3 * DAY),
        _ => {
            return Err(Refused::new(
                400,
                4004,
                "UnsupportedFeatureException[this double truncates to hour, day and week]",
            ));
        }
    };
    Ok(((instant + offset).div_euclid(step) * step - offset).into())
}

/// Which shard a row goes to: by its key, else anywhere.
pub(super) fn shard(table: &Table, row: &[Value], number: usize) -> u64 {
    let Some(key) = table.key_of(row) else { return number as u64 % table.shards };
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() % table.shards
}

/// What is told of a row that is written.
fn denied(fault: Option<&Fault>, number: usize) -> Done<()> {
    match fault {
        Some(Fault::Denied { every }) if number.is_multiple_of(*every) => {
            Err(Refused::new(500, 5002, "UnavailableShardsException[x]"))
        }
        _ => Ok(()),
    }
}

fn befallen(fault: Option<&Fault>, number: usize) -> Option<Refused> {
    match fault {
        Some(Fault::Shard { every, code, message }) if number.is_multiple_of(*every) => {
            Some(Refused::new(500, *code, *message))
        }
        _ => None,
    }
}
