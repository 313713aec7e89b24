//! Documents with changes, for the laws and the golden files.
#![allow(dead_code, reason = "each test target uses its own part of this module")]

use std::path::Path;

use rowstorm_gen::changes::ChangePlan;
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanError, PlanOptions};

/// Parents and children with a mix: lines of a YAML list, indented by four.
pub(crate) fn document(parents: u64, children: u64, streams: u32, mix: &str) -> String {
    format!(
        "version: 1
tables:
  parents:
    key: [id]
    preload: {parents}
    columns:
      id: {{ type: bigint, gen: {{ sequence: {{ start: 100, step: 7 }} }} }}
      name: {{ type: text, gen: {{ fake: name }} }}
  children:
    key: [id]
    preload: {children}
    columns:
      id: {{ type: bigint, gen: sequence }}
      parent: {{ type: bigint, gen: {{ ref: {{ table: parents, skew: {{ zipf: 1.1 }} }} }} }}
      note: {{ type: text, gen: {{ template: '{{word}}-{{id}}' }} }}
      word: {{ type: text, gen: {{ fake: word }} }}
      at: {{ type: timestamp, gen: now }}
changes:
  streams: {streams}
  mix:
    {mix}
"
    )
}

pub(crate) fn try_changes(text: &str, seed: u64) -> Result<ChangePlan, PlanError> {
    let schema = Schema::parse(text, Format::Yaml, "changes.yaml")
        .unwrap_or_else(|invalid| panic!("{invalid:?}"));
    ChangePlan::new(&Plan::new(&schema, PlanOptions { seed, ..PlanOptions::default() })?)
}

pub(crate) fn changes_of(text: &str, seed: u64) -> ChangePlan {
    try_changes(text, seed).unwrap_or_else(|problem| panic!("{problem}"))
}

/// The sample schema with changes.
pub(crate) fn shop(seed: u64) -> ChangePlan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/shop.yaml");
    let schema = Schema::load(path).unwrap_or_else(|problem| panic!("{problem}"));
    let options = PlanOptions { seed, ..PlanOptions::default() };
    let plan = Plan::new(&schema, options).expect("the shop compiles");
    ChangePlan::new(&plan).expect("the shop's changes compile")
}

/// Orders that walk through states, with updates of other columns between.
pub(crate) fn walking(
    streams: u32,
    preload: u64,
    weights: &[u32],
    pick: &str,
    seed: u64,
) -> ChangePlan {
    let text = format!(
        "version: 1
tables:
  orders:
    key: [id]
    preload: {preload}
    columns:
      id: {{ type: bigint, gen: sequence }}
      status: {{ type: text, gen: {{ states: {{ start: {{ open: 5, paid: 3 }}, next: {{
        open: {{ paid: 8, cancelled: 2 }}, paid: [packed], packed: [shipped], shipped: {{ delivered: 9, returned: 1 }} }} }} }} }}
      mode: {{ type: int, gen: {{ states: {{ next: {{ '1': [2], '2': [3], '3': [1] }} }} }} }}
      label: {{ type: text, gen: {{ template: '{{status}}-{{id}}' }} }}
      at: {{ type: timestamp, gen: now }}
      n: {{ type: int, gen: {{ uniform: [0, 1000000] }} }}
changes:
  streams: {streams}
  mix:
    - {{ insert: orders, weight: {} }}
    - {{ update: orders, set: [status, mode, label, at], pick: {pick}, weight: {} }}
    - {{ update: orders, set: [n, at], weight: {} }}
    - {{ delete: orders, weight: {} }}
",
        weights[0] + weights[3], weights[1], weights[2], weights[3],
    );
    changes_of(&text, seed)
}
