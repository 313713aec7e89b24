//! The event loop: a client with lanes, a network, a server; time goes from event to event.
//!
//! The client is the same for every controller. A lane makes a batch when a place and its bytes are free and its rows, with
//! those in hand, are no more than what is decided to be in flight; it sends it, and keeps all three through every retry. A refused batch waits 100 ms, then twice as long each time up to 2 s, of which a random half
//! to all is waited, and its rows are given up after the fifth retry, as `run` does; one that is too large is sent in halves. So what differs between two runs is the controller alone.

use std::collections::BinaryHeap;
use std::time::Duration;

use super::server::{Entry, Server, Smallest};
use super::trace::BUCKET_S;
use super::weather::STEP_S;
use super::{Random, Scenario, Surface, Trace, Weather};
use crate::{Controller, Counters, Observation, Verdict};

/// How often a refused batch is sent again: `run --retry`'s default.
const RETRIES_MAX: u32 = 5;

/// A run to be simulated.
#[derive(Debug, Clone, Copy)]
pub struct Simulation<'a> {
    /// The server.
    pub scenario: &'a Scenario,
    /// What time does to it.
    pub weather: &'a Weather,
    /// Fixes the noise of single batches.
    pub seed: u64,
    /// Virtual seconds.
    pub seconds: f64,
    /// Seconds at which to note what the controller would keep.
    pub kept_at: &'a [f64],
    /// Whether every observation is kept.
    pub journal: bool,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Arrives(usize),
    Answered(usize, Verdict),
    Sends(usize),
}

/// A batch in hand.
#[derive(Debug, Clone, Copy, Default)]
struct Job {
    rows: f64,
    /// Rows when it was made.
    whole: f64,
    /// Rows of halves that are still to be sent.
    rest: f64,
    bytes: f64,
    held: f64,
    decision: u64,
    sent: f64,
    attempts: u32,
    hidden: u32,
    halved: bool,
}

struct World<'a> {
    run: Simulation<'a>,
    surface: &'a Surface,
    controller: &'a mut dyn Controller,
    trace: Trace,
    random: Random,
    now: f64,
    events: BinaryHeap<(Smallest, u64, EventOrd)>,
    number: u64,
    server: Server,
    jobs: Vec<Job>,
    free: Vec<usize>,
    active: u32,
    sending: u32,
    bytes: f64,
    /// Rows of all batches in hand.
    rows: f64,
    generator_free: f64,
    counters: Counters,
    known: u64,
}

/// An event in the heap; times and numbers decide, never this.
#[derive(Debug, Clone, Copy)]
struct EventOrd(Event);

impl PartialEq for EventOrd {
    fn eq(&self, _: &EventOrd) -> bool {
        true
    }
}
impl Eq for EventOrd {}
impl PartialOrd for EventOrd {
    fn partial_cmp(&self, other: &EventOrd) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for EventOrd {
    fn cmp(&self, _: &EventOrd) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl Simulation<'_> {
    /// Runs a controller.
    pub fn run(self, controller: &mut dyn Controller) -> Trace {
        let mut trace = Trace::default();
        trace.rows.resize((self.seconds / BUCKET_S).ceil() as usize, 0.0);
        let mut world = World {
            run: self,
            surface: self.scenario.regime_at(0.0),
            known: u64::MAX,
            controller,
            trace,
            random: Random::new(self.seed),
            now: 0.0,
            events: BinaryHeap::new(),
            number: 0,
            server: Server::default(),
            jobs: Vec::new(),
            free: Vec::new(),
            active: 0,
            sending: 0,
            bytes: 0.0,
            rows: 0.0,
            generator_free: 0.0,
            counters: Counters::default(),
        };
        world.work();
        world.trace
    }
}

impl World<'_> {
    fn work(&mut self) {
        let mut ended = Vec::new();
        let mut ticks = 0u64;
        let mut kept_at = self.run.kept_at.iter().peekable();
        self.decided();
        loop {
            let tick = ticks as f64 * STEP_S;
            let event = self.events.peek().map_or(f64::INFINITY, |event| event.0.0);
            let server = self.server.next(self.surface);
            let next = tick.min(event).min(server);
            if next >= self.run.seconds {
                break;
            }
            self.server.advance(self.surface, next);
            self.now = next;
            if tick <= next {
                self.tick(ticks);
                ticks += 1;
                while kept_at.next_if(|second| **second <= self.now).is_some() {
                    self.trace.kept.push(self.controller.kept());
                }
            } else if event <= next {
                let (_, _, EventOrd(event)) = self.events.pop().expect("one was seen");
                self.happens(event);
            }
            let flush_s = self.surface.flush_ms * 1e-3;
            self.server.settle(self.surface, self.now, flush_s, &mut ended);
            for job in ended.drain(..) {
                self.server.leave(self.jobs[job].bytes);
                self.answer(job, Verdict::Done);
            }
            self.start();
        }
        while kept_at.next().is_some() {
            self.trace.kept.push(self.controller.kept());
        }
    }

    fn tick(&mut self, ticks: u64) {
        self.surface = self.run.scenario.regime_at(self.now);
        self.server.tick(self.surface, self.run.weather.at(self.now), STEP_S);
        if self.surface.hidden_retries > 0.0 && ticks % 10 == 9 {
            self.counters.at = Duration::from_secs_f64(self.now);
            self.controller.count(&self.counters);
            self.decided();
        }
    }

    fn later(&mut self, at: f64, event: Event) {
        self.number += 1;
        // Events of the same moment come in the order in which they were made.
        self.events.push((Smallest(at), u64::MAX - self.number, EventOrd(event)));
    }

    /// Lanes that are free take a batch, as far as the bytes go.
    fn start(&mut self) {
        let (batch_rows, in_flight, number) = {
            let decision = self.controller.decision();
            (decision.batch_rows, decision.in_flight, decision.number)
        };
        let rows = f64::from(batch_rows.max(1));
        while self.active < in_flight {
            let held = self.surface.bytes(rows);
            let over = self.bytes + held > self.surface.budget_bytes
                || self.rows + rows > rows * f64::from(in_flight);
            if self.active > 0 && over {
                return;
            }
            self.rows += rows;
            let bytes = held * (1.0 - 0.02 * self.random.uniform());
            let job = Job { rows, whole: rows, bytes, held, decision: number, ..Job::default() };
            let index = self.free.pop().unwrap_or_else(|| {
                self.jobs.push(Job::default());
                self.jobs.len() - 1
            });
            self.jobs[index] = job;
            self.active += 1;
            self.bytes += held;
            self.trace.bytes_max = self.trace.bytes_max.max(self.bytes);
            self.generator_free = self.generator_free.max(self.now) + rows / self.surface.generator;
            let made = self.generator_free;
            self.later(made, Event::Sends(index));
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Sends(index) => {
                self.trace.requests += 1;
                self.counters.requests += 1;
                self.sending += 1;
                self.jobs[index].sent = self.now;
                let arrives = self.now + self.surface.network_ms * 0.5e-3;
                self.later(arrives, Event::Arrives(index));
            }
            Event::Arrives(index) => self.arrives(index),
            Event::Answered(index, verdict) => self.answered(index, verdict),
        }
    }

    fn arrives(&mut self, index: usize) {
        let job = self.jobs[index];
        let mut work = self.surface.work(job.rows) * self.random.log_normal(self.surface.noise);
        if self.surface.spike_share > 0.0 && self.random.chance(self.surface.spike_share) {
            work *= self.surface.spike_factor * self.random.between(0.5, 1.5);
        }
        match self.server.enter(self.surface, index, job.bytes, work) {
            Entry::Taken => {}
            Entry::TooLarge => self.answer(index, Verdict::TooLarge),
            Entry::Refused => {
                if f64::from(job.hidden) < self.surface.hidden_retries {
                    self.trace.hidden += 1;
                    self.counters.rejected += 1;
                    self.jobs[index].hidden += 1;
                    let pause = 0.05 * self.random.between(0.5, 1.5) * f64::from(job.hidden + 1);
                    self.later(self.now + pause, Event::Arrives(index));
                } else {
                    self.answer(index, Verdict::Busy);
                }
            }
        }
    }

    fn answer(&mut self, index: usize, verdict: Verdict) {
        let at = self.now + self.surface.network_ms * 0.5e-3;
        self.later(at, Event::Answered(index, verdict));
    }

    fn answered(&mut self, index: usize, verdict: Verdict) {
        let job = self.jobs[index];
        let latency = self.now - job.sent;
        let observation = Observation {
            at: Duration::from_secs_f64(self.now),
            latency: Duration::from_secs_f64(latency),
            rows: job.rows as u32,
            bytes: job.bytes as u64,
            in_flight: self.sending,
            decision: job.decision,
            verdict,
        };
        self.sending -= 1;
        // A half that is too large says nothing new of the whole.
        if verdict != Verdict::TooLarge || !job.halved {
            self.controller.observe(&observation);
            if self.run.journal {
                self.trace.journal.push((observation, self.controller.decision().clone()));
            }
            self.decided();
        }
        match verdict {
            Verdict::Done => self.arrived(index, latency),
            Verdict::Busy | Verdict::Failed if self.jobs[index].attempts >= RETRIES_MAX => {
                self.trace.refused += 1;
                self.trace.given_up += 1;
                self.end(index);
            }
            Verdict::Busy | Verdict::Failed => {
                self.trace.refused += 1;
                let wait = 0.1 * f64::from(1 << job.attempts.min(5));
                let wait = wait.min(2.0) * self.random.between(0.5, 1.0);
                let job = &mut self.jobs[index];
                job.attempts += 1;
                job.hidden = 0;
                self.later(self.now + wait, Event::Sends(index));
            }
            Verdict::TooLarge => {
                let job = &mut self.jobs[index];
                let half = (job.rows / 2.0).ceil().max(1.0);
                job.rest += job.rows - half;
                job.bytes *= half / job.rows;
                job.rows = half;
                job.halved = true;
                self.later(self.now, Event::Sends(index));
            }
        }
    }

    fn arrived(&mut self, index: usize, latency: f64) {
        let job = self.jobs[index];
        self.trace.done += 1;
        let limit = self.surface.p99_ms * 1e-3;
        if limit > 0.0 && latency > limit {
            self.trace.late += 1;
        } else {
            let entry = (self.now / BUCKET_S) as usize;
            self.trace.rows[entry] += job.rows;
        }
        if job.rest > 0.0 {
            let rows = job.rest.min(job.rows);
            let next = &mut self.jobs[index];
            next.rest -= rows;
            next.bytes *= rows / next.rows;
            next.rows = rows;
            self.later(self.now, Event::Sends(index));
        } else {
            self.end(index);
        }
    }

    /// A lane is free again.
    fn end(&mut self, index: usize) {
        self.active -= 1;
        self.bytes -= self.jobs[index].held;
        self.rows -= self.jobs[index].whole;
        self.free.push(index);
    }

    fn decided(&mut self) {
        let decision = self.controller.decision();
        if decision.number == self.known {
            return;
        }
        self.known = decision.number;
        self.trace.decisions += 1;
        let bytes = self.surface.bytes(f64::from(decision.batch_rows));
        let smallest = decision.batch_rows <= 1 && decision.in_flight <= 1;
        if bytes * f64::from(decision.in_flight) > self.surface.budget_bytes && !smallest {
            self.trace.over_budget += 1;
        }
    }
}
