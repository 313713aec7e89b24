//! The end of a run in a terminal: promises first, then the verdict with its accounts, then the numbers and what to do
//! with them.

use crate::change_facts;
use crate::facts;
use crate::number::grouped;
use crate::record::RunRecord;
use crate::reproduce::reproduce;
use crate::style::{Ink, Style, clean, cut};
use crate::threshold::Checked;
use crate::verdict::{Tone, Verdict};

/// Where the values of the lines begin.
const INDENT: usize = 15;

/// Classes of errors that are shown; the rest is in the record.
const ERRORS_MAX: usize = 5;

/// The summary of a run as text that ends with a line break. `written` are the files that were made.
///
/// ```
/// use rowstorm_report::{RunRecord, Style, summary};
/// let text = summary(&RunRecord::default(), &[], &[], Style::default());
/// assert!(text.starts_with("RESULT"));
/// assert!(text.contains("planned 0 = accepted 0"));
/// ```
pub fn summary(
    record: &RunRecord,
    thresholds: &[Checked],
    written: &[String],
    style: Style,
) -> String {
    let mut text = String::new();
    checked(&mut text, thresholds, style);
    result(&mut text, record, style);
    let plus_minus = style.sign("±", "+/-");
    // A load of no rows has no figures: only changes followed.
    let loaded = record.rows.planned > 0 || record.changes.is_none();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let name = style.paint(Ink::Quiet, &format!("{name:<width$}", width = INDENT - 2));
            text.push_str(&format!("  {name}{}\n", style.wrap(&clean(&value), INDENT)));
        }
    };
    line("accounts", Some(facts::accounts(record)));
    line("tables", facts::tables(record));
    line("throughput", loaded.then(|| facts::throughput(record, plus_minus)));
    line("schedule", record.schedule.as_ref().map(facts::schedule));
    line("best batch", facts::best_batch(record));
    line("latency", facts::latency(record));
    line("limited by", facts::limited_by(record).filter(|_| loaded));
    line(
        "retries",
        (record.retries > 0).then(|| format!("{} batches sent again", grouped(record.retries))),
    );
    for (name, value) in record.changes.iter().flat_map(change_facts::lines) {
        line(&name, Some(value));
    }
    errors(&mut text, record, style);
    footer(&mut text, record, written, style);
    text
}

/// Thresholds alone: the first lines of the summary.
fn checked(text: &mut String, thresholds: &[Checked], style: Style) {
    if thresholds.is_empty() {
        return;
    }
    text.push_str(&style.paint(Ink::Heading, "THRESHOLDS"));
    text.push('\n');
    let width = thresholds.iter().map(|one| one.text.chars().count()).max().unwrap_or_default();
    for one in thresholds {
        let (ink, sign) = if one.held {
            (Ink::Good, style.sign("✓", "ok    "))
        } else {
            (Ink::Bad, style.sign("✗", "FAILED"))
        };
        let sign = style.paint(ink, sign);
        text.push_str(&format!("  {sign} {:<width$}   {}\n", clean(&one.text), one.observed));
    }
    text.push('\n');
}

fn result(text: &mut String, record: &RunRecord, style: Style) {
    let verdict = Verdict::of(record);
    let ink = match verdict.tone {
        Tone::Good => Ink::Good,
        Tone::Open => Ink::Open,
        Tone::Bad => Ink::Bad,
    };
    let indent = "RESULT   ".len();
    let headline = clean(&facts::headline(record, style.sign("→", "->")));
    let claim = clean(&verdict.claim);
    let one_line = format!("{headline}, {claim}");
    let body = if indent + one_line.chars().count() <= style.width {
        format!("{headline}, {}", style.paint(ink, &claim))
    } else {
        let claim = style.wrap(&claim, indent);
        format!(
            "{},\n{}{}",
            style.wrap(&headline, indent),
            " ".repeat(indent),
            style.paint(ink, &claim)
        )
    };
    text.push_str(&format!("{}   {body}\n", style.paint(Ink::Heading, "RESULT")));
}

fn errors(text: &mut String, record: &RunRecord, style: Style) {
    for (index, error) in record.errors.iter().take(ERRORS_MAX).enumerate() {
        let name = if index == 0 { "errors" } else { "" };
        let name = style.paint(Ink::Quiet, &format!("{name:<width$}", width = INDENT - 2));
        let count = format!("{} × {}", grouped(error.count), clean(&error.class));
        let count = if style.unicode { count } else { count.replace('×', "x") };
        let count = cut(&count, style.width.saturating_sub(INDENT).max(20));
        text.push_str(&format!("  {name}{}\n", style.paint(Ink::Bad, &count)));
        if let Some(sample) = error.samples.first() {
            let room = style.width.saturating_sub(INDENT + 2).max(20);
            text.push_str(&format!("{}  {}\n", " ".repeat(INDENT), cut(&clean(sample), room)));
        }
    }
    let more = record.errors.len().saturating_sub(ERRORS_MAX);
    if more > 0 {
        text.push_str(&format!("{}and {more} classes more, in the record\n", " ".repeat(INDENT)));
    }
}

fn footer(text: &mut String, record: &RunRecord, written: &[String], style: Style) {
    let mut line = |name: &str, value: &str| {
        let name = style.paint(Ink::Quiet, &format!("{name:<width$}", width = INDENT - 2));
        text.push_str(&format!("  {name}{value}\n"));
    };
    let data = format!("fingerprint {}   seed {}", clean(&record.fingerprint), record.seed);
    line("data", &style.wrap(&data, INDENT));
    // One line, however long: it is there to be copied.
    line("reproduce", &clean(&reproduce(record)));
    if !written.is_empty() {
        let files: Vec<String> = written.iter().map(|file| clean(file)).collect();
        text.push_str(&format!("{}  {}\n", style.paint(Ink::Heading, "written"), files.join("  ")));
    }
}
