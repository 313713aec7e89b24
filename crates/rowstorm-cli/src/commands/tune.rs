//! `tune`: writes rows until the controller is sure of its setting, and prints the flags that pin it.
//!
//! The flags alone go to standard output, for `rowstorm run … $(rowstorm tune …)`; what was tried and how sure it is goes
//! to standard error, and everything into the record. The rows that were written stay.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rowstorm::generate::PlanOptions;
use rowstorm::report::number::{grouped, percent, rate, seconds};
use rowstorm::report::steps::{Step, steps};
use rowstorm::runner::{Ending, Until};
use rowstorm::schema::{AutoOr, RunSettings, Schema, Span, TableMode};
use rowstorm::{Plan, RunRecord, Target};

use super::journal::{self, Kept};
use super::run::{confirm, watch};
use crate::args::TuneArgs;
use crate::config::{self, Config};
use crate::document::Document;
use crate::exit::{Exit, Failure, Result};
use crate::load::{self, Loaded};
use crate::settings::{self, Clock};
use crate::{console, outcome, summary, target};

/// When it is not sure by then, it says so.
const DURATION: Duration = Duration::from_mins(2);
/// Rows that a parent without `preload` is taken to have: enough to pick from.
const PARENT_ROWS: u64 = 1_000_000;
/// Settings that are shown, and how long one must have held: in a moment, any speed can be seen.
const SHOWN: usize = 8;
const MOMENT_S: f64 = 0.5;

pub(crate) fn tune(args: &TuneArgs) -> Result<Exit> {
    if let Some(journal) = &args.replay {
        return journal::replay(journal);
    }
    let document = Document::load(args.file.as_deref().unwrap_or_default())?;
    let settings = Config::of(&document, &args.flags, config::environment())?.settings;
    let settings = limited(settings, args)?;
    let thresholds = summary::thresholds(&settings)?;
    outcome::check_writable(settings.output.as_deref())?;
    outcome::check_writable(settings.report.as_deref())?;
    let target = target::parse(args.to.as_deref())?;
    let clock = Clock::start(&settings)?;
    let table = table(&document, args.table.as_deref())?;
    let mut options =
        settings::run_options(&document, &settings, clock, |name| std::env::var(name).ok())?;
    options.target = target.to_string();
    options.until = Until::Settled;
    options.table = Some(table.clone());
    let kept = Kept::begin(args.journal.as_deref(), &mut options)?;
    let plan = plan(&document, &table, settings::plan_options(&document, &settings, clock))?;
    let sink = target::open(&target, options.shard)?;
    if settings.table_mode == Some(TableMode::Recreate) && !args.yes {
        confirm(&target, &[&table])?;
    }
    let talks = !settings.quiet.unwrap_or(false);
    if talks {
        console::talk(&format!("{} → {target}   tuning on table {table}", document.name));
    }
    let Loaded { finished, signal } = load::load(plan, sink, options, watch(&settings, talks)?)?;
    let record = &finished.record;
    let stem = format!("{}-tune", document.stem());
    let path = outcome::write_record(record, settings.output.as_deref(), &stem, clock.started_at)?;
    let checked: Vec<_> = thresholds.iter().map(|one| one.evaluate(record)).collect();
    if let Some(report) = &settings.report {
        summary::write_html(record, &checked, report.as_ref())?;
    }
    if let Some(failure) = outcome::complaint(&finished.ending, record) {
        console::talk(&failure.to_string());
    } else if talks {
        console::talk(&findings(record, &document, &target, &path));
    }
    kept.map_or(Ok(()), |kept| kept.end(talks))?;
    let exit = outcome::exit(&finished.ending, signal, checked.iter().all(|one| one.held));
    if settings.json.unwrap_or(false) {
        console::data(&record.to_json())?;
    } else if matches!(finished.ending, Ending::Done) {
        console::data(&format!("{}\n", flags(record)))?;
    }
    Ok(exit)
}

/// The flags that pin what was found.
fn flags(record: &RunRecord) -> String {
    let batch = &record.batch;
    format!("--batch {} --in-flight {}", batch.chosen_rows, batch.chosen_in_flight)
}

/// The file's amounts are those of the load. Here flags alone set limits, and a rate would hide what the server can do.
fn limited(settings: RunSettings, args: &TuneArgs) -> Result<RunSettings> {
    if args.flags.rate.is_some() {
        return Err(Failure::usage("`tune` finds the setting for as fast as it goes: no --rate"));
    }
    let given = |setting| matches!(setting, Some(AutoOr::Fixed(_)));
    if given(args.flags.batch) && given(args.flags.in_flight) {
        return Err(Failure::usage(
            "both --batch and --in-flight are given: nothing is to be found",
        ));
    }
    Ok(RunSettings {
        rows: args.flags.rows,
        duration: Some(args.flags.duration.unwrap_or(Span(DURATION))),
        rate: None,
        // What the file pins is what is asked for here.
        batch: args.flags.batch.or(Some(AutoOr::Auto)),
        in_flight: args.flags.in_flight.or(Some(AutoOr::Auto)),
        ..settings
    })
}

/// The table that was named, else the one with the most rows; one without an end is the largest.
fn table(document: &Document, named: Option<&str>) -> Result<String> {
    if let Some(name) = named {
        if document.schema.tables.contains_key(name) {
            return Ok(name.to_owned());
        }
        let there: Vec<&str> = document.tables().map(|(name, _)| name.as_str()).collect();
        return Err(Failure::usage(format!("{} has no table `{name}`", document.name))
            .help(format!("it has: {}", there.join(", "))));
    }
    let rows = |preload: Option<u64>| preload.unwrap_or(u64::MAX);
    let (_, largest) = document.tables().fold((0, None), |(most, largest), (name, table)| {
        let rows = rows(table.preload);
        if largest.is_none() || rows > most { (rows, Some(name)) } else { (most, largest) }
    });
    largest.cloned().ok_or_else(|| Failure::usage(format!("{} has no tables", document.name)))
}

/// The table without an end, unless rows are asked for, with the tables that it refers to and no others.
fn plan(document: &Document, table: &str, options: PlanOptions) -> Result<Plan> {
    if options.rows.is_some() {
        return document.plan(options);
    }
    let mut schema = Schema { changes: None, ..document.schema.clone() };
    for (name, spec) in &mut schema.tables {
        let rows = spec.preload.or(Some(PARENT_ROWS));
        spec.preload = if name == table { None } else { rows };
    }
    let others: Vec<String> =
        schema.tables.keys().filter(|name| *name != table).rev().cloned().collect();
    // A table that another one needs does not go: without it nothing compiles.
    for name in others {
        let mut less = schema.clone();
        less.tables.shift_remove(&name);
        if Plan::new(&less, options.clone()).is_ok() {
            schema = less;
        }
    }
    Plan::new(&schema, options.clone()).or_else(|_| document.plan(options))
}

/// What was found, how sure it is, and what to do with it.
fn findings(record: &RunRecord, document: &Document, target: &Target, path: &Path) -> String {
    let batch = &record.batch;
    let setting =
        format!("{} rows × {}", grouped(u64::from(batch.chosen_rows)), batch.chosen_in_flight);
    let sure = match batch.settled_at_s {
        Some(at) if record.seconds - at >= 1.0 => {
            format!("settled after {} and stood for {}", seconds(at), seconds(record.seconds - at))
        }
        Some(at) => format!("settled after {}", seconds(at)),
        None => "NOT settled: more --duration or --rows would tell".to_owned(),
    };
    let mut text = format!("found    {setting}, {sure}\n");
    let tried = steps(record);
    let _ = writeln!(text, "tried    {} settings, each for so long:", tried.len());
    text.push_str(&best(&tried, record));
    let verdicts = record.batch.decisions.iter().rev();
    let told = |kind: &str| {
        ["better", "smaller", "back", "ending", "busy", "late", "rejected"].contains(&kind)
    };
    let last: Vec<_> = verdicts.filter(|decision| told(&decision.kind)).take(4).collect();
    for (place, verdict) in last.iter().rev().enumerate() {
        let name = if place == 0 { "last" } else { "" };
        let _ = writeln!(text, "{name:<8} {:>7} {}", seconds(verdict.at_s), verdict.reason);
    }
    let _ = writeln!(text, "record   {}", path.display());
    let rows = grouped(record.rows.arrived());
    let _ =
        writeln!(text, "now      rowstorm run {} --to {target} {}", document.name, flags(record));
    let _ =
        write!(text, "         {rows} rows stay in the table: say --table-mode recreate or append");
    text
}

/// The settings that gave most, the best first, and the one that was kept.
fn best(tried: &[Step], record: &RunRecord) -> String {
    let batch = &record.batch;
    let kept = |step: &Step| {
        (step.batch_rows, step.in_flight) == (batch.chosen_rows, batch.chosen_in_flight)
    };
    let told = |step: &&Step| kept(step) || step.seconds >= MOMENT_S;
    let mut order: Vec<&Step> = tried.iter().filter(told).collect();
    order.sort_by(|a, b| b.rows_per_second().total_cmp(&a.rows_per_second()));
    let most = order.first().map_or(1.0, |step| step.rows_per_second());
    let mut text = String::new();
    for (place, step) in order.into_iter().enumerate() {
        if place >= SHOWN && !kept(step) {
            continue;
        }
        let _ = writeln!(
            text,
            "         {:>9} rows × {:<3} {:>11} rows/s  {:>6} of the most  {:>7}{}",
            grouped(u64::from(step.batch_rows)),
            step.in_flight,
            rate(step.rows_per_second()),
            percent(step.rows_per_second() / most),
            seconds(step.seconds),
            if kept(step) { "  kept" } else { "" }
        );
    }
    text
}
