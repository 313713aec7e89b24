//! SQLite's codes, by what can be done about them.

use rowstorm_sink::{Delivery, Outcome, SinkError, SinkErrorKind};
use rusqlite::{Error, ErrorCode, ffi};

/// What one failed statement means for its row.
pub(crate) enum Verdict {
    /// This row is refused; the transaction goes on.
    Row { class: String, message: String },
    /// The payload is: see [`whole`].
    Payload,
}

/// Whether a failed INSERT concerns only its row.
pub(crate) fn verdict(error: &Error) -> Verdict {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
            Verdict::Row { class: class(error), message: error.to_string() }
        }
        Some(_) | None => Verdict::Payload,
    }
}

/// Whether an equal key stands there already.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    matches!(
        extended(error),
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_ROWID
    )
}

/// Whether the database takes no more: read-only, or full.
pub(crate) fn is_unwritable(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::DiskFull))
}

/// Whether another connection is in the way.
pub(crate) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// What a failure means for a whole payload, of which nothing is written.
pub(crate) fn whole(error: Error, rows: u64) -> Result<Outcome, SinkError> {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::ConstraintViolation
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied,
        ) => Ok(Outcome::refused(rows, class(&error), error.to_string())),
        Some(ErrorCode::TooBig) => Err(sink_error(SinkErrorKind::TooLarge, error)),
        Some(_) | None => Err(fatal(error)),
    }
}

/// A failure outside of a payload: busy, or of no avail.
pub(crate) fn fatal(error: Error) -> SinkError {
    let kind = if is_busy(&error) {
        SinkErrorKind::Busy { retry_after: None }
    } else {
        SinkErrorKind::Fatal
    };
    sink_error(kind, error)
}

/// The connection's thread is gone, and with it the transaction that it may have been in.
pub(crate) fn thread_gone() -> SinkError {
    SinkError::new(
        SinkErrorKind::Lost(Delivery::InDoubt),
        "connection",
        "the thread of the SQLite connection ended",
    )
}

fn sink_error(kind: SinkErrorKind, error: Error) -> SinkError {
    SinkError::new(kind, class(&error), format!("SQLite: {error}")).because(error)
}

fn extended(error: &Error) -> i32 {
    error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code)
}

/// The code and its name, as in SQLite's own list (sqlite.org/rescode.html).
fn class(error: &Error) -> String {
    let code = extended(error);
    let name = match code {
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        other => match other & 0xFF {
            ffi::SQLITE_PERM => "SQLITE_PERM",
            ffi::SQLITE_BUSY => "SQLITE_BUSY",
            ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
            ffi::SQLITE_READONLY => "SQLITE_READONLY",
            ffi::SQLITE_IOERR => "SQLITE_IOERR",
            ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
            ffi::SQLITE_FULL => "SQLITE_FULL",
            ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
            ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
            ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
            ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
            ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
            _ => "SQLITE_ERROR",
        },
    };
    format!("{code} {name}")
}
