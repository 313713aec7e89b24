//! A controller's journal as lines of JSON: what it was made from, then every event, and the decision where there is a new one.
//!
//! Times are whole nanoseconds and numbers keep every digit, so that what is read is what was seen.

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use rowstorm_control::{
    Bounds, Controller, Counters, Decision, End, Explorer, ExplorerOptions, Objective, Observation,
    Point, Verdict,
};
use serde::{Deserialize, Serialize};

use super::Entry;

/// The format, in the first line.
const JOURNAL_VERSION: u32 = 1;
/// A line is shorter; a longer one is no journal.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// A decision as a journal tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Counts up with every change of the setting.
    pub number: u64,
    /// Rows per batch.
    pub batch_rows: u32,
    /// Batches in flight at once.
    pub in_flight: u32,
    /// Nanoseconds to wait before the next batch.
    pub pause_ns: u64,
    /// Why, in words.
    pub reason: String,
}

/// A journal that was played again, and gave the same decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Played {
    /// Finished batches.
    pub observations: u64,
    /// Decisions, the first included.
    pub decisions: u64,
}

/// Why a journal could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A line is none of a journal's.
    #[error("line {line}: {why}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The controller decides otherwise than it did.
    #[error("line {line}: it decided {}, and now {}", words(then), words(now))]
    Differs {
        /// Counted from 1.
        line: u64,
        /// What the journal says.
        then: Box<Told>,
        /// What the controller says now.
        now: Box<Told>,
    },
}

fn words(told: &Told) -> String {
    let Told { number, batch_rows, in_flight, reason, .. } = told;
    format!("{batch_rows} rows × {in_flight} ({reason}; decision {number})")
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Opened(Opened),
    Seen(Seen),
    Counted(Counted),
    Frozen(Frozen),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    journal_version: u32,
    table: String,
    rows_max: u32,
    in_flight_max: u32,
    bytes_max: u64,
    bytes_per_row: f64,
    batch_rows: Option<u32>,
    in_flight: Option<u32>,
    objective: Goal,
    /// Rows per batch and batches in flight to begin with.
    start: Option<(u32, u32)>,
    /// Where it was to look; earlier versions knew of one place only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guess: Option<(u32, u32)>,
    /// When the run will be over, and the rows that it will have written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_rows: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Goal {
    Throughput,
    P99BelowNs(u64),
    Knee,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    at_ns: u64,
    latency_ns: u64,
    rows: u32,
    bytes: u64,
    in_flight: u32,
    decision: u64,
    verdict: Ended,
    /// Left out where it is the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided: Option<Told>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Done,
    Busy,
    TooLarge,
    Failed,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    at_ns: u64,
    requests: u64,
    rejected: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided: Option<Told>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Frozen {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided: Option<Told>,
}

/// Writes the entries of one controller.
pub(super) fn write(entries: &[Entry], mut out: impl Write) -> io::Result<()> {
    let mut last = None;
    for entry in entries {
        let line = match entry {
            Entry::Opened(table, options) => {
                // The first decision is of the making, and not told.
                last = Some(Explorer::new(*options).decision().clone());
                Line::Opened(opened(table, options))
            }
            Entry::Seen(seen, decided) => Line::Seen(Seen {
                at_ns: nanos(seen.at),
                latency_ns: nanos(seen.latency),
                rows: seen.rows,
                bytes: seen.bytes,
                in_flight: seen.in_flight,
                decision: seen.decision,
                verdict: ended(seen.verdict),
                decided: new(&mut last, decided),
            }),
            Entry::Counted(seen, decided) => Line::Counted(Counted {
                at_ns: nanos(seen.at),
                requests: seen.requests,
                rejected: seen.rejected,
                decided: new(&mut last, decided),
            }),
            Entry::Frozen(decided) => Line::Frozen(Frozen { decided: new(&mut last, decided) }),
        };
        serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Plays a journal again with a controller of this version; `each` is given every decision with the time of it.
///
/// # Errors
/// What cannot be read, and the first decision that is another.
pub fn replay(
    mut lines: impl BufRead,
    mut each: impl FnMut(Duration, &Told),
) -> Result<Played, ReplayError> {
    let mut explorer: Option<Explorer> = None;
    let mut expected: Option<Told> = None;
    let mut played = Played { observations: 0, decisions: 0 };
    let (mut text, mut number, mut at) = (String::new(), 0, Duration::ZERO);
    loop {
        text.clear();
        number += 1;
        let wrong = |why: &str| ReplayError::Line { line: number, why: why.to_owned() };
        if (&mut lines).take(LINE_BYTES_MAX).read_line(&mut text)? == 0 {
            break;
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        let (now, decided) = match (line, explorer.as_mut()) {
            (Line::Opened(made), None) => {
                let made = options(&made).map_err(|why| wrong(&why))?;
                (explorer.insert(Explorer::new(made)).decision(), None)
            }
            (Line::Opened(_), Some(_)) => return Err(wrong("a second controller begins")),
            (Line::Seen(seen), Some(explorer)) => {
                played.observations += 1;
                at = Duration::from_nanos(seen.at_ns);
                (explorer.observe(&observation(&seen)), seen.decided)
            }
            (Line::Counted(seen), Some(explorer)) => {
                at = Duration::from_nanos(seen.at_ns);
                let Counted { requests, rejected, .. } = seen;
                (explorer.count(&Counters { at, requests, rejected }), seen.decided)
            }
            (Line::Frozen(frozen), Some(explorer)) => (explorer.freeze(), frozen.decided),
            (Line::Seen(_) | Line::Counted(_) | Line::Frozen(_), None) => {
                return Err(wrong("it has no controller: the first line says `opened`"));
            }
        };
        let now = told(now);
        let then = decided.or_else(|| expected.clone()).unwrap_or_else(|| now.clone());
        if now != then {
            return Err(ReplayError::Differs {
                line: number,
                then: Box::new(then),
                now: Box::new(now),
            });
        }
        if expected.as_ref() != Some(&now) {
            played.decisions += 1;
            each(at, &now);
            expected = Some(now);
        }
    }
    let nothing = || ReplayError::Line { line: 1, why: "the file is empty".to_owned() };
    explorer.map(|_| played).ok_or_else(nothing)
}

/// The decision, if it is another than the last one.
fn new(last: &mut Option<Decision>, decided: &Decision) -> Option<Told> {
    let is_new = last.as_ref() != Some(decided);
    is_new.then(|| {
        *last = Some(decided.clone());
        told(decided)
    })
}

fn told(decided: &Decision) -> Told {
    Told {
        number: decided.number,
        batch_rows: decided.batch_rows,
        in_flight: decided.in_flight,
        pause_ns: nanos(decided.pause),
        reason: decided.reason.to_string(),
    }
}

fn opened(table: &str, options: &ExplorerOptions) -> Opened {
    Opened {
        journal_version: JOURNAL_VERSION,
        table: table.to_owned(),
        rows_max: options.bounds.rows_max,
        in_flight_max: options.bounds.in_flight_max,
        bytes_max: options.bounds.bytes_max,
        bytes_per_row: options.bytes_per_row,
        batch_rows: options.batch_rows,
        in_flight: options.in_flight,
        objective: match options.objective {
            Objective::Throughput => Goal::Throughput,
            Objective::P99Below(limit) => Goal::P99BelowNs(nanos(limit)),
            Objective::Knee => Goal::Knee,
        },
        start: options.start.map(|start| (start.batch_rows, start.in_flight)),
        guess: Some((options.guess.batch_rows, options.guess.in_flight)),
        end_ns: options.end.at.map(nanos),
        end_rows: options.end.rows,
    }
}

fn options(made: &Opened) -> Result<ExplorerOptions, String> {
    let version = made.journal_version;
    if version != JOURNAL_VERSION {
        return Err(format!("journal_version is {version}, and this reads {JOURNAL_VERSION}"));
    }
    let (rows_max, in_flight_max) = (made.rows_max, made.in_flight_max);
    let bounds = Bounds { rows_max, in_flight_max, bytes_max: made.bytes_max };
    let plain = ExplorerOptions::new(bounds, made.bytes_per_row);
    let point = |(batch_rows, in_flight)| Point { batch_rows, in_flight };
    Ok(ExplorerOptions {
        batch_rows: made.batch_rows,
        in_flight: made.in_flight,
        objective: match made.objective {
            Goal::Throughput => Objective::Throughput,
            Goal::P99BelowNs(limit) => Objective::P99Below(Duration::from_nanos(limit)),
            Goal::Knee => Objective::Knee,
        },
        start: made.start.map(point),
        guess: made.guess.map_or(plain.guess, point),
        end: End { at: made.end_ns.map(Duration::from_nanos), rows: made.end_rows },
        ..plain
    })
}

fn observation(seen: &Seen) -> Observation {
    Observation {
        at: Duration::from_nanos(seen.at_ns),
        latency: Duration::from_nanos(seen.latency_ns),
        rows: seen.rows,
        bytes: seen.bytes,
        in_flight: seen.in_flight,
        decision: seen.decision,
        verdict: match seen.verdict {
            Ended::Done => Verdict::Done,
            Ended::Busy => Verdict::Busy,
            Ended::TooLarge => Verdict::TooLarge,
            Ended::Failed => Verdict::Failed,
        },
    }
}

fn ended(verdict: Verdict) -> Ended {
    match verdict {
        Verdict::Done => Ended::Done,
        Verdict::Busy => Ended::Busy,
        Verdict::TooLarge => Ended::TooLarge,
        Verdict::Failed => Ended::Failed,
    }
}

/// Up to 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
