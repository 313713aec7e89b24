//! Every kind of generator as a column, by name: the laws and the golden files go through all of them.

use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions};

/// Columns of a table with 7 series, one or more for every generator and every branch of its fill.
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("sequence", "{ type: bigint, gen: { sequence: { start: 5, step: 3 } } }"),
    ("sequence_float", "{ type: float, gen: sequence }"),
    ("sequence_decimal", "{ type: 'decimal(20,2)', gen: sequence }"),
    ("uniform", "{ type: int, gen: { uniform: [-20, 100] } }"),
    ("uniform_wide", "{ type: bigint, gen: { uniform: [-5000000000, 5000000000] } }"),
    (
        "uniform_full",
        "{ type: bigint, gen: { uniform: ['-9223372036854775808', 9223372036854775807] } }",
    ),
    ("uniform_unique", "{ type: int, unique: true, gen: { uniform: [1, 2000000] } }"),
    ("uniform_float", "{ type: float, gen: { uniform: [-1.5, 2.5] } }"),
    ("uniform_real", "{ type: real, gen: { uniform: [0, 1] } }"),
    ("uniform_decimal", "{ type: 'decimal(10,2)', gen: { uniform: [0.01, 999.99] } }"),
    (
        "uniform_decimal_wide",
        "{ type: 'decimal(38,0)', gen: { uniform: ['-90000000000000000000000000000000000000', '90000000000000000000000000000000000000'] } }",
    ),
    (
        "uniform_timestamp",
        "{ type: timestamp, gen: { uniform: ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'] } }",
    ),
    ("normal", "{ type: float, gen: { normal: { mean: 10, stdev: 2, min: 4, max: 15 } } }"),
    ("normal_int", "{ type: int, gen: { normal: { mean: 50, stdev: 20 } } }"),
    ("log_normal", "{ type: 'decimal(10,2)', gen: { log_normal: { median: 40, sigma: 0.8 } } }"),
    ("exponential", "{ type: real, gen: { exponential: { mean: 3 } } }"),
    ("zipf", "{ type: int, gen: { zipf: { n: 100, exponent: 1.1 } } }"),
    ("zipf_many", "{ type: bigint, gen: { zipf: { n: 1000000000, exponent: 1 } } }"),
    ("one_of", "{ type: text, gen: { one_of: [red, green, blue] } }"),
    ("one_of_weighted", "{ type: int, gen: { one_of: { '200': 95, '404': 4, '500': 1 } } }"),
    ("one_of_json", "{ type: json, gen: { one_of: [{ a: 1 }, [1, 2], plain] } }"),
    ("one_of_uuid", "{ type: uuid, gen: { one_of: [67e55044-10b1-426f-9247-bb680e5fe0c8] } }"),
    (
        "template",
        "{ type: text, gen: { template: '{fake}.{sequence}@{{{0..99}}}/{row}/{series}' } }",
    ),
    (
        "template_kinds",
        "{ type: text, gen: { template: '{uniform_real} {log_normal} {clock} {uuid_v4} {per_series} {nulls}|{0..9}{0..9}' } }",
    ),
    (
        "states",
        "{ type: text, gen: { states: { start: { open: 3, paid: 1 }, next: { open: [paid, lost], paid: [sent] } } } }",
    ),
    ("text", "{ type: text, gen: { text: { bytes: 24 } } }"),
    (
        "text_lengths",
        "{ type: text, gen: { text: { min: 0, max: 30, entropy: 0.3, alphabet: abc } } }",
    ),
    ("bytes", "{ type: bytes, gen: { text: { bytes: 8 } } }"),
    ("fake", "{ type: text, gen: { fake: first_name } }"),
    ("fake_sentence", "{ type: text, gen: { fake: sentence } }"),
    ("clock", "{ type: timestamp, gen: { clock: { step: 500ms } } }"),
    (
        "clock_jitter",
        "{ type: timestamp, gen: { clock: { start: '2020-02-29T23:59:59Z', step: 1s, jitter: 300ms } } }",
    ),
    ("now", "{ type: timestamp, gen: now }"),
    ("constant", "{ type: 'decimal(5,2)', gen: { constant: 12.5 } }"),
    ("uuid_v4", "{ type: uuid, gen: uuid_v4 }"),
    ("uuid_v4_text", "{ type: text, gen: uuid_v4 }"),
    ("uuid_v7", "{ type: uuid, gen: uuid_v7 }"),
    ("ref", "{ type: bigint, gen: { ref: { table: parents } } }"),
    ("ref_zipf", "{ type: bigint, gen: { ref: { table: parents, skew: { zipf: 1.1 } } } }"),
    ("ref_column", "{ type: text, gen: { ref: { table: parents, column: email } } }"),
    ("ref_dictionary", "{ type: text, gen: { ref: { table: parents, column: status } } }"),
    (
        "object",
        "{ type: object, gen: { object: { n: { type: int, gen: { uniform: [0, 9] }, nulls: 0.3 }, who: { type: text, gen: { fake: name } }, at: { type: object, gen: { object: { x: { type: float, gen: { uniform: [0, 1] } } } } } } } }",
    ),
    (
        "array",
        "{ type: array, gen: { array: { type: int, gen: { uniform: [0, 9] }, nulls: 0.2, min: 0, max: 4 } } }",
    ),
    (
        "array_template",
        "{ type: array, gen: { array: { type: text, gen: { template: '{row}/{series}/{0..9}' }, min: 1, max: 3 } } }",
    ),
    (
        "array_nested",
        "{ type: array, gen: { array: { type: array, gen: { array: { type: text, gen: { one_of: [a, b, c] }, min: 0, max: 2 } }, max: 3 } } }",
    ),
    (
        "walk",
        "{ type: float, gen: { walk: { mean: 6.4, stdev: 0.2, min: 6.0, max: 7.4, faults: { rate: 0.05, length: 1.5 } } } }",
    ),
    (
        "walk_int",
        "{ type: int, gen: { walk: { mean: 50, stdev: 10, step: 4, min: 0, max: 100 } } }",
    ),
    ("nulls", "{ type: int, gen: { uniform: [0, 9] }, nulls: 0.25 }"),
    ("nulls_all", "{ type: text, gen: { one_of: [a, b] }, nulls: 1 }"),
    ("per_series", "{ type: text, gen: { one_of: [x, y, z] }, per: series }"),
    ("per_series_nulls", "{ type: int, gen: { uniform: [0, 99] }, per: series, nulls: 0.4 }"),
    (
        "per_series_template",
        "{ type: text, gen: { template: '{per_series}-{series}-{0..9}' }, per: series }",
    ),
    ("host", "{ type: text, gen: { template: 'host_{series}' } }"),
];

/// The document with the given columns, in the given order, next to the parents that they refer to.
pub(crate) fn document(columns: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "version: 1
tables:
  parents:
    key: [id]
    preload: 1000
    columns:
      id: { type: bigint, gen: { sequence: { start: 100, step: 7 } } }
      status: { type: text, gen: { one_of: [new, old] } }
      email: { type: text, gen: { template: '{status}.{id}@example.org' } }
  kinds:
    preload: 100000
    series: { count: 7, start: 1, levels: { site: 2, line: 3, unit: id } }
    columns:
",
    );
    for (name, column) in columns {
        text.extend(["      ", name, ": ", column, "\n"]);
    }
    text
}

/// The document's plan.
pub(crate) fn plan_of(text: &str, seed: u64) -> Plan {
    let schema = Schema::parse(text, Format::Yaml, "kinds.yaml")
        .unwrap_or_else(|invalid| panic!("{invalid:?}"));
    Plan::new(&schema, PlanOptions { seed, ..PlanOptions::default() }).expect("the kinds compile")
}

/// All kinds under one seed.
#[allow(dead_code, reason = "each test target uses its own part of this module")]
pub(crate) fn plan(seed: u64) -> Plan {
    plan_of(&document(KINDS), seed)
}
