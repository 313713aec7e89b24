//! The JSON Schema that editors read: fresh, strict, and of one mind with the parser.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::{Path, PathBuf};

use rowstorm_schema::{Format, Schema, json_schema};
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").join(name)
}

fn samples() -> Vec<(String, Value)> {
    ["cpu", "environment", "events", "payload", "queries", "shop"]
        .iter()
        .map(|name| {
            let text = std::fs::read_to_string(path(&format!("{name}.yaml"))).unwrap();
            // Another reader of YAML than the one that the crate builds its documents with.
            ((*name).to_owned(), serde_saphyr::from_str(&text).unwrap())
        })
        .collect()
}

#[test]
fn the_committed_json_schema_is_fresh() {
    // What `cargo xtask codegen` writes as well, without building the command for it.
    if std::env::var_os("ROWSTORM_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
        std::fs::write(path("rowstorm.schema.json"), text).unwrap();
    }
    let text = std::fs::read_to_string(path("rowstorm.schema.json")).unwrap();
    let committed: Value = serde_json::from_str(&text).unwrap();
    assert!(committed == json_schema(), "stale: run `cargo xtask codegen`");
}

#[test]
fn every_map_of_the_model_is_strict() {
    let root = json_schema();
    let definitions = root["definitions"].as_object().unwrap();
    for (name, definition) in definitions.iter().chain([(&"the document".to_owned(), &root)]) {
        let forms = definition["oneOf"].as_array().cloned().unwrap_or_default();
        for form in forms.iter().chain([definition]) {
            if form.get("properties").is_some() {
                assert_eq!(form["additionalProperties"], json!(false), "{name}");
            }
        }
    }
}

#[test]
fn generators_have_their_bare_and_their_map_forms() {
    let columns = |generator: Value| {
        let column = json!({ "type": "bigint", "gen": generator });
        json!({ "version": 1, "tables": { "t": { "columns": { "c": column } } } })
    };
    let root = json_schema();
    let accepts = |generator: Value| accepts(&root, &root, &columns(generator));
    assert!(accepts(json!("sequence")));
    assert!(accepts(json!({ "sequence": { "start": 5 } })));
    assert!(accepts(json!("uuid_v7")));
    assert!(!accepts(json!("walk")), "a walk needs settings");
    assert!(!accepts(json!({ "sequence": {}, "uuid_v7": {} })), "one generator for a column");
    assert!(!accepts(json!({ "exponential": { "mean": 1, "men": 1 } })));
}

#[test]
fn every_sample_is_valid_by_the_json_schema() {
    let root = json_schema();
    for (name, document) in samples() {
        assert!(accepts(&root, &root, &document), "{name}");
    }
}

/// Puts a key that nobody knows into every map of every sample, one at a time: what the parser calls an unknown key, the
/// JSON Schema refuses; and what the JSON Schema refuses, the parser does.
#[test]
fn parser_and_json_schema_agree_on_unknown_keys() {
    let root = json_schema();
    let mut refused = 0;
    for (name, document) in samples() {
        for pointer in maps(&document, String::new()) {
            let mut changed = document.clone();
            changed.pointer_mut(&pointer).unwrap()["zzz_nobody"] = json!(1);
            let problems = match Schema::parse(&changed.to_string(), Format::Json, &name) {
                Ok(_) => Vec::new(),
                Err(invalid) => invalid.0,
            };
            let accepted = accepts(&root, &root, &changed);
            let unknown = problems.iter().any(|problem| {
                problem.message.starts_with("unknown key") && problem.place.ends_with("zzz_nobody")
            });
            assert!(!unknown || !accepted, "{name}{pointer}: only the parser refuses it");
            assert!(
                accepted || !problems.is_empty(),
                "{name}{pointer}: only the JSON Schema refuses it"
            );
            refused += u32::from(unknown);
        }
    }
    assert!(refused > 100, "{refused} maps are strict");
}

/// The JSON pointers of all maps in a document.
fn maps(value: &Value, pointer: String) -> Vec<String> {
    match value {
        Value::Object(entries) => {
            let inner = entries.iter().flat_map(|(key, value)| {
                maps(value, format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")))
            });
            let inner: Vec<_> = inner.collect();
            [vec![pointer], inner].concat()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(at, item)| maps(item, format!("{pointer}/{at}")))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Draft-07 as far as the model uses it; patterns, formats and numeric bounds but `exclusiveMinimum` aside.
fn accepts(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return schema != &json!(false) };
    let all =
        |list: &Value| list.as_array().into_iter().flatten().all(|it| accepts(root, it, value));
    let count = |list: &Value| {
        list.as_array().into_iter().flatten().filter(|it| accepts(root, it, value)).count()
    };
    schema.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$ref" => {
            let pointer = rule.as_str().unwrap().trim_start_matches('#');
            accepts(root, root.pointer(pointer).expect("a definition"), value)
        }
        "type" => match rule {
            Value::Array(kinds) => kinds.iter().any(|kind| is_kind(kind, value)),
            kind => is_kind(kind, value),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "const" => rule == value,
        "allOf" => all(rule),
        "anyOf" => count(rule) > 0,
        "oneOf" => count(rule) == 1,
        "items" => value.as_array().into_iter().flatten().all(|item| accepts(root, rule, item)),
        "minItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap())
        }
        "maxItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap())
        }
        "exclusiveMinimum" => value.as_f64().is_none_or(|number| number > rule.as_f64().unwrap()),
        "required" => value.as_object().is_none_or(|entries| {
            rule.as_array().unwrap().iter().all(|key| entries.contains_key(key.as_str().unwrap()))
        }),
        "properties" => rule
            .as_object()
            .unwrap()
            .iter()
            .all(|(key, rule)| value.get(key).is_none_or(|value| accepts(root, rule, value))),
        "additionalProperties" => value.as_object().into_iter().flatten().all(|(key, value)| {
            schema.get("properties").is_some_and(|known| known.get(key).is_some())
                || accepts(root, rule, value)
        }),
        "$schema" | "definitions" | "title" | "description" | "format" | "pattern" | "minimum"
        | "maximum" | "minProperties" | "examples" | "default" => true,
        other => panic!("the JSON Schema uses `{other}`, which this test does not know"),
    })
}

fn is_kind(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no kind `{other}`"),
    }
}
