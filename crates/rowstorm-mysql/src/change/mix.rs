//! The statements of a mix with what makes their text: encoders, words, and the script of one transaction.

use std::sync::Arc;

use rowstorm_sink::sql::QueryPart;
use rowstorm_sink::{Change, Encoder as _, Payload, Statement};

use super::bulk;
use super::script::Script;
use super::wording::{Grid, Wording};
use crate::encode::LoadEncoder;

/// The statements of a mix, ready to be worded.
#[derive(Debug)]
pub(super) struct Mix {
    pub(super) statements: Arc<[Statement]>,
    entries: Vec<Entry>,
    lines: Payload,
    pub(super) script: Script,
}

#[derive(Debug)]
struct Entry {
    encoder: LoadEncoder,
    wording: Wording,
    /// Its rows may go as parameters.
    is_fit: bool,
}

impl Mix {
    pub(super) fn new(statements: &Arc<[Statement]>) -> Mix {
        let entry = |statement: &Statement| Entry {
            encoder: LoadEncoder::new(&statement.columns),
            wording: Wording::new(statement),
            is_fit: bulk::is_fit(statement),
        };
        Mix {
            statements: Arc::clone(statements),
            entries: statements.iter().map(entry).collect(),
            lines: Payload::default(),
            script: Script::default(),
        }
    }

    /// Whether an entry's rows may go as parameters.
    pub(super) fn is_fit(&self, statement: usize) -> bool {
        self.entries[statement].is_fit
    }

    /// An entry's statement for one row, with placeholders.
    pub(super) fn prepared(&self, statement: usize) -> String {
        Wording::placeholders(&self.statements[statement], 1)
    }

    /// A group's rows as lines, and how they are worded.
    pub(super) fn encode(&mut self, group: &Change<'_>) -> (&Wording, Grid<'_>) {
        let Entry { encoder, wording, .. } = &mut self.entries[group.statement];
        self.lines.clear();
        encoder.encode(group.batch, &mut self.lines);
        (wording, Grid::new(self.lines.body.as_slice(), wording.columns()))
    }

    /// Adds a group to the script; whether one of its texts ends in a space.
    pub(super) fn add(&mut self, at: usize, group: &Change<'_>, bytes_max: usize) -> bool {
        let mut script = std::mem::take(&mut self.script);
        let (wording, grid) = self.encode(group);
        script.add(at, wording, &grid, bytes_max);
        let may_be_cut = wording.may_be_cut(&grid);
        self.script = script;
        may_be_cut
    }

    /// A query's words, with its parameters as literals.
    pub(super) fn ask(&mut self, query: &Change<'_>, parts: &[QueryPart], out: &mut Vec<u8>) {
        if self.statements[query.statement].columns.columns.is_empty() {
            return Wording::ask(None, parts, out);
        }
        let (wording, grid) = self.encode(query);
        Wording::ask(Some((wording, &grid)), parts, out);
    }

    /// Makes a group the whole script, in other words.
    pub(super) fn stage(&mut self, group: &Change<'_>, wording: &Wording, bytes_max: usize) {
        let mut script = std::mem::take(&mut self.script);
        script.clear();
        script.add(0, wording, &self.encode(group).1, bytes_max);
        self.script = script;
    }
}
