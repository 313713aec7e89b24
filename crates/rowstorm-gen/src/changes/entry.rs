//! One entry of the mix, compiled.

use std::sync::Arc;

use rowstorm_schema::{Change, ChangeKind, Generator, Pick};

use super::pick::Picker;
use crate::compile::invalid;
use crate::{Plan, PlanError};

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
    /// Reads a live row.
    Read,
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
        Ok(Entry { kind, table, set, picker })
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
