//! The JSON Schema of the document (draft-07, so that every editor reads it), made from the types and their comments.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::Schema;

/// The JSON Schema of schema files: `schemas/rowstorm.schema.json`.
///
/// ```
/// let schema = rowstorm_schema::json_schema();
/// assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
/// assert_eq!(schema["additionalProperties"], false);
/// ```
pub fn json_schema() -> Value {
    let mut root = SchemaSettings::draft07().into_generator().into_root_schema_for::<Schema>();
    root.insert("title".to_owned(), json!("Rowstorm schema"));
    sorted(root.to_value())
}

/// The same with the keys of every map in order: whether serde_json keeps an order is a feature of the whole build, and
/// the generated file must not hang on it.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries: BTreeMap<_, _> = entries.into_iter().collect();
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// The keys that a map of this type must have, each with the first line of its meaning.
pub(crate) fn required(type_name: &str) -> &'static [(String, String)] {
    static REQUIRED: OnceLock<BTreeMap<String, Vec<(String, String)>>> = OnceLock::new();
    let types = REQUIRED.get_or_init(|| {
        let root = json_schema();
        let definitions = root["definitions"].as_object().into_iter().flatten();
        definitions
            .map(|(name, definition)| (name.clone(), required_keys(definition)))
            .chain([("Schema".to_owned(), required_keys(&root))])
            .collect()
    });
    types.get(type_name).map_or(&[], Vec::as_slice)
}

fn required_keys(definition: &Value) -> Vec<(String, String)> {
    let keys = definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    keys.map(|key| {
        let meaning = definition["properties"][key]["description"].as_str().unwrap_or_default();
        (key.to_owned(), meaning.lines().next().unwrap_or_default().to_owned())
    })
    .collect()
}

/// Adds the bare words to the generators' forms (`gen: sequence`), and makes settings that stand inline strict.
pub(crate) fn generator_forms(schema: &mut schemars::Schema) {
    let words = [
        ("sequence", "1, 2, 3, …: never repeats."),
        ("uuid_v7", "Time-ordered UUIDs (version 7): never repeat."),
    ];
    let Some(forms) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    for form in forms.iter_mut() {
        let settings = form.get_mut("properties").and_then(Value::as_object_mut);
        for settings in settings.into_iter().flat_map(Map::values_mut) {
            if settings.get("properties").is_some() {
                settings["additionalProperties"] = json!(false);
            }
        }
    }
    for (word, description) in words {
        forms.push(json!({ "description": description, "type": "string", "const": word }));
    }
}
