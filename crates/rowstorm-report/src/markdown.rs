//! The summary as Markdown, for a pull request or a wiki.

use crate::change_facts;
use crate::facts;
use crate::number::{grouped, milliseconds};
use crate::record::{Rows, RunRecord};
use crate::reproduce::reproduce;
use crate::style::{clean, cut};
use crate::threshold::Checked;
use crate::verdict::{Tone, Verdict, audited};

/// Longest text of one place.
const TEXT_CHARS_MAX: usize = 300;

/// The summary of a run as Markdown (tables as GitHub reads them).
///
/// ```
/// use rowstorm_report::{RunRecord, markdown};
/// let text = markdown(&RunRecord::default(), &[]);
/// assert!(text.contains("| table | planned | accepted |"));
/// ```
pub fn markdown(record: &RunRecord, thresholds: &[Checked]) -> String {
    let verdict = Verdict::of(record);
    let sign = match verdict.tone {
        Tone::Good => "✓",
        Tone::Open => "○",
        Tone::Bad => "✗",
    };
    let headline = safe(&facts::headline(record, "→"));
    let mut text = format!("## {headline}\n\n{sign} **{}**\n\n", safe(&verdict.claim));
    if !thresholds.is_empty() {
        text.push_str("| threshold | observed | held |\n| --- | ---: | :---: |\n");
        for one in thresholds {
            let held = if one.held { "✓" } else { "✗" };
            text.push_str(&format!("| {} | {} | {held} |\n", safe(&one.text), one.observed));
        }
        text.push('\n');
    }
    text.push_str(
        "| table | planned | accepted | confirmed | rejected | unknown | counted after |\n",
    );
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for table in &record.tables {
        account(&mut text, &table.table, record, &table.rows);
    }
    if record.tables.len() != 1 {
        account(&mut text, "all", record, &record.rows);
    }
    text.push_str("\n| | |\n| --- | --- |\n");
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("| {name} | {} |\n", safe(&value.replace("   ", ", "))));
        }
    };
    line("throughput", Some(facts::throughput(record, "±")));
    line("schedule", record.schedule.as_ref().map(facts::schedule));
    line("best batch", facts::best_batch(record));
    line("latency", latency(record));
    line("limited by", facts::limited_by(record));
    line("retries", (record.retries > 0).then(|| grouped(record.retries)));
    for (name, value) in record.changes.iter().flat_map(change_facts::lines) {
        line(&name, Some(value));
    }
    for error in &record.errors {
        let sample = error.samples.first().map_or("", String::as_str);
        line("error", Some(format!("{} × {}: {sample}", grouped(error.count), error.class)));
    }
    line("data", Some(format!("fingerprint {}, seed {}", record.fingerprint, record.seed)));
    // Indented, and not fenced: a fence can be closed by what stands in it.
    text.push_str(&format!("\n    {}\n", clean(&reproduce(record))));
    text
}

fn account(text: &mut String, name: &str, record: &RunRecord, rows: &Rows) {
    let audited = audited(record, rows);
    let counts = [rows.planned, rows.accepted, rows.confirmed, rows.rejected, rows.unknown];
    let counts = counts.map(grouped).join(" | ");
    text.push_str(&format!("| {} | {counts} | {audited} |\n", safe(name)));
}

fn latency(record: &RunRecord) -> Option<String> {
    (record.latency_ms.max > 0.0).then(|| {
        let each = facts::percentiles(&record.latency_ms);
        each.map(|(name, value)| format!("{name} {}", milliseconds(value))).join(", ")
    })
}

/// Text that is no markup: one line, nothing that Markdown or HTML reads as more than letters.
pub(crate) fn safe(text: &str) -> String {
    let mut shown = String::new();
    for c in cut(&clean(text), TEXT_CHARS_MAX).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
    }
    shown
}
