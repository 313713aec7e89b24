//! The CPU table of the one-million-rows article: ten tags of 4,000 hosts, a timestamp, ten integers.
//!
//! `plan` fills it through the plan; `by_hand` is a loop written for this one table, which draws the very same values
//! (asserted before anything is measured). Compare the two by their ratio: `ratio` prints it from interleaved rounds,
//! because the machine around both is the same then.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Plan, PlanOptions, Stream, Values};

const SEED: u64 = 42;
const HOSTS: u64 = 4_000;
const START_US: i64 = 1_767_225_600_000_000;
const STEP_US: i64 = 10_000_000;
const READINGS: [&str; 10] = [
    "usage_user",
    "usage_system",
    "usage_idle",
    "usage_nice",
    "usage_iowait",
    "usage_irq",
    "usage_softirq",
    "usage_steal",
    "usage_guest",
    "usage_guest_nice",
];

fn schema() -> Schema {
    let mut text = String::from(
        "version: 1
tables:
  cpu:
    series: { count: 4000 }
    columns:
      hostname: { type: text, per: series, gen: { template: 'host_{series}' } }
",
    );
    for tag in ["region", "datacenter", "rack", "os", "arch", "team", "service", "version", "env"] {
        text += "      ";
        text += tag;
        text += ": { type: text, per: series, gen: { one_of: [one, two, three] } }\n";
    }
    text += "      ts: { type: timestamp, gen: { clock: { step: 10s } } }\n";
    for reading in READINGS {
        text += "      ";
        text += reading;
        text += ": { type: int, gen: { uniform: [0, 100] } }\n";
    }
    Schema::parse(&text, Format::Yaml, "cpu.yaml").expect("the CPU table is valid")
}

/// The columns that change from row to row; the tags are the host's.
#[derive(Default)]
struct ByHand {
    hosts: Vec<u32>,
    instants: Vec<i64>,
    readings: [Vec<i64>; 10],
}

impl ByHand {
    fn fill(&mut self, streams: &[Stream; 10], start: u64, rows: usize) {
        let (mut host, mut tick) = (start % HOSTS, start / HOSTS);
        self.hosts.resize(rows, 0);
        self.instants.resize(rows, 0);
        for (out, instant) in self.hosts.iter_mut().zip(&mut self.instants) {
            *out = host as u32;
            *instant = START_US + tick as i64 * STEP_US;
            host += 1;
            if host == HOSTS {
                (host, tick) = (0, tick + 1);
            }
        }
        // Batches start at even rows here: a word serves a row and the next.
        for (stream, out) in streams.iter().zip(&mut self.readings) {
            out.resize(rows, 0);
            for (word, pair) in (start / 2..).zip(out.chunks_exact_mut(2)) {
                let bits = stream.at(word).bits();
                pair[0] = (((bits >> 32) * 101) >> 32) as i64;
                pair[1] = (((bits & 0xFFFF_FFFF) * 101) >> 32) as i64;
            }
        }
    }

    fn check(&self, batch: &Batch) {
        assert_eq!(self.hosts, batch.series);
        let of = |column: usize| match &batch.columns[column].values {
            Values::Int(values) | Values::Timestamp(values) => values,
            other => panic!("{other:?}"),
        };
        assert_eq!(&self.instants, of(10));
        for (place, readings) in self.readings.iter().enumerate() {
            assert_eq!(readings, of(11 + place), "{}", READINGS[place]);
        }
    }
}

fn cpu(criterion: &mut Criterion) {
    let plan = Plan::new(&schema(), PlanOptions { seed: SEED, ..PlanOptions::default() })
        .expect("the CPU table compiles");
    let table = plan.table("cpu").expect("it is the only one");
    let root = Stream::new(SEED).named("cpu");
    let streams = READINGS.map(|name| root.named(name));
    let (mut batch, mut hand) = (Batch::default(), ByHand::default());
    let rows = BATCH_ROWS_MAX as u64;
    for start in [0, rows * 3, rows * 1_000_000] {
        table.fill(start..start + rows, &mut batch);
        hand.fill(&streams, start, BATCH_ROWS_MAX);
        hand.check(&batch);
    }
    ratio(&mut |start| table.fill(start..start + rows, &mut batch), &mut |start| {
        hand.fill(&streams, start, BATCH_ROWS_MAX);
        black_box(&mut hand);
    });
    let mut group = criterion.benchmark_group("cpu");
    group.throughput(Throughput::Elements(rows));
    let mut start = 0;
    group.bench_function("plan", |bencher| {
        bencher.iter(|| {
            start += rows;
            table.fill(start..start + rows, &mut batch);
            black_box(&mut batch);
        });
    });
    group.bench_function("by_hand", |bencher| {
        bencher.iter(|| {
            start += rows;
            hand.fill(&streams, start, BATCH_ROWS_MAX);
            black_box(&mut hand);
        });
    });
    group.finish();
}

/// Prints the plan's time over the hand-written loop's, the median of interleaved rounds.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn ratio(plan: &mut dyn FnMut(u64), hand: &mut dyn FnMut(u64)) {
    const BATCHES: u64 = 500;
    const ROUNDS: usize = 41;
    let rows = BATCH_ROWS_MAX as u64;
    let nanos_per_row = |fill: &mut dyn FnMut(u64)| {
        let began = std::time::Instant::now();
        (0..BATCHES).for_each(|batch| fill(batch * rows));
        began.elapsed().as_nanos() as f64 / (BATCHES * rows) as f64
    };
    let mut rounds: Vec<(f64, f64)> =
        (0..ROUNDS).map(|_| (nanos_per_row(plan), nanos_per_row(hand))).collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (plan, hand) = rounds[ROUNDS / 2];
    println!("cpu: plan {plan:.1} ns/row, by hand {hand:.1} ns/row, ratio {:.2}", plan / hand);
}

/// One column of each hot kind, a thousand rows at a time.
fn kinds(criterion: &mut Criterion) {
    let kinds = [
        ("uniform", "{ type: int, gen: { uniform: [0, 100] } }"),
        ("uniform_wide", "{ type: bigint, gen: { uniform: [0, 1000000000000] } }"),
        ("normal", "{ type: float, gen: { normal: { mean: 0, stdev: 1 } } }"),
        ("one_of", "{ type: text, gen: { one_of: { a: 5, b: 3, c: 2 } } }"),
        ("template", "{ type: text, gen: { template: 'user_{row}@example.org' } }"),
        ("text", "{ type: text, gen: { text: { bytes: 1024 } } }"),
        ("uuid_v4", "{ type: uuid, gen: uuid_v4 }"),
        ("walk", "{ type: float, gen: { walk: { mean: 6.4, stdev: 0.2 } } }"),
        ("nulls", "{ type: int, nulls: 0.1, gen: { uniform: [0, 100] } }"),
    ];
    let mut group = criterion.benchmark_group("kinds");
    let rows = BATCH_ROWS_MAX as u64;
    group.throughput(Throughput::Elements(rows));
    for (name, column) in kinds {
        let text = format!("version: 1\ntables: {{ t: {{ columns: {{ c: {column} }} }} }}");
        let schema = Schema::parse(&text, Format::Yaml, "kind.yaml").expect("the kind is valid");
        let plan = Plan::new(&schema, PlanOptions::default()).expect("the kind compiles");
        let table = plan.table("t").expect("it is the only one");
        let (mut batch, mut start) = (Batch::default(), 0);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                start += rows;
                table.fill(start..start + rows, &mut batch);
                black_box(&mut batch);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, cpu, kinds);
criterion_main!(benches);
