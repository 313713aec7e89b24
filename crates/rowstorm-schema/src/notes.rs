//! What a document may well mean, and what follows from it.

use std::fmt;

use crate::validate::key_repeats;
use crate::{Schema, Table};

/// Something that is right, and surprises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where in the document: `tables.cpu.key`.
    pub place: String,
    /// What follows.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "note: {}: {}", self.place, self.message)
    }
}

impl Schema {
    /// What is worth knowing about a schema before it is run: keys that may repeat, tables without one.
    ///
    /// ```
    /// use rowstorm_schema::{Format, Schema};
    ///
    /// let yaml = "version: 1\ntables:\n  t:\n    key: [a]\n    columns: { a: { type: int, gen: { uniform: [0, 9] } } }";
    /// let schema = Schema::parse(yaml, Format::Yaml, "t.yaml")?;
    /// assert_eq!(schema.notes()[0].place, "tables.t.key");
    /// # Ok::<(), rowstorm_schema::Invalid>(())
    /// ```
    pub fn notes(&self) -> Vec<Note> {
        self.tables.iter().flat_map(|(name, table)| of_table(name, table)).collect()
    }
}

fn of_table(name: &str, table: &Table) -> Vec<Note> {
    let mut notes = Vec::new();
    if table.key.is_empty() {
        notes.push(Note {
            place: format!("tables.{name}"),
            message: "without a `key`, rows whose answer is lost cannot be sent again: they count as unknown".to_owned(),
        });
    } else if key_repeats(table, &table.key) {
        notes.push(Note { place: format!("tables.{name}.key"), message: repeats(&table.key) });
    }
    for (at, index) in table.indexes.iter().enumerate().filter(|(_, index)| index.unique) {
        if key_repeats(table, &index.on) {
            notes.push(Note {
                place: format!("tables.{name}.indexes[{at}]"),
                message: repeats(&index.on),
            });
        }
    }
    notes
}

fn repeats(columns: &[String]) -> String {
    format!("two rows may have the same `{}`: the later one will be refused", columns.join("`, `"))
}
