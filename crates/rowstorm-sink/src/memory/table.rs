//! One table in memory: encoded rows, and the constraints that a database would enforce.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{TablePlan, Value};

use super::cells::{MemoryRow, cell_len, decode};
use super::fault::Fault;
use crate::{Attempt, Audit, ColumnAudit, Outcome, Payload, Scope};

#[derive(Debug)]
pub(super) struct MemoryTable {
    bytes: Vec<u8>,
    rows: Vec<Range<usize>>,
    columns: Vec<Rule>,
    /// The key first, if there is one.
    unique: Vec<Unique>,
    pub(super) indexes: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Rule {
    name: String,
    data_type: DataType,
    nullable: bool,
}

#[derive(Debug)]
struct Unique {
    columns: Vec<usize>,
    seen: HashMap<Vec<u8>, usize>,
}

/// Whether the database keeps one copy of a row that is sent twice.
pub(super) fn is_keyed(plan: &TablePlan) -> bool {
    !plan.key.is_empty() || plan.columns.iter().any(|column| column.unique && !column.nullable())
}

impl MemoryTable {
    pub(super) fn new(plan: &TablePlan) -> MemoryTable {
        let rule = |column: &rowstorm_gen::ColumnPlan| Rule {
            name: column.name.to_string(),
            data_type: column.data_type,
            nullable: column.nullable(),
        };
        let key = (!plan.key.is_empty()).then(|| plan.key.clone());
        let alone = (0..plan.columns.len()).filter(|place| plan.columns[*place].unique);
        MemoryTable {
            bytes: Vec::new(),
            rows: Vec::new(),
            columns: plan.columns.iter().map(rule).collect(),
            unique: key
                .into_iter()
                .chain(alone.map(|place| vec![place]))
                .map(|columns| Unique { columns, seen: HashMap::new() })
                .collect(),
            indexes: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = MemoryRow> {
        self.rows.iter().map(|row| {
            let row = &self.bytes[row.clone()];
            spans(row, self.columns.len()).into_iter().map(|cell| decode(&row[cell])).collect()
        })
    }

    /// Takes a payload row by row.
    pub(super) fn apply(&mut self, payload: &Payload, faults: &[Fault]) -> Outcome {
        let mut outcome = Outcome::default();
        // Rows of this payload that are there now: an equal one after them is a duplicate, not a replay.
        let mut here = HashSet::new();
        let mut body = payload.body.as_slice();
        for number in payload.rows.clone() {
            let cells = spans(body, self.columns.len());
            let (row, rest) = body.split_at(cells.last().map_or(0, |cell| cell.end));
            body = rest;
            if faults.iter().any(|fault| fault.refuses_row(number)) {
                outcome.rejected.add("staged", 1, format!("row {number} is refused by a fault"));
            } else if faults.iter().any(|fault| fault.forgets_row(number)) {
                outcome.accepted += 1;
            } else if let Err((class, sample)) = self.check(row, &cells) {
                outcome.rejected.add(class, 1, sample);
            } else {
                match self.twin(row, &cells) {
                    None => {
                        self.insert(row, &cells);
                        outcome.accepted += 1;
                        here.insert(row);
                    }
                    Some(twin)
                        if payload.attempt == Attempt::Replay
                            && self.bytes[self.rows[twin].clone()] == *row
                            && here.insert(row) =>
                    {
                        outcome.confirmed += 1;
                    }
                    Some(_) => {
                        outcome.rejected.add("unique", 1, format!("row {number} is a duplicate"));
                    }
                }
            }
        }
        assert!(body.is_empty(), "a payload holds its rows and nothing behind them");
        outcome
    }

    fn check(&self, row: &[u8], cells: &[Range<usize>]) -> Result<(), (&'static str, String)> {
        for (rule, cell) in self.columns.iter().zip(cells) {
            match (decode(&row[cell.clone()]), rule.data_type) {
                (Value::Null, _) if !rule.nullable => {
                    return Err(("not_null", format!("column {} is null", rule.name)));
                }
                (Value::Text(text), DataType::Text { max: Some(max) })
                    if text.chars().count() > max as usize =>
                {
                    return Err(("too_long", format!("column {} is over {max}", rule.name)));
                }
                (Value::Int(value), DataType::Int(width))
                    if !(width.bounds().0..=width.bounds().1).contains(&value) =>
                {
                    return Err(("out_of_range", format!("column {} is {value}", rule.name)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The row that stands where this one would.
    fn twin(&self, row: &[u8], cells: &[Range<usize>]) -> Option<usize> {
        self.unique.iter().find_map(|unique| unique.seen.get(&unique.key(row, cells)?).copied())
    }

    fn insert(&mut self, row: &[u8], cells: &[Range<usize>]) {
        let place = self.rows.len();
        for unique in &mut self.unique {
            if let Some(key) = unique.key(row, cells) {
                unique.seen.insert(key, place);
            }
        }
        self.rows.push(self.bytes.len()..self.bytes.len() + row.len());
        self.bytes.extend_from_slice(row);
    }

    /// Counts over the rows themselves, not over what `insert` believes.
    pub(super) fn audit(&self, plan: &TablePlan, scope: &Scope) -> Audit {
        let rows: Vec<MemoryRow> = self.rows().filter(|row| is_within(row, scope)).collect();
        let keys = rows
            .iter()
            .map(|row| plan.key.iter().map(|place| row[*place].to_string()).collect::<Vec<_>>());
        let ints = self.columns.iter().enumerate().filter_map(|(place, rule)| {
            let DataType::Int(_) = rule.data_type else { return None };
            let values = || {
                rows.iter().filter_map(move |row| match row[place] {
                    Value::Int(value) => Some(value),
                    _ => None,
                })
            };
            Some(ColumnAudit {
                name: rule.name.clone(),
                sum: values().map(i128::from).reduce(|sum, value| sum + value),
                min: values().min(),
                max: values().max(),
            })
        });
        Audit {
            rows: rows.len() as u64,
            distinct_keys: (!plan.key.is_empty())
                .then(|| keys.collect::<HashSet<_>>().len() as u64),
            columns: ints.collect(),
        }
    }
}

impl Unique {
    /// The key's cells, side by side; nothing equals a null.
    fn key(&self, row: &[u8], cells: &[Range<usize>]) -> Option<Vec<u8>> {
        let cells = self.columns.iter().map(|column| &row[cells[*column].clone()]);
        cells
            .map(|cell| (cell.len() > 1).then_some(cell))
            .collect::<Option<Vec<_>>>()
            .map(|key| key.concat())
    }
}

fn is_within(row: &MemoryRow, scope: &Scope) -> bool {
    match scope {
        Scope::Table => true,
        Scope::Between { column, low, high } => {
            matches!(row[*column], Value::Int(value) if (*low..=*high).contains(&value))
        }
    }
}

/// Where the cells of the row stand that starts here.
fn spans(bytes: &[u8], columns: usize) -> Vec<Range<usize>> {
    let mut at = 0;
    (0..columns)
        .map(|_| {
            let start = at;
            at += cell_len(&bytes[start..]);
            start..at
        })
        .collect()
}
