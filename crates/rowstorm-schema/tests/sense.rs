//! Schemas whose parts do not go together: names, types, ranges, references.

mod common;

use common::{check, check_column, table};
use rowstorm_schema::{Format, Schema};

#[test]
fn names_that_do_not_exist_are_found() {
    let key = "version: 1\ntables:\n  t:\n    key: [id, hots]\n    columns:\n      id: { type: int, gen: sequence }\n      host: { type: int, gen: sequence }\n";
    check(key, "tables.t.key[1]", (4, 15), "no column `hots`", "mean `host`?");
    let index = "version: 1\ntables:\n  t:\n    indexes: [ { on: [host, hots] } ]\n    columns:\n      host: { type: int, gen: sequence }\n";
    check(index, "tables.t.indexes[0].on[1]", (4, 29), "no column `hots`", "mean `host`?");
    check(
        &table(&[
            "name: { type: int, gen: sequence }",
            "c: { type: text, gen: { template: \"x{nam}\" } }",
        ]),
        "tables.t.columns.c.gen.template",
        (6, 41),
        "no column `nam`",
        "mean `name`?",
    );
    check_column(
        "{ type: int, gen: { ref: { table: »tt } } }",
        ".gen.ref.table",
        "no table `tt`",
        "mean `t`?",
    );
}

#[test]
fn generators_must_fit_their_type() {
    check_column(
        "{ type: bool, gen: »{ uniform: [0, 1] } }",
        ".gen",
        "`uniform` does not fit the type `bool`",
        "for `bool` there are `one_of`",
    );
    check_column(
        "{ type: int, gen: »now }",
        ".gen",
        "`now` does not fit",
        "`now` makes timestamps",
    );
    check_column(
        "{ type: text, gen: »{ object: { a: { type: int, gen: sequence } } } }",
        ".gen",
        "`object` does not fit",
        "",
    );
    check_column("{ type: varchar(35), gen: »uuid_v4 }", ".gen", "`uuid_v4` does not fit", "");
    check_column(
        "{ type: array, gen: { array: { type: int, max: 2, gen: »now } } }",
        ".gen.array.gen",
        "`now` does not fit the type `int`",
        "",
    );
    check_column(
        "{ type: object, gen: { object: { a: { type: int, gen: »now } } } }",
        ".gen.object.a.gen",
        "`now` does not fit",
        "",
    );
}

#[test]
fn ranges_and_values_must_be_of_the_type() {
    check_column(
        "{ type: int, gen: { uniform: »[9, 0] } }",
        ".gen.uniform",
        "the wrong way round",
        "write [0, 9]",
    );
    check_column(
        "{ type: smallint, gen: { uniform: [0, »40000] } }",
        ".gen.uniform[1]",
        "40000 does not fit `smallint`",
        "",
    );
    check_column(
        "{ type: float, gen: { uniform: »[1, 1.0] } }",
        ".gen.uniform",
        "the range is empty",
        "constant",
    );
    check_column(
        "{ type: \"decimal(4,2)\", gen: { uniform: [»0.005, 1] } }",
        ".gen.uniform[0]",
        "at most 2 digits after the point",
        "",
    );
    check_column(
        "{ type: \"decimal(4,2)\", gen: { uniform: [0, »100] } }",
        ".gen.uniform[1]",
        "does not fit `decimal(4,2)`",
        "",
    );
    check_column(
        "{ type: varchar(3), gen: { one_of: [abc, »abcd] } }",
        ".gen.one_of[1]",
        "`abcd` has 4 characters, more than 3",
        "",
    );
    check_column(
        "{ type: varchar(3), gen: { text: { bytes: »4 } } }",
        ".gen.text.bytes",
        "4 bytes do not fit",
        "",
    );
}

#[test]
fn settings_of_generators_are_checked() {
    check_column(
        "{ type: timestamp, gen: { clock: { step: »0s } } }",
        ".gen.clock.step",
        "does not move",
        "",
    );
    check_column(
        "{ type: timestamp, gen: { clock: { start: »2026-13-01, step: 1s } } }",
        ".gen.clock.start",
        "not an instant",
        "",
    );
    check_column(
        "{ type: text, gen: { one_of: { a: 1, b: »0 } } }",
        ".gen.one_of.b",
        "a weight is above 0",
        "",
    );
    check_column(
        "{ type: text, gen: { one_of: [NO, »true] } }",
        ".gen.one_of[1]",
        "`true` is not text; quote it",
        "",
    );
    check_column("{ type: int, gen: sequence, nulls: »1.5 }", ".nulls", "between 0 and 1", "");
    check_column(
        "{ type: float, gen: { walk: { mean: »9, stdev: 1, max: 8 } } }",
        ".gen.walk.mean",
        "outside min and max",
        "",
    );
    check_column(
        "{ type: array, gen: { array: { type: int, gen: { uniform: [0, 1] }, min: »3, max: 2 } } }",
        ".gen.array.min",
        "min 3 is above max 2",
        "",
    );
}

#[test]
fn unique_needs_a_generator_that_cannot_repeat() {
    check_column(
        "{ type: text, gen: { fake: city }, unique: »true }",
        ".unique",
        "`fake` may repeat",
        "these never repeat",
    );
    check_column(
        "{ type: float, gen: { uniform: [0, 1] }, unique: »true }",
        ".unique",
        "`uniform` may repeat",
        "",
    );
    let fine = table(&[
        "a: { type: bigint, gen: sequence, unique: true }",
        "b: { type: int, gen: { uniform: [0, 9] }, unique: true }",
        "c: { type: text, gen: { template: \"{b}-{x}\" }, unique: true }",
        "d: { type: text, gen: { template: \"{row}\" }, unique: true }",
        "x: { type: text, gen: { fake: city } }",
    ]);
    Schema::parse(&fine, Format::Yaml, "test").expect("none of them repeats");
}

#[test]
fn series_are_needed_where_they_are_used() {
    check_column(
        "{ type: text, per: »series, gen: { fake: city } }",
        ".per",
        "in a table without `series`",
        "give the table",
    );
    check_column(
        "{ type: text, gen: { template: »\"h{series}\" } }",
        ".gen.template",
        "`{series}` in a table without",
        "",
    );
    let level = "version: 1\ntables:\n  t:\n    series: { count: 3, levels: { a: 2, b: id } }\n    columns:\n      a: { type: int, gen: sequence }\n";
    check(level, "tables.t.series.levels.a", (4, 35), "the level `a` is also a column", "");
    let mixed = "version: 1\ntables:\n  t:\n    series: { count: 3 }\n    columns:\n      a: { type: int, gen: sequence }\n      b: { type: text, per: series, gen: { template: \"{a}\" } }\n";
    check(mixed, "tables.t.columns.b.gen.template", (7, 54), "one for each row", "per: series");
}

#[test]
fn references_go_to_a_key_and_not_in_circles() {
    let two = |a: &str, b: &str| format!("version: 1\ntables:\n  a:\n{a}  b:\n{b}");
    let keyless = two(
        "    columns: { x: { type: int, gen: sequence } }\n",
        "    columns:\n      y: { type: int, gen: { ref: { table: a } } }\n",
    );
    check(
        &keyless,
        "tables.b.columns.y.gen.ref.table",
        (7, 44),
        "the table `a` has no key",
        "give `a` a `key`",
    );
    let wide = two(
        "    key: [x]\n    columns: { x: { type: bigint, gen: sequence } }\n",
        "    columns:\n      y: { type: int, gen: { ref: { table: a } } }\n",
    );
    check(
        &wide,
        "tables.b.columns.y.gen.ref",
        (8, 35),
        "`a.x` is `bigint`, which `int` does not hold",
        "`bigint`",
    );
    let circle = two(
        "    key: [x]\n    columns: { x: { type: int, gen: { ref: { table: b } } } }\n",
        "    key: [y]\n    columns: { y: { type: int, gen: { ref: { table: a } } } }\n",
    );
    check(&circle, "tables.a.columns.x.gen", (5, 37), "a.x → b.y → a", "take one `ref` away");
    let templates = table(&[
        "a: { type: text, gen: { template: \"{b}\" } }",
        "b: { type: text, gen: { template: \"x\" } }",
        "c: { type: text, gen: { template: \"{c}\" } }",
    ]);
    check(&templates, "tables.t.columns.c.gen.template", (7, 41), "c → c", "");
}

#[test]
fn a_schema_built_in_code_is_checked_without_lines() {
    let yaml = table(&["a: { type: int, gen: { uniform: [0, 9] } }"]);
    let mut schema = Schema::parse(&yaml, Format::Yaml, "test").expect("valid");
    assert_eq!(schema.check(), Ok(()));
    schema.tables["t"].columns["a"].nulls = 2.0;
    let invalid = schema.check().expect_err("two is no share");
    assert_eq!((invalid.0[0].line, invalid.0[0].place.as_str()), (0, "tables.t.columns.a.nulls"));
}

#[test]
fn one_mistake_has_no_consequences_elsewhere() {
    // The column `a` is unreadable; what names it is not wrong for that.
    let text = "version: 1
tables:
  p:
    key: [a]
    columns:
      a: { type: intt, gen: sequence }
      b: { type: text, gen: { template: \"{a}\" } }
  c:
    series: { count: many, levels: { line: 5 } }
    key: [line, d]
    columns:
      d: { type: int, gen: { ref: { table: p } } }
      e: { type: text, per: series, gen: { template: \"{series}-{line}\" } }
changes: { mix: [ { delete: c, weight: 1 }, { read: p, weight: 1 } ] }
";
    let found = common::problems(text, Format::Yaml);
    let places: Vec<_> = found.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["tables.p.columns.a.type", "tables.c.series.count"], "{found:#?}");
}

#[test]
fn everything_has_a_limit() {
    let many: Vec<_> =
        (0..=1600).map(|n| format!("c{n}: {{ type: int, gen: sequence }}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    check(&table(&many), "tables.t", (3, 3), "1601 columns; at most 1600", "");
    let words: Vec<_> = (0..=65_536).map(|n| format!("w{n}")).collect();
    let column = format!("{{ type: text, gen: {{ one_of: »[{}] }} }}", words.join(", "));
    check_column(&column, ".gen.one_of", "65537 values; at most 65536", "");
    let deep = (0..9).fold("{ type: int, gen: sequence }".to_owned(), |inner, _| {
        format!("{{ type: object, gen: {{ object: {{ f: {inner} }} }} }}")
    });
    let found = common::problems(&table(&[&format!("c: {deep}")]), Format::Yaml);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("nested more than 8 levels deep"), "{found:?}");
    check_column(
        "{ type: text, gen: { text: { bytes: »99999999 } } }",
        ".gen.text.bytes",
        "at most 16777216",
        "",
    );
    let entities = "version: 1\ntables:\n  t:\n    series: { count: 3000000000, levels: { id: id } }\n    columns: { a: { type: int, gen: sequence } }\n";
    check(entities, "tables.t.series.levels.id", (4, 48), "do not fit an `int` column", "");
}

#[test]
fn names_may_be_hostile_but_not_impossible() {
    let fine = table(&["\"a\\\"b'; drop--\": { type: int, gen: sequence }"]);
    Schema::parse(&fine, Format::Yaml, "test").expect("quotes are the sinks' business");
    let empty = table(&["\"\": { type: int, gen: sequence }"]);
    check(&empty, "tables.t.columns.", (5, 7), "cannot be a column's name", "");
    let nul = table(&["\"a\\0\": { type: int, gen: sequence }"]);
    check(&nul, "tables.t.columns.a\0", (5, 7), "cannot be a column's name", "");
}

#[test]
fn what_is_unique_in_a_hypertable_has_its_time_in_it() {
    let document = |key: &str, time: &str, more: &str| {
        format!(
            "version: 1\ntables:\n  t:\n    key: [{key}]\n    postgres: {{ hypertable: {{ time: {time} }} }}\n    \
             columns:\n      id: {{ type: bigint, gen: sequence{more} }}\n      \
             ts: {{ type: timestamp, gen: {{ clock: {{ start: 2026-01-01T00:00:00Z, step: 1s }} }} }}\n"
        )
    };
    assert!(Schema::parse(&document("id, ts", "ts", ""), Format::Yaml, "t.yaml").is_ok());
    check(
        &document("id", "ts", ""),
        "tables.t.key",
        (4, 10),
        "the key of a hypertable",
        "`key: [id, ts]`",
    );
    let unique = document("ts", "ts", ", unique: true");
    check(&unique, "tables.t.columns.id.unique", (7, 50), "a unique column of a hypertable", "");
    let time = document("id", "id", "");
    check(&time, "tables.t.postgres.hypertable.time", (5, 37), "`id` is no timestamp", "");
}
