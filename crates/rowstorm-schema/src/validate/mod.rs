//! What a document must make sense of, beyond its structure: names that exist, ranges the right way round, generators
//! that fit their column. One file for each noun; every check goes on after a problem, so that all are found.

mod changes;
mod column;
mod event;
mod generator;
mod literal;
mod options;
mod query;
mod reference;
mod repeats;
mod settings;
mod states;
mod table;
mod template;

use crate::document::{Node, Place, Problems};
use crate::limits::{NAME_BYTES_MAX, TABLES_MAX};
use crate::{Schema, Table, suggest};

pub(crate) use repeats::{key_repeats, never_repeats};

/// Adds every problem of sense to `problems`, with the positions of `root`.
pub(crate) fn schema(schema: &Schema, root: &Node, problems: &mut Problems) {
    let mut check = Check { schema, root, problems };
    let top = Place::root();
    if schema.version != 1 {
        let message = format!("version {} is unknown", schema.version);
        check.value(&top.key("version"), message, Some("write `version: 1`".to_owned()));
    }
    let tables = top.key("tables");
    match schema.tables.len() {
        0 if check.is_whole(&tables) => check.key(&tables, "there are no tables", None),
        count if count > TABLES_MAX => {
            check.key(&tables, format!("{count} tables; at most {TABLES_MAX}"), None);
        }
        _ => {}
    }
    for (name, table) in &schema.tables {
        let place = tables.key(name);
        check.name("table", name, &place);
        table::check(&mut check, table, &place);
    }
    reference::cycles(&mut check);
    changes::check(&mut check);
    settings::check(&mut check);
}

/// The document under check.
struct Check<'a> {
    schema: &'a Schema,
    root: &'a Node,
    problems: &'a mut Problems,
}

impl<'a> Check<'a> {
    /// A problem with the value at `place`.
    fn value(&mut self, place: &Place, message: impl Into<String>, help: Option<String>) {
        let (_, at) = self.root.marks(place);
        self.problems.add(at, place, message, help);
    }

    /// A problem with the key at `place`: its name, or something that it lacks.
    fn key(&mut self, place: &Place, message: impl Into<String>, help: Option<String>) {
        let (at, _) = self.root.marks(place);
        self.problems.add(at, place, message, help);
    }

    /// Whether the document has something at `place` that had to be left out, because it is wrong itself.
    fn is_written(&self, place: &Place) -> bool {
        self.root.find(place).is_some()
    }

    /// Whether nothing in this map or list had to be left out.
    fn is_whole(&self, place: &Place) -> bool {
        !self.root.find(place).is_some_and(Node::is_maimed)
    }

    fn name(&mut self, what: &str, name: &str, place: &Place) {
        if name.is_empty() || name.contains('\0') || name.len() > NAME_BYTES_MAX {
            let message = format!("{name:?} cannot be a {what}'s name");
            let help = format!("1 to {NAME_BYTES_MAX} bytes without NUL");
            self.key(place, message, Some(help));
        }
    }

    /// The table of this name; if there is none, that is a problem at `place`.
    fn table(&mut self, name: &str, place: &Place) -> Option<&'a Table> {
        let schema = self.schema;
        let table = schema.tables.get(name);
        if table.is_none() && !self.is_written(&Place::root().key("tables").key(name)) {
            let help = suggest::help(name, schema.tables.keys().map(String::as_str));
            self.value(place, format!("there is no table `{name}`"), help);
        }
        table
    }

    /// Whether the table at `table_place` has this column; if not, that is a problem at `place`.
    fn has_column(
        &mut self,
        table: &Table,
        table_place: &Place,
        name: &str,
        place: &Place,
    ) -> bool {
        let columns = table.all_columns();
        if columns.iter().any(|column| column.name == name) {
            return true;
        }
        let left_out = self.is_written(&table_place.key("columns").key(name))
            || (table.series.is_none() && self.is_written(&table_place.key("series")))
            || !self.is_whole(&table_place.key("series").key("levels"));
        if !left_out {
            let help = suggest::help(name, columns.iter().map(|column| column.name));
            self.value(place, format!("there is no column `{name}`"), help);
        }
        false
    }
}
