//! FILE: a schema file, or the name of a sample.

use std::path::Path;

use rowstorm::generate::PlanOptions;
use rowstorm::schema::{FieldMap, Format, Schema, Table};
use rowstorm::{Plan, schema};

use crate::exit::{Exit, Failure, Result};
use crate::samples;

/// A schema and what it is called.
#[derive(Debug)]
pub(crate) struct Document {
    /// As it was given: a path, or a sample's name.
    pub(crate) name: String,
    pub(crate) schema: Schema,
}

impl Document {
    /// Reads and validates; all problems at once.
    pub(crate) fn load(name: &str) -> Result<Document> {
        let schema = match samples::find(name) {
            Some(text) => Schema::parse(text, Format::Yaml, name),
            None => Schema::parse(&read(name)?, format(name)?, name),
        };
        let schema =
            schema.map_err(|invalid| Failure::laid_out(Exit::Usage, invalid.to_string()))?;
        Ok(Document { name: name.to_owned(), schema })
    }

    /// The name without folder and extension, for file names.
    pub(crate) fn stem(&self) -> String {
        let stem = Path::new(&self.name).file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    /// Compiles the schema.
    pub(crate) fn plan(&self, options: PlanOptions) -> Result<Plan> {
        Plan::new(&self.schema, options)
            .map_err(|error| Failure::usage(format!("{}: {error}", self.name)))
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = (&String, &Table)> {
        self.schema.tables.iter()
    }
}

/// Reads how a copy differs from the tables of a schema.
pub(crate) fn field_map(name: &str, schema: &Schema) -> Result<FieldMap> {
    let text = std::fs::read_to_string(name)
        .map_err(|cause| Failure::io(format!("cannot read {name}"), &cause))?;
    let map = FieldMap::parse(&text, format(name)?, name)
        .map_err(|invalid| Failure::laid_out(Exit::Usage, invalid.to_string()))?;
    match map.problem(schema) {
        None => Ok(map),
        Some(problem) => Err(Failure::usage(format!("{name}: {problem}"))),
    }
}

/// Microseconds since 1970 of an instant that a flag or a file gave.
pub(crate) fn epoch_us(text: &str) -> Result<i64> {
    schema::parse_instant(text).map_err(|error| Failure::usage(format!("epoch: {error}")))
}

fn read(name: &str) -> Result<String> {
    std::fs::read_to_string(name).map_err(|cause| {
        let failure = Failure::io(format!("cannot read {name}"), &cause);
        let sample =
            samples::names().into_iter().min_by_key(|known| strsim::levenshtein(known, name));
        match sample.filter(|known| strsim::levenshtein(known, name) <= 2) {
            Some(known) => failure.help(format!("did you mean the sample `{known}`?")),
            None => failure.help(format!(
                "`rowstorm init > cpu.yaml` writes one; samples: {}",
                samples::names().join(", ")
            )),
        }
    })
}

fn format(name: &str) -> Result<Format> {
    Format::of(Path::new(name)).ok_or_else(|| {
        Failure::usage(format!("{name} is no schema file"))
            .help("its name ends in .yaml, .yml, .toml or .json")
    })
}
