//! CSV, JSON Lines and (feature `parquet`) Parquet files: one file per table, rows in order.
//!
//! Files are what an independent check reads: the audit here reads the file back with another library than the one
//! that wrote it.

mod audit;
mod dialect;
mod encode;
mod error;
mod open;
#[cfg(feature = "parquet")]
mod parquet;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rowstorm_gen::TablePlan;
use rowstorm_sink::{
    Audit, Explanation, Limits, NoChanger, Prepare, PrepareMode, Scope, Sink, SinkError,
};

pub use dialect::FileFormat;
pub use encode::FileEncoder;
pub use write::FileWriter;

/// The most bytes that go to a file at once.
const PAYLOAD_BYTES_MAX: u64 = 64 << 20;

/// A folder of files, one for each table.
///
/// ```
/// use rowstorm_files::{FileFormat, Files};
/// let files = Files::new("out", FileFormat::Csv);
/// assert_eq!(files.path("cpu"), std::path::Path::new("out").join("cpu.csv"));
/// ```
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
    format: FileFormat,
    part: Option<String>,
    open: open::OpenFiles,
}

impl Files {
    /// Files of one format in a folder, which is made when it is missing.
    pub fn new(folder: impl Into<PathBuf>, format: FileFormat) -> Files {
        Files { folder: folder.into(), format, part: None, open: open::OpenFiles::default() }
    }

    /// Adds a part to each file's name, so that shards keep out of each other's way: `cpu.2-of-4.csv`.
    #[must_use]
    pub fn part(self, part: impl Into<String>) -> Files {
        Files { part: Some(part.into()), ..self }
    }

    /// Where a table's file stands. Characters that a file name may not hold are written as `%` and two digits.
    pub fn path(&self, table: &str) -> PathBuf {
        let part = self.part.as_ref().map(|part| format!(".{part}")).unwrap_or_default();
        let name = format!("{}{part}.{}", dialect::file_stem(table), self.format.extension());
        self.folder.join(name)
    }

    async fn make_folder(&self) -> Result<(), SinkError> {
        let made = tokio::fs::create_dir_all(&self.folder).await;
        made.map_err(|cause| error::from_io(&self.folder, "the folder cannot be made", cause))
    }

    async fn begin_file(&self, table: &TablePlan, path: &Path) -> Result<(), SinkError> {
        let written = tokio::fs::write(path, dialect::header(self.format, table)).await;
        written.map_err(|cause| error::from_io(path, "the file cannot be made", cause))
    }
}

impl Sink for Files {
    type Writer = FileWriter;
    type Encoder = FileEncoder;
    type Changer = NoChanger;

    fn limits(&self, _: &TablePlan) -> Limits {
        // One writer, so that the rows of a file stand in order.
        Limits { rows: 1 << 20, bytes: PAYLOAD_BYTES_MAX, writers: 1, idempotent: false }
    }

    fn encoder(&self, table: &TablePlan) -> FileEncoder {
        FileEncoder::new(self.format, table)
    }

    fn explain(&self, table: &TablePlan, _: &Prepare) -> Explanation {
        Explanation {
            method: format!("{} file, appended in order", self.format.name()),
            ddl: Vec::new(),
            statement: format!("write {}", self.path(&table.name).display()),
            notes: dialect::notes(self.format),
        }
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.make_folder().await?;
        let path = self.path(&table.name);
        self.open.close(&path)?;
        let there = tokio::fs::metadata(&path).await.is_ok_and(|file| file.len() > 0);
        if self.format == FileFormat::Parquet && there && prepare.mode == PrepareMode::Append {
            return Err(error::no_append(&path));
        }
        match prepare.mode {
            PrepareMode::Append if there => Ok(()),
            PrepareMode::Create if there && !dialect::is_only_header(&path, self.format, table) => {
                Err(error::has_rows(&path))
            }
            PrepareMode::Recreate | PrepareMode::Create | PrepareMode::Append => {
                self.begin_file(table, &path).await
            }
        }
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<FileWriter, SinkError> {
        self.open.open(self.format, table, self.path(&table.name)).map(FileWriter)
    }

    async fn finish(&self, table: &TablePlan, _: &Prepare) -> Result<(), SinkError> {
        self.open.close(&self.path(&table.name))
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        let path = self.path(&table.name);
        self.open.still(&path, || audit::count(&path, self.format, table, *scope))
    }
}
