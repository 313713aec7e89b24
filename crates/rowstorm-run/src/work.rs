//! What this run (or this shard of it) has to write of each table.

use std::ops::Range;
use std::sync::Arc;

use rowstorm_gen::schema::Generator;
use rowstorm_gen::{Plan, TablePlan};
use rowstorm_report::Shard;
use rowstorm_sink::{BoxSink, Guess, Limits, Scope, Sink};

use crate::{Resume, RunError, RunOptions};

/// One table's share of the run.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// The table's place in the plan.
    pub(crate) index: usize,
    pub(crate) table: Arc<TablePlan>,
    pub(crate) limits: Limits,
    pub(crate) guess: Option<Guess>,
    /// The rows to write; to the end of all numbers where the duration ends it.
    pub(crate) rows: Range<u64>,
    pub(crate) open_ended: bool,
    /// How to count the rows of this share in the database; `None` if there is no way.
    pub(crate) scope: Option<Scope>,
}

impl Work {
    pub(crate) fn len(&self) -> u64 {
        self.rows.end - self.rows.start
    }
}

/// Every table's share, parents first.
pub(crate) fn of(plan: &Plan, sink: &BoxSink, options: &RunOptions) -> Result<Vec<Work>, RunError> {
    plan.tables()
        .iter()
        .enumerate()
        .filter(|(_, table)| options.table.as_deref().is_none_or(|only| only == &*table.name))
        .map(|(index, table)| one(index, table, sink, options))
        .collect()
}

fn one(
    index: usize,
    table: &Arc<TablePlan>,
    sink: &BoxSink,
    options: &RunOptions,
) -> Result<Work, RunError> {
    let limits = sink.limits(table);
    if limits.rows == 0 || limits.bytes == 0 || limits.writers == 0 {
        let text = format!("the target takes no rows of table `{}`", table.name);
        return Err(RunError::Options(text));
    }
    let rows = match (table.rows, options.shard) {
        _ if options.is_loaded() => 0..0,
        // A table that only grows by changes begins empty.
        (None, _) if options.changes.is_some() => 0..0,
        (Some(rows), Some(shard)) => part(rows, shard),
        (Some(rows), None) => 0..rows,
        (None, None) if options.duration.is_some() => 0..u64::MAX,
        (None, _) if options.is_part() => {
            let text = format!("table `{}` has no end: shards need a number of rows", table.name);
            return Err(RunError::Options(text));
        }
        (None, Some(_)) if options.duration.is_some() => 0..u64::MAX,
        (None, _) => {
            let text = format!("table `{}` needs a number of rows, or a duration", table.name);
            return Err(RunError::Options(text));
        }
    };
    let scope = match (sink.keeps_rows(), options.is_part()) {
        (false, _) => None,
        (true, _) if options.is_loaded() => None,
        (true, true) => scope(table, rows.clone()),
        (true, false) => Some(Scope::Table),
    };
    let open_ended = table.rows.is_none() && options.changes.is_none();
    if matches!(options.resume(), Resume::Load) && !limits.idempotent {
        let text = format!("table `{}` has no key: its load cannot be resumed", table.name);
        return Err(RunError::Options(text));
    }
    let guess = sink.guess(table);
    Ok(Work { index, table: Arc::clone(table), limits, guess, rows, open_ended, scope })
}

/// Part `i` of `n`: `rows·(i-1)/n .. rows·i/n`. The parts of any `n` cover every row once.
fn part(rows: u64, shard: Shard) -> Range<u64> {
    let cut = |index: u32| (u128::from(rows) * u128::from(index) / u128::from(shard.count)) as u64;
    cut(shard.index - 1)..cut(shard.index)
}

/// The rows of a range are those between two values of a column that counts up.
pub(crate) fn scope(table: &TablePlan, rows: Range<u64>) -> Option<Scope> {
    let (column, start, step) = table.columns.iter().enumerate().find_map(|(place, column)| {
        let spec = table.spec.columns.get(&*column.name)?;
        match &spec.generator {
            Generator::Sequence(sequence) if spec.nulls == 0.0 => {
                Some((place, sequence.start, sequence.step))
            }
            _ => None,
        }
    })?;
    let value = |row: u64| {
        let offset = i128::from(step) * i128::from(row);
        i64::try_from(i128::from(start) + offset).ok()
    };
    if rows.is_empty() {
        // Nothing is to be counted; a range without values says so in any database.
        return Some(Scope::Between { column, low: 1, high: 0 });
    }
    let (first, last) = (value(rows.start)?, value(rows.end - 1)?);
    Some(Scope::Between { column, low: first.min(last), high: first.max(last) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_any_split_cover_every_row_once() {
        for rows in [0, 1, 7, 1_000, u64::MAX - 3] {
            for count in [1, 2, 3, 7, 1_000] {
                let mut end = 0;
                for index in 1..=count {
                    let part = part(rows, Shard { index, count });
                    assert_eq!(part.start, end);
                    end = part.end;
                }
                assert_eq!(end, rows);
            }
        }
    }
}
