//! The rows that must be there, as hashes: each is struck off when it is found.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard};

/// What an entry takes: 32 bytes, in tables that are filled to between 7/16 and 7/8.
pub(super) const ENTRY_BYTES: u64 = 73;

/// Maps with a lock each, so that all cores fill them.
const SLOTS: usize = 64;

const OURS: u64 = 1 << 62;
const SEEN: u64 = 1 << 63;

/// The rows of one table (or a share of them) that must be there, by a hash of their key, or of their content where there is no
/// key.
#[derive(Debug)]
pub(super) struct Ledger {
    slots: Vec<Mutex<HashMap<u128, Entry, BuildHasherDefault<Known>>>>,
    keyed: bool,
}

/// Whether a row must be there, or only may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// It must.
    Must,
    /// It may: it is another shard's, or of a range that is not known to be done.
    May,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// With a key, a hash of all columns; without, how many such rows must be there (high half) and are (low half).
    content: u64,
    /// The row's number, and the two bits above.
    row: u64,
}

/// What became of a row that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// It is as it must be.
    Same,
    /// This row's key, with other content.
    Other(u64),
    /// This row was found before.
    Again(u64),
    /// No row has this key.
    Unknown,
}

impl Ledger {
    /// A ledger with room for so many rows.
    pub(super) fn new(keyed: bool, rows: u64) -> Ledger {
        let each = (rows as usize / SLOTS) + (rows as usize / SLOTS / 16);
        let map =
            |_| Mutex::new(HashMap::with_capacity_and_hasher(each, BuildHasherDefault::new()));
        Ledger { slots: (0..SLOTS).map(map).collect(), keyed }
    }

    /// Enters a row; `false` if its key is another row's, as the database keeps keys.
    pub(super) fn enter(&self, key: u128, content: u64, row: u64, duty: Duty) -> bool {
        let flag = if duty == Duty::Must { OURS } else { 0 };
        let entry = Entry { content: if self.keyed { content } else { 1 << 32 }, row: row | flag };
        let key = if self.keyed { key } else { beside(key, duty) };
        let mut slot = self.slot(key);
        match slot.get_mut(&key) {
            None => {
                slot.insert(key, entry);
                true
            }
            Some(_) if self.keyed => false,
            Some(old) => {
                old.content += 1 << 32;
                // The first of the equal ones, whichever thread came first.
                old.row = old.row().min(row) | flag;
                true
            }
        }
    }

    /// Strikes a row off that was found.
    pub(super) fn meet(&self, key: u128, content: u64) -> Met {
        if self.keyed {
            let mut slot = self.slot(key);
            let Some(entry) = slot.get_mut(&key) else { return Met::Unknown };
            if entry.row & SEEN != 0 {
                return Met::Again(entry.row());
            }
            entry.row |= SEEN;
            return if entry.content == content { Met::Same } else { Met::Other(entry.row()) };
        }
        let mut again = None;
        for duty in [Duty::Must, Duty::May] {
            let key = beside(key, duty);
            if let Some(entry) = self.slot(key).get_mut(&key) {
                if entry.lacking() > 0 {
                    entry.content += 1;
                    return Met::Same;
                }
                again.get_or_insert(entry.row());
            }
        }
        again.map_or(Met::Unknown, Met::Again)
    }

    /// The rows that must be there and were not found, and how many of each.
    pub(super) fn missing(&self) -> Vec<(u64, u64)> {
        let mut missing = Vec::new();
        for slot in &self.slots {
            let slot = slot.lock().expect("no holder of this lock panics");
            let ours = slot.values().filter(|entry| entry.row & OURS != 0);
            missing.extend(ours.filter_map(|entry| {
                let lacking =
                    if self.keyed { u64::from(entry.row & SEEN == 0) } else { entry.lacking() };
                (lacking > 0).then_some((entry.row(), lacking))
            }));
        }
        missing.sort_unstable();
        missing
    }

    fn slot(&self, key: u128) -> MutexGuard<'_, HashMap<u128, Entry, BuildHasherDefault<Known>>> {
        let slot = &self.slots[(key >> 120) as usize % SLOTS];
        slot.lock().expect("no holder of this lock panics")
    }
}

impl Entry {
    fn row(self) -> u64 {
        self.row & !(OURS | SEEN)
    }

    fn lacking(self) -> u64 {
        (self.content >> 32) - (self.content & u64::from(u32::MAX))
    }
}

/// Equal rows that must and that may be there are counted apart.
fn beside(key: u128, duty: Duty) -> u128 {
    match duty {
        Duty::Must => key,
        Duty::May => key ^ 1,
    }
}

/// The keys are hashes already.
#[derive(Debug, Default)]
struct Known(u64);

impl Hasher for Known {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_struck_off_once() {
        let ledger = Ledger::new(true, 3);
        assert!(ledger.enter(1, 10, 0, Duty::Must) && ledger.enter(2, 20, 1, Duty::Must));
        assert!(ledger.enter(3, 30, 2, Duty::May) && ledger.enter(4, 40, 3, Duty::Must));
        assert!(!ledger.enter(4, 41, 9, Duty::Must), "a key is one row's");
        assert_eq!(ledger.meet(1, 10), Met::Same);
        assert_eq!(ledger.meet(1, 10), Met::Again(0));
        assert_eq!(ledger.meet(2, 21), Met::Other(1));
        assert_eq!(ledger.meet(5, 10), Met::Unknown);
        assert_eq!(ledger.missing(), [(3, 1)], "row 2 need not be there");
    }

    #[test]
    fn equal_rows_without_a_key_are_counted() {
        let ledger = Ledger::new(false, 4);
        for row in 0..3 {
            assert!(ledger.enter(8, 0, row, Duty::Must));
        }
        assert!(ledger.enter(10, 0, 7, Duty::May) && ledger.enter(12, 0, 8, Duty::Must));
        assert_eq!(ledger.meet(8, 0), Met::Same);
        assert_eq!(ledger.missing(), [(0, 2), (8, 1)]);
        assert_eq!([ledger.meet(8, 0), ledger.meet(8, 0)], [Met::Same, Met::Same]);
        assert_eq!(ledger.meet(8, 0), Met::Again(0));
        assert_eq!([ledger.meet(10, 0), ledger.meet(10, 0)], [Met::Same, Met::Again(7)]);
        assert_eq!(ledger.meet(14, 0), Met::Unknown);
    }
}
