//! Keys that are not to be there: of rows that were deleted, of rows that are not born yet, or nobody's.

use std::collections::HashMap;

use rowstorm_gen::changes::Expected;
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Value};
use rowstorm_report::{Finding, FindingKind, LostOp};

use super::check::Check;
use super::digest::digest;
use super::findings::finding;
use super::judge::{ahead, written};

/// Tells of rows whose key no live row has.
pub(super) fn judge_unknown(check: &Check, unknown: &[Vec<Value>]) {
    let rows = rows_of(check, unknown);
    let mut by_stream: HashMap<u32, Vec<u64>> = HashMap::new();
    for (row, expected) in rows.values() {
        if expected.stream().was_born(check.table, *row, expected.ops()) {
            by_stream.entry(expected.stream().number()).or_default().push(*row);
        }
    }
    let mut ends: HashMap<u64, u64> = HashMap::new();
    for rows in by_stream.values() {
        let Some(expected) = check.claim.stream_of(rows[0]) else { continue };
        let history = expected.stream().history(check.table, rows, expected.ops());
        ends.extend(rows.iter().filter_map(|row| Some((*row, history.end(*row)?))));
    }
    for values in unknown {
        let row = rows.get(&key(check, values));
        let why = row.and_then(|(row, expected)| explain(check, *row, expected, &ends));
        let why = why.unwrap_or_else(|| "no row has this key".to_owned());
        let lost = row.and_then(|(row, expected)| {
            let stream = expected.stream().number();
            Some(LostOp { stream, op: *ends.get(row)? })
        });
        let found = finding(check.plan(), FindingKind::Phantom, values, why);
        check.findings.found(Finding { lost, ..found });
    }
}

fn explain(
    check: &Check,
    row: u64,
    expected: &Expected,
    ends: &HashMap<u64, u64>,
) -> Option<String> {
    let stream = expected.stream();
    if let Some(op) = ends.get(&row) {
        return Some(format!("row {row} went with {}", written(stream, Some(*op))));
    }
    if stream.was_born(check.table, row, expected.ops()) {
        return Some(format!("row {row} went with a truncate"));
    }
    stream.was_born(check.table, row, ahead(expected)).then(|| {
        let born = written(stream, stream.birth(check.table, row));
        format!("{born} writes row {row}, and {} ops are done", expected.ops())
    })
}

/// Which rows of the plan have these keys, live or not: goes through all rows that ever were.
fn rows_of<'a>(check: &'a Check, unknown: &[Vec<Value>]) -> HashMap<u128, (u64, &'a Expected)> {
    let mut wanted: HashMap<u128, Option<(u64, &'a Expected)>> =
        unknown.iter().map(|values| (key(check, values), None)).collect();
    let Some(changes) = check.claim.changes().filter(|_| !unknown.is_empty()) else {
        return HashMap::new();
    };
    // A key is its row's own, whatever became of the row.
    let table = &changes.plan().tables()[check.table];
    let end = check.claim.rows_end(check.table, super::judge::OPS_AHEAD);
    let mut batch = Batch::default();
    for start in (0..end).step_by(BATCH_ROWS_MAX / 4) {
        table.fill(start..end.min(start + BATCH_ROWS_MAX as u64 / 4), &mut batch);
        for (row, values) in (start..).zip(table.read(&batch)) {
            if let Some(found) = wanted.get_mut(&key(check, values.values())) {
                *found = check.claim.stream_of(row).map(|expected| (row, expected));
            }
        }
    }
    wanted.into_iter().filter_map(|(key, found)| Some((key, found?))).collect()
}

fn key(check: &Check, values: &[Value]) -> u128 {
    let mut form = Vec::new();
    for place in &check.plan().key {
        check.compares[*place].put(&values[*place], &mut form);
    }
    digest(&form)
}
