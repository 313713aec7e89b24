//! Writing to a file, all of a payload or nothing of it.

use rowstorm_sink::{Outcome, Payload, SinkError, Writer};

use crate::PAYLOAD_BYTES_MAX;
use crate::open::OpenFile;

/// Writes payloads to one file.
pub struct FileWriter(pub(crate) OpenFile);

impl Writer for FileWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        payload.check_bytes(PAYLOAD_BYTES_MAX)?;
        self.0.write(payload).await
    }
}
