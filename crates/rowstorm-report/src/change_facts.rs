//! The lines of a summary that tell of changes, once for every format.

use crate::changes::{
    Cdc, CdcKind, ChangeKind, ChangeQuery, ChangeRows, ChangeSchedule, ChangeStage, Changes,
};
use crate::event::EventRecord;
use crate::number::{grouped, milliseconds, rate, seconds};
use crate::record::Latency;

/// Queries that are shown, and how much of their words.
const QUERIES_MAX: usize = 20;
const WORDS_CHARS_MAX: usize = 60;
/// Stages that are shown; the rest is in the record.
const STAGES_MAX: usize = 20;
/// Events that are shown.
const EVENTS_MAX: usize = 20;

/// Names and values, in order.
pub(crate) fn lines(changes: &Changes) -> Vec<(String, String)> {
    let mut lines = vec![
        ("changes".to_owned(), accounts(&changes.rows)),
        ("by kind".to_owned(), by_kind(changes)),
        ("pace".to_owned(), pace(changes)),
    ];
    if let Some(schedule) = &changes.schedule {
        lines.push(("schedule".to_owned(), self::schedule(schedule)));
    }
    for kind in &changes.kinds {
        lines.push((format!("{}s", kind.kind), times(kind)));
    }
    let queries = changes.queries.iter().filter(|query| query.answered + query.refused > 0);
    lines.extend(
        queries.take(QUERIES_MAX).map(|one| (format!("query {}", one.entry + 1), query(one))),
    );
    let done_once = changes.events.iter().take(EVENTS_MAX).enumerate();
    lines.extend(done_once.map(|(at, one)| (format!("event {}", at + 1), scripted(one))));
    if changes.stages.len() > 1 {
        let stages = changes.stages.iter().take(STAGES_MAX).enumerate();
        lines.extend(stages.map(|(at, one)| (format!("stage {}", at + 1), stage(one))));
    }
    lines.extend(counted(changes).map(|text| ("counted".to_owned(), text)));
    lines.extend(replays(changes).map(|text| ("replayed".to_owned(), text)));
    lines.extend(changes.cdc.iter().map(|log| ("server's log".to_owned(), events(log))));
    lines
}

/// What the server's own log has; of what is not as it must be, all of it.
fn events(log: &Cdc) -> String {
    let wrong: Vec<_> = log.kinds.iter().filter(|kind| !kind.agrees()).map(event).collect();
    if !wrong.is_empty() {
        return wrong.join("   ");
    }
    let sum = |of: fn(&CdcKind) -> u64| log.kinds.iter().map(of).sum::<u64>();
    let mut text = format!(
        "{} events in {} transactions, as acknowledged",
        grouped(sum(|kind| kind.found)),
        grouped(log.transactions)
    );
    for (rows, why) in [
        (sum(|kind| kind.unchanged), "updates changed nothing and are not in it"),
        (sum(|kind| kind.in_doubt), "could not be told, and may be more or less"),
    ] {
        if rows > 0 {
            text.push_str(&format!("   {} {why}", grouped(rows)));
        }
    }
    text
}

/// `orders insert: must be 40, is 41`.
fn event(kind: &CdcKind) -> String {
    let give_or_take = match kind.in_doubt {
        0 => String::new(),
        rows => format!(" ± {}", grouped(rows)),
    };
    format!(
        "{} {}: must be {}{give_or_take}, is {}",
        kind.table,
        kind.kind,
        grouped(kind.expected()),
        grouped(kind.found)
    )
}

/// `50,000 changes in 5.00s`.
pub(crate) fn headline(changes: &Changes) -> String {
    format!("{} changes in {}", grouped(changes.rows.done()), seconds(changes.seconds))
}

/// The accounts as an equation.
pub(crate) fn accounts(rows: &ChangeRows) -> String {
    format!(
        "planned {} = matched {} + confirmed {} + missed {} + rejected {} + unknown {}",
        grouped(rows.planned),
        grouped(rows.matched),
        grouped(rows.confirmed),
        grouped(rows.missed),
        grouped(rows.rejected),
        grouped(rows.unknown),
    )
}

fn by_kind(changes: &Changes) -> String {
    let table = |table: &crate::changes::ChangeTable| {
        let kinds = table.kinds.iter().filter(|kind| kind.rows.planned > 0);
        let kinds: Vec<_> =
            kinds.map(|kind| format!("{} {}", kind.kind, grouped(kind.rows.done()))).collect();
        (!kinds.is_empty()).then(|| format!("{}: {}", table.table, kinds.join(", ")))
    };
    changes.tables.iter().filter_map(table).collect::<Vec<_>>().join("   ")
}

fn pace(changes: &Changes) -> String {
    let done = &changes.transactions;
    let mut parts = vec![format!("{} changes/s", rate(changes.changes_per_second))];
    if changes.reads_per_second > 0.0 {
        parts.push(format!("{} reads/s", rate(changes.reads_per_second)));
    }
    let mean = changes.rows.done().checked_div(done.committed).unwrap_or(0);
    parts.push(format!(
        "{} commits of {} rows on average, {} in flight",
        grouped(done.committed),
        grouped(mean),
        changes.in_flight
    ));
    if changes.pipeline > 1 {
        parts.push(format!("up to {} sent together", changes.pipeline));
    }
    if done.rolled_back > 0 {
        let rows = grouped(done.rolled_back_rows);
        parts.push(format!("{} rolled back ({rows} rows)", grouped(done.rolled_back)));
    }
    if done.held > 0 {
        parts.push(format!("{} held open", grouped(done.held)));
    }
    if done.retries > 0 {
        parts.push(format!("{} sent again", grouped(done.retries)));
    }
    parts.join("   ")
}

/// What was asked, what was reached, and how late.
pub(crate) fn schedule(schedule: &ChangeSchedule) -> String {
    let mut text = format!(
        "{}, asked {}/s, reached {}/s   lag p99 {}   late {}",
        schedule.arrivals,
        rate(schedule.target_per_second),
        rate(schedule.achieved_per_second),
        milliseconds(schedule.lag_ms.p99),
        grouped(schedule.late),
    );
    for (name, places) in [("skipped", schedule.skipped), ("not begun in time", schedule.left)] {
        text.push_str(&format!("   {name} {}", grouped(places)));
    }
    text
}

fn percentiles(latency: &Latency) -> String {
    format!(
        "p50 {} p99 {} max {}",
        milliseconds(latency.p50),
        milliseconds(latency.p99),
        milliseconds(latency.max)
    )
}

fn times(kind: &ChangeKind) -> String {
    both(&kind.service_ms, &kind.response_ms)
}

fn both(service_ms: &Latency, response_ms: &Latency) -> String {
    let service = percentiles(service_ms);
    if service_ms == response_ms {
        return format!("service {service}");
    }
    format!("response {}   service {service}", percentiles(response_ms))
}

/// What was asked how often, what came, and how long it took.
fn query(query: &ChangeQuery) -> String {
    let mut counts = format!("{} answered, {} rows", grouped(query.answered), grouped(query.rows));
    if query.refused > 0 {
        counts.push_str(&format!(", {} refused", grouped(query.refused)));
    }
    let times = both(&query.service_ms, &query.response_ms);
    format!("{counts}   {times}   {}", brief(&query.words, WORDS_CHARS_MAX))
}

/// What was done between ops, when, and what became of it.
fn scripted(event: &EventRecord) -> String {
    let mut text = format!("after {} ops: {}", grouped(event.after), event.outcome.words());
    if let Some(at) = event.at_s {
        text.push_str(&format!(" at {} in {}", seconds(at), milliseconds(event.seconds * 1e3)));
    }
    if let Some(rows) = event.rows {
        text.push_str(&format!(", {} rows", grouped(rows)));
    }
    text.push_str(&format!("   {}", brief(&event.words, WORDS_CHARS_MAX)));
    if let Some(message) = &event.message {
        text.push_str(&format!("   {}", brief(message, WORDS_CHARS_MAX)));
    }
    text
}

/// A query's words on one line, cut off after so many characters.
pub(crate) fn brief(words: &str, chars_max: usize) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A stage on one line.
pub(crate) fn stage(stage: &ChangeStage) -> String {
    let asked = stage
        .target_per_second
        .map_or_else(|| "as fast as it goes".to_owned(), |asked| format!("{}/s", rate(asked)));
    let mut text = format!(
        "{asked} for {}: reached {}/s   response {}",
        seconds(stage.seconds),
        rate(stage.achieved_per_second),
        percentiles(&stage.response_ms)
    );
    if stage.target_per_second.is_some() {
        text.push_str(&format!("   lag p99 {}", milliseconds(stage.lag_ms.p99)));
    }
    if stage.skipped > 0 {
        text.push_str(&format!("   skipped {}", grouped(stage.skipped)));
    }
    if stage.errors > 0 {
        text.push_str(&format!("   errors {}", grouped(stage.errors)));
    }
    text
}

/// What the database counts, and what must be there.
fn counted(changes: &Changes) -> Option<String> {
    let table = |table: &crate::changes::ChangeTable| {
        let (expected, audited) = table.expected.zip(table.audited)?;
        let name = &table.table;
        Some(if expected == audited {
            format!("{name} {} as computed", grouped(audited))
        } else {
            format!("{name} {}, computed {}", grouped(audited), grouped(expected))
        })
    };
    let texts: Option<Vec<_>> = changes.tables.iter().map(table).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join("   "))
}

fn replays(changes: &Changes) -> Option<String> {
    let ops: u64 = changes.replayed.iter().map(|ops| ops.to - ops.from).sum();
    (ops > 0).then(|| {
        format!(
            "{} transactions ({} ops): a stream of change events may show them twice",
            grouped(changes.replayed.len() as u64),
            grouped(ops)
        )
    })
}
