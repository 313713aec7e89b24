//! `init --from-tsperf`: tsperf's JSON model as a schema file.
//!
//! The names are taken at their word (`stdev` is the standard deviation, `min` and `max` are bounds), which tsperf
//! itself does not do; every place where the result differs from what tsperf would have written says so in a comment.

use std::fmt::Write;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::exit::{Failure, Result};

/// tsperf's own defaults: `ID_START=1`, `ID_END=500`, `INGEST_DELTA=0.5`.
const SERIES_COUNT: u32 = 500;
const STEP: &str = "500ms";

/// JSON that keeps the order of its keys: it is the order of columns.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Map(IndexMap<String, Json>),
}

impl Json {
    fn map(&self) -> Option<&IndexMap<String, Json>> {
        match self {
            Json::Map(map) => Some(map),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => None,
        }
    }

    /// `{"value": …}`, or the value itself.
    fn value(&self) -> &Json {
        self.map().and_then(|map| map.get("value")).unwrap_or(self)
    }

    fn number(&self) -> Option<f64> {
        match self.value() {
            Json::Number(number) => Some(*number),
            Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Map(_) => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self.value() {
            Json::Text(text) => Some(text),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Map(_) => None,
        }
    }
}

/// A schema file that says what `text` says.
pub(crate) fn import(text: &str) -> Result<String> {
    let wrong = |why: String| {
        Failure::usage(format!("not a tsperf schema: {why}"))
            .help("expected {\"<table>\": {\"tags\": {…}, \"fields\": {…}}}")
    };
    let document: IndexMap<String, Json> =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let mut out = String::from(
        "# yaml-language-server: $schema=./rowstorm.schema.json\n# Imported from a tsperf schema.\nversion: 1\ntables:\n",
    );
    let mut tables = 0;
    for (name, table) in document.iter().filter(|(name, _)| *name != "description") {
        let table = table.map().ok_or_else(|| wrong(format!("`{name}` is not a table")))?;
        write_table(name, table, &mut out).map_err(wrong)?;
        tables += 1;
    }
    if tables == 0 {
        return Err(wrong("it has no table".to_owned()));
    }
    out.push_str("run: { batch: auto, in_flight: auto }\n");
    Ok(out)
}

fn write_table(
    name: &str,
    table: &IndexMap<String, Json>,
    out: &mut String,
) -> std::result::Result<(), String> {
    let part = |key: &str| table.get(key).and_then(Json::map);
    let tags = part("tags").ok_or_else(|| format!("`{name}` has no `tags`"))?;
    // "metrics" until tsperf 1.0.3
    let fields = part("fields").or_else(|| part("metrics"));
    let fields = fields.ok_or_else(|| format!("`{name}` has no `fields`"))?;
    put(out, format_args!("  {}:", key(name)));
    put(out, format_args!("    series:"));
    put(out, format_args!("      count: {SERIES_COUNT}   # tsperf's ID_START to ID_END"));
    put(out, format_args!("      levels:   # nested; tsperf mixes up three and more of them"));
    let mut lists = Vec::new();
    for (tag, value) in tags.iter().filter(|(tag, _)| *tag != "description") {
        match value {
            Json::Text(word) if word == "id" => put(out, format_args!("        {}: id", key(tag))),
            Json::Number(size) if *size >= 1.0 => {
                put(out, format_args!("        {}: {size}", key(tag)));
            }
            Json::List(values) if !values.is_empty() => lists.push((tag, values)),
            Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::Text(_)
            | Json::List(_)
            | Json::Map(_) => {
                return Err(format!("tag `{tag}` is neither \"id\", a number nor a list"));
            }
        }
    }
    put(out, format_args!("    columns:"));
    put(
        out,
        format_args!(
            "      ts: {{ type: timestamp, gen: {{ clock: {{ start: 2026-01-01T00:00:00Z, step: {STEP} }} }} }}   # INGEST_DELTA"
        ),
    );
    for (tag, values) in lists {
        let values = values.iter().map(scalar).collect::<Option<Vec<_>>>();
        let values =
            values.ok_or_else(|| format!("tag `{tag}` lists more than texts and numbers"))?;
        put(
            out,
            format_args!(
                "      {}: {{ type: text, per: series, gen: {{ one_of: [{}] }} }}   # drawn; tsperf counts through",
                key(tag),
                values.join(", ")
            ),
        );
    }
    write_fields(fields, out)
}

fn write_fields(
    fields: &IndexMap<String, Json>,
    out: &mut String,
) -> std::result::Result<(), String> {
    let mut taken: Vec<&str> = Vec::new();
    for (field, spec) in fields.iter().filter(|(field, _)| *field != "description") {
        let spec = spec.map().ok_or_else(|| format!("field `{field}` is not an object"))?;
        let column = spec.get("key").and_then(Json::text).unwrap_or(field);
        let column = if taken.contains(&column) {
            put(
                out,
                format_args!(
                    "      # tsperf calls this `{column}`, too, and so loses the one before"
                ),
            );
            field
        } else {
            column
        };
        taken.push(column);
        let kind = spec.get("type").and_then(Json::text).unwrap_or_default().to_ascii_uppercase();
        let number = |name: &str| {
            spec.get(name)
                .and_then(Json::number)
                .ok_or_else(|| format!("field `{field}` has no `{name}`"))
        };
        match kind.as_str() {
            "FLOAT" => {
                let walk = walk(number)?;
                put(
                    out,
                    format_args!(
                        "      {}: {{ type: float, gen: {{ walk: {{ {walk} }} }} }}",
                        key(column)
                    ),
                );
            }
            "BOOL" => {
                let share = number("true_ratio")?.clamp(0.0, 1.0);
                let other = ((1.0 - share) * 1e9).round() / 1e9;
                put(
                    out,
                    format_args!(
                        "      {}: {{ type: bool, gen: {{ one_of: {{ \"true\": {share}, \"false\": {other} }} }} }}",
                        key(column)
                    ),
                );
            }
            kind => {
                return Err(format!(
                    "field `{field}` has type `{kind}`; tsperf knows FLOAT and BOOL"
                ));
            }
        }
    }
    Ok(())
}

/// `variance` is tsperf's largest step, drawn evenly: half of it is the typical one.
fn walk(
    number: impl Fn(&str) -> std::result::Result<f64, String>,
) -> std::result::Result<String, String> {
    let (mean, stdev) = (number("mean")?, number("stdev")?);
    let (min, max) = (number("min")?, number("max")?);
    let step = (number("variance")? / 2.0).min(stdev);
    let mut walk = format!("mean: {mean}, stdev: {stdev}, min: {min}, max: {max}");
    if step > 0.0 {
        let _ = write!(walk, ", step: {step}");
    }
    let (rate, length) = (number("error_rate")?, number("error_length")?);
    if rate > 0.0 {
        let _ =
            write!(walk, ", faults: {{ rate: {}, length: {} }}", rate.min(1.0), length.max(1.0));
    }
    Ok(walk)
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(quoted(text)),
        Json::Number(number) => Some(quoted(&number.to_string())),
        Json::Bool(flag) => Some(quoted(&flag.to_string())),
        Json::Null | Json::List(_) | Json::Map(_) => None,
    }
}

/// A key as YAML has it: plain where it is a word, else quoted (JSON's quoting is YAML's).
fn key(name: &str) -> String {
    let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&name.to_ascii_lowercase().as_str());
    if word { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests;
