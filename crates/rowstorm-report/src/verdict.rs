//! What may honestly be said of a run, computed from its accounts and from nothing else.
//!
//! "Done" is no verdict: a run is good if every row that was planned arrived *and* the database's own count says so.
//! Whatever is less is said as what it is.

use crate::changes::Changes;
use crate::number::grouped;
use crate::record::{Rows, RunRecord};

/// How good the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Every row arrived and was counted.
    Good,
    /// Nothing is wrong, but something was not shown.
    Open,
    /// Something is wrong.
    Bad,
}

/// What the count in the database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// Every table holds exactly the rows that arrived.
    Agrees,
    /// The database was not asked, or could not answer.
    NotAsked,
    /// Rows without an answer leave room: the count lies within it.
    WithinUnknown {
        /// How many of the unknown rows are there.
        found: u64,
    },
    /// The count disagrees with the accounts.
    Differs {
        /// The table.
        table: String,
        /// What the accounts say.
        arrived: u64,
        /// What the database says.
        audited: u64,
    },
}

/// The verdict on one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How good the news is.
    pub tone: Tone,
    /// What the database's own count says.
    pub counted: Counted,
    /// The claim, in a few words that hold.
    pub claim: String,
}

impl Verdict {
    /// Of this record.
    ///
    /// ```
    /// use rowstorm_report::{Rows, RunRecord, Verdict};
    /// let rows = Rows { planned: 10, accepted: 9, unknown: 1, ..Rows::default() };
    /// let record = RunRecord { rows, ended: "done".into(), ..RunRecord::default() };
    /// assert_eq!(Verdict::of(&record).claim, "1 unknown, not counted in the database");
    /// ```
    pub fn of(record: &RunRecord) -> Self {
        let counted = counted(record);
        let mut parts = Vec::new();
        let mut tone = Tone::Good;
        let mut say = |worse: Tone, text: String| {
            tone = tone.max(worse);
            parts.push(text);
        };
        if record.ended == "failed" || record.failure.is_some() {
            let why = record.failure.as_deref().unwrap_or("no reason is on record");
            say(Tone::Bad, format!("failed: {why}"));
        } else if record.ended == "stopped" {
            say(Tone::Open, "stopped early".to_owned());
        }
        if let Some(text) = unbalanced(record) {
            say(Tone::Bad, text);
        }
        let rows = &record.rows;
        if rows.rejected > 0 {
            let worse = if rows.rejected <= allowed(record) { Tone::Open } else { Tone::Bad };
            say(worse, format!("{} rejected", grouped(rows.rejected)));
        }
        if rows.unknown > 0 {
            say(Tone::Open, format!("{} unknown", grouped(rows.unknown)));
        }
        if record.rows.planned > 0 || record.changes.is_none() {
            let (worse, text) = counting_claim(record, &counted);
            say(worse, text);
        }
        for (worse, text) in record.changes.iter().flat_map(changes_claims) {
            say(worse, text);
        }
        Self { tone, counted, claim: parts.join(", ") }
    }
}

impl Rows {
    /// Rows that are there by the database's word: accepted and confirmed.
    pub fn arrived(&self) -> u64 {
        self.accepted + self.confirmed
    }
}

/// `sqlite`, `postgres`: the target's kind.
pub fn target_kind(record: &RunRecord) -> &str {
    record.target.split(':').next().unwrap_or_default()
}

fn keeps_nothing(record: &RunRecord) -> bool {
    target_kind(record) == "null"
}

/// The count of a record's or a table's rows, in words where there is none.
pub(crate) fn audited(record: &RunRecord, rows: &Rows) -> String {
    match rows.audited {
        _ if keeps_nothing(record) => "nothing stored".to_owned(),
        Some(audited) => grouped(audited),
        None => "not counted".to_owned(),
    }
}

fn counting_claim(record: &RunRecord, counted: &Counted) -> (Tone, String) {
    let rows = &record.rows;
    match counted {
        // Records of earlier versions hold what its writers counted: no database says anything.
        Counted::Agrees | Counted::NotAsked if keeps_nothing(record) => (
            Tone::Open,
            "generated and encoded, nothing sent: nothing was there to verify".to_owned(),
        ),
        Counted::Agrees if rows.planned == 0 => (Tone::Open, "no row was planned".to_owned()),
        Counted::Agrees if rows.rejected > 0 || record.ended != "done" => {
            (Tone::Good, "every row that was accepted is counted in the database".to_owned())
        }
        Counted::Agrees => (Tone::Good, "every row counted in the database".to_owned()),
        Counted::NotAsked if rows.unknown > 0 => {
            (Tone::Open, "not counted in the database".to_owned())
        }
        Counted::NotAsked => {
            (Tone::Open, "acknowledged by the target, not counted in the database".to_owned())
        }
        Counted::WithinUnknown { found } => {
            let of = grouped(rows.unknown);
            (
                Tone::Open,
                format!("of the {of} unknown rows the database counts {}", grouped(*found)),
            )
        }
        Counted::Differs { table, arrived, audited } => {
            let (count, how) = if audited < arrived {
                (arrived - audited, "missing")
            } else {
                (audited - arrived, "too many")
            };
            let place = if table.is_empty() { String::new() } else { format!(" in {table}") };
            (
                Tone::Bad,
                format!("the database's count disagrees: {} rows {how}{place}", grouped(count)),
            )
        }
    }
}

/// What may be said of changes: rows that are not as they should be, and what the database counts afterwards.
fn changes_claims(changes: &Changes) -> Vec<(Tone, String)> {
    let rows = &changes.rows;
    let mut claims = Vec::new();
    let wrong = [
        (rows.missed, "missed their row"),
        (rows.rejected, "were rejected"),
        (rows.unknown, "are unknown"),
    ];
    for (count, how) in wrong.iter().filter(|(count, _)| *count > 0) {
        claims.push((Tone::Bad, format!("{} changes {how}", grouped(*count))));
    }
    if !rows.balances() {
        claims.push((Tone::Bad, "the accounts of the changes do not balance".to_owned()));
    }
    let counted: Option<Vec<_>> =
        changes.tables.iter().map(|table| Some((table, table.expected?, table.audited?))).collect();
    let Some(counted) = counted.filter(|counted| !counted.is_empty()) else {
        claims.push((Tone::Open, "changes acknowledged, their tables not counted".to_owned()));
        return claims;
    };
    let off = counted.iter().find(|(_, expected, audited)| expected != audited);
    claims.push(match off {
        Some((table, expected, audited)) => (
            Tone::Bad,
            format!(
                "after the changes the database counts {} rows of {}, and {} were computed",
                grouped(*audited),
                table.table,
                grouped(*expected)
            ),
        ),
        None => (Tone::Good, "every table counted as computed after the changes".to_owned()),
    });
    claims
}

/// How many rejected rows were declared acceptable beforehand: `0`, `500`, `0.1%` of those planned.
fn allowed(record: &RunRecord) -> u64 {
    let text = record.settings.max_errors.as_str();
    let share = text.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
    match share {
        Some(percent) => (percent / 100.0 * record.rows.planned as f64) as u64,
        None => text.parse().unwrap_or(0),
    }
}

fn unbalanced(record: &RunRecord) -> Option<String> {
    let tables = record.tables.iter().map(|table| &table.rows);
    let off = std::iter::once(&record.rows).chain(tables).find_map(|rows| {
        let booked = rows.accepted + rows.confirmed + rows.rejected + rows.unknown;
        (booked != rows.planned).then(|| rows.planned.abs_diff(booked))
    })?;
    Some(format!("the accounts do not balance by {} rows", grouped(off)))
}

/// Table by table, because two wrong counts may add up to a right one.
fn counted(record: &RunRecord) -> Counted {
    let whole = std::iter::once(("", &record.rows));
    let tables = record.tables.iter().map(|table| (table.table.as_str(), &table.rows));
    let mut found = 0;
    let mut asked = record.rows.audited.is_some();
    for (table, rows) in tables.chain(whole) {
        let Some(audited) = rows.audited else {
            asked = false;
            continue;
        };
        let arrived = rows.arrived();
        if !(arrived..=arrived + rows.unknown).contains(&audited) {
            return Counted::Differs { table: table.to_owned(), arrived, audited };
        }
        found = audited - arrived;
    }
    match (asked, record.verified, record.rows.unknown) {
        (false, _, _) => Counted::NotAsked,
        // The run itself saw a disagreement that the sums do not show.
        (true, Some(false), 0) => Counted::Differs {
            table: String::new(),
            arrived: record.rows.arrived(),
            audited: record.rows.audited.unwrap_or_default(),
        },
        (true, _, 0) => Counted::Agrees,
        (true, _, _) => Counted::WithinUnknown { found },
    }
}
