//! The report as one HTML file: no script, nothing fetched, light and dark by the reader's wish, fit for paper.

mod changes;
mod markup;
mod tables;

use crate::change_facts;
use crate::chart::{Chart, charts};
use crate::draw::{Size, svg};
use crate::facts;
use crate::number;
use crate::record::RunRecord;
use crate::reproduce::reproduce;
use crate::threshold::Checked;
use crate::verdict::{Counted, Tone, Verdict, target_kind};

use markup::Markup;
pub(crate) use markup::escape;

/// Drawings for a window and for a phone: text in a drawing shrinks with it.
const WIDE: Size = Size { width: 960.0, height: 300.0 };
const NARROW: Size = Size { width: 400.0, height: 260.0 };

/// The report on a run as one self-contained page.
///
/// ```
/// use rowstorm_report::{RunRecord, html};
/// let record = RunRecord { target: "sqlite:<b>.db".into(), ..RunRecord::default() };
/// let page = html(&record, &[]);
/// assert!(page.starts_with("<!doctype html>") && page.len() < 200_000);
/// assert!(page.contains("sqlite:&lt;b&gt;.db") && !page.contains("<b>.db"));
/// ```
pub fn html(record: &RunRecord, thresholds: &[Checked]) -> String {
    let mut page = Markup::default();
    page.tag("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .tag("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
        .text(&format!("{} – Rowstorm", facts::headline(record, "→")))
        .tag("</title><style>")
        .tag(include_str!("html/page.css"))
        .tag("</style></head><body><main>\n");
    head(&mut page, record);
    figures(&mut page, record);
    tables::thresholds(&mut page, thresholds);
    tables::accounts(&mut page, record);
    counted(&mut page, record);
    if let Some(changes) = &record.changes {
        changes::section(&mut page, changes);
    }
    drawings(&mut page, record);
    tables::errors(&mut page, record);
    tables::decisions(&mut page, "Decisions", &record.batch);
    if let Some(tuning) = record.changes.as_ref().and_then(|changes| changes.tuning.as_ref()) {
        tables::decisions(&mut page, "Decisions on changes", tuning);
    }
    tables::latency(&mut page, record);
    tables::facts(&mut page, record);
    page.tag("<h2>Do it again</h2><pre>").text(&reproduce(record)).tag("</pre>");
    page.tag("</main></body></html>\n");
    page.finish()
}

fn head(page: &mut Markup, record: &RunRecord) {
    let verdict = Verdict::of(record);
    page.tag("<header><h1>")
        .text(&format!("{} → {}", facts::schema_name(record), target_kind(record)))
        .tag("</h1><div class=\"quiet\">")
        .text(&format!(
            "{} · {} · fingerprint {} · seed {} · Rowstorm {}",
            record.started_at, record.target, record.fingerprint, record.seed, record.rowstorm
        ))
        .tag("</div>");
    page.tag(match verdict.tone {
        Tone::Good => "<p class=\"verdict good\"><b>Verified.</b> ",
        Tone::Open => "<p class=\"verdict open\"><b>Not fully shown.</b> ",
        Tone::Bad => "<p class=\"verdict bad\"><b>Not a success.</b> ",
    });
    let rows = number::grouped(record.rows.arrived());
    let seconds = number::seconds(record.seconds);
    let changes = record.changes.as_ref().map(change_facts::headline);
    let changes = changes.map_or_else(String::new, |changes| format!(" and {changes}"));
    page.text(&format!("{rows} rows in {seconds}{changes}: {}.", verdict.claim))
        .tag("</p></header>\n");
}

fn figures(page: &mut Markup, record: &RunRecord) {
    let mut figures = vec![(
        "Rows per second",
        number::rate(record.rows_per_second),
        facts::certainty(record, "±"),
    )];
    if let Some(size) = facts::bytes_per_row(record) {
        let rate = number::bytes(record.bytes_sent as f64 / record.seconds);
        figures.push(("Sent per second", rate, size));
    }
    if record.latency_ms.max > 0.0 {
        let median = format!("half under {}", number::milliseconds(record.latency_ms.p50));
        let value = number::milliseconds(record.latency_ms.p99);
        figures.push(("99 % of batches under", value, median));
    }
    if record.batch.chosen_rows > 0 {
        let rows = number::grouped(u64::from(record.batch.chosen_rows));
        let value = format!("{rows} × {}", record.batch.chosen_in_flight);
        figures.push(("Rows per batch × in flight", value, facts::settled(record)));
    }
    page.tag("<dl class=\"figures\">");
    for (name, value, note) in figures {
        page.tag("<div><dt>").tag(name).tag("</dt><dd>").text(&value);
        page.tag("<small>").text(&note).tag("</small></dd></div>");
    }
    page.tag("</dl>\n");
}

/// What the accounts mean, and what was not looked at.
fn counted(page: &mut Markup, record: &RunRecord) {
    page.tag("<p class=\"quiet\">");
    page.tag(match Verdict::of(record).counted {
        Counted::Agrees => {
            "<strong>Counted:</strong> after the load the database was asked how many rows it holds, and that number, less what stood there before, equals accepted plus confirmed. "
        }
        Counted::NotAsked => {
            "<strong>Not counted:</strong> the rows are those that the target acknowledged; nobody asked it afterwards how many it holds. "
        }
        Counted::WithinUnknown { .. } => {
            "<strong>Counted, with room:</strong> the database's count is at least accepted plus confirmed, and at most that plus the unknown rows, whose answers were lost. "
        }
        Counted::Differs { .. } => {
            "<strong>Counted, and it disagrees:</strong> the database's own count does not fit the accounts. "
        }
    });
    page.tag("Accepted: the database took them. Confirmed: sent again and found standing there. Rejected: refused. Unknown: sent, no answer came, and no key can tell. ")
        .tag("<strong>Not looked at here:</strong> the contents of the rows. Schema and seed are enough to recompute each of them.</p>\n");
}

fn drawings(page: &mut Markup, record: &RunRecord) {
    for chart in charts(record) {
        page.tag("<h2>").tag(chart.title).tag("</h2><figure>");
        legend(page, &chart);
        page.tag("<div class=\"wide\">");
        page.drawing(&svg(&chart, WIDE)).tag("</div><div class=\"narrow\">");
        page.drawing(&svg(&chart, NARROW)).tag("</div><figcaption>").text(&chart.summary);
        if chart.decides() {
            page.tag(" Dotted lines: the controller kept another setting from there on.");
        }
        page.tag("</figcaption></figure>\n");
    }
}

/// Names of lines beside their colours, where there are several.
fn legend(page: &mut Markup, chart: &Chart) {
    // As many as there are colours; see `--line-1` and on.
    const SWATCHES: [&str; 6] = [
        "<i class=\"k1\"></i>",
        "<i class=\"k2\"></i>",
        "<i class=\"k3\"></i>",
        "<i class=\"k4\"></i>",
        "<i class=\"k5\"></i>",
        "<i class=\"k6\"></i>",
    ];
    if chart.lines.len() < 2 {
        return;
    }
    page.tag("<div class=\"legend\">");
    for (line, swatch) in chart.lines.iter().zip(SWATCHES.iter().cycle()) {
        page.tag("<span>").tag(swatch).text(&line.name).tag("</span>");
    }
    page.tag("</div>");
}
