//! The shipped schemas, the examples of the documentation, and other formats of the same document.

use std::path::{Path, PathBuf};

use rowstorm_schema::{
    DataType, Format, Generator, Literal, Origin, Per, Rate, Schema, Span, Template, Transaction,
};

const SAMPLES: [&str; 6] = ["cpu", "environment", "events", "payload", "queries", "shop"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").join(name)
}

fn sample(name: &str) -> Schema {
    Schema::load(path(&format!("{name}.yaml"))).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_sample_is_valid_and_names_its_json_schema() {
    let mut found: Vec<String> = std::fs::read_dir(path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
        .collect();
    found.sort();
    assert_eq!(found, SAMPLES);
    for name in SAMPLES {
        let text = std::fs::read_to_string(path(&format!("{name}.yaml"))).unwrap();
        let first = text.lines().next().unwrap();
        assert_eq!(first, "# yaml-language-server: $schema=./rowstorm.schema.json", "{name}");
        assert_eq!(sample(name).check(), Ok(()), "{name}");
    }
}

#[test]
fn no_sample_has_a_key_that_repeats() {
    for name in SAMPLES {
        let notes = sample(name).notes();
        assert!(notes.iter().all(|note| !note.message.contains("refused")), "{name}: {notes:?}");
    }
}

#[test]
fn the_cpu_table_is_the_articles() {
    let schema = sample("cpu");
    let table = &schema.tables["cpu"];
    let columns = table.all_columns();
    let of_type = |is: fn(DataType) -> bool| columns.iter().filter(|c| is(c.data_type())).count();
    assert_eq!(of_type(|it| matches!(it, DataType::Text { .. })), 10);
    assert_eq!(of_type(|it| matches!(it, DataType::Int(_))), 10);
    assert_eq!(columns[10].name, "ts");
    assert!(columns[..10].iter().all(|column| match column.origin {
        Origin::Declared(column) => column.per == Per::Series,
        Origin::Level(_) => false,
    }));
    assert_eq!(table.series.as_ref().map(|series| series.count), Some(4000));
}

#[test]
fn the_events_sample_has_every_type_and_every_generator() {
    let text = std::fs::read_to_string(path("events.yaml")).unwrap();
    for word in DataType::WORDS {
        let name = word.split('(').next().unwrap();
        let is_there = [
            format!("type: {name},"),
            format!("type: \"{name}("),
            format!("type: {name}("),
            format!("type: {name}\n"),
        ];
        assert!(is_there.iter().any(|form| text.contains(form)), "no column of type `{word}`");
    }
    let generators = "sequence uniform normal log_normal exponential zipf one_of template text fake clock now \
                      constant uuid_v4 uuid_v7 ref object array walk";
    for generator in generators.split_whitespace() {
        let forms = [
            format!("gen: {generator}"),
            format!("gen: {{ {generator}:"),
            format!("{generator}:\n"),
        ];
        assert!(forms.iter().any(|form| text.contains(form)), "no column with `{generator}`");
    }
}

#[test]
fn a_document_survives_json() {
    for name in SAMPLES {
        let schema = sample(name);
        let json = serde_json::to_string_pretty(&schema).unwrap();
        let again =
            Schema::parse(&json, Format::Json, name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again, schema, "{name}");
        // Equality of maps does not look at their order; the order of columns is the table's.
        for (name, table) in &schema.tables {
            assert!(table.columns.keys().eq(again.tables[name].columns.keys()), "{name}");
        }
    }
}

#[test]
fn the_documented_examples_parse_as_they_stand() {
    let environment = Schema::parse(ENVIRONMENT, Format::Yaml, "environment").unwrap();
    let table = &environment.tables["environment"];
    let names: Vec<_> = table.all_columns().iter().map(|column| column.name).collect();
    assert_eq!(names, ["plant", "line", "sensor_id", "ts", "temperature"]);
    let Generator::Clock(clock) = &table.columns["ts"].generator else { panic!("a clock") };
    assert_eq!(clock.start.as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(clock.step, "500ms".parse::<Span>().unwrap());

    let shop = Schema::parse(SHOP, Format::Yaml, "shop").unwrap();
    assert!(shop.tables.keys().eq(["customers", "orders"]));
    let changes = shop.changes.as_ref().unwrap();
    assert_eq!(changes.rate, Some(Rate::PerSecond(10_000.0)));
    assert_eq!(changes.transaction, Some(Transaction::Batch));
    assert_eq!(shop.notes(), []);
}

#[test]
fn toml_is_the_same_document() {
    let toml = r#"
        version = 1
        run = { rows = 10, batch = "auto", in_flight = 4 }

        [tables.t]
        key = ["id"]
        [tables.t.columns]
        id = { type = "bigint", gen = "sequence" }
        at = { type = "timestamp", gen = { uniform = [2026-01-01T00:00:00Z, 2026-01-02T00:00:00Z] } }
        a = { type = "float", nulls = 0.5, gen = { normal = { mean = 1, stdev = 0.5 } } }
    "#;
    let yaml = r"
        version: 1
        run: { rows: 10, batch: auto, in_flight: 4 }
        tables:
          t:
            key: [id]
            columns:
              id: { type: bigint, gen: sequence }
              at: { type: timestamp, gen: { uniform: [2026-01-01T00:00:00Z, 2026-01-02T00:00:00Z] } }
              a: { type: float, nulls: 0.5, gen: { normal: { mean: 1, stdev: 0.5 } } }
    ";
    let toml = Schema::parse(toml, Format::Toml, "t").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(toml, Schema::parse(yaml, Format::Yaml, "t").unwrap());
    assert!(toml.tables["t"].columns.keys().eq(["id", "at", "a"]), "columns keep their order");
}

#[test]
fn plain_scalars_are_read_strictly() {
    let yaml = "version: 1\ntables: { t: { columns: { c: { type: text, gen: { one_of: [NO, yes, off, 007, 1_0, 0x1F, 12, 'true', 1e, .inf, 2026-01-01] } } } } }";
    let schema = Schema::parse(yaml, Format::Yaml, "t").unwrap_or_else(|error| panic!("{error}"));
    let Generator::OneOf(rowstorm_schema::Choices::Alike(values)) =
        &schema.tables["t"].columns["c"].generator
    else {
        panic!("a list")
    };
    let texts = ["NO", "yes", "off", "007", "1_0", "0x1F"].map(|text| Literal::Text(text.into()));
    assert_eq!(values[..6], texts);
    assert_eq!(values[6], Literal::Int(12));
    let texts = ["true", "1e", ".inf", "2026-01-01"].map(|text| Literal::Text(text.into()));
    assert_eq!(values[7..], texts);
}

#[test]
fn anchors_are_read() {
    let yaml = "version: 1\ntables:\n  t:\n    columns:\n      a: &tag { type: text, gen: { fake: city } }\n      b: *tag\n";
    let schema = Schema::parse(yaml, Format::Yaml, "t").unwrap();
    assert_eq!(schema.tables["t"].columns["a"], schema.tables["t"].columns["b"]);
}

#[test]
fn templates_print_what_they_parse() {
    for text in ["", "a", "{id}", "{{{id}}}", "x{0..9}{-5..-1}{row}-{series}}}", "{first name}"] {
        let template: Template = text.parse().unwrap();
        assert_eq!(template.to_string(), text);
    }
    for text in ["{", "}", "{}", "{9..0}", "{a{b}", "a}b", "{0..}"] {
        text.parse::<Template>().expect_err(text);
    }
}

/// The first example of the interface page, as it stands there.
const ENVIRONMENT: &str = r"# yaml-language-server: $schema=./rowstorm.schema.json
version: 1
tables:
  environment:
    series:                              # time series: one row per series per tick
      count: 500                         # how many sensors there are
      levels: { plant: 100, line: 5, sensor_id: id }
    columns:
      ts:          { type: timestamp, gen: { clock: { start: 2026-01-01T00:00:00Z, step: 500ms } } }
      temperature: { type: float, gen: { walk: { mean: 6.4, stdev: 0.2, min: 6.0, max: 7.4, faults: { rate: 0.005, length: 1.08 } } } }
    indexes: [ { on: [sensor_id, ts] } ]
    cratedb: { shards: 28, partition_by: week }
run: { rows: 1000000, batch: auto, in_flight: auto }
";

/// The second.
const SHOP: &str = r#"version: 1
tables:
  customers:
    key: [id]
    preload: 100000
    columns:
      id:         { type: bigint, gen: sequence }
      first_name: { type: text, gen: { fake: first_name } }
      email:      { type: text, gen: { template: "{first_name}.{id}@example.org" }, unique: true }
      updated_at: { type: timestamp, gen: now }
  orders:
    key: [id]
    preload: 500000
    columns:
      id:          { type: bigint, gen: sequence }
      customer_id: { type: bigint, gen: { ref: { table: customers, skew: { zipf: 1.1 } } } }
      amount:      { type: "decimal(10,2)", gen: { log_normal: { median: 40, sigma: 0.8 } } }
      status:      { type: text, gen: { one_of: { pending: 5, paid: 3, shipped: 2 } } }
changes:
  rate: 10000/s                          # rows changed per second, all shards together
  mix:
    - { insert: customers, weight: 10 }
    - { insert: orders, weight: 40 }
    - { update: customers, set: [email, updated_at], pick: uniform, weight: 10 }
    - { update: orders, set: [status], pick: latest, weight: 35 }
    - { delete: orders, pick: oldest, weight: 5 }
  transaction: batch                     # batch | row | n rows: what one COMMIT holds
run: { duration: 60s, late: queue }
"#;
