//! The JSON Schema of the document, which editors read.

use serde_json::json;

/// Adds the bare words to the generators' forms: `gen: sequence`.
pub(crate) fn bare_words(schema: &mut schemars::Schema) {
    let words = [
        ("sequence", "1, 2, 3, …: never repeats."),
        ("uuid_v7", "Time-ordered UUIDs (version 7): never repeat."),
    ];
    if let Some(forms) = schema.get_mut("oneOf").and_then(serde_json::Value::as_array_mut) {
        for (word, description) in words {
            forms.push(json!({ "description": description, "type": "string", "const": word }));
        }
    }
}
