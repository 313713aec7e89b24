//! Settings in layers: built-in < the file's `run:` < profile < `ROWSTORM_*` < flags.
//!
//! figment merges them and remembers where each value came from. Values are read by the flags' own parsers before
//! figment sees them, so that an error names its variable and says what would be right; secrets never get here.

use std::cmp::Ordering;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use rowstorm::schema::{RunSettings, Schema};
use serde::Serialize;

use crate::document::Document;
use crate::exit::{Exit, Failure, Result};
use crate::flags::RunFlags;
use crate::secrets;

/// The first part of every variable's name.
const PREFIX: &str = "ROWSTORM_";

/// Variables that are no settings: secrets, the target, the choice of a profile, sharding, and those of the tests.
const OTHERS: [&str; 5] =
    ["ROWSTORM_TO", "ROWSTORM_PROFILE", "ROWSTORM_SHARDS", "ROWSTORM_REQUIRE", "ROWSTORM_BLESS"];
const TESTS: &str = "ROWSTORM_TEST_";

/// Where a setting comes from that nobody gave.
const BUILT_IN: &str = "built in";

/// Every key that a flag and a variable may set.
pub(crate) const KEYS: [&str; 28] = [
    "rows",
    "duration",
    "changes",
    "warmup",
    "shard",
    "rate",
    "stages",
    "late",
    "batch",
    "in_flight",
    "pipeline",
    "objective",
    "max_bytes_in_flight",
    "seed",
    "epoch",
    "table_mode",
    "indexes",
    "max_errors",
    "retry",
    "timeout",
    "thresholds",
    "output",
    "report",
    "progress",
    "metrics",
    "json",
    "quiet",
    "verbose",
];

/// The settings in force, and where each comes from.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) settings: RunSettings,
    figment: Figment,
}

/// One setting, for `config show`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) origin: String,
}

/// What the layers are read from.
pub(crate) struct Sources<'a> {
    /// The file's name, for the origins.
    pub(crate) file: &'a str,
    pub(crate) schema: &'a Schema,
    pub(crate) defaults: RunSettings,
    pub(crate) flags: &'a RunFlags,
    /// All variables.
    pub(crate) environment: Vec<(String, String)>,
}

/// The variables of this process that are text.
pub(crate) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl Config {
    /// The settings of a run of `document`.
    pub(crate) fn of(
        document: &Document,
        flags: &RunFlags,
        environment: Vec<(String, String)>,
    ) -> Result<Config> {
        Config::load(&Sources {
            file: &document.name,
            schema: &document.schema,
            defaults: crate::settings::defaults(),
            flags,
            environment,
        })
    }

    /// Lays the layers over each other.
    pub(crate) fn load(sources: &Sources<'_>) -> Result<Config> {
        let mut layers = vec![Layer::new(Level::BuiltIn, BUILT_IN, &sources.defaults)?];
        if let Some(run) = &sources.schema.run {
            layers.push(Layer::new(Level::Run, format!("{} run", sources.file), run)?);
        }
        if let Some((name, profile)) = profile(sources)? {
            layers.push(Layer::new(
                Level::Profile,
                format!("{} profiles.{name}", sources.file),
                profile,
            )?);
        }
        for (variable, key, value) in settings_of(&sources.environment)? {
            let read = RunFlags::read(key, value)
                .map_err(|why| Failure::usage(format!("{variable}=`{value}`: {why}")))?;
            layers.push(Layer::new(Level::Environment, variable, &read)?);
        }
        for (key, value) in dict(sources.flags)? {
            let name = format!("--{}", flag_name(&key));
            layers.push(Layer { level: Level::Flags, name, values: Dict::from([(key, value)]) });
        }
        if sources.schema.changes.is_some() {
            nearest_schedule(&mut layers);
        } else {
            nearest_end_of_run(&mut layers);
        }
        let figment = layers.into_iter().fold(Figment::new(), Figment::merge);
        let settings = figment.extract().map_err(|error| explain(&error))?;
        Ok(Config { settings, figment })
    }

    /// Whether somebody gave this setting: it is not the built-in one.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        let name = self.figment.find_metadata(key).map(|from| from.name.to_string());
        name.is_some_and(|name| name != BUILT_IN)
    }

    /// Whether a flag or a variable says it, and not the file.
    pub(crate) fn is_said(&self, key: &str) -> bool {
        let name = self.figment.find_metadata(key).map(|from| from.name.to_string());
        name.is_some_and(|name| name.starts_with("--") || name.starts_with(PREFIX))
    }

    /// Every setting that has a value, in the order of [`KEYS`].
    pub(crate) fn shown(&self) -> Vec<Shown> {
        KEYS.iter()
            .filter_map(|key| {
                let value = self.figment.find_value(key).ok()?;
                let origin = self.figment.find_metadata(key).map(|from| from.name.to_string());
                Some(Shown {
                    key: (*key).to_owned(),
                    value: text(&value),
                    origin: origin.unwrap_or_default(),
                })
            })
            .collect()
    }
}

/// The profile that `--profile` or `ROWSTORM_PROFILE` names.
fn profile<'a>(sources: &Sources<'a>) -> Result<Option<(String, &'a RunSettings)>> {
    let from_environment = || {
        let set = sources.environment.iter().find(|(name, _)| name == "ROWSTORM_PROFILE");
        set.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let Some(name) = sources.flags.profile.clone().or_else(from_environment) else {
        return Ok(None);
    };
    if let Some(settings) = sources.schema.profiles.get(&name) {
        return Ok(Some((name, settings)));
    }
    let known: Vec<&str> = sources.schema.profiles.keys().map(String::as_str).collect();
    let help = match known.as_slice() {
        [] => "the file has no profiles".to_owned(),
        known => format!("the file has: {}", known.join(", ")),
    };
    Err(Failure::usage(format!("{} has no profile `{name}`", sources.file)).help(help))
}

/// The settings among the variables: variable, key, value. An empty value is as good as unset.
fn settings_of(environment: &[(String, String)]) -> Result<Vec<(&str, &'static str, &str)>> {
    let mut found = Vec::new();
    for (variable, value) in environment {
        let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
        let other = OTHERS.contains(&variable.as_str())
            || secrets::VARIABLES.contains(&variable.as_str())
            || variable.starts_with(TESTS);
        if other {
            continue;
        }
        let key = rest.to_lowercase();
        match KEYS.iter().find(|known| **known == key) {
            Some(_) if value.is_empty() => {}
            Some(known) => found.push((variable.as_str(), *known, value.as_str())),
            None => return Err(unknown_variable(variable)),
        }
    }
    Ok(found)
}

/// The value is not printed: it may be a secret under a misspelt name.
fn unknown_variable(variable: &str) -> Failure {
    let names = KEYS.iter().map(|key| format!("{PREFIX}{}", key.to_uppercase()));
    let all =
        names.chain(OTHERS[..3].iter().chain(&secrets::VARIABLES).map(|name| (*name).to_owned()));
    let nearest = all.min_by_key(|name| strsim::damerau_levenshtein(name, variable));
    let near = nearest.filter(|name| strsim::damerau_levenshtein(name, variable) <= 3);
    let help = match near {
        Some(name) => format!("did you mean {name}?"),
        None => "`rowstorm config show --origin cpu` lists the settings".to_owned(),
    };
    Failure::usage(format!("the environment has {variable}, which is no setting")).help(help)
}

/// `--duration 60s` means a minute, whatever number of rows a level below has, and the other way round: the nearer of
/// the two ends the run. On one level both hold.
fn nearest_end_of_run(layers: &mut [Layer]) {
    let level = |key: &str| {
        layers.iter().rev().find(|layer| layer.values.contains_key(key)).map(|layer| layer.level)
    };
    let dropped = match level("duration").cmp(&level("rows")) {
        Ordering::Greater => "rows",
        Ordering::Less => "duration",
        Ordering::Equal => return,
    };
    for layer in layers {
        layer.values.remove(dropped);
    }
}

/// A rate or a duration that is nearer than stages takes their place. Rows are those of the load, and changes end by themselves.
fn nearest_schedule(layers: &mut [Layer]) {
    let level = |key: &str| {
        layers.iter().rev().find(|layer| layer.values.contains_key(key)).map(|layer| layer.level)
    };
    if level("rate").max(level("duration")) > level("stages") {
        for layer in layers {
            layer.values.remove("stages");
        }
    }
}

/// The flag that sets a key.
pub(crate) fn flag_name(key: &str) -> String {
    if key == "thresholds" { "threshold".to_owned() } else { key.replace('_', "-") }
}

fn dict(settings: &impl Serialize) -> Result<Dict> {
    match Value::serialize(settings) {
        Ok(Value::Dict(_, values)) => Ok(values),
        Ok(_) => Err(Failure::new(Exit::Internal, "settings are not a map")),
        Err(error) => Err(explain(&error)),
    }
}

fn explain(error: &figment::Error) -> Failure {
    let origin = error.metadata.as_ref().map(|from| format!("{}: ", from.name)).unwrap_or_default();
    let key = error.path.join(".");
    Failure::usage(format!("{origin}`{key}`: {}", error.kind))
}

/// A value as the file would have it.
fn text(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Char(_, letter) => letter.to_string(),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, number) => number_text(*number),
        Value::Empty(..) => String::new(),
        Value::Array(_, items) => items.iter().map(text).collect::<Vec<_>>().join("; "),
        Value::Dict(_, map) => map
            .iter()
            .map(|(key, value)| format!("{key}: {}", text(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn number_text(number: figment::value::Num) -> String {
    match (number.to_u128(), number.to_i128(), number.to_f64()) {
        (Some(number), _, _) => number.to_string(),
        (None, Some(number), _) => number.to_string(),
        (None, None, Some(number)) => number.to_string(),
        (None, None, None) => String::new(),
    }
}

/// One layer: its values, and the name that `config show --origin` prints.
#[derive(Debug)]
struct Layer {
    level: Level,
    name: String,
    values: Dict,
}

/// What wins over what. Each variable and each flag is a layer of its own, all of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    BuiltIn,
    Run,
    Profile,
    Environment,
    Flags,
}

impl Layer {
    fn new(level: Level, name: impl Into<String>, settings: &impl Serialize) -> Result<Layer> {
        Ok(Layer { level, name: name.into(), values: dict(settings)? })
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> std::result::Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

#[cfg(test)]
mod tests;
