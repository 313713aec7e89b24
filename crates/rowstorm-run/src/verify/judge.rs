//! Why a row is not as it must be: which op left it so, or that nobody did.

use std::collections::HashMap;

use rowstorm_gen::changes::{ChangeStream, Expected, Fate, History};
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Value};
use rowstorm_report::{Difference, Finding, FindingKind, LostOp};

use super::check::{Check, Suspect};
use super::findings::{finding, shown};
use super::ledger::Met;
use super::pairs;

/// Ops beyond those that are done which may have left a value: those of a transaction in doubt, of a run that went on.
pub(super) const OPS_AHEAD: u64 = 10_000;

/// Versions of a row that are held against it, from the last one back.
const VERSIONS_MAX: usize = 1 << 16;

/// Tells of rows that are not as they must be.
pub(super) fn judge(check: &Check, suspects: Vec<Suspect>) {
    let mut altered: Vec<(u64, Vec<Value>)> = Vec::new();
    let mut unknown: Vec<Vec<Value>> = Vec::new();
    for Suspect { met, values } in suspects {
        match met {
            Met::Same => {}
            Met::Again(row) => check.findings.found(again(check, row, &values)),
            Met::Other(row) => altered.push((row, values)),
            Met::Unknown if check.plan().key.is_empty() => {
                if let Some(values) = check.pairs().stray(values) {
                    check.findings.found(pairs::stray(check, &values));
                }
            }
            Met::Unknown => unknown.push(values),
        }
    }
    judge_altered(check, altered);
    super::phantom::judge_unknown(check, &unknown);
}

fn again(check: &Check, row: u64, values: &[Value]) -> Finding {
    let mut found = finding(
        check.plan(),
        FindingKind::Duplicate,
        values,
        format!("row {row} is there more than once"),
    );
    check.claim.fill(check.table, &[row], |_, batch| {
        found.columns = differences(check, &check.read(batch), values);
    });
    found
}

/// The columns that differ.
pub(super) fn differences(check: &Check, expected: &[Value], found: &[Value]) -> Vec<Difference> {
    let columns = check.plan().columns.iter().zip(&check.compares).zip(expected.iter().zip(found));
    columns
        .filter(|((_, compare), (expected, found))| !compare.same(expected, found))
        .map(|((column, compare), (expected, found))| Difference {
            column: column.name.to_string(),
            expected: shown(&compare.printable(expected)),
            found: shown(&compare.printable(found)),
        })
        .collect()
}

fn judge_altered(check: &Check, altered: Vec<(u64, Vec<Value>)>) {
    let mut by_stream: HashMap<u32, Vec<(u64, Vec<Value>)>> = HashMap::new();
    for (row, values) in altered {
        match check.claim.stream_of(row) {
            Some(of) => by_stream.entry(of.stream().number()).or_default().push((row, values)),
            None => check.claim.fill(check.table, &[row], |_, batch| {
                let expected = check.read(batch);
                let mut found =
                    finding(check.plan(), FindingKind::Wrong, &values, format!("row {row}"));
                found.columns = differences(check, &expected, &values);
                check.findings.found(found);
            }),
        }
    }
    for rows in by_stream.into_values() {
        let Some(expected) = rows.first().and_then(|(row, _)| check.claim.stream_of(*row)) else {
            continue;
        };
        let numbers: Vec<u64> = rows.iter().map(|(row, _)| *row).collect();
        let ops = ahead(expected);
        let history = expected.stream().history(check.table, &numbers, ops);
        for (row, values) in rows {
            check
                .findings
                .found(Case { check, expected, history: &history, row, found: &values }.judge());
        }
    }
}

/// How many ops are looked at: some more than are done.
pub(super) fn ahead(expected: &Expected) -> u64 {
    (expected.ops() + OPS_AHEAD).min(expected.stream().ops())
}

/// A row with other values than it must have.
struct Case<'a> {
    check: &'a Check,
    expected: &'a Expected,
    history: &'a History,
    row: u64,
    found: &'a [Value],
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// This write of the row.
    Write(usize),
    /// What this write would have left, had it not been rolled back.
    RolledBack(usize),
    /// Nobody.
    Nobody,
}

impl Case<'_> {
    fn judge(&self) -> Finding {
        let writes = self.history.writes(self.row);
        let done = |at: &usize| writes[*at].op.is_none_or(|op| op < self.expected.ops());
        let current = (0..writes.len()).rev().find(done).unwrap_or(0);
        let is = self.version(current, Fate::Commit);
        let differ: Vec<usize> = (0..is.len())
            .filter(|place| !self.check.compares[*place].same(&is[*place], &self.found[*place]))
            .collect();
        let mut sources: HashMap<usize, Source> = HashMap::new();
        self.trace(&differ, Fate::Commit, Source::Write, &mut sources);
        self.trace(&differ, Fate::RollBack, Source::RolledBack, &mut sources);
        for place in &differ {
            let source = sources.entry(*place).or_insert(Source::Nobody);
            if matches!(*source, Source::Write(at) if at < current)
                && self.was_applied(*place, current, &is)
            {
                *source = Source::Nobody;
            }
        }
        let (kind, why) = self.words(current, &sources.values().copied().collect::<Vec<_>>());
        let mut finding = finding(self.check.plan(), kind, self.found, why);
        finding.columns = differences(self.check, &is, self.found);
        let op = writes[current].op.filter(|_| kind == FindingKind::Stale);
        finding.lost = op.map(|op| LostOp { stream: self.expected.stream().number(), op });
        finding
    }

    /// Finds the last write that left the value of each column that differs.
    fn trace(
        &self,
        differ: &[usize],
        fate: Fate,
        source: fn(usize) -> Source,
        sources: &mut HashMap<usize, Source>,
    ) {
        let (mut end, mut batch) = (self.history.writes(self.row).len(), Batch::default());
        let last = end.saturating_sub(VERSIONS_MAX);
        while end > last && sources.len() < differ.len() {
            let start = end.saturating_sub(BATCH_ROWS_MAX).max(last);
            self.history.fill(self.row, start..end, fate, &mut batch);
            let versions = self.check.plan().read(&batch);
            for (at, version) in (start..end).zip(versions).rev() {
                for place in differ {
                    let same = self.check.compares[*place]
                        .same(&version.values()[*place], &self.found[*place]);
                    if same && !sources.contains_key(place) {
                        sources.insert(*place, source(at));
                    }
                }
            }
            end = start;
        }
    }

    /// Whether the op that wrote a column last is seen to have been done: another column has what it wrote, and had something
    /// else before. Then an old value in this column is no lost op.
    fn was_applied(&self, place: usize, current: usize, is: &[Value]) -> bool {
        let writes = self.history.writes(self.row);
        let wrote =
            |place: usize| (0..=current).rev().find(|at| self.history.sets(&writes[*at], place));
        let Some(op) = wrote(place).filter(|op| *op > 0) else { return false };
        let before = self.version(op - 1, Fate::Commit);
        (0..is.len()).any(|other| {
            let compare = &self.check.compares[other];
            wrote(other) == Some(op)
                && compare.same(&is[other], &self.found[other])
                && !compare.same(&before[other], &is[other])
        })
    }

    fn version(&self, at: usize, fate: Fate) -> Vec<Value> {
        let mut batch = Batch::default();
        self.history.fill(self.row, at..at + 1, fate, &mut batch);
        self.check.read(&batch)
    }

    fn words(&self, current: usize, sources: &[Source]) -> (FindingKind, String) {
        let stream = self.expected.stream();
        let said = |at: usize| written(stream, self.history.writes(self.row)[at].op);
        if sources.contains(&Source::Nobody) {
            return (FindingKind::Wrong, format!("must be as {} left it", said(current)));
        }
        let rolled_back = sources.iter().find_map(|source| match source {
            Source::RolledBack(at) => Some(*at),
            Source::Write(_) | Source::Nobody => None,
        });
        if let Some(at) = rolled_back {
            return (
                FindingKind::Phantom,
                format!("{} was rolled back with these values", said(at)),
            );
        }
        let writes = || {
            sources.iter().filter_map(|source| match source {
                Source::Write(at) => Some(*at),
                Source::RolledBack(_) | Source::Nobody => None,
            })
        };
        if let Some(at) = writes().filter(|at| *at > current).max() {
            let done = self.expected.ops();
            return (
                FindingKind::Phantom,
                format!("{} wrote this, and {done} ops are done", said(at)),
            );
        }
        let at = writes().min().unwrap_or(0);
        (FindingKind::Stale, format!("as {} left it; must be as {} did", said(at), said(current)))
    }
}

/// An op, as it is named.
pub(super) fn written(stream: &ChangeStream, op: Option<u64>) -> String {
    match op {
        None => "the load".to_owned(),
        Some(number) => {
            format!("op {number} of stream {} ({})", stream.number(), stream.op(number).kind.word())
        }
    }
}
