//! What is done once between transactions, while no row is in flight: a table is emptied, or a statement is sent.

use std::sync::Arc;

use rowstorm_gen::TablePlan;
use rowstorm_gen::changes::{ChangePlan, EventKind};
use rowstorm_gen::schema::Words;

/// One event among changes, for one database: [`Sink::event`](crate::Sink::event) does it.
#[derive(Debug, Clone)]
pub enum Event {
    /// Takes all rows of a table away, and leaves the table.
    Truncate(Arc<TablePlan>),
    /// Sends a statement as it stands.
    Statement(Words),
}

impl Event {
    /// The events of a plan's changes, in their order.
    pub fn all(changes: &ChangePlan) -> Vec<Event> {
        let of = |event: &rowstorm_gen::changes::Event| match &event.kind {
            EventKind::Truncate(table) => {
                Event::Truncate(Arc::clone(&changes.plan().tables()[*table]))
            }
            EventKind::Statement(words) => Event::Statement(words.clone()),
        };
        changes.events().iter().map(of).collect()
    }

    /// What it does, in the document's word: `truncate` or `statement`.
    pub fn word(&self) -> &'static str {
        match self {
            Event::Truncate(_) => "truncate",
            Event::Statement(_) => "statement",
        }
    }
}
