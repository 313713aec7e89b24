//! One table against the rows that were found in it, in any order. Pure: rows are given, threads are the caller's.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{mem, thread};

use rowstorm_gen::{Batch, TablePlan, Value};
use rowstorm_report::{Finding, FindingKind, LostOp};

use super::claim::{Claim, Part};
use super::compare::Compare;
use super::digest::digest;
use super::findings::{Findings, finding};
use super::ledger::{Duty, Ledger, Met};
use super::map::Reading;
use super::pairs::Pairs;
use super::sums::Sums;

/// A share of a table's keys: those whose hash leaves `index` when it is divided by `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) index: u64,
    pub(super) of: u64,
}

impl Share {
    fn has(self, key: u128) -> bool {
        self.of == 1 || (key >> 64) as u64 % self.of == self.index
    }
}

/// A row that was found and is not as it must be.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) met: Met,
    pub(super) values: Vec<Value>,
}

/// The comparison of one table.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) claim: Arc<Claim>,
    pub(super) table: usize,
    pub(super) compares: Vec<Compare>,
    pub(super) findings: Arc<Findings>,
    /// How a copy is read, if it is one.
    pub(super) reading: Option<Reading>,
    /// Rows of unknown keys are others': some stood there before.
    pub(super) others_may: bool,
    pub(super) others: AtomicU64,
    compared: AtomicU64,
    /// Rows whose key is another's, as the database keeps keys.
    pub(super) alike: AtomicU64,
    pairs: Mutex<Pairs>,
}

impl Check {
    pub(super) fn new(
        claim: Arc<Claim>,
        table: usize,
        compares: Vec<Compare>,
        findings: Arc<Findings>,
    ) -> Check {
        Check {
            claim,
            table,
            compares,
            findings,
            reading: None,
            others_may: false,
            others: AtomicU64::new(0),
            compared: AtomicU64::new(0),
            alike: AtomicU64::new(0),
            pairs: Mutex::default(),
        }
    }

    pub(super) fn plan(&self) -> &TablePlan {
        self.claim.table(self.table)
    }

    /// Rows that were compared so far.
    pub(super) fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }

    /// Enters the rows of a share that must be there, on all cores; the sums are of all rows.
    pub(super) fn ledger(&self, share: Share) -> (Ledger, Sums) {
        let rows = self.claim.entries(self.table) / share.of;
        let ledger = Ledger::new(!self.plan().key.is_empty(), rows);
        let parts = self.claim.parts(self.table);
        let next = AtomicUsize::new(0);
        let cores = thread::available_parallelism().map_or(1, Into::into).min(parts.len().max(1));
        let sums = thread::scope(|scope| {
            let enter = || {
                let mut sums = Sums::new(self.plan());
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    self.enter(part, share, &ledger, &mut sums);
                }
                sums
            };
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(enter)).collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .fold(Sums::new(self.plan()), Sums::and)
        });
        (ledger, sums)
    }

    fn enter(&self, part: &Part, share: Share, ledger: &Ledger, sums: &mut Sums) {
        let duty = match part {
            Part::Rows(_, duty) => *duty,
            Part::Stream(_) => Duty::Must,
        };
        let mut form = Vec::new();
        self.claim.each(self.table, part, |rows, batch| {
            for (row, values) in rows.iter().zip(self.plan().read(batch)) {
                if duty == Duty::Must {
                    sums.add(values.values());
                }
                let (key, content) = self.hashes(values.values(), &mut form);
                if share.has(key) && !ledger.enter(key, content, *row, duty) {
                    self.alike.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }

    /// Strikes off the rows of a share that were found; what remains is not as it must be.
    pub(super) fn meet(
        &self,
        rows: Vec<Vec<Value>>,
        share: Share,
        ledger: &Ledger,
    ) -> Vec<Suspect> {
        let (mut form, mut suspects, mut compared) = (Vec::new(), Vec::new(), 0);
        for values in rows {
            let read = match &self.reading {
                None => Some(values),
                Some(reading) => reading.row(&values),
            };
            let Some(values) = read else { continue };
            let (key, content) = self.hashes(&values, &mut form);
            if !share.has(key) {
                continue;
            }
            compared += 1;
            match ledger.meet(key, content) {
                Met::Same => {}
                Met::Unknown if self.others_may => {
                    self.others.fetch_add(1, Ordering::Relaxed);
                }
                met @ (Met::Other(_) | Met::Again(_) | Met::Unknown) => {
                    suspects.push(Suspect { met, values });
                }
            }
        }
        self.compared.fetch_add(compared, Ordering::Relaxed);
        suspects
    }

    /// Tells of the rows of a share that were not found.
    pub(super) fn rest(&self, ledger: &Ledger) {
        let missing = ledger.missing();
        let rows: Vec<u64> = missing.iter().map(|(row, _)| *row).collect();
        let mut times = missing.iter().map(|(_, times)| *times);
        self.claim.fill(self.table, &rows, |row, batch| {
            let values = self.read(batch);
            for _ in 0..times.next().unwrap_or(1) {
                if !self.plan().key.is_empty() || !self.pairs().missing(row, &values) {
                    self.missing(row, &values);
                }
            }
        });
    }

    pub(super) fn missing(&self, row: u64, values: &[Value]) {
        let expected = self.claim.stream_of(row);
        let lost = expected.and_then(|expected| {
            let stream = expected.stream().number();
            Some(LostOp { stream, op: expected.version(self.table, row)? })
        });
        let why = match (expected, lost) {
            (_, Some(LostOp { stream, op })) => format!("row {row}, of op {op} of stream {stream}"),
            (Some(_), None) => format!("row {row}, as it was loaded"),
            (None, None) => format!("row {row}"),
        };
        let found = finding(self.plan(), FindingKind::Missing, values, why);
        self.findings.found(Finding { lost, ..found });
    }

    /// Rows without a key that are kept back, until all is known.
    pub(super) fn pairs(&self) -> MutexGuard<'_, Pairs> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the comparison: of rows without a key, an altered one is both missing and unknown.
    pub(super) fn end(&self) {
        let pairs = mem::take(&mut *self.pairs());
        pairs.tell(self);
    }

    /// The row of a batch with a single one.
    pub(super) fn read(&self, batch: &Batch) -> Vec<Value> {
        self.plan().read(batch).first().map_or_else(Vec::new, |row| row.values().to_vec())
    }

    /// The hashes of a row's key and of all of it. Without a key, all of it is the key.
    fn hashes(&self, values: &[Value], form: &mut Vec<u8>) -> (u128, u64) {
        form.clear();
        let key = &self.plan().key;
        for place in key {
            self.compares[*place].put(&values[*place], form);
        }
        let key_hash = digest(form);
        for (compare, value) in self.compares.iter().zip(values) {
            compare.put(value, form);
        }
        let content = digest(form);
        (if key.is_empty() { content } else { key_hash }, content as u64)
    }
}
