//! Errors by what can be done about them: the runner reacts in four ways, so there are four kinds.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a write (or a preparation) did not happen, or is in doubt.
///
/// A refused row is no error: see [`Outcome`](crate::Outcome).
#[derive(Debug)]
pub struct SinkError {
    /// What can be done.
    pub kind: SinkErrorKind,
    /// Which kind of trouble, for counting: "40P01 deadlock_detected", "connection".
    pub class: String,
    /// What happened and what to do, for people. Never a password.
    pub message: String,
    /// The driver's own error.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// What can be done about a [`SinkError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkErrorKind {
    /// Nothing was written and the server is busy: wait and send the same payload again.
    Busy {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// Nothing was written, and never will be at this size: halve.
    TooLarge,
    /// The connection is gone: open another.
    Lost(Delivery),
    /// It cannot succeed: stop.
    Fatal,
}

/// Whether rows can have arrived before a connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Certainly not: send them again.
    None,
    /// Perhaps: send them again only where a key keeps one copy, else book them as unknown.
    InDoubt,
}

impl SinkError {
    /// An error without a driver's error behind it.
    pub fn new(
        kind: SinkErrorKind,
        class: impl Into<String>,
        message: impl Into<String>,
    ) -> SinkError {
        SinkError { kind, class: class.into(), message: message.into(), source: None }
    }

    /// With the driver's own error.
    #[must_use]
    pub fn because(self, source: impl Error + Send + Sync + 'static) -> SinkError {
        SinkError { source: Some(Box::new(source)), ..self }
    }

    /// The same error behind something of the transaction that was written and stays: what is done and what is not is in doubt.
    #[must_use]
    pub fn in_part(self) -> SinkError {
        let kind = match self.kind {
            SinkErrorKind::Busy { .. } | SinkErrorKind::TooLarge | SinkErrorKind::Lost(_) => {
                SinkErrorKind::Lost(Delivery::InDoubt)
            }
            SinkErrorKind::Fatal => SinkErrorKind::Fatal,
        };
        SinkError { kind, ..self }
    }

    /// It cannot succeed.
    pub fn fatal(class: impl Into<String>, message: impl Into<String>) -> SinkError {
        SinkError::new(SinkErrorKind::Fatal, class, message)
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl Error for SinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}
