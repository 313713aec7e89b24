//! UPDATE and DELETE by `bulk_args`: a row that is not there, and one that is refused, counts -2.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::insert::{REASONS, shard};
use super::parse::Change;
use super::table::{Store, Table};
use super::{Done, Refused};

/// A bulk of rows that are found by the whole primary key, seen whether they were refreshed or not.
pub(super) fn bulk(store: &mut Store, change: &Change, rows: &[Value]) -> Done<String> {
    let table = store.table_mut(&change.name)?;
    let found = places(table, &change.found)?;
    let key: Vec<usize> =
        places(table, &table.key.iter().map(|key| (key.clone(), 0)).collect::<Vec<_>>())?;
    if key.is_empty() || !key.iter().all(|key| found.contains(key)) || key.len() != found.len() {
        let message = "UnsupportedFeatureException[this double changes rows by their whole key]";
        return Err(Refused::new(400, 4004, message));
    }
    let set = match &change.set {
        Some(set) => Some(places(table, set)?),
        None => None,
    };
    if set.iter().flatten().any(|place| key.contains(place)) {
        let message = "ColumnValidationException[Updating a primary key is not supported]";
        return Err(Refused::new(400, 4003, message));
    }
    // The rows are cast first, and one that cannot be fails them all.
    let mut cast = Vec::with_capacity(rows.len());
    for row in rows {
        let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut wanted = vec![Value::Null; table.columns.len()];
        for (place, (_, number)) in found.iter().zip(&change.found) {
            wanted[*place] = of(table, *place, cells, *number)?;
        }
        let values = set.iter().flatten().zip(change.set.iter().flatten());
        let values: Vec<(usize, Value)> = values
            .map(|(place, (_, number))| Ok((*place, of(table, *place, cells, *number)?)))
            .collect::<Done<_>>()?;
        // So is a null where none may be.
        for (place, value) in &values {
            let column = &table.columns[*place];
            if value.is_null() && !column.is_nullable {
                let message = format!("SQLParseException[\"{}\" must not be null]", column.name);
                return Err(Refused::parse(message));
            }
        }
        cast.push((wanted, values));
    }
    let mut reasons: HashMap<u64, u64> = HashMap::new();
    let results: Vec<Value> = cast
        .into_iter()
        .map(|(wanted, values)| {
            let values = change.set.as_ref().map(|_| values);
            let missing = || {
                let shown =
                    wanted[key[0]].as_str().map_or(wanted[key[0]].to_string(), str::to_owned);
                let message = format!("DocumentMissingException[[{shown}]: document missing]");
                Refused::new(404, 40_411, message)
            };
            let refused = match table.change(&wanted, values) {
                Ok(0) if key.iter().any(|&key| wanted[key].is_null()) => {
                    return json!({"rowcount": 0});
                }
                Ok(0) => missing(),
                Ok(rows) => return json!({"rowcount": rows}),
                Err(refused) => refused,
            };
            let told = reasons.entry(shard(table, &wanted, 0)).or_default();
            *told += 1;
            if *told <= REASONS {
                json!({"rowcount": -2, "error": {"code": refused.code, "message": refused.message}})
            } else {
                json!({"rowcount": -2})
            }
        })
        .collect();
    Ok(format!("{{\"cols\":[],\"duration\":2.195417,\"results\":{}}}", Value::from(results)))
}

fn places(table: &Table, columns: &[(String, usize)]) -> Done<Vec<usize>> {
    let place = |(name, _): &(String, usize)| {
        let place = table.columns.iter().position(|column| column.name == *name);
        place.ok_or_else(|| {
            Refused::new(404, 4043, format!("ColumnUnknownException[Column {name} unknown]"))
        })
    };
    columns.iter().map(place).collect()
}

fn of(table: &Table, place: usize, cells: &[Value], number: usize) -> Done<Value> {
    let cell = cells.get(number).cloned();
    let cell = cell.ok_or_else(|| Refused::parse("SQLParseException[a parameter is missing]"))?;
    table.columns[place].data_type.cast(cell)
}
