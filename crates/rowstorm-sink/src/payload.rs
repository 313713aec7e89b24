//! The bytes of one batch, as they are sent and, if need be, sent again.

use std::ops::Range;

use crate::{Buffer, SinkError, SinkErrorKind};

/// The encoded rows of one range.
#[derive(Debug, Default)]
pub struct Payload {
    /// The rows that the body holds.
    pub rows: Range<u64>,
    /// The bytes, in the wire's own format.
    pub body: Buffer,
    /// Whether the rows may be there already.
    pub attempt: Attempt,
}

/// Whether a payload's rows may be in the database already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Attempt {
    /// They are not.
    #[default]
    First,
    /// An earlier write of the same rows got no answer: rows that stand there with this content are
    /// [`confirmed`](crate::Outcome::confirmed), not rejected.
    Replay,
}

impl Payload {
    /// How many rows.
    pub fn len(&self) -> u64 {
        self.rows.end - self.rows.start
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Refuses a payload that is larger than a sink's [`Limits::bytes`](crate::Limits::bytes).
    ///
    /// # Errors
    /// [Too large](SinkErrorKind::TooLarge).
    pub fn check_bytes(&self, bytes_max: u64) -> Result<(), SinkError> {
        let bytes = self.body.len();
        if bytes as u64 <= bytes_max {
            return Ok(());
        }
        let message = format!("a payload of {bytes} bytes; one holds at most {bytes_max}");
        Err(SinkError::new(SinkErrorKind::TooLarge, "too_large", message))
    }

    /// Forgets rows and bytes, keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0..0;
        self.body.clear();
        self.attempt = Attempt::First;
    }
}
