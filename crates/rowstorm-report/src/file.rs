//! Records as files. A record may be read years later by another version: an older reader says so plainly instead of
//! complaining of a field that it does not know.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use serde::Deserialize;

use crate::record::{RECORD_VERSION, RunRecord};

/// What can be wrong with a record file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text is no run record.
    #[error("{origin} is not a run record of Rowstorm: {source}")]
    Malformed {
        /// Where the text came from.
        origin: String,
        /// Where it stops making sense.
        source: serde_json::Error,
    },
    /// A newer Rowstorm wrote it.
    #[error(
        "{origin} is a record of version {found}, and this Rowstorm reads up to version {RECORD_VERSION}: use the Rowstorm that wrote it, or a newer one"
    )]
    Newer {
        /// Where the text came from.
        origin: String,
        /// The version that it names.
        found: u32,
    },
}

#[derive(Deserialize)]
struct VersionOnly {
    record_version: u32,
}

impl RunRecord {
    /// Reads a record file.
    ///
    /// # Errors
    /// The file cannot be read, is no record, or is one of a newer version.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| RecordError::File { path: path.to_owned(), source })?;
        Self::from_json(&path.display().to_string(), &text)
    }

    /// Reads a record from text; `origin` names it in errors.
    ///
    /// # Errors
    /// The text is no record, or one of a newer version.
    ///
    /// ```
    /// use rowstorm_report::RunRecord;
    /// let newer = r#"{ "record_version": 2, "colour": "new" }"#;
    /// let error = RunRecord::from_json("run.json", newer).unwrap_err();
    /// assert!(error.to_string().contains("version 2"));
    /// ```
    pub fn from_json(origin: &str, text: &str) -> Result<Self, RecordError> {
        let malformed = |source| RecordError::Malformed { origin: origin.to_owned(), source };
        // The version first: everything else may have changed.
        let VersionOnly { record_version: found } =
            serde_json::from_str(text).map_err(malformed)?;
        if found > RECORD_VERSION {
            return Err(RecordError::Newer { origin: origin.to_owned(), found });
        }
        serde_json::from_str(text).map_err(malformed)
    }

    /// The record as JSON text, indented, with a line break at its end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a record has string keys only, and writing to memory does not fail");
        text.push('\n');
        text
    }

    /// Writes the record to a file: whole or not at all, also if the process dies meanwhile.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        let path = path.as_ref();
        let failed = |source| RecordError::File { path: path.to_owned(), source };
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let mut file = std::fs::File::create(&beside).map_err(failed)?;
        file.write_all(self.to_json().as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)
    }
}

/// The JSON Schema (draft-07) of a record file, as text.
pub fn json_schema() -> String {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<RunRecord>();
    schema.insert("title".into(), "Rowstorm run record".into());
    let mut text = serde_json::to_string_pretty(&schema)
        .expect("a schema is JSON, and writing to memory does not fail");
    text.push('\n');
    text
}
