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
    /// Where each row stands in `bytes`; a row that is deleted stands nowhere.
    rows: Vec<Range<usize>>,
    columns: Vec<Rule>,
    /// The key first, if there is one.
    unique: Vec<Unique>,
    pub(super) indexes: Vec<Vec<String>>,
    live: usize,
    /// Of `bytes`, those that a row holds.
    live_bytes: usize,
}

/// Bytes that changed rows leave behind before the others are moved together.
const WASTE_BYTES_MAX: usize = 1 << 20;

/// What is wrong with a row: class and sample.
pub(super) type Refused = (&'static str, String);

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
            live: 0,
            live_bytes: 0,
        }
    }

    /// Takes all rows away; how many.
    pub(super) fn empty(&mut self) -> u64 {
        let rows = std::mem::take(&mut self.live) as u64;
        self.bytes.clear();
        self.rows.clear();
        self.unique.iter_mut().for_each(|unique| unique.seen.clear());
        self.live_bytes = 0;
        rows
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = MemoryRow> {
        self.rows.iter().filter(|row| !row.is_empty()).map(|row| {
            let row = &self.bytes[row.clone()];
            self.spans(row).into_iter().map(|cell| decode(&row[cell])).collect()
        })
    }

    /// The row at a place, encoded.
    pub(super) fn row(&self, place: usize) -> &[u8] {
        &self.bytes[self.rows[place].clone()]
    }

    /// The place of the row with a key: the key's cells, side by side.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        self.unique.first()?.seen.get(key).copied()
    }

    /// Takes a payload row by row.
    pub(super) fn apply(&mut self, payload: &Payload, faults: &[Fault]) -> Outcome {
        let mut outcome = Outcome::default();
        // Rows of this payload that are there now: an equal one after them is a duplicate, not a replay.
        let mut here = HashSet::new();
        let mut body = payload.body.as_slice();
        for number in payload.rows.clone() {
            let cells = self.spans(body);
            let (row, rest) = body.split_at(cells.last().map_or(0, |cell| cell.end));
            body = rest;
            if faults.iter().any(|fault| fault.refuses_row(number)) {
                outcome.rejected.add("staged", 1, format!("row {number} is refused by a fault"));
            } else if faults.iter().any(|fault| fault.forgets_row(number)) {
                outcome.accepted += 1;
            } else if let Err((class, sample)) = self.check(row) {
                outcome.rejected.add(class, 1, sample);
            } else {
                match self.twin(row, None) {
                    None => {
                        self.insert(row);
                        outcome.accepted += 1;
                        here.insert(row);
                    }
                    Some(twin)
                        if payload.attempt == Attempt::Replay
                            && self.row(twin) == row
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

    /// Whether the columns take a row's values.
    pub(super) fn check(&self, row: &[u8]) -> Result<(), Refused> {
        for (rule, cell) in self.columns.iter().zip(self.spans(row)) {
            match (decode(&row[cell]), rule.data_type) {
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

    /// Another row than the one at `own` that stands where this one would.
    pub(super) fn twin(&self, row: &[u8], own: Option<usize>) -> Option<usize> {
        let cells = self.spans(row);
        let standing = |unique: &Unique| unique.seen.get(&unique.key(row, &cells)?).copied();
        self.unique.iter().filter_map(standing).find(|place| Some(*place) != own)
    }

    /// Adds a row; its place.
    pub(super) fn insert(&mut self, row: &[u8]) -> usize {
        let place = self.rows.len();
        self.rows.push(0..0);
        self.put(place, row);
        place
    }

    /// Puts a row where another stood; no bytes are no row. The old row's place among the bytes.
    pub(super) fn put(&mut self, place: usize, row: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(row);
        self.point(place, start..start + row.len())
    }

    /// Makes the row at a place the one that stands in these bytes.
    pub(super) fn point(&mut self, place: usize, to: Range<usize>) -> Range<usize> {
        let old = std::mem::replace(&mut self.rows[place], to.clone());
        for (is_new, row) in [(false, &old), (true, &to)] {
            if row.is_empty() {
                continue;
            }
            let row = &self.bytes[row.clone()];
            let cells = spans(row, self.columns.len());
            for unique in &mut self.unique {
                match unique.key(row, &cells) {
                    Some(key) if is_new => _ = unique.seen.insert(key, place),
                    Some(key) => _ = unique.seen.remove(&key),
                    None => {}
                }
            }
        }
        self.live = self.live + usize::from(!to.is_empty()) - usize::from(!old.is_empty());
        self.live_bytes = self.live_bytes + to.len() - old.len();
        old
    }

    /// Moves the rows together once changes have left much behind. Places change.
    pub(super) fn tidy(&mut self) {
        let waste = self.bytes.len() - self.live_bytes;
        if waste < WASTE_BYTES_MAX || waste < self.live_bytes {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.unique.iter_mut().for_each(|unique| unique.seen.clear());
        (self.live, self.live_bytes) = (0, 0);
        for row in std::mem::take(&mut self.rows) {
            if !row.is_empty() {
                self.insert(&bytes[row]);
            }
        }
    }

    /// Where the cells of the row stand that starts here.
    pub(super) fn spans(&self, row: &[u8]) -> Vec<Range<usize>> {
        spans(row, self.columns.len())
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

/// Where so many cells stand, the first of which starts here.
pub(super) fn spans(bytes: &[u8], columns: usize) -> Vec<Range<usize>> {
    let mut at = 0;
    (0..columns)
        .map(|_| {
            let start = at;
            at += cell_len(&bytes[start..]);
            start..at
        })
        .collect()
}
