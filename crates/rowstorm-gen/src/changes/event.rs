//! What is done once, between ops: a table is emptied, or a statement of the user's own is sent.

use rowstorm_schema::{ChangeEvent, Words};

use crate::compile::invalid;
use crate::{Plan, PlanError};

/// One event of the document: it is done when every stream has come to its [place](Event::place), and before any goes on.
#[derive(Debug, Clone)]
pub struct Event {
    /// The ops of all streams together that are done before it.
    pub after: u64,
    /// What is done.
    pub kind: EventKind,
}

/// What an event does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Takes all rows of a table away, as a place in [`Plan::tables`].
    Truncate(usize),
    /// Sends a statement, which changes no row's values.
    Statement(Words),
}

impl Event {
    pub(super) fn new(plan: &Plan, event: &ChangeEvent, at: usize) -> Result<Event, PlanError> {
        let place = format!("changes.events[{at}]");
        let kind = match (&event.truncate, &event.statement) {
            (Some(name), None) => {
                let found = plan.tables().iter().position(|table| *table.name == **name);
                let missing = || invalid(&place, format!("there is no table `{name}`"));
                EventKind::Truncate(found.ok_or_else(missing)?)
            }
            (None, Some(words)) => EventKind::Statement(words.clone()),
            (Some(_), Some(_)) | (None, None) => {
                return Err(invalid(&place, "an event is a `truncate` or a `statement`"));
            }
        };
        Ok(Event { after: event.after.0, kind })
    }

    /// How many ops of a stream are done when the event is.
    ///
    /// ```
    /// use rowstorm_gen::changes::{Event, EventKind};
    ///
    /// let event = Event { after: 10, kind: EventKind::Truncate(0) };
    /// assert_eq!([0, 1, 2, 3].map(|stream| event.place(stream, 4)), [3, 3, 2, 2]);
    /// ```
    pub fn place(&self, stream: u32, streams: u32) -> u64 {
        share(self.after, stream, streams)
    }
}

/// A stream's share of an amount of ops: the first streams take what does not come out even.
pub fn share(amount: u64, stream: u32, streams: u32) -> u64 {
    let (stream, streams) = (u64::from(stream), u64::from(streams));
    amount / streams + u64::from(stream < amount % streams)
}
