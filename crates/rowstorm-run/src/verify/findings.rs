//! Rows that are not as they must be: all are counted, the first are kept, and somebody may listen to all.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rowstorm_gen::{TablePlan, Value};
use rowstorm_report::{Cell, Finding, FindingKind, Wrongs};

/// Where findings go.
pub(super) struct Findings {
    state: Mutex<State>,
}

/// Somebody who is told every finding.
pub type Listener = Box<dyn FnMut(&Finding) + Send>;

struct State {
    kept: Vec<Finding>,
    keep_max: usize,
    left_out: u64,
    /// Of the table that is looked at.
    wrongs: Wrongs,
    listener: Option<Listener>,
}

/// A value that is printed is at most this long.
const TEXT_CHARS_MAX: usize = 200;

impl Findings {
    pub(super) fn new(keep_max: usize, listener: Option<Listener>) -> Findings {
        let state =
            State { kept: Vec::new(), keep_max, left_out: 0, wrongs: Wrongs::default(), listener };
        Findings { state: Mutex::new(state) }
    }

    /// Counts a row, and tells of it.
    pub(super) fn found(&self, finding: Finding) {
        let state = &mut *self.lock();
        state.wrongs.add(finding.kind, 1);
        if let Some(listener) = &mut state.listener {
            listener(&finding);
        }
        if state.kept.len() < state.keep_max {
            state.kept.push(finding);
        } else {
            state.left_out += 1;
        }
    }

    /// The counts since it was last asked.
    pub(super) fn take_wrongs(&self) -> Wrongs {
        std::mem::take(&mut self.lock().wrongs)
    }

    /// The findings that were kept, and how many were not.
    pub(super) fn take(&self) -> (Vec<Finding>, u64) {
        let state = &mut *self.lock();
        let mut kept = std::mem::take(&mut state.kept);
        // Threads find them in any order; tables stay as they came.
        for table in kept.chunk_by_mut(|one, other| one.table == other.table) {
            table.sort_by_cached_key(|found| (found.kind.word(), order(found)));
        }
        (kept, std::mem::take(&mut state.left_out))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Findings").finish_non_exhaustive()
    }
}

/// Keys as people count: shorter numbers before longer ones.
fn order(finding: &Finding) -> Vec<(usize, Option<String>)> {
    let of = |cell: &Cell| (cell.value.as_ref().map_or(0, String::len), cell.value.clone());
    finding.key.iter().map(of).collect()
}

/// A finding of a row of this table, without words yet.
pub(super) fn finding(
    table: &TablePlan,
    kind: FindingKind,
    row: &[Value],
    why: impl Into<String>,
) -> Finding {
    let places: Vec<usize> =
        if table.key.is_empty() { (0..row.len()).collect() } else { table.key.clone() };
    let cell = |place: &usize| Cell {
        column: table.columns[*place].name.to_string(),
        value: shown(&row[*place]),
    };
    Finding {
        table: table.name.to_string(),
        kind,
        key: places.iter().map(cell).collect(),
        why: why.into(),
        columns: Vec::new(),
        lost: None,
    }
}

/// A value as it is printed; `None` is null.
pub(super) fn shown(value: &Value) -> Option<String> {
    let mut text = value.to_text()?;
    if let Some((at, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
        text.truncate(at);
        text.push('…');
    }
    Some(text)
}
