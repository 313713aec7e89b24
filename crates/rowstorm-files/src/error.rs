//! What went wrong with a file, and what to do.

use std::io;
use std::path::Path;

use rowstorm_sink::SinkError;

pub(crate) fn from_io(path: &Path, what: &str, cause: io::Error) -> SinkError {
    SinkError::fatal(class(&cause), format!("{}: {what}: {cause}", path.display())).because(cause)
}

pub(crate) fn has_rows(path: &Path) -> SinkError {
    SinkError::fatal(
        "not empty",
        format!(
            "{} has rows already; write elsewhere, or use --table-mode append or recreate",
            path.display()
        ),
    )
}

pub(crate) fn no_append(path: &Path) -> SinkError {
    SinkError::fatal(
        "not supported",
        format!("{}: a Parquet file cannot be appended to; write elsewhere", path.display()),
    )
}

pub(crate) fn unreadable(path: &Path, cause: impl std::fmt::Display) -> SinkError {
    SinkError::fatal("unreadable", format!("{} cannot be read back: {cause}", path.display()))
}

/// The kind of trouble, for counting.
pub(crate) fn class(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::StorageFull => "disk full".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        other => other.to_string(),
    }
}
