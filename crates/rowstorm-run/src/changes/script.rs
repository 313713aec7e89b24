//! Events among changes: each is done once, when every stream has come to its place, and before any goes on.

use std::time::Duration;

use rowstorm_gen::changes::{ChangePlan, EventKind};
use rowstorm_report::{EventOutcome, EventRecord};
use rowstorm_sink::{BoxSink, Event, Sink, SinkError};

/// An event, worded for one sink.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) event: Event,
    /// The ops of all streams that are done before it.
    after: u64,
    /// The words that are sent.
    pub(crate) words: String,
    /// By stream: its ops that are done before it.
    places: Vec<u64>,
    /// The table that it empties.
    empties: Option<usize>,
}

impl Scripted {
    /// The events of a plan.
    ///
    /// # Errors
    /// What this database cannot do, or has no words for.
    pub(crate) fn all(changes: &ChangePlan, sink: &BoxSink) -> Result<Vec<Scripted>, SinkError> {
        let streams = changes.streams();
        let of = |(spec, event): (&rowstorm_gen::changes::Event, Event)| {
            let words = sink.explain_event(&event)?;
            let empties = match spec.kind {
                EventKind::Truncate(table) => Some(table),
                EventKind::Statement(_) => None,
            };
            let places = (0..streams).map(|stream| spec.place(stream, streams)).collect();
            Ok(Scripted { event, after: spec.after, words, places, empties })
        };
        changes.events().iter().zip(Event::all(changes)).map(of).collect()
    }
}

/// Where a run stands among its events.
#[derive(Debug)]
pub(crate) struct Script {
    records: Vec<EventRecord>,
    /// By event, then by stream.
    places: Vec<Vec<u64>>,
    empties: Vec<Option<usize>>,
    /// How many are done.
    done: usize,
    /// Whether an earlier run sent the next one, and nobody knows its answer.
    in_doubt: bool,
}

impl Script {
    /// The events of which an earlier run has done some, and begun some.
    pub(crate) fn new(events: &[Scripted], done: u64, begun: u64) -> Script {
        let done = (done as usize).min(events.len());
        let record = |(at, event): (usize, &Scripted)| EventRecord {
            after: event.after,
            kind: event.event.word().to_owned(),
            words: event.words.clone(),
            outcome: if at < done { EventOutcome::DoneBefore } else { EventOutcome::NotReached },
            ..EventRecord::default()
        };
        Script {
            records: events.iter().enumerate().map(record).collect(),
            places: events.iter().map(|event| event.places.clone()).collect(),
            empties: events.iter().map(|event| event.empties).collect(),
            done,
            in_doubt: begun as usize > done && done < events.len(),
        }
    }

    /// How many are done.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    /// Where a stream stops until the next event is done.
    pub(crate) fn limit(&self, stream: u32) -> u64 {
        self.places.get(self.done).map_or(u64::MAX, |places| places[stream as usize])
    }

    /// The next event, if all streams have come to it.
    pub(crate) fn due(&self, done: &[u64]) -> Option<usize> {
        let places = self.places.get(self.done)?;
        places.iter().zip(done).all(|(place, done)| done >= place).then_some(self.done)
    }

    /// Whether a table was emptied.
    pub(crate) fn has_emptied(&self, table: usize) -> bool {
        self.empties[..self.done].contains(&Some(table))
    }

    /// Whether the next event may have been done by an earlier run.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// What became of the next event.
    pub(crate) fn settle(&mut self, at: Duration, seconds: Duration, told: Told) {
        let record = &mut self.records[self.done];
        (record.at_s, record.seconds) = (Some(at.as_secs_f64()), seconds.as_secs_f64());
        record.attempts = told.attempts;
        match told.end {
            Ending::Done(rows) => (record.outcome, record.rows) = (EventOutcome::Done, rows),
            Ending::RefusedAgain(error) => {
                record.outcome = EventOutcome::RefusedAgain;
                record.message = Some(error);
            }
            Ending::Refused(error) => {
                record.outcome = EventOutcome::Refused;
                record.message = Some(error);
                return;
            }
            Ending::InDoubt(error) => {
                record.outcome = EventOutcome::InDoubt;
                record.message = Some(error);
                return;
            }
        }
        self.in_doubt = false;
        self.done += 1;
    }

    /// What the record says of them.
    pub(crate) fn records(&self) -> Vec<EventRecord> {
        let mut records = self.records.clone();
        // One that an earlier run left in doubt, and this one did not come to.
        if let Some(next) = records.get_mut(self.done)
            && self.in_doubt
            && next.outcome == EventOutcome::NotReached
        {
            next.outcome = EventOutcome::InDoubt;
        }
        records
    }
}

/// What a lane tells of an event.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) end: Ending,
    pub(crate) attempts: u32,
}

/// How an event ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The database did it, and perhaps counted rows.
    Done(Option<u64>),
    /// It was sent twice, and refused the second time: the first time may have done it.
    RefusedAgain(String),
    /// The database refused it.
    Refused(String),
    /// Nobody can tell.
    InDoubt(String),
}
