//! The tables of the page. Every table has a header row or header cells, and a caption where its heading does not say
//! enough.

use crate::facts;
use crate::number::{bytes, grouped, milliseconds, rate, seconds};
use crate::record::{Batching, Rows, RunRecord};
use crate::threshold::Checked;
use crate::verdict::audited;

use super::markup::Markup;

/// Rows of a table on the page; the record has them all.
const ROWS_MAX: usize = 150;

pub(super) fn thresholds(page: &mut Markup, thresholds: &[Checked]) {
    if thresholds.is_empty() {
        return;
    }
    page.tag("<h2>Thresholds</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Promise</th>")
        .tag("<th scope=\"col\" class=\"n\">Observed</th><th scope=\"col\">Held</th></tr></thead><tbody>");
    for one in thresholds {
        page.tag("<tr><th scope=\"row\"><code>")
            .text(&one.text)
            .tag("</code></th><td class=\"n\">");
        page.text(&one.observed).tag("</td>");
        page.tag(if one.held {
            "<td class=\"held\">✓ yes</td></tr>"
        } else {
            "<td class=\"broken\">✗ no</td></tr>"
        });
    }
    page.tag("</tbody></table></div>\n");
}

pub(super) fn accounts(page: &mut Markup, record: &RunRecord) {
    page.tag(
        "<h2>Accounts</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Table</th>",
    );
    for name in ["Planned", "Accepted", "Confirmed", "Rejected", "Unknown", "Counted after"] {
        page.tag("<th scope=\"col\" class=\"n\">").tag(name).tag("</th>");
    }
    page.tag("</tr></thead><tbody>");
    for table in record.tables.iter().take(ROWS_MAX) {
        account(page, &table.table, record, &table.rows);
    }
    if record.tables.len() != 1 {
        account(page, "All", record, &record.rows);
    }
    page.tag("</tbody></table></div>\n");
    rest(page, record.tables.len());
}

fn account(page: &mut Markup, name: &str, record: &RunRecord, rows: &Rows) {
    page.tag("<tr><th scope=\"row\">").text(name).tag("</th>");
    for count in [rows.planned, rows.accepted, rows.confirmed, rows.rejected, rows.unknown] {
        number(page, &grouped(count));
    }
    number(page, &audited(record, rows));
    page.tag("</tr>");
}

pub(super) fn errors(page: &mut Markup, record: &RunRecord) {
    if record.errors.is_empty() {
        return;
    }
    page.tag("<h2>Errors</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">Count</th>")
        .tag("<th scope=\"col\">For example</th></tr></thead><tbody>");
    for error in record.errors.iter().take(ROWS_MAX) {
        page.tag("<tr><th scope=\"row\">").text(&error.class).tag("</th>");
        number(page, &grouped(error.count));
        page.tag("<td>").text(error.samples.first().map_or("", String::as_str)).tag("</td></tr>");
    }
    page.tag("</tbody></table></div>\n");
    rest(page, record.errors.len());
}

pub(super) fn decisions(page: &mut Markup, title: &'static str, batch: &Batching) {
    let decisions = &batch.decisions;
    if decisions.is_empty() {
        return;
    }
    page.tag("<h2>").tag(title).tag("</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\" class=\"n\">At</th>")
        .tag("<th scope=\"col\" class=\"n\">Rows per batch</th><th scope=\"col\" class=\"n\">In flight</th>")
        .tag("<th scope=\"col\">Why</th></tr></thead><tbody>");
    // Measurements on the way are in the record; of very many decisions the first and the last tell most.
    let told: Vec<_> = decisions.iter().filter(|decision| !decision.measures()).collect();
    let left_out = told.len().saturating_sub(ROWS_MAX);
    let last = if left_out > 0 { told.len() - ROWS_MAX / 2 } else { 0 };
    let first = if left_out > 0 { ROWS_MAX / 2 } else { 0 };
    for decision in told[..first].iter().chain(&told[last..]) {
        page.tag("<tr>");
        number(page, &seconds(decision.at_s));
        number(page, &grouped(u64::from(decision.batch_rows)));
        number(page, &decision.in_flight.to_string());
        page.tag("<td>").text(&decision.reason).tag("</td></tr>");
    }
    page.tag("</tbody></table></div>\n");
    let measures = decisions.len() - told.len();
    let more = (measures + left_out) as u64 + batch.decisions_left_out;
    if more > 0 {
        let text = format!("{} more, most of them measurements on the way.", grouped(more));
        page.tag("<p class=\"quiet\">").text(&text).tag("</p>");
    }
}

pub(super) fn latency(page: &mut Markup, record: &RunRecord) {
    let lag = record.schedule.as_ref().map(|schedule| &schedule.lag_ms);
    let timed = record.latency_ms.max > 0.0;
    if !timed && lag.is_none() {
        return;
    }
    page.tag("<h2>Latency</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">From</th>");
    for (name, _) in facts::percentiles(&record.latency_ms) {
        page.tag("<th scope=\"col\" class=\"n\">").tag(name).tag("</th>");
    }
    page.tag("</tr></thead><tbody>");
    let sent = timed.then_some(("sending a batch to its answer", &record.latency_ms));
    let lag = lag.map(|lag| ("the intended start to the real one", lag));
    for (name, latency) in [sent, lag].into_iter().flatten() {
        page.tag("<tr><th scope=\"row\">").tag(name).tag("</th>");
        for (_, value) in facts::percentiles(latency) {
            number(page, &milliseconds(value));
        }
        page.tag("</tr>");
    }
    page.tag("</tbody></table></div>\n");
}

/// Settings, client, server: names and values.
pub(super) fn facts(page: &mut Markup, record: &RunRecord) {
    let settings = &record.settings;
    let none = || "none".to_owned();
    let asked = [
        ("schema", settings.schema.clone()),
        ("target", record.target.clone()),
        ("table mode", record.table_mode.clone()),
        ("rows", settings.rows.map_or_else(none, grouped)),
        ("duration", settings.duration_s.map_or_else(none, seconds)),
        (
            "rate",
            settings
                .rate
                .map_or_else(|| "max".to_owned(), |asked| format!("{} rows/s", rate(asked))),
        ),
        ("batch", settings.batch.clone()),
        ("in flight", settings.in_flight.clone()),
        ("looked for", settings.objective.clone()),
        ("bytes in flight, at most", bytes(settings.max_bytes_in_flight as f64)),
        ("secondary indexes", settings.indexes.clone()),
        ("errors allowed", settings.max_errors.clone()),
        ("retries", settings.retry.to_string()),
        ("time for one batch", seconds(settings.timeout_s)),
        (
            "shard",
            record.shard.map_or_else(none, |part| format!("{} of {}", part.index, part.count)),
        ),
        ("epoch (gen: now)", record.epoch.clone()),
    ];
    list(page, "<h2>Settings</h2>", asked.iter().map(|(name, value)| (*name, value.as_str())));
    let client = &record.client;
    let mut own = vec![
        ("limited by", facts::limited_by(record).unwrap_or_else(none)),
        ("CPU", format!("{} of {} cores", seconds(client.cpu_seconds), client.cores)),
        ("peak memory", bytes(client.peak_rss_bytes as f64)),
        ("most bytes in flight", bytes(record.batch.in_flight_bytes_max as f64)),
        (
            "rows made when nothing is sent",
            format!("{} rows/s on one core", rate(client.null_rows_per_second)),
        ),
        ("batches sent again", grouped(record.retries)),
    ];
    for index in record.indexes.iter().take(ROWS_MAX) {
        own.push((
            "indexes after the load",
            format!("{}: {}", index.table, seconds(index.seconds)),
        ));
    }
    if let Some(schedule) = &record.schedule {
        own.push(("schedule", facts::schedule(schedule)));
    }
    let host = record.host.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    list(page, "<h2>Client</h2>", own.chain(host));
    if !record.server.is_empty() {
        let server = record.server.iter().map(|fact| (fact.name.as_str(), fact.value.as_str()));
        list(page, "<h2>Server</h2>", server);
    }
}

fn list<'a>(
    page: &mut Markup,
    heading: &'static str,
    facts: impl Iterator<Item = (&'a str, &'a str)>,
) {
    page.tag(heading).tag("<table class=\"facts\"><tbody>");
    for (name, value) in facts.take(ROWS_MAX) {
        page.tag("<tr><th scope=\"row\">")
            .text(name)
            .tag("</th><td>")
            .text(value)
            .tag("</td></tr>");
    }
    page.tag("</tbody></table>\n");
}

pub(super) fn number(page: &mut Markup, text: &str) {
    page.tag("<td class=\"n\">").text(text).tag("</td>");
}

fn rest(page: &mut Markup, count: usize) {
    if count > ROWS_MAX {
        let more = grouped((count - ROWS_MAX) as u64);
        page.tag("<p class=\"quiet\">")
            .text(&format!("{more} more are in the record."))
            .tag("</p>");
    }
}
