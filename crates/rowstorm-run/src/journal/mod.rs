//! What the controllers of a run saw and decided, to be played again.

mod file;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use file::{Played, ReplayError, Told, replay};

use rowstorm_control::{Controller, Counters, Decision, Explorer, ExplorerOptions, Observation};

/// Entries that are kept: hours of most runs, and about 200 MB.
const ENTRIES_MAX: usize = 1_000_000;

/// Every observation of a run's controllers with the decision that it led to. Clones share it.
///
/// Controllers have no clock and no randomness, so that playing it again must give the same decisions:
/// [`Journal::replay`] checks that. It is given to a run in [`RunOptions::journal`](crate::RunOptions::journal).
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

/// One event of a controller's life.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// This table was opened: a new controller, and what it was made from.
    Opened(String, ExplorerOptions),
    /// A batch was finished.
    Seen(Observation, Decision),
    /// The server was asked what it refused in silence.
    Counted(Counters, Decision),
    /// It was frozen.
    Frozen(Decision),
}

impl Journal {
    /// The events so far: the first million of a run.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Plays all events again with fresh controllers; answers with the number of observations.
    ///
    /// # Errors
    /// The place and the two decisions where the first one differs.
    pub fn replay(&self) -> Result<u64, String> {
        let entries = self.lock();
        let mut explorer = None;
        let mut observations = 0;
        for (place, entry) in entries.iter().enumerate() {
            let (again, decided) = match (entry, explorer.as_mut()) {
                (Entry::Opened(_, options), _) => {
                    explorer = Some(Explorer::new(*options));
                    continue;
                }
                (Entry::Seen(seen, decided), Some(explorer)) => {
                    observations += 1;
                    (explorer.observe(seen), decided)
                }
                (Entry::Counted(seen, decided), Some(explorer)) => (explorer.count(seen), decided),
                (Entry::Frozen(decided), Some(explorer)) => (explorer.freeze(), decided),
                (Entry::Seen(..) | Entry::Counted(..) | Entry::Frozen(_), None) => {
                    return Err(format!("entry {place} has no controller before it"));
                }
            };
            if again != decided {
                return Err(format!("entry {place}: it decided {decided:?}, and now {again:?}"));
            }
        }
        Ok(observations)
    }

    /// The tables that have a controller in it, in the order of their loads.
    pub fn tables(&self) -> Vec<String> {
        let entries = self.lock();
        let opened = entries.iter().filter_map(|entry| match entry {
            Entry::Opened(table, _) => Some(table.clone()),
            Entry::Seen(..) | Entry::Counted(..) | Entry::Frozen(_) => None,
        });
        opened.collect()
    }

    /// Whether it took all that it can, so that the rest of the run is missing.
    pub fn is_full(&self) -> bool {
        self.lock().len() >= ENTRIES_MAX
    }

    /// Writes the events of one table as lines of JSON, which [`replay`] plays again.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, table: &str, out: impl io::Write) -> io::Result<()> {
        let entries = self.lock();
        let opens = |entry: &Entry| matches!(entry, Entry::Opened(name, _) if name == table);
        let from = entries.iter().position(opens).unwrap_or(entries.len());
        let after = entries.iter().skip(from + 1);
        let many = after.take_while(|entry| !matches!(entry, Entry::Opened(..))).count();
        file::write(&entries[from..entries.len().min(from + 1 + many)], out)
    }

    pub(crate) fn add(&self, entry: Entry) {
        let mut entries = self.lock();
        if entries.len() < ENTRIES_MAX {
            entries.push(entry);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
