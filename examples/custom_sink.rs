//! A target of one's own: a queue in the process, with a bound, that refuses what is too much.
//!
//! `cargo run --example custom_sink`
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rowstorm::generate::{Batch, TablePlan, Values};
use rowstorm::sink::{
    Audit, Encoder, Explanation, Limits, NoChanger, Outcome, Payload, Prepare, Scope, Sink,
    SinkError, Writer,
};
use rowstorm::{Ending, Error, Format, Run, Schema};

/// Messages that a consumer would take from here.
#[derive(Debug, Clone, Default)]
struct Queue {
    messages: Arc<Mutex<Vec<i64>>>,
    room: u64,
    asked: Arc<AtomicU64>,
}

struct Numbers;

impl Encoder for Numbers {
    fn begin(&mut self, _: &mut Payload) {}

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        let Values::Int(numbers) = &batch.columns[0].values else {
            panic!("this queue takes one int column");
        };
        for number in numbers {
            payload.body.put_array(number.to_le_bytes());
        }
    }

    fn end(&mut self, _: &mut Payload) {}
}

impl Writer for Queue {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut messages = self.messages.lock().expect("no writer panics");
        let room = self.room.saturating_sub(messages.len() as u64).min(payload.len());
        let taken = payload.body.as_slice().chunks_exact(8).take(room as usize);
        messages.extend(taken.map(|bytes| i64::from_le_bytes(bytes.try_into().expect("8 bytes"))));
        let mut outcome = Outcome::accepted(room);
        outcome.rejected.add("queue full", payload.len() - room, "the queue holds no more");
        Ok(outcome)
    }
}

impl Sink for Queue {
    type Writer = Queue;
    type Encoder = Numbers;
    type Changer = NoChanger;

    fn limits(&self, _: &TablePlan) -> Limits {
        Limits { rows: 1_000, bytes: 1 << 20, writers: 2, idempotent: false }
    }

    fn encoder(&self, _: &TablePlan) -> Numbers {
        Numbers
    }

    fn explain(&self, _: &TablePlan, _: &Prepare) -> Explanation {
        Explanation { method: "push".to_owned(), ..Explanation::default() }
    }

    async fn prepare(&self, _: &TablePlan, _: &Prepare) -> Result<(), SinkError> {
        Ok(())
    }

    async fn writer(&self, _: &Arc<TablePlan>) -> Result<Queue, SinkError> {
        Ok(self.clone())
    }

    async fn finish(&self, _: &TablePlan, _: &Prepare) -> Result<(), SinkError> {
        Ok(())
    }

    async fn audit(&self, _: &TablePlan, _: &Scope) -> Result<Audit, SinkError> {
        let rows = self.messages.lock().expect("no writer panics").len() as u64;
        Ok(Audit { rows, ..Audit::default() })
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    overfill().await
}

/// Ten thousand messages into a queue for nine thousand: the rest is counted as refused, and the run says so.
async fn overfill() -> Result<(), Error> {
    let schema = Schema::parse(
        "version: 1\ntables: { jobs: { columns: { id: { type: bigint, gen: sequence } } } }",
        Format::Yaml,
        "jobs.yaml",
    )?;
    let queue = Queue { room: 9_000, ..Queue::default() };
    let all = |options: &mut rowstorm::RunOptions| {
        options.max_errors = rowstorm::runner::MaxErrors::Percent(100.0);
    };
    let done = Run::new(schema).rows(10_000).sink(queue.clone()).options(all).go().await?;
    let rows = &done.record.rows;
    println!(
        "{} messages taken, {} refused, ended {:?}",
        rows.accepted, rows.rejected, done.ending
    );
    assert_eq!((rows.accepted, rows.rejected, rows.audited), (9_000, 1_000, Some(9_000)));
    assert!(matches!(done.ending, Ending::Done));
    Ok(())
}

#[cfg(test)]
#[tokio::test]
async fn the_example_holds() -> Result<(), Error> {
    overfill().await
}
