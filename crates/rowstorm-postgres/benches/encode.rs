//! Filling and encoding the CPU table of the one-million-rows article, against a loop written for this one table.
//!
//! `grouped` has its ten tags on the host (one copy a row), `by hand` writes the very same bytes (asserted first),
//! `plain` draws each tag for itself in every row: in interleaved rounds, because the machine around all of them is the
//! same then. `copy` is a memory copy of the grouped bytes.

use std::hint::black_box;
use std::time::Instant;

use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Plan, PlanOptions, Stream, TablePlan};
use rowstorm_postgres::{ConnectOptions, CopyEncoder, Postgres};
use rowstorm_sink::{Encoder as _, Payload, Sink as _};

const HOSTS: usize = 4_000;
const ROWS: usize = BATCH_ROWS_MAX;
const PAYLOAD_ROWS: u64 = 10_240;
const START_US: i64 = 1_767_225_600_000_000;
const STEP_US: i64 = 10_000_000;
/// So many payloads are copied at once: about 128 MiB.
const COPIES: usize = 64;
/// What the header and the trailer of a payload take.
const FRAME: (usize, usize) = (19, 2);

/// The table; `per` says how often a tag is drawn.
fn table(per: &str) -> Plan {
    let column = |name: String, rest: &str| format!("      {name}: {{ {rest} }}\n");
    let drawn = |entries| format!("type: text, per: {per}, gen: {{ one_of: [{entries}] }}");
    let hosts = column("host".into(), &drawn("host_1, host_20, host_300"));
    let tags = drawn("eu-central-1a, production, x64");
    let tags = (1..10).map(|place| column(format!("tag{place}"), &tags));
    let clock = column("ts".into(), "type: timestamp, gen: { clock: { step: 10s } }");
    let reading = "type: int, gen: { uniform: [0, 100] }";
    let readings = (0..10).map(|place| column(format!("r{place}"), reading));
    let columns: String = [hosts].into_iter().chain(tags).chain([clock]).chain(readings).collect();
    let text = format!(
        "version: 1\ntables:\n  cpu:\n    series: {{ count: {HOSTS} }}\n    columns:\n{columns}"
    );
    let schema = Schema::parse(&text, Format::Yaml, "cpu.yaml").expect("the CPU table is valid");
    Plan::new(&schema, PlanOptions::default()).expect("the CPU table compiles")
}

/// The generic path: what a run does.
struct Generic<'a> {
    table: &'a TablePlan,
    encoder: CopyEncoder,
    batch: Batch,
    payload: Payload,
}

impl Generic<'_> {
    fn make(&mut self, start: u64) -> &[u8] {
        self.payload.clear();
        self.encoder.begin(&mut self.payload);
        for first in (start..start + PAYLOAD_ROWS).step_by(ROWS) {
            self.table.fill(first..first + ROWS as u64, &mut self.batch);
            self.encoder.encode(&self.batch, &mut self.payload);
        }
        self.encoder.end(&mut self.payload);
        self.payload.body.as_slice()
    }
}

/// The same bytes by a loop that knows this table: tags of each host encoded ahead, readings drawn two to a word.
struct ByHand {
    hosts: Vec<Vec<u8>>,
    streams: [Stream; 10],
    readings: [Vec<u32>; 10],
    out: Vec<u8>,
}

impl ByHand {
    /// Takes the tags from rows that the generic path made: one for each host.
    fn new(rows: &[u8]) -> ByHand {
        const TAIL: usize = 12 + 10 * 8;
        let mut rest = &rows[FRAME.0..];
        let mut hosts = Vec::new();
        while hosts.len() < HOSTS {
            let mut end = 2;
            for _ in 0..10 {
                end += 4 + u32::from_be_bytes(rest[end..end + 4].try_into().expect("four bytes"))
                    as usize;
            }
            hosts.push(rest[..end].to_vec());
            rest = &rest[end + TAIL..];
        }
        let root = Stream::new(PlanOptions::default().seed).named("cpu");
        let streams = std::array::from_fn(|place| root.named(&format!("r{place}")));
        ByHand { hosts, streams, readings: Default::default(), out: Vec::new() }
    }

    fn make(&mut self, start: u64) -> &[u8] {
        self.out.clear();
        for first in (start..start + PAYLOAD_ROWS).step_by(ROWS) {
            for (stream, out) in self.streams.iter().zip(&mut self.readings) {
                out.clear();
                let words = first / 2;
                for word in words..words + ROWS as u64 / 2 {
                    let bits = stream.at(word).bits();
                    out.push((((bits >> 32) * 101) >> 32) as u32);
                    out.push((((bits & 0xFFFF_FFFF) * 101) >> 32) as u32);
                }
            }
            for row in 0..ROWS {
                let (host, tick) =
                    ((first as usize + row) % HOSTS, (first + row as u64) / HOSTS as u64);
                self.out.extend_from_slice(&self.hosts[host]);
                let mut tail = [0_u8; 92];
                tail[3] = 8;
                let instant = START_US + tick as i64 * STEP_US - 946_684_800_000_000;
                tail[4..12].copy_from_slice(&instant.to_be_bytes());
                for (cell, values) in tail[12..].chunks_exact_mut(8).zip(&self.readings) {
                    cell.copy_from_slice(&(4 << 32 | u64::from(values[row])).to_be_bytes());
                }
                self.out.extend_from_slice(&tail);
            }
        }
        &self.out
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() {
    const ROUNDS: u64 = 41;
    let options = ConnectOptions { url: "postgres://localhost".into(), ..Default::default() };
    let sink = Postgres::new(options).expect("the URL is one of PostgreSQL");
    let plans = [table("series"), table("row")];
    let [mut grouped, mut plain] = plans.each_ref().map(|plan| {
        let table = &plan.tables()[0];
        Generic {
            table,
            encoder: sink.encoder(table),
            batch: Batch::default(),
            payload: Payload::default(),
        }
    });
    let mut hand = ByHand::new(grouped.make(0));
    for start in [0, PAYLOAD_ROWS * 7] {
        let bytes = grouped.make(start);
        assert!(hand.make(start) == &bytes[FRAME.0..bytes.len() - FRAME.1], "the same bytes");
    }
    // Beyond every cache, as the bytes of a run are.
    let from = grouped.make(0).repeat(COPIES);
    let mut to = from.clone();
    let mut times: [Vec<f64>; 4] = Default::default();
    let mut time = |place: usize, rows: u64, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        times[place].push(begun.elapsed().as_nanos() as f64 / rows as f64);
    };
    for round in 0..ROUNDS {
        let start = PAYLOAD_ROWS * round;
        time(0, PAYLOAD_ROWS, &mut || _ = black_box(grouped.make(start)));
        time(1, PAYLOAD_ROWS, &mut || _ = black_box(hand.make(start)));
        time(2, PAYLOAD_ROWS, &mut || _ = black_box(plain.make(start)));
    }
    // Apart: it would leave the others nothing in the caches.
    for _ in 0..ROUNDS {
        time(3, PAYLOAD_ROWS * COPIES as u64, &mut || black_box(&mut to).copy_from_slice(&from));
    }
    let [grouped, hand, plain, copy] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!(
        "fill + encode, ns a row: grouped {grouped:.1}, by hand {hand:.1}, plain {plain:.1}, copy {copy:.1}"
    );
    println!("grouped / by hand {:.2}; copy / grouped {:.2}", grouped / hand, copy / grouped);
}
