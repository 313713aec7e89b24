//! Appending to a file, all of a payload or nothing of it.

use std::path::PathBuf;

use rowstorm_sink::{Outcome, Payload, SinkError, Writer};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use crate::{PAYLOAD_BYTES_MAX, error};

/// Appends payloads to one file.
pub enum FileWriter {
    /// CSV and JSON Lines.
    #[doc(hidden)]
    Append {
        /// Where.
        path: PathBuf,
        /// The open file.
        file: File,
        /// Bytes that are known to be whole rows.
        len: u64,
    },
    /// Parquet.
    #[cfg(feature = "parquet")]
    #[doc(hidden)]
    Parquet(crate::parquet::ParquetFile),
}

impl FileWriter {
    pub(crate) async fn append(path: PathBuf) -> Result<FileWriter, SinkError> {
        let cannot = |cause| error::from_io(&path, "the file cannot be opened", cause);
        let file = OpenOptions::new().append(true).open(&path).await.map_err(cannot)?;
        let len = file.metadata().await.map_err(cannot)?.len();
        Ok(FileWriter::Append { path, file, len })
    }
}

impl Writer for FileWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        payload.check_bytes(PAYLOAD_BYTES_MAX)?;
        match self {
            FileWriter::Append { path, file, len } => {
                // What a dropped write left behind is cut off first.
                if file.metadata().await.is_ok_and(|now| now.len() != *len) {
                    let cut = file.set_len(*len).await;
                    cut.map_err(|cause| error::from_io(path, "the file cannot be cut", cause))?;
                }
                match append(file, payload.body.as_slice()).await {
                    Ok(()) => {
                        *len += payload.body.len() as u64;
                        Ok(Outcome::accepted(payload.len()))
                    }
                    Err(cause) => {
                        // A part of the rows may stand there: none of them shall.
                        let cut = file.set_len(*len).await;
                        cut.map_err(|cause| error::from_io(path, "the file cannot be cut", cause))?;
                        Ok(Outcome::refused(payload.len(), error::class(&cause), cause.to_string()))
                    }
                }
            }
            #[cfg(feature = "parquet")]
            FileWriter::Parquet(file) => file.write(payload).await,
        }
    }
}

async fn append(file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(bytes).await?;
    file.flush().await
}
