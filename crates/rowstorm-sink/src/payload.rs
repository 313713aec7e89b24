//! The bytes of one batch, as they are sent and, if need be, sent again.

use std::ops::Range;

use crate::Buffer;

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

    /// Forgets rows and bytes, keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0..0;
        self.body.clear();
        self.attempt = Attempt::First;
    }
}
