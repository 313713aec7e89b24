//! `--journal FILE`, what the controller saw and decided, and `tune --replay FILE`, which plays it again.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use rowstorm::report::number::grouped;
use rowstorm::runner::journal::{ReplayError, replay as play};
use rowstorm::runner::{Journal, RunOptions, Setting};

use crate::exit::{Exit, Failure, Result};
use crate::{console, outcome};

/// A journal that is being kept, and where it goes.
#[derive(Debug)]
pub(super) struct Kept {
    journal: Journal,
    path: PathBuf,
}

impl Kept {
    /// Keeps a journal if a file for it is named.
    pub(super) fn begin(path: Option<&Path>, options: &mut RunOptions) -> Result<Option<Kept>> {
        let Some(path) = path else { return Ok(None) };
        let given = |setting| matches!(setting, Setting::Fixed(_));
        if given(options.batch) && given(options.in_flight) {
            return Err(Failure::usage(
                "--journal: batch and in_flight are both given, so there is no controller",
            )
            .help("leave one of them to `auto`"));
        }
        outcome::check_writable(path.to_str())?;
        let journal = Journal::default();
        options.journal = Some(journal.clone());
        Ok(Some(Kept { journal, path: path.to_owned() }))
    }

    /// Writes it, a file for each table, and says where.
    pub(super) fn end(&self, talks: bool) -> Result<()> {
        let tables = self.journal.tables();
        for table in &tables {
            let path = if tables.len() > 1 { named(&self.path, table) } else { self.path.clone() };
            let write = || self.journal.write(table, BufWriter::new(File::create(&path)?));
            write().map_err(|cause| Failure::io(path.display(), &cause))?;
            if talks {
                console::talk(&format!("journal  {}", path.display()));
            }
        }
        if self.journal.is_full() {
            console::talk("warning: the journal is full: the rest of the run is not in it");
        }
        Ok(())
    }
}

/// `a.jsonl` of the table `orders` is `a.orders.jsonl`.
fn named(path: &Path, table: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    // Names of tables are anything; those of files are not.
    let table: String =
        table.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    path.with_file_name(format!("{stem}.{table}{}", ending.unwrap_or_default()))
}

/// Plays a journal again: its decisions, and whether they are the same.
pub(super) fn replay(path: &Path) -> Result<Exit> {
    let file = File::open(path).map_err(|cause| Failure::io(path.display(), &cause))?;
    let mut text = String::new();
    let played = play(BufReader::new(file), |at, told| {
        let seconds = at.as_secs_f64();
        let (rows, lanes) = (told.batch_rows, told.in_flight);
        let _ = writeln!(text, "{seconds:>9.3} s  {rows:>7} rows × {lanes:<3}  {}", told.reason);
    });
    console::data(&text)?;
    let failure =
        |exit, error: &ReplayError| Failure::new(exit, format!("{}: {error}", path.display()));
    match played {
        Ok(played) => {
            let (seen, decided) = (grouped(played.observations), grouped(played.decisions));
            console::data(&format!("identical: {decided} decisions after {seen} batches\n"))?;
            Ok(Exit::Done)
        }
        Err(error @ ReplayError::Differs { .. }) => Err(failure(Exit::Mismatch, &error)
            .help("the journal was changed, or is of another version of rowstorm")),
        Err(error @ (ReplayError::Read(_) | ReplayError::Line { .. })) => {
            Err(failure(Exit::Usage, &error).help("expected a file that --journal wrote"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_a_file_of_its_own_name() {
        let named = |path: &str, table| named(Path::new(path), table).display().to_string();
        assert_eq!(named("a/j.jsonl", "orders"), "a/j.orders.jsonl");
        assert_eq!(named("j", "../x"), "j.---x");
    }
}
