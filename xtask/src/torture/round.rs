//! One round: killed, gone on with, proved.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::client::{Client, Counted};
use super::moments::Moments;
use super::process::{InDoubt, Phase, Program};

/// The mix in parts of 24: customers, orders and visits that are inserted, orders that are deleted. The rest are updates.
const ROUND: u64 = 24;
const CUSTOMERS_BORN: u64 = 2;
const ORDERS_BORN: u64 = 8;
const ORDERS_GONE: u64 = 1;
const VISITS_BORN: u64 = 4;
/// Streams, unless the schema says otherwise: with a whole number of rounds in each, the sums are exact.
const STREAMS: u64 = 64;

/// What is tortured, and who counts.
pub(super) struct Setting {
    pub(super) program: Program,
    pub(super) client: Client,
    pub(super) amount: Amount,
}

/// What a round does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    rows: u64,
    changes: u64,
}

/// How long it takes where nobody kills it.
pub(super) struct Pace {
    /// From the start to the first change.
    pub(super) load: Duration,
    pub(super) total: Duration,
}

/// How a round went.
pub(super) struct Round {
    pub(super) seed: u64,
    pub(super) batch: u32,
    pub(super) in_flight: u32,
    pub(super) kills: Kills,
    /// Transactions that were sent and not answered when the process was killed, all kills together.
    pub(super) in_doubt: u64,
    /// The same of events.
    pub(super) events_in_doubt: u64,
    /// Changes of the last part that the database had already: committed, and the process did not live to know.
    pub(super) confirmed: u64,
    pub(super) verified: u64,
    pub(super) seconds: f64,
}

/// Kills by where the process was.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Kills {
    pub(super) early: u32,
    pub(super) load: u32,
    pub(super) changes: u32,
}

impl Amount {
    /// # Errors
    /// Amounts of which a client's counts cannot be told beforehand.
    pub(super) fn new(rows: u64, changes: u64) -> anyhow::Result<Amount> {
        let part = STREAMS * ROUND;
        ensure!(
            changes >= 4 * part && changes.is_multiple_of(part),
            "--changes is a multiple of {part}, at least {}",
            4 * part
        );
        // One customer and one visit for five orders, and enough orders that the oldest which are deleted are loaded ones.
        ensure!(rows.is_multiple_of(7) && rows >= 700, "--rows is a multiple of 7, at least 700");
        Ok(Amount { rows, changes })
    }

    /// After how many changes the events are: each stream has done whole rounds then.
    pub(super) fn events(self) -> [u64; 3] {
        let parts = self.changes / (STREAMS * ROUND);
        [parts / 4, parts / 2, parts * 3 / 4].map(|part| part * STREAMS * ROUND)
    }

    /// What the client must count. Keys are numbered from 1 without a gap: each stream inserts and deletes as many.
    fn expected(self) -> Counted {
        let Amount { rows, changes } = self;
        let of = |weight: u64| changes * weight / ROUND;
        let (customers, orders) = (rows / 7 + of(CUSTOMERS_BORN), rows / 7 * 5 + of(ORDERS_BORN));
        let gone = of(ORDERS_GONE);
        let visits = rows / 7 + of(VISITS_BORN);
        // Those that were emptied.
        let old = rows / 7 + self.events()[1] * VISITS_BORN / ROUND;
        Counted {
            customers: [customers, 1, customers],
            orders: [orders - gone, gone + 1, orders],
            visits: [visits - old, old + 1, visits],
            orphans: 0,
            noted: 0,
        }
    }
}

impl Setting {
    /// A run that nobody kills, proved like the others.
    pub(super) fn unharmed(&self, seed: u64) -> anyhow::Result<Pace> {
        self.clear()?;
        let mut run = self.program.start(&self.options(seed, 1_000, 4))?;
        run.wait_for_changes()?;
        let load = run.started.elapsed();
        let total = run.end()?;
        self.prove().context("before anything was killed")?;
        Ok(Pace { load, total })
    }

    /// Kills and goes on; then everything must be as if nothing had happened.
    pub(super) fn round(&self, seed: u64, kills: u32, pace: &Pace) -> anyhow::Result<Round> {
        let started = std::time::Instant::now();
        self.clear()?;
        let mut moments = Moments::new(seed);
        let (batch, in_flight) = (moments.one_of([50, 200, 1_000]), moments.one_of([1, 3, 8]));
        let options = self.options(seed, batch, in_flight);
        let (mut seen, mut doubts) = (Kills::default(), InDoubt::default());
        for kill in 0..kills {
            let mut run = self.program.start(&options)?;
            // The first two are for the load, the others for the changes, wherever they really come.
            let until = if kill < 2 && kill + 1 < kills {
                pace.load
            } else {
                if !run.wait_for_changes()? {
                    run.end()?;
                    break;
                }
                pace.total.saturating_sub(pace.load) / (kills / 2).max(1)
            };
            match run.kill_after(moments.before(until))? {
                Phase::Early => seen.early += 1,
                Phase::Load => seen.load += 1,
                Phase::Changes(more) => {
                    seen.changes += 1;
                    doubts.transactions += more.transactions;
                    doubts.events += more.events;
                }
                Phase::Over => break,
            }
        }
        self.program.start(&options)?.end()?;
        let (confirmed, verified) = self.prove()?;
        let seconds = started.elapsed().as_secs_f64();
        Ok(Round {
            seed,
            batch,
            in_flight,
            kills: seen,
            in_doubt: doubts.transactions,
            events_in_doubt: doubts.events,
            confirmed,
            verified,
            seconds,
        })
    }

    fn clear(&self) -> anyhow::Result<()> {
        self.program.forget();
        self.client.clear()
    }

    fn options(&self, seed: u64, batch: u32, in_flight: u32) -> Vec<String> {
        let Amount { rows, changes } = self.amount;
        let given = [
            ("rows", rows),
            ("changes", changes),
            ("seed", seed),
            ("batch", batch.into()),
            ("in-flight", in_flight.into()),
        ];
        given.iter().flat_map(|(name, value)| [format!("--{name}"), value.to_string()]).collect()
    }

    /// By the record, by `verify`, and by the client: changes that were confirmed, and rows that were compared.
    fn prove(&self) -> anyhow::Result<(u64, u64)> {
        let record = self.program.record()?;
        ensure!(record["ended"] == "done", "the record ended {}", record["ended"]);
        let done = record["changes"]["ranges_done"].as_array().into_iter().flatten();
        let done: u64 = done.filter_map(Value::as_u64).sum();
        ensure!(done == self.amount.changes, "{done} changes are done");
        let verified = self.program.verify()?;
        let events = record["changes"]["events"].as_array().into_iter().flatten();
        let done = ["done", "done_before", "refused_again"];
        let left = |event: &&Value| !done.iter().any(|word| event["outcome"] == *word);
        if let Some(event) = events.clone().find(left) {
            bail!("an event is not done: {event}");
        }
        ensure!(events.count() == self.amount.events().len(), "events are not in the record");
        let (counted, expected) = (self.client.count()?, self.amount.expected());
        ensure!(counted == expected, "the client counts {counted:?}, and it must be {expected:?}");
        ensure!(
            verified == expected.customers[0] + expected.orders[0] + expected.visits[0],
            "{verified} rows were verified, and the client counts {counted:?}"
        );
        let confirmed = record.pointer("/changes/rows/confirmed").and_then(Value::as_u64);
        Ok((confirmed.context("the record has no accounts of its changes")?, verified))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_be_there_follows_from_the_weights() {
        let counted = Amount::new(700, 0);
        assert!(counted.is_err(), "nothing would be changed");
        let expected = Amount::new(700, 6_144).unwrap().expected();
        // 512 customers, 2,048 orders and 1,024 visits more, 256 orders less, and 612 visits emptied half-way.
        assert_eq!(expected.customers, [612, 1, 612]);
        assert_eq!(expected.orders, [2_292, 257, 2_548]);
        assert_eq!(expected.visits, [512, 613, 1_124]);
    }
}
