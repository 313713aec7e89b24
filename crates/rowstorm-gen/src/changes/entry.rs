//! One entry of the mix, compiled.

use std::sync::Arc;

use rowstorm_schema::{Change, ChangeKind, DataType, Generator, Pick, Template, Words};

use super::pick::Picker;
use crate::compile::invalid;
use crate::{Plan, PlanError, Storage, TablePlan};

/// What an op does with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpKind {
    /// Writes a row that was not there.
    Insert,
    /// Sets some columns of a live row.
    Update,
    /// Takes a live row away.
    Delete,
    /// Gives a live row the key of a row that was not there, and leaves its other columns.
    Rekey,
    /// Reads a live row, or asks a [`Query`] that a live row stands for.
    Read,
}

/// What a read asks for that is no row by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All rows whose column lies between two instants, both included: the later one is the picked row's.
    Range {
        /// The column, as a place in the table's columns.
        column: usize,
        /// How far the range reaches back, in microseconds.
        last_us: i64,
    },
    /// A statement of the user's own.
    Given {
        /// The words of each database.
        words: Words,
        /// The columns that are parameters of any of them, as places in the table's columns.
        parameters: Vec<usize>,
    },
}

impl Query {
    /// The columns that travel, as places in the table's columns: of a range the same twice, for its two ends.
    pub fn places(&self) -> Vec<usize> {
        match self {
            Query::Range { column, .. } => vec![*column; 2],
            Query::Given { parameters, .. } => parameters.clone(),
        }
    }

    fn new(change: &Change, table: &TablePlan, place: &str) -> Result<Option<Query>, PlanError> {
        let find = |name: &str, here: &str| {
            let found = table.columns.iter().position(|column| *column.name == *name);
            found.ok_or_else(|| {
                invalid(&format!("{place}.{here}"), format!("there is no column `{name}`"))
            })
        };
        if let Some(range) = &change.range {
            let column = find(&range.column, "range")?;
            let plan = &table.columns[column];
            let spec = table.spec.columns.get(&range.column);
            let is_now = spec.is_some_and(|spec| spec.generator == Generator::Now);
            let is_list = !is_now && !matches!(plan.storage, Storage::Plain);
            if plan.data_type != DataType::Timestamp || is_list {
                let problem =
                    format!("`{}` is no column of instants that are made row by row", range.column);
                return Err(invalid(&format!("{place}.range"), problem));
            }
            let last_us = i64::try_from(range.last.0.as_micros()).unwrap_or(i64::MAX);
            return Ok(Some(Query::Range { column, last_us }));
        }
        let Some(words) = &change.statement else { return Ok(None) };
        let mut parameters = Vec::new();
        for name in names(words, &format!("{place}.statement"))? {
            let column = find(&name, "statement")?;
            if !parameters.contains(&column) {
                parameters.push(column);
            }
        }
        Ok(Some(Query::Given { words: words.clone(), parameters }))
    }
}

/// The columns that a statement names, in any database's words.
fn names(words: &Words, place: &str) -> Result<Vec<String>, PlanError> {
    let mut names = words.command().map(rowstorm_schema::Command::parameters).unwrap_or_default();
    let texts: Vec<&str> = match words {
        Words::Sql(text) => vec![text],
        Words::Each(each) => each.all_sql().map(|(_, text)| text).collect(),
    };
    for text in texts {
        let template: Template = text
            .parse()
            .map_err(|error: rowstorm_schema::TemplateError| invalid(place, error.to_string()))?;
        names.extend(template.columns().map(str::to_owned));
    }
    Ok(names)
}

impl OpKind {
    /// The document's word: `insert`, `update`, `delete`, `rekey` or `read`.
    pub fn word(self) -> &'static str {
        match self {
            OpKind::Insert => "insert",
            OpKind::Update => "update",
            OpKind::Delete => "delete",
            OpKind::Rekey => "rekey",
            OpKind::Read => "read",
        }
    }
}

/// One entry of the document's mix.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What its ops do.
    pub kind: OpKind,
    /// The table, as a place in [`Plan::tables`].
    pub table: usize,
    /// The columns that an update sets, as places in the table's columns.
    pub set: Vec<usize>,
    /// What a read asks for, if it is no row by its key.
    pub query: Option<Query>,
    pub(super) picker: Picked,
}

/// How an update or a read comes to its row.
#[derive(Debug, Clone)]
pub(super) enum Picked {
    /// It is drawn.
    Drawn(Picker),
    /// The rows take turns, because they walk through states.
    InTurn {
        /// Only the youngest do.
        is_latest: bool,
    },
}

impl Entry {
    /// Compiles the entry at `at` of the mix.
    pub(super) fn new(plan: &Plan, change: &Change, at: usize) -> Result<Entry, PlanError> {
        let place = format!("changes.mix[{at}]");
        let (kind, name) = match change.kind() {
            Some(ChangeKind::Insert(name)) => (OpKind::Insert, name),
            Some(ChangeKind::Update(name)) => (OpKind::Update, name),
            Some(ChangeKind::Delete(name)) => (OpKind::Delete, name),
            Some(ChangeKind::Rekey(name)) => (OpKind::Rekey, name),
            Some(ChangeKind::Read(name)) => (OpKind::Read, name),
            None => {
                let problem = "a change is one of `insert`, `update`, `delete`, `rekey` and `read`";
                return Err(invalid(&place, problem));
            }
        };
        if !(change.weight.is_finite() && change.weight > 0.0) {
            return Err(invalid(&format!("{place}.weight"), "a weight is a number above 0"));
        }
        let found = plan.tables().iter().position(|table| *table.name == *name);
        let table = found.ok_or_else(|| invalid(&place, format!("there is no table `{name}`")))?;
        let columns = &plan.tables()[table].columns;
        let custom = columns.iter().find(|column| plan.is_custom(name, &column.name));
        if let Some(column) = custom.filter(|_| kind == OpKind::Rekey) {
            let problem =
                format!("`{}` has a fill of your own, which knows rows only", column.name);
            return Err(invalid(&format!("{place}.rekey"), problem));
        }
        let set = change
            .set
            .iter()
            .map(|set| {
                let here = format!("{place}.set");
                if plan.is_custom(name, set) {
                    let problem = format!("`{set}` has a fill of your own, which knows rows only");
                    return Err(invalid(&here, problem));
                }
                let found = columns.iter().position(|column| *column.name == **set);
                found.ok_or_else(|| invalid(&here, format!("there is no column `{set}`")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let spec = &plan.tables()[table].spec.columns;
        let walks = change.set.iter().any(|column| {
            let column = spec.get(column);
            column.is_some_and(|column| matches!(column.generator, Generator::States(_)))
        });
        let pick = change.pick.unwrap_or(Pick::Uniform);
        let picker = if walks {
            Picked::InTurn { is_latest: pick == Pick::Latest }
        } else {
            Picked::Drawn(Picker::new(pick))
        };
        let query = if kind == OpKind::Read {
            Query::new(change, &plan.tables()[table], &place)?
        } else {
            None
        };
        Ok(Entry { kind, table, set, query, picker })
    }

    /// What its ops are called: the kind's word, or `query`.
    pub fn word(&self) -> &'static str {
        if self.query.is_some() { "query" } else { self.kind.word() }
    }

    /// Whether only a replay tells which update of a row was the last.
    pub(super) fn is_drawn_update(&self) -> bool {
        self.kind == OpKind::Update && matches!(self.picker, Picked::Drawn(_))
    }

    /// The table's name.
    pub fn table_name<'a>(&self, plan: &'a Plan) -> &'a Arc<str> {
        &plan.tables()[self.table].name
    }
}
