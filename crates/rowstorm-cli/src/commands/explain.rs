//! `explain`: what a run would do. Nothing is connected to.

use std::fmt::Write;
use std::sync::Arc;

use rowstorm::generate::changes::ChangePlan;
use rowstorm::generate::{BATCH_ROWS_MAX, Batch};
use rowstorm::report::number::{bytes, grouped};
use rowstorm::schema::{AutoOr, RunSettings};
use rowstorm::sink::{BoxSink, Encoder, Event, Payload, Prepare, Sink, Statement};
use rowstorm::{Plan, TablePlan, Target};

use crate::args::ExplainArgs;
use crate::config::{self, Config};
use crate::document::Document;
use crate::exit::{Exit, Failure, Result};
use crate::settings::{self, Clock};
use crate::{console, target};

/// Rows that are made and encoded to know their size.
const MEASURED_ROWS: u64 = BATCH_ROWS_MAX as u64;

pub(crate) fn explain(args: &ExplainArgs) -> Result<Exit> {
    let document = Document::load(&args.file)?;
    let settings = Config::of(&document, &args.flags, config::environment())?.settings;
    let target = target::parse(args.to.as_deref())?;
    let clock = Clock::start(&settings)?;
    let options =
        settings::run_options(&document, &settings, clock, |name| std::env::var(name).ok())?;
    let sink = target::open(&target, options.shard)?;
    let plan = document.plan(settings::plan_options(&document, &settings, clock))?;
    let prepare = Prepare { mode: options.mode, indexes: options.indexes };
    console::data(&header(&document, &target, &plan, &settings))?;
    for table in plan.tables() {
        console::data(&one(&sink, table, &prepare, &settings))?;
    }
    if document.schema.changes.is_some() {
        console::data(&changes(&sink, &plan)?)?;
    }
    Ok(Exit::Done)
}

fn header(document: &Document, target: &Target, plan: &Plan, settings: &RunSettings) -> String {
    let mut text = format!(
        "{} into {} ({target})\nseed {}   fingerprint {:016x}   nothing is connected to\n",
        document.name,
        target.name(),
        plan.options().seed,
        plan.fingerprint(),
    );
    let shown = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
    let parts = [
        shown("batch", settings.batch.map(|batch| batch.to_string())),
        shown("in flight", settings.in_flight.map(|in_flight| in_flight.to_string())),
        shown("at most", settings.max_bytes_in_flight.map(|size| format!("{size} in flight"))),
        shown("rate", settings.rate.map(|rate| rate.to_string())),
        shown("shard", settings.shard.map(|shard| shard.to_string())),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    line(&mut text, format_args!("{}", parts.join("   ")));
    text
}

fn one(
    sink: &BoxSink,
    table: &Arc<TablePlan>,
    prepare: &Prepare,
    settings: &RunSettings,
) -> String {
    let explained = Sink::explain(sink, table, prepare);
    let limits = Sink::limits(sink, table);
    let row_bytes = bytes_per_row(sink, table);
    let rows = table.rows.map_or_else(
        || "rows until the run ends".to_owned(),
        |rows| format!("{} rows", grouped(rows)),
    );
    let mut text = format!(
        "\n{}: {rows}, {} columns, by {}\n",
        table.name,
        table.columns.len(),
        explained.method
    );
    for statement in explained.ddl.iter().chain(std::iter::once(&explained.statement)) {
        for part in statement.lines() {
            line(&mut text, format_args!("    {part}"));
        }
    }
    let most = u64::from(limits.rows).min((limits.bytes as f64 / row_bytes.max(1.0)) as u64);
    line(
        &mut text,
        format_args!("  row      {row_bytes:.0} bytes encoded (mean of the first {MEASURED_ROWS})"),
    );
    line(
        &mut text,
        format_args!(
            "  batch    at most {} rows, {}; {}",
            grouped(most),
            bytes(limits.bytes as f64),
            writers(limits.writers)
        ),
    );
    if let (Some(AutoOr::Fixed(batch)), Some(AutoOr::Fixed(in_flight))) =
        (settings.batch, settings.in_flight)
    {
        let held = f64::from(batch) * row_bytes * f64::from(in_flight.min(limits.writers));
        line(&mut text, format_args!("  memory   {} in flight", bytes(held)));
    }
    let retry = if limits.idempotent {
        "a key keeps one copy of each row: lost answers are sent again"
    } else {
        "no key: rows whose answer is lost are counted as unknown, and not sent again"
    };
    line(&mut text, format_args!("  retry    {retry}"));
    for note in &explained.notes {
        line(&mut text, format_args!("  note     {note}"));
    }
    text
}

/// The statements of the mix, as they are sent.
fn changes(sink: &BoxSink, plan: &Plan) -> Result<String> {
    let changes = ChangePlan::new(plan).map_err(|error| Failure::usage(error.to_string()))?;
    let statements = Statement::all(&changes);
    let mut text = format!(
        "\nchanges: {} streams, fingerprint {:016x}\n",
        changes.streams(),
        changes.fingerprint()
    );
    let limits = match sink.change_limits(&statements) {
        Ok(limits) => limits,
        Err(refused) => {
            line(&mut text, format_args!("  refused  {refused}"));
            return Ok(text);
        }
    };
    for statement in statements.iter() {
        line(&mut text, format_args!("  {} {}", statement.kind.word(), statement.table.name));
        for part in sink.explain_change(statement).iter().flat_map(|sent| sent.lines()) {
            line(&mut text, format_args!("    {part}"));
        }
    }
    for (spec, event) in changes.events().iter().zip(Event::all(&changes)) {
        let words =
            sink.explain_event(&event).unwrap_or_else(|refused| format!("refused  {refused}"));
        line(&mut text, format_args!("  event after {} ops", grouped(spec.after)));
        line(&mut text, format_args!("    {words}"));
    }
    let kept =
        if limits.transactions { "committed together" } else { "sent in order: no transactions" };
    line(
        &mut text,
        format_args!(
            "  batch    at most {} rows of one kind; {}; kinds are {kept}",
            grouped(u64::from(limits.rows)),
            writers(limits.changers)
        ),
    );
    Ok(text)
}

fn bytes_per_row(sink: &BoxSink, table: &TablePlan) -> f64 {
    let count = table.rows.unwrap_or(MEASURED_ROWS).min(MEASURED_ROWS);
    if count == 0 {
        return 0.0;
    }
    let (mut batch, mut payload) = (Batch::default(), Payload::default());
    table.fill(0..count, &mut batch);
    let mut encoder = Sink::encoder(sink, table);
    payload.rows = 0..count;
    encoder.begin(&mut payload);
    encoder.encode(&batch, &mut payload);
    encoder.end(&mut payload);
    payload.body.len() as f64 / count as f64
}

fn writers(count: u32) -> String {
    match count {
        1 => "1 connection".to_owned(),
        u32::MAX => "any number of connections".to_owned(),
        count => format!("at most {count} connections"),
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string cannot fail");
}
