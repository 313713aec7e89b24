//! The page's section on changes.

use crate::change_facts;
use crate::changes::{ChangeRows, Changes};
use crate::number::{grouped, milliseconds, rate, seconds};
use crate::record::Latency;

use super::markup::Markup;
use super::tables::number;

/// How much of a query's words the page shows.
const WORDS_CHARS_MAX: usize = 400;
/// Rows of a table on the page; the record has them all.
const ROWS_MAX: usize = 150;

pub(super) fn section(page: &mut Markup, changes: &Changes) {
    page.tag("<h2>Changes</h2><p>").text(&change_facts::headline(changes)).tag("</p>");
    for (name, value) in change_facts::lines(changes) {
        let is_event = name.starts_with("event ");
        if is_event || matches!(name.as_str(), "pace" | "schedule" | "counted" | "replayed") {
            page.tag("<p class=\"quiet\">")
                .text(&format!("{name}: {}", value.replace("   ", " · ")))
                .tag("</p>");
        }
    }
    accounts(page, changes);
    times(page, changes);
    queries(page, changes);
    stages(page, changes);
}

fn accounts(page: &mut Markup, changes: &Changes) {
    head(
        page,
        &["Table", "Kind"],
        &["Planned", "Matched", "Confirmed", "Missed", "Rejected", "Unknown"],
    );
    let kinds = changes
        .tables
        .iter()
        .flat_map(|table| table.kinds.iter().map(move |kind| (&table.table, kind)));
    for (table, kind) in kinds.take(ROWS_MAX) {
        account(page, table, &kind.kind, &kind.rows);
    }
    account(page, "All", "", &changes.rows);
    page.tag("</tbody></table></div>\n");
    page.tag("<p class=\"quiet\">Matched: inserted, or found and changed or read. Confirmed: sent twice, and found as the first time had left it. ")
        .tag("Missed: no row had the key. Rejected: refused. Unknown: sent, and nobody can tell.</p>\n");
}

fn account(page: &mut Markup, table: &str, kind: &str, rows: &ChangeRows) {
    page.tag("<tr><th scope=\"row\">").text(table).tag("</th><td>").text(kind).tag("</td>");
    for count in
        [rows.planned, rows.matched, rows.confirmed, rows.missed, rows.rejected, rows.unknown]
    {
        number(page, &grouped(count));
    }
    page.tag("</tr>");
}

fn times(page: &mut Markup, changes: &Changes) {
    if changes.kinds.is_empty() {
        return;
    }
    head(page, &["Kind", "From"], &["p50", "p90", "p99", "p99.9", "max"]);
    for kind in &changes.kinds {
        for (from, latency) in [
            ("the intended start to the answer", &kind.response_ms),
            ("sending to the answer", &kind.service_ms),
        ] {
            page.tag("<tr><th scope=\"row\">")
                .text(&kind.kind)
                .tag("</th><td>")
                .tag(from)
                .tag("</td>");
            percentiles(page, latency);
            page.tag("</tr>");
        }
    }
    page.tag("</tbody></table></div>\n");
}

fn queries(page: &mut Markup, changes: &Changes) {
    if changes.queries.is_empty() {
        return;
    }
    head(
        page,
        &["Query", "Table", "Words"],
        &["Answered", "Refused", "Rows", "Response p50", "p99", "Service p50", "p99", "max"],
    );
    for query in changes.queries.iter().take(ROWS_MAX) {
        page.tag("<tr><th scope=\"row\">").text(&(query.entry + 1).to_string()).tag("</th>");
        page.tag("<td>").text(&query.table).tag("</td><td>");
        page.text(&change_facts::brief(&query.words, WORDS_CHARS_MAX)).tag("</td>");
        for count in [query.answered, query.refused, query.rows] {
            number(page, &grouped(count));
        }
        let (response, service) = (&query.response_ms, &query.service_ms);
        for value in [response.p50, response.p99, service.p50, service.p99, service.max] {
            number(page, &milliseconds(value));
        }
        page.tag("</tr>");
    }
    page.tag("</tbody></table></div>\n");
}

fn percentiles(page: &mut Markup, latency: &Latency) {
    for value in [latency.p50, latency.p90, latency.p99, latency.p999, latency.max] {
        number(page, &milliseconds(value));
    }
}

fn stages(page: &mut Markup, changes: &Changes) {
    if changes.stages.len() < 2 {
        return;
    }
    head(
        page,
        &["Stage"],
        &["From", "For", "Asked", "Reached", "Response p50", "p99", "Lag p99", "Skipped", "Errors"],
    );
    for (at, stage) in changes.stages.iter().take(ROWS_MAX).enumerate() {
        page.tag("<tr><th scope=\"row\">").text(&(at + 1).to_string()).tag("</th>");
        let asked = stage.target_per_second;
        for text in [
            seconds(stage.from_s),
            seconds(stage.seconds),
            asked.map_or_else(|| "max".to_owned(), |asked| format!("{}/s", rate(asked))),
            format!("{}/s", rate(stage.achieved_per_second)),
            milliseconds(stage.response_ms.p50),
            milliseconds(stage.response_ms.p99),
            milliseconds(stage.lag_ms.p99),
            grouped(stage.skipped),
            grouped(stage.errors),
        ] {
            number(page, &text);
        }
        page.tag("</tr>");
    }
    page.tag("</tbody></table></div>\n");
}

fn head(page: &mut Markup, names: &[&'static str], numbers: &[&'static str]) {
    page.tag("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
    for name in names {
        page.tag("<th scope=\"col\">").tag(name).tag("</th>");
    }
    for name in numbers {
        page.tag("<th scope=\"col\" class=\"n\">").tag(name).tag("</th>");
    }
    page.tag("</tr></thead><tbody>");
}
