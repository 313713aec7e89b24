//! From text to a [`Schema`], or to everything that is wrong with the text.

use std::path::{Path, PathBuf};

use crate::document::{self, Node, Problems};
use crate::{Invalid, Schema, validate};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.1.
    Toml,
    /// JSON.
    Json,
}

impl Format {
    /// The format of a file by its extension: `yaml` and `yml`, `toml`, `json`.
    ///
    /// ```
    /// use rowstorm_schema::Format;
    ///
    /// assert_eq!(Format::of("cpu.yaml".as_ref()), Some(Format::Yaml));
    /// assert_eq!(Format::of("cpu.txt".as_ref()), None);
    /// ```
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Format::Yaml),
            "toml" => Some(Format::Toml),
            "json" => Some(Format::Json),
            _ => None,
        }
    }
}

/// Why a schema file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The extension is none of a schema's.
    #[error("{} is no schema file: its name ends in none of .yaml, .yml, .toml and .json", path.display())]
    Extension {
        /// The file.
        path: PathBuf,
    },
    /// The document is wrong.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Schema {
    /// Reads and checks a document; `file` is its name in problems.
    ///
    /// # Errors
    /// [`Invalid`] with every problem, of structure and of sense, with its line and column.
    ///
    /// ```
    /// use rowstorm_schema::{Format, Schema};
    ///
    /// let yaml = "version: 1\ntables: { t: { columns: { id: { type: bigint, gen: sequence } } } }";
    /// let schema = Schema::parse(yaml, Format::Yaml, "t.yaml")?;
    /// assert_eq!(schema.tables["t"].columns.len(), 1);
    /// # Ok::<(), rowstorm_schema::Invalid>(())
    /// ```
    pub fn parse(text: &str, format: Format, file: &str) -> Result<Schema, Invalid> {
        let mut problems = Problems::new(file);
        let schema = read(text, format, &mut problems);
        match schema {
            Some(schema) if problems.is_empty() => Ok(schema),
            Some(_) | None => Err(Invalid(problems.into_sorted())),
        }
    }

    /// Reads and checks a file; its extension says the format.
    ///
    /// # Errors
    /// [`LoadError`]: the file cannot be read, is no schema file by its name, or its document is wrong.
    pub fn load(path: impl AsRef<Path>) -> Result<Schema, LoadError> {
        let path = path.as_ref();
        let Some(format) = Format::of(path) else {
            return Err(LoadError::Extension { path: path.to_owned() });
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Ok(Schema::parse(&text, format, &path.display().to_string())?)
    }

    /// Checks a schema that was built in code: the same problems, without lines.
    ///
    /// # Errors
    /// [`Invalid`] with every problem.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut problems = Problems::new("");
        validate::schema(
            self,
            &Node { at: document::Mark::default(), value: document::Value::Null },
            &mut problems,
        );
        if problems.is_empty() { Ok(()) } else { Err(Invalid(problems.into_sorted())) }
    }
}

fn read(text: &str, format: Format, problems: &mut Problems) -> Option<Schema> {
    let mut root = tree(text, format, "a schema starts with `version: 1` and `tables:`", problems)?;
    let schema = document::de::read::<Schema>(&mut root, problems)?;
    validate::schema(&schema, &root, problems);
    Some(schema)
}

/// Reads another document than a schema: its structure alone is checked.
pub(crate) fn plain<T: serde::de::DeserializeOwned>(
    text: &str,
    format: Format,
    file: &str,
    help: &str,
) -> Result<T, Invalid> {
    let mut problems = Problems::new(file);
    let read = tree(text, format, help, &mut problems)
        .and_then(|mut root| document::de::read::<T>(&mut root, &mut problems));
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        Some(_) | None => Err(Invalid(problems.into_sorted())),
    }
}

fn tree(text: &str, format: Format, help: &str, problems: &mut Problems) -> Option<Node> {
    let root = match format {
        Format::Yaml => document::yaml::parse(text, problems),
        Format::Toml => document::toml::parse(text, problems),
        Format::Json => document::json::parse(text, problems),
    };
    if root.is_none() && problems.is_empty() {
        let message = "the document is empty".to_owned();
        let start = document::Mark { line: 1, column: 1 };
        problems.add(start, &document::Place::root(), message, Some(help.to_owned()));
    }
    root
}
