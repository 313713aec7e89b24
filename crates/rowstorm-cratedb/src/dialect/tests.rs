//! Statements as they are sent, against texts that are written by hand here.

use std::sync::Arc;

use proptest::prelude::*;
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions};

use super::*;

fn plan(document: &str) -> Arc<TablePlan> {
    let schema = Schema::parse(document, Format::Yaml, "test.yaml").expect("a valid document");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("a document that compiles");
    Arc::clone(&plan.tables()[0])
}

const EVERYTHING: &str = r#"
version: 1
tables:
  readings:
    key: [id]
    columns:
      id:    { type: bigint, gen: sequence }
      seen:  { type: timestamp, gen: now }
      ts:    { type: timestamp, gen: { clock: { step: 1s } } }
      label: { type: varchar(9), nulls: 0.1, gen: { constant: x } }
      body:  { type: text, gen: { text: { min: 1, max: 40000 } } }
      raw:   { type: bytes, gen: { text: { bytes: 20000 } } }
      price: { type: "decimal(12,4)", gen: { uniform: [0, 1] } }
      doc:   { type: json, gen: { constant: {} } }
      own:   { type: text, gen: { constant: 10.0.0.1 }, ddl: { cratedb: IP } }
      where: { type: object, gen: { object: { lat: { type: float, gen: { uniform: [0.0, 1.0] } }, at: { type: timestamp, gen: now } } } }
      tags:  { type: array, gen: { array: { type: int, max: 3, gen: { uniform: [0, 9] } } } }
    cratedb: { shards: 6, replicas: "0-1", partition_by: week, object_policy: strict }
"#;

#[test]
fn a_table_is_defined_with_all_its_options() {
    let table = plan(EVERYTHING);
    assert_eq!(
        create("doc", &table),
        r#"CREATE TABLE IF NOT EXISTS "doc"."readings" (
  "id" BIGINT NOT NULL,
  "seen" TIMESTAMP WITH TIME ZONE NOT NULL,
  "ts" TIMESTAMP WITH TIME ZONE NOT NULL,
  "label" VARCHAR(9),
  "body" TEXT INDEX OFF STORAGE WITH (columnstore = false) NOT NULL,
  "raw" TEXT INDEX OFF STORAGE WITH (columnstore = false) NOT NULL,
  "price" NUMERIC(12, 4) NOT NULL,
  "doc" TEXT NOT NULL,
  "own" IP NOT NULL,
  "where" OBJECT(STRICT) AS ("lat" DOUBLE PRECISION, "at" TEXT) NOT NULL,
  "tags" ARRAY(INTEGER) NOT NULL,
  "ts_week" TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS date_trunc('week', "ts"),
  PRIMARY KEY ("id", "ts_week")
) CLUSTERED INTO 6 SHARDS PARTITIONED BY ("ts_week") WITH (number_of_replicas = '0-1')"#
    );
    assert_eq!(method(Method::Unnest, &table), Method::BulkArgs, "UNNEST takes arrays apart");
    check_names("doc", &table).unwrap();
}

#[test]
fn without_options_the_server_decides() {
    let table = plan(
        "version: 1\ntables: { t: { columns: { a: { type: int, gen: sequence }, o: { type: object, gen: { object: { a: { type: int, gen: sequence } } } } } } }",
    );
    assert_eq!(
        create("doc", &table),
        "CREATE TABLE IF NOT EXISTS \"doc\".\"t\" (\n  \"a\" INTEGER NOT NULL,\n  \"o\" OBJECT(DYNAMIC) NOT NULL\n)"
    );
    assert_eq!(insert("doc", &table), "INSERT INTO \"doc\".\"t\" (\"a\", \"o\") VALUES (?, ?)");
    assert_eq!(
        insert_columns("doc", &table),
        "INSERT INTO \"doc\".\"t\" (\"a\", \"o\") (SELECT * FROM UNNEST(?, ?))"
    );
}

#[test]
fn names_that_the_server_cannot_hold_are_refused() {
    let table = |name: &str, column: &str| {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        plan(&format!(
            "{{version: 1, tables: {{{}: {{columns: {{{}: {{type: int, gen: sequence}}}}}}}}}}",
            quoted(name),
            quoted(column)
        ))
    };
    let long = "n".repeat(252);
    for (name, column) in [
        ("two words", "a"),
        ("a.b", "a"),
        ("a#b", "a"),
        ("_ALL", "a"),
        (&*long, "a"),
        ("t", "a.b"),
        ("t", "[a]"),
        ("t", "a\tb"),
        ("t", "_id"),
        ("t", "_some_name"),
    ] {
        let error = check_names("doc", &table(name, column)).unwrap_err();
        assert_eq!(error.class, "name", "{name} {column}");
    }
    for (name, column) in [
        ("it's", "two words"),
        ("select", "\"; drop"),
        ("_x_", "__id"),
        ("Größe☃", "_ID"),
        ("a", "_id_"),
    ] {
        check_names("doc", &table(name, column)).unwrap();
    }
}

#[test]
fn a_partition_needs_a_name_and_a_value_for_every_row() {
    let taken = EVERYTHING.replace("      own: ", "      ts_week: ");
    assert!(check_names("doc", &plan(&taken)).unwrap_err().message.contains("ts_week"));
    let nulls = EVERYTHING
        .replace("{ type: timestamp, gen: { clock", "{ type: timestamp, nulls: 0.5, gen: { clock");
    assert_eq!(check_names("doc", &plan(&nulls)).unwrap_err().class, "partition_by");
    let fields = EVERYTHING.replace("{ lat: ", "{ l.at: ");
    assert!(check_names("doc", &plan(&fields)).unwrap_err().message.contains("l.at"));
}

proptest! {
    #[test]
    fn a_quoted_name_is_one_identifier_and_nothing_else(name in "[a\"'\\\\ ;.]{0,12}") {
        let quoted = quote(&name);
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quoted");
        let doubled = inner.replace("\"\"", "\u{1}");
        prop_assert!(!doubled.contains('"'));
        prop_assert_eq!(doubled.replace('\u{1}', "\""), name);
    }
}
