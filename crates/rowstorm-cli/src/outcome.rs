//! After a run: the record, the report, the summary, and the exit code.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rowstorm::RunRecord;
use rowstorm::report::{CdcKind, Changes};
use rowstorm::runner::Ending;

use crate::exit::{Exit, Failure, Result};
use crate::load::with_causes;

/// Names that are tried before a record of the same second gives up.
const NAMES_MAX: u32 = 1_000;

/// How the command ends after a run that ended so. A breached threshold counts only where the rows are right.
pub(crate) fn exit(ending: &Ending, signal: Option<Exit>, thresholds_hold: bool) -> Exit {
    match ending {
        Ending::NotBalanced => Exit::Mismatch,
        Ending::TooManyRejected => Exit::Rows,
        Ending::Failed(_) => Exit::Target,
        Ending::Stopped if signal.is_some() => signal.unwrap_or(Exit::Interrupted),
        Ending::Done | Ending::Stopped if thresholds_hold => Exit::Done,
        Ending::Done | Ending::Stopped => Exit::Threshold,
    }
}

/// What a run that did not end well says.
pub(crate) fn complaint(ending: &Ending, record: &RunRecord) -> Option<Failure> {
    let rows = &record.rows;
    match ending {
        Ending::Done | Ending::Stopped => None,
        Ending::TooManyRejected => {
            let first = record.errors.first();
            let why = first.map(|error| {
                let sample = error.samples.first().map(String::as_str).unwrap_or_default();
                format!("{}: {sample}", error.class)
            });
            let message = too_many(record);
            let failure = Failure::new(Exit::Rows, message);
            Some(match why {
                Some(why) => failure.help(why),
                None => failure,
            })
        }
        Ending::NotBalanced => {
            let found =
                record.changes.as_ref().and_then(|it| miscounted(it).or_else(|| mislogged(it)));
            if found.is_some() {
                return found;
            }
            let counted =
                rows.audited.map_or_else(|| "nothing".to_owned(), |rows| rows.to_string());
            let arrived = rows.accepted + rows.confirmed;
            let message = format!("{arrived} rows arrived, and the database counts {counted}");
            Some(
                Failure::new(Exit::Mismatch, message)
                    .help("rows were lost or doubled, or somebody else writes into the table"),
            )
        }
        Ending::Failed(error) => Some(Failure::target(format!(
            "{}: the run ended early: {}",
            record.target,
            with_causes(error)
        ))),
    }
}

/// What is more than `--max-errors`: of the changes, if the load was right.
fn too_many(record: &RunRecord) -> String {
    let (rows, allowed) = (&record.rows, &record.settings.max_errors);
    match &record.changes {
        Some(changes) if changes.rows.bad() > 0 => {
            let rows = &changes.rows;
            format!(
                "{} changes missed their row, {} were rejected and {} are unknown of {}, more than --max-errors {allowed}",
                rows.missed, rows.rejected, rows.unknown, rows.planned
            )
        }
        Some(_) | None => format!(
            "{} rows rejected and {} unknown of {} planned, more than --max-errors {allowed}",
            rows.rejected, rows.unknown, rows.planned
        ),
    }
}

/// The first table whose count after the changes is not what was computed.
fn miscounted(changes: &Changes) -> Option<Failure> {
    let wrong = changes.tables.iter().find(|table| table.expected != table.audited)?;
    let (expected, audited) = wrong.expected.zip(wrong.audited)?;
    let message = format!(
        "after the changes `{}` must have {expected} rows, and the database counts {audited}",
        wrong.table
    );
    Some(
        Failure::new(Exit::Mismatch, message)
            .help("rows were lost or doubled, or somebody else writes into the table"),
    )
}

/// Kinds of changes of which the server's log has more or fewer than were acknowledged.
fn mislogged(changes: &Changes) -> Option<Failure> {
    let kinds = changes.cdc.iter().flat_map(|log| &log.kinds).filter(|kind| !kind.agrees());
    let said = |kind: &CdcKind| {
        let doubt =
            if kind.in_doubt > 0 { format!(" ± {}", kind.in_doubt) } else { String::new() };
        let CdcKind { table, kind: word, found, .. } = kind;
        format!("`{table}` {word}: must be {}{doubt}, is {found}", kind.expected())
    };
    let said: Vec<String> = kinds.map(said).collect();
    let message =
        format!("the server's log has other changes than were acknowledged: {}", said.join("; "));
    let help =
        "somebody else changed these tables while the run went on, or an event was lost or doubled";
    (!said.is_empty()).then(|| Failure::new(Exit::Mismatch, message).help(help))
}

/// Writes the record to `path`, or to a name of its own in the current folder.
pub(crate) fn write_record(
    record: &RunRecord,
    path: Option<&str>,
    stem: &str,
    at: Timestamp,
) -> Result<PathBuf> {
    let path = place(path, stem, at)?;
    record.write(&path).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(path)
}

/// Where a record goes: `path`, or a name of its own in the current folder.
pub(crate) fn place(path: Option<&str>, stem: &str, at: Timestamp) -> Result<PathBuf> {
    path.map_or_else(|| fresh(stem, at), |path| Ok(PathBuf::from(path)))
}

/// A name that was free, and is taken by an empty file: shards that end in one second keep out of each other's way.
fn fresh(stem: &str, at: Timestamp) -> Result<PathBuf> {
    let time = at.strftime("%Y%m%d-%H%M%S");
    for number in 1..=NAMES_MAX {
        let more = if number == 1 { String::new() } else { format!("-{number}") };
        let name = format!("./{stem}-{time}{more}.run.json");
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(_) => return Ok(PathBuf::from(name)),
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(Failure::io(format!("cannot write {name}"), &cause)),
        }
    }
    let message = format!("{NAMES_MAX} records of {stem} at {time} are there");
    Err(Failure::usage(message).help("name one with -o"))
}

/// Looks before a run whether a file can be written after it: nobody wants to lose an hour's record to a typo.
pub(crate) fn check_writable(path: Option<&str>) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    let there = folder.is_none_or(Path::is_dir);
    if there && !Path::new(path).is_dir() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "cannot write {path}: its folder is not there, or it is a folder itself"
    )))
}

#[cfg(test)]
mod tests {
    use rowstorm::sink::SinkError;

    use super::*;

    #[test]
    fn every_ending_has_its_code() {
        let failed = || Ending::Failed(SinkError::fatal("x", "gone"));
        for (ending, signal, hold, code) in [
            (Ending::Done, None, true, 0),
            (Ending::Done, None, false, 99),
            (Ending::Done, Some(Exit::Interrupted), true, 0),
            (Ending::Stopped, Some(Exit::Interrupted), true, 130),
            (Ending::Stopped, Some(Exit::Terminated), false, 143),
            (Ending::Stopped, None, true, 0),
            (Ending::TooManyRejected, Some(Exit::Interrupted), true, 4),
            (Ending::NotBalanced, None, true, 5),
            (failed(), None, false, 3),
        ] {
            assert_eq!(exit(&ending, signal, hold).code(), code, "{ending:?}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_found_before_the_run() {
        assert!(check_writable(None).is_ok());
        assert!(check_writable(Some("a.json")).is_ok());
        assert!(check_writable(Some("/nowhere/a.json")).is_err());
        assert!(check_writable(Some("/")).is_err());
    }
}
