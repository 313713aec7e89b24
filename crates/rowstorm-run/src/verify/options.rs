//! How a database is looked at.

use std::fmt;

use rowstorm_gen::schema::FieldMap;

use super::findings::Listener;
use super::keeps::Keeps;

/// How much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What the database counts and sums itself.
    Counts,
    /// That, and every row of tables whose ledger fits the memory; of others, one key in so many that it does.
    Sample,
    /// Every row, in as many scans as the memory makes necessary.
    Full,
}

/// How a database is looked at.
pub struct VerifyOptions {
    /// How much is compared.
    pub depth: Depth,
    /// Bytes that the ledger may take, about 40 to 75 for a row.
    pub memory_bytes: u64,
    /// Findings that are kept for the report; all are counted.
    pub findings_max: usize,
    /// Told every finding, in the order in which they are found.
    pub listener: Option<Listener>,
    /// What the database keeps of a value.
    pub keeps: Keeps,
    /// Whether the plan's epoch is the run's: `gen: now` is compared.
    pub epoch: Epoch,
    /// How the tables of a copy differ from those that were written.
    pub map: FieldMap,
    /// By table: rows that stood there before the run.
    pub before: Vec<u64>,
    /// By table: rows that the run knows to be missing, because they were refused or their answer was lost.
    pub known_missing: Vec<u64>,
}

/// What is known of the run's `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// The plan has the run's.
    Known,
    /// Nobody knows: columns that hang on it are left out.
    Unknown,
}

impl Default for VerifyOptions {
    /// A sample of what does not fit 512 MiB, compared to the last bit; ten findings are kept.
    fn default() -> Self {
        VerifyOptions {
            depth: Depth::Sample,
            memory_bytes: 512 << 20,
            findings_max: 10,
            listener: None,
            keeps: Keeps::exact(),
            epoch: Epoch::Known,
            map: FieldMap::default(),
            before: Vec::new(),
            known_missing: Vec::new(),
        }
    }
}

impl fmt::Debug for VerifyOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("VerifyOptions")
            .field("depth", &self.depth)
            .field("memory_bytes", &self.memory_bytes)
            .field("keeps", &self.keeps)
            .finish_non_exhaustive()
    }
}
