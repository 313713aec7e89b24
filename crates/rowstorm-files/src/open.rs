//! Files that are being written, one open handle for each path, whoever writes to it.
//!
//! A payload is written by one blocking task that holds the file's lock from its first byte to its last. So a write that
//! nobody waits for any more arrives whole and in its turn: it can neither leave a part of a row nor cut off the rows of
//! the write that follows it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rowstorm_gen::TablePlan;
use rowstorm_sink::{Outcome, Payload, SinkError};

use crate::{FileFormat, error};

/// A file between its first payload and `finish`.
enum Open {
    /// CSV and JSON Lines.
    Lines(Lines),
    /// Parquet.
    #[cfg(feature = "parquet")]
    Parquet(Box<crate::parquet::Parquet>),
}

/// Nothing once the file is finished.
type Shared = Arc<Mutex<Option<Open>>>;

/// The files of a folder that are being written.
#[derive(Clone, Default)]
pub(crate) struct OpenFiles(Arc<Mutex<HashMap<PathBuf, Shared>>>);

impl std::fmt::Debug for OpenFiles {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OpenFiles")
    }
}

impl OpenFiles {
    pub(crate) fn open(
        &self,
        format: FileFormat,
        table: &TablePlan,
        path: PathBuf,
    ) -> Result<OpenFile, SinkError> {
        let mut files = locked(&self.0);
        if let Some(file) = files.get(&path) {
            return Ok(OpenFile { file: file.clone(), path });
        }
        let opened = match format {
            FileFormat::Csv | FileFormat::JsonLines => Open::Lines(Lines::open(&path)?),
            #[cfg(feature = "parquet")]
            FileFormat::Parquet => {
                Open::Parquet(Box::new(crate::parquet::Parquet::create(table, &path)?))
            }
            #[cfg(not(feature = "parquet"))]
            FileFormat::Parquet => unreachable!("no Parquet file is written without the feature"),
        };
        let _ = table;
        let file = Shared::new(Mutex::new(Some(opened)));
        files.insert(path.clone(), file.clone());
        Ok(OpenFile { file, path })
    }

    /// Reads a file while nothing is being written to it.
    pub(crate) fn still<T>(&self, path: &Path, read: impl FnOnce() -> T) -> T {
        let file = locked(&self.0).get(path).cloned();
        let _whole = file.as_ref().map(|file| locked(file));
        read()
    }

    /// Waits for the write that is under way, and ends the file.
    pub(crate) fn close(&self, path: &Path) -> Result<(), SinkError> {
        let file = locked(&self.0).remove(path);
        match file.and_then(|file| locked(&file).take()) {
            None | Some(Open::Lines(_)) => Ok(()),
            #[cfg(feature = "parquet")]
            Some(Open::Parquet(file)) => file.close(path),
        }
    }
}

/// One file that is being written.
pub(crate) struct OpenFile {
    file: Shared,
    path: PathBuf,
}

impl OpenFile {
    pub(crate) async fn write(&self, payload: &Payload) -> Result<Outcome, SinkError> {
        if payload.is_empty() {
            return Ok(Outcome::default());
        }
        let (file, path, rows) = (self.file.clone(), self.path.clone(), payload.len());
        let body = payload.body.as_slice().to_vec();
        let written = tokio::task::spawn_blocking(move || match locked(&file).as_mut() {
            None => Err(error::unreadable(&path, "the file is closed already")),
            Some(Open::Lines(lines)) => lines.append(&path, &body, rows),
            #[cfg(feature = "parquet")]
            Some(Open::Parquet(file)) => file.write(&path, &body, rows),
        });
        written.await.expect("writing does not panic")
    }
}

/// A file of lines, and how many bytes of it are whole rows.
struct Lines {
    file: File,
    len: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Lines, SinkError> {
        let cannot = |cause| error::from_io(path, "the file cannot be opened", cause);
        let file = OpenOptions::new().append(true).open(path).map_err(cannot)?;
        let len = file.metadata().map_err(cannot)?.len();
        Ok(Lines { file, len })
    }

    fn append(&mut self, path: &Path, body: &[u8], rows: u64) -> Result<Outcome, SinkError> {
        match self.file.write_all(body) {
            Ok(()) => {
                self.len += body.len() as u64;
                Ok(Outcome::accepted(rows))
            }
            Err(cause) => {
                // A part of the rows may stand there: none of them shall.
                let cut = self.file.set_len(self.len);
                cut.map_err(|cause| error::from_io(path, "the file cannot be cut", cause))?;
                Ok(Outcome::refused(rows, error::class(&cause), cause.to_string()))
            }
        }
    }
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
