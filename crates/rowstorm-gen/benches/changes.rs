//! Changes: nanoseconds per op, by pick; per row that is filled; per op of a replay that looks for last writers.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions};

fn changes_of(schema: &Schema) -> ChangePlan {
    let plan = Plan::new(schema, PlanOptions::default()).expect("the document compiles");
    ChangePlan::new(&plan).expect("its changes compile")
}

fn shop() -> ChangePlan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/shop.yaml");
    changes_of(&Schema::load(path).expect("the sample is valid"))
}

/// Half a million rows in 64 streams, as the shop's orders.
fn picking(pick: &str, delete: &str) -> ChangePlan {
    let text = format!(
        "version: 1
tables:
  t:
    key: [id]
    preload: 500000
    columns:
      id: {{ type: bigint, gen: sequence }}
      n: {{ type: int, gen: {{ uniform: [0, 100] }} }}
changes:
  mix:
    - {{ insert: t, weight: 1 }}
    - {{ update: t, set: [n], pick: {pick}, weight: 98 }}
    - {{ delete: t, pick: {delete}, weight: 1 }}
"
    );
    changes_of(&Schema::parse(&text, Format::Yaml, "pick.yaml").expect("the document is valid"))
}

fn picks(criterion: &mut Criterion) {
    const OPS: u64 = 10_000;
    let mut group = criterion.benchmark_group("op");
    group.throughput(Throughput::Elements(OPS));
    for (name, pick, delete) in [
        ("uniform", "uniform", "oldest"),
        ("latest", "latest", "oldest"),
        ("zipf", "{ zipf: 1.1 }", "oldest"),
        ("hotspot", "{ hotspot: 0.1 }", "oldest"),
        ("uniform_shuffled", "uniform", "uniform"),
    ] {
        let stream = picking(pick, delete).stream(0);
        group.bench_function(name, |bencher| {
            bencher.iter(|| stream.iter(1_000_000..1_000_000 + OPS).map(|op| op.row).sum::<u64>());
        });
    }
    let stream = shop().stream(0);
    group.bench_function("shop", |bencher| {
        bencher.iter(|| stream.iter(1_000_000..1_000_000 + OPS).map(|op| op.row).sum::<u64>());
    });
    group.bench_function("shop_by_number", |bencher| {
        bencher
            .iter(|| (1_000_000..1_000_000 + OPS).map(|number| stream.op(number).row).sum::<u64>());
    });
    group.finish();
}

fn fill(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fill");
    group.throughput(Throughput::Elements(1_000));
    let (stream, mut batch) = (shop().stream(0), ChangeBatch::default());
    let mut start = 0;
    group.bench_function("shop", |bencher| {
        bencher.iter(|| {
            stream.fill(start..start + 1_000, Fate::Commit, &mut batch);
            start = (start + 1_000) % 10_000_000;
            black_box(&mut batch);
        });
    });
    group.finish();
}

fn expected(criterion: &mut Criterion) {
    const OPS: u64 = 10_000_000;
    let mut group = criterion.benchmark_group("expected");
    group.throughput(Throughput::Elements(OPS)).sample_size(10);
    let stream = shop().stream(0);
    group.bench_function("shop", |bencher| bencher.iter(|| black_box(stream.expected(OPS))));
    group.finish();
}

criterion_group!(benches, picks, fill, expected);
criterion_main!(benches);
