//! Updates that leave their row as it was: no event where a server's log leaves them out.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, ChangeStream, Entry, Fate, OpKind};
use rowstorm_gen::schema::Generator;
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, ColumnPlan, Row};

/// Updates of each table, by what can be told of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unchanged {
    /// Those that set what was there already.
    pub(crate) known: Vec<u64>,
    /// Those that set columns with a type of the database's own: it may keep less of a value than was sent.
    pub(crate) untold: Vec<u64>,
}

/// What is known of an entry's updates before any is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Each changes its row: no two instants of a run's `now` are alike, and no two random UUIDs.
    Always,
    /// Its values may be those that are there.
    ByValue,
    /// The database may keep less of its values than was sent.
    Never,
}

/// Of each table the columns that are followed: those of updates that are told by their values.
type Followed = Vec<Vec<String>>;

/// Values of followed columns, as hashes, by table and row.
type Rows = HashMap<(usize, u64), Vec<u64>>;

/// Goes through the ops of some streams, and counts in a part of each.
///
/// It remembers the rows of one stream at a time.
pub(crate) fn count<'a>(
    plan: &ChangePlan,
    parts: impl Iterator<Item = (&'a ChangeStream, Range<u64>)>,
) -> Unchanged {
    let tables = plan.plan().tables().len();
    let mut found = Unchanged { known: vec![0; tables], untold: vec![0; tables] };
    let told = told(plan);
    let followed = follow(plan, &told);
    for (stream, part) in parts {
        for (at, entry) in plan.entries().iter().enumerate() {
            if entry.kind == OpKind::Update && told[at] == Told::Never {
                found.untold[entry.table] +=
                    stream.count(at, part.end) - stream.count(at, part.start);
            }
        }
        if followed.iter().any(|columns| !columns.is_empty()) {
            replay(plan, &followed, &told, stream, &part, &mut found.known);
        }
    }
    found
}

fn told(plan: &ChangePlan) -> Vec<Told> {
    let tables = plan.plan().tables();
    let of = |entry: &Entry| {
        let table = &tables[entry.table];
        let columns = || entry.set.iter().map(|at| &table.columns[*at]);
        let is_new = |column: &ColumnPlan| {
            let spec = table.spec.columns.get(&*column.name);
            spec.is_some_and(|spec| matches!(spec.generator, Generator::Now | Generator::UuidV4))
        };
        if columns().any(|column| !column.ddl.is_empty()) {
            Told::Never
        } else if columns().any(is_new) {
            Told::Always
        } else {
            Told::ByValue
        }
    };
    plan.entries().iter().map(of).collect()
}

fn follow(plan: &ChangePlan, told: &[Told]) -> Followed {
    let tables = plan.plan().tables();
    let mut followed: Followed = vec![Vec::new(); tables.len()];
    for (entry, told) in plan.entries().iter().zip(told) {
        if entry.kind == OpKind::Update && *told == Told::ByValue {
            let columns = entry.set.iter().map(|at| &tables[entry.table].columns[*at]);
            followed[entry.table].extend(columns.map(|column| column.name.to_string()));
        }
    }
    for columns in &mut followed {
        columns.sort();
        columns.dedup();
    }
    followed
}

fn replay(
    plan: &ChangePlan,
    followed: &Followed,
    told: &[Told],
    stream: &ChangeStream,
    part: &Range<u64>,
    known: &mut [u64],
) {
    let mut rows = begin(plan, followed, stream);
    let (mut from, mut batch) = (0, ChangeBatch::default());
    while from < part.end {
        let to = part.end.min(from + BATCH_ROWS_MAX as u64);
        stream.fill(from..to, Fate::Commit, &mut batch);
        for group in batch.groups() {
            let (table, kind) =
                (plan.entries()[group.entry].table, plan.entries()[group.entry].kind);
            let columns = &followed[table];
            if columns.is_empty() || kind == OpKind::Read {
                continue;
            }
            let written = plan.statement(group.entry).read(&group.batch);
            for (at, (row, written)) in group.rows.iter().zip(&written).enumerate() {
                match kind {
                    OpKind::Insert => drop(rows.insert((table, *row), hashes(columns, written))),
                    OpKind::Delete => drop(rows.remove(&(table, *row))),
                    OpKind::Rekey => {
                        let moved = rows.remove(&(table, *row)).unwrap_or_default();
                        rows.insert((table, group.to[at]), moved);
                    }
                    OpKind::Update => {
                        let same = rows
                            .get_mut(&(table, *row))
                            .is_some_and(|was| !set(columns, written, was));
                        let is_told = told[group.entry] == Told::ByValue;
                        let counts = same && is_told && part.contains(&group.ops[at]);
                        known[table] += u64::from(counts);
                    }
                    OpKind::Read => {}
                }
            }
        }
        from = to;
    }
}

/// The rows that a stream begins with.
fn begin(plan: &ChangePlan, followed: &Followed, stream: &ChangeStream) -> Rows {
    let (mut rows, mut batch) = (Rows::new(), Batch::default());
    let before = stream.expected(0);
    for (table, columns) in followed.iter().enumerate().filter(|(_, columns)| !columns.is_empty()) {
        let own: Vec<u64> = before.rows(table).collect();
        for some in own.chunks(BATCH_ROWS_MAX) {
            before.fill(table, some, &mut batch);
            let read = plan.table(table).read(&batch);
            let values = read.iter().map(|row| hashes(columns, row));
            rows.extend(some.iter().map(|row| (table, *row)).zip(values));
        }
    }
    rows
}

fn hashes(columns: &[String], row: &Row) -> Vec<u64> {
    columns.iter().map(|column| hash(row, column).unwrap_or_default()).collect()
}

/// Sets what a statement has of the columns; whether any is another than it was.
fn set(columns: &[String], row: &Row, was: &mut [u64]) -> bool {
    let mut changed = false;
    for (column, was) in columns.iter().zip(was) {
        if let Some(is) = hash(row, column) {
            changed |= is != *was;
            *was = is;
        }
    }
    changed
}

fn hash(row: &Row, column: &str) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", row.get(column)?).hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use rowstorm_gen::schema::{Format, Schema};
    use rowstorm_gen::{Plan, PlanOptions};

    use super::*;

    fn plan(level: &str) -> ChangePlan {
        let text = format!(
            "
version: 1
tables:
  t:
    key: [id]
    preload: 40
    columns:
      id:    {{ type: bigint, gen: sequence }}
      level: {level}
      at:    {{ type: timestamp, gen: now }}
changes:
  streams: 2
  mix:
    - {{ insert: t, weight: 2 }}
    - {{ update: t, set: [level], weight: 6 }}
    - {{ update: t, set: [level, at], weight: 1 }}
    - {{ delete: t, weight: 1 }}
"
        );
        let schema = Schema::parse(&text, Format::Yaml, "t.yaml").unwrap();
        ChangePlan::new(&Plan::new(&schema, PlanOptions::default()).unwrap()).unwrap()
    }

    fn counted(plan: &ChangePlan, part: Range<u64>) -> Unchanged {
        let streams = [plan.stream(0), plan.stream(1)];
        count(plan, streams.iter().map(|stream| (stream, part.clone())))
    }

    /// By the history of each row, which is another way to the same.
    fn by_history(plan: &ChangePlan, ops: u64) -> u64 {
        let mut same = 0;
        for stream in [plan.stream(0), plan.stream(1)] {
            let born = (0..ops + 40).filter(|row| row % 2 == u64::from(stream.number()));
            let born: Vec<u64> = born.filter(|row| stream.was_born(0, *row, ops)).collect();
            let history = stream.history(0, &born, ops);
            for row in born {
                let mut batch = Batch::default();
                history.fill(row, 0..history.writes(row).len(), Fate::Commit, &mut batch);
                let rows = plan.table(0).read(&batch);
                same += rows.windows(2).filter(|pair| pair[0].values() == pair[1].values()).count();
            }
        }
        same as u64
    }

    #[test]
    fn updates_that_change_nothing_are_counted_as_the_rows_histories_show_them() {
        let plan = plan("{ type: int, gen: { uniform: [1, 3] } }");
        let all = counted(&plan, 0..1_500);
        assert_eq!(all.known, [by_history(&plan, 1_500)]);
        assert!(all.known[0] > 300, "{all:?}");
        let parts = [counted(&plan, 0..700), counted(&plan, 700..1_500)];
        assert_eq!(parts[0].known[0] + parts[1].known[0], all.known[0]);
        assert_eq!(all.untold, [0]);
    }

    #[test]
    fn what_a_type_of_the_databases_own_keeps_is_not_told() {
        let plan = plan("{ type: int, gen: { uniform: [1, 3] }, ddl: { mysql: tinyint } }");
        let ops: u64 = (0..2)
            .map(|stream| plan.stream(stream).count(1, 500) + plan.stream(stream).count(2, 500))
            .sum();
        assert_eq!(counted(&plan, 0..500), Unchanged { known: vec![0], untold: vec![ops] });
    }
}
