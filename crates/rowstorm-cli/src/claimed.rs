//! What must be in a database: of a run record, or of a schema file whose load had the default settings.

use std::io;
use std::ops::Range;
use std::path::Path;

use rowstorm::generate::PlanOptions;
use rowstorm::generate::changes::{ChangePlan, EventKind};
use rowstorm::runner::Progress;
use rowstorm::runner::verify::{Claim, Epoch, RunState};
use rowstorm::schema::{Schema, parse_instant};
use rowstorm::{Plan, RunRecord};

use crate::args::VerifyArgs;
use crate::commands::{progress_path, read_record};
use crate::config::{self, Config};
use crate::document::Document;
use crate::exit::{Failure, Result};
use crate::flags::RunFlags;
use crate::settings::{self, Clock};

/// What must be there, and what is known of it besides.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) claim: Claim,
    pub(crate) epoch: Epoch,
    /// By table: rows that stood there before.
    pub(crate) before: Vec<u64>,
    /// By table: rows that the run knows to be missing.
    pub(crate) known_missing: Vec<u64>,
    /// What the user should know.
    pub(crate) said: Option<String>,
}

/// Reads what must be there.
pub(crate) fn claimed(args: &VerifyArgs) -> Result<Claimed> {
    if is_record(&args.expected) { of_record(args) } else { of_file(args) }
}

/// A schema file is told from a record by its name; JSON, which both may be, by what it holds.
fn is_record(name: &str) -> bool {
    if name == "-" {
        return true;
    }
    let is_json = Path::new(name).extension().is_some_and(|ending| ending == "json");
    is_json && std::fs::read_to_string(name).is_ok_and(|text| text.contains("\"record_version\""))
}

fn of_file(args: &VerifyArgs) -> Result<Claimed> {
    if args.schema.is_some() {
        return Err(Failure::usage("--schema is for a record; here the schema is named already"));
    }
    let document = Document::load(&args.expected)?;
    let flags = RunFlags {
        rows: args.rows,
        seed: args.seed,
        epoch: args.epoch.clone(),
        ..RunFlags::default()
    };
    let settings = Config::of(&document, &flags, config::environment())?.settings;
    let epoch = if settings.epoch.is_some() { Epoch::Known } else { Epoch::Unknown };
    let clock = Clock::start(&settings)?;
    let plan = document.plan(settings::plan_options(&document, &settings, clock))?;
    if let Some(table) = plan.tables().iter().find(|table| table.rows.is_none()) {
        let message = format!("how many rows were written to `{}` is not known", table.name);
        return Err(Failure::usage(message).help("name the run's record, or --rows"));
    }
    let said = document.schema.changes.is_some().then(|| {
        "the load alone is expected: what became of `changes:` only a run's record knows".to_owned()
    });
    let claim = Claim::loaded(plan);
    Ok(Claimed { claim, epoch, before: Vec::new(), known_missing: Vec::new(), said })
}

fn of_record(args: &VerifyArgs) -> Result<Claimed> {
    if args.rows.is_some() || args.seed.is_some() || args.epoch.is_some() {
        return Err(Failure::usage(
            "--rows, --seed and --epoch are for a schema file: a record knows its own",
        ));
    }
    let record = read_record(Path::new(&args.expected))?;
    let name = args.schema.as_ref().unwrap_or(&record.settings.schema);
    let document = Document::load(name).map_err(|failure| match args.schema {
        Some(_) => failure,
        None => failure.help("the record names this schema; --schema FILE names another"),
    })?;
    let plan = plan(&document.schema, &record)?;
    let of = |rows: fn(&rowstorm::report::TableRows) -> u64| {
        let amount = |table: &std::sync::Arc<rowstorm::TablePlan>| {
            let of = record.tables.iter().find(|of| *of.table == *table.name);
            of.map_or(0, rows)
        };
        plan.tables().iter().map(amount).collect::<Vec<u64>>()
    };
    let before = of(|table| table.before);
    let known_missing = of(|table| table.rows.rejected + table.rows.unknown);
    let claim = match &record.changes {
        Some(changes) => changed(&plan, changes, &record, &args.expected)?,
        None => Claim::ranges(plan.clone(), done(&plan, &record)),
    };
    Ok(Claimed { claim, epoch: Epoch::Known, before, known_missing, said: None })
}

/// The record's data again, proved by its fingerprint.
fn plan(schema: &Schema, record: &RunRecord) -> Result<Plan> {
    let epoch_us = parse_instant(&record.epoch)
        .map_err(|error| Failure::usage(format!("the record's epoch: {error}")))?;
    let options = PlanOptions { seed: record.seed, epoch_us, rows: record.settings.rows };
    let plan = Plan::new(schema, options)
        .map_err(|error| Failure::usage(format!("{}: {error}", record.settings.schema)))?;
    let fingerprint = format!("{:016x}", plan.fingerprint());
    if fingerprint != record.fingerprint {
        let message = format!(
            "the schema makes other data than the record's: fingerprint {fingerprint}, and the record has {}",
            record.fingerprint
        );
        return Err(Failure::usage(message).help("name the schema as it was with --schema FILE"));
    }
    Ok(plan)
}

fn done(plan: &Plan, record: &RunRecord) -> Vec<Vec<Range<u64>>> {
    let of = |name: &str| {
        let ranges = record.ranges_done.iter().filter(|range| *range.table == *name);
        ranges.map(|range| range.from..range.to).collect()
    };
    plan.tables().iter().map(|table| of(&table.name)).collect()
}

fn changed(
    plan: &Plan,
    changes: &rowstorm::report::Changes,
    record: &RunRecord,
    name: &str,
) -> Result<Claim> {
    let compiled = ChangePlan::new(plan).map_err(|error| Failure::usage(error.to_string()))?;
    let fingerprint = format!("{:016x}", compiled.fingerprint());
    if fingerprint != changes.fingerprint {
        let message = format!(
            "the schema makes other changes than the record's: fingerprint {fingerprint}, and the record has {}",
            changes.fingerprint
        );
        return Err(Failure::usage(message).help("name the schema as it was with --schema FILE"));
    }
    if record.shard.is_some_and(|shard| shard.count > 1) {
        return Err(Failure::usage(
            "the record is of one shard, and the others changed their rows, too",
        )
        .help("`rowstorm merge RECORD… -o all.json` first, and verify that"));
    }
    let unread = |cause| Failure::io(format!("cannot read how far {name} is"), &cause);
    let (progress, _) = progress(Path::new(name), &compiled).map_err(unread)?;
    let done = progress.events.done as usize;
    let next = compiled.events().get(done).filter(|_| progress.events.begun as usize > done);
    if next.is_some_and(|event| matches!(event.kind, EventKind::Truncate(_))) {
        let message = "a `truncate` was sent, and its answer is not known: nobody can tell which rows must be there";
        return Err(Failure::usage(message).help("go on with --resume: it is sent once more"));
    }
    Ok(Claim::changed(&compiled.after_events(done), &progress.done))
}

/// Where the run of a record stands: by the progress beside it while it goes on, or was killed; else by itself.
pub(crate) fn state(record: &Path, changes: &ChangePlan) -> io::Result<RunState> {
    let (progress, over) = progress(record, changes)?;
    Ok(RunState { done: progress.done, over })
}

/// The same with its events, and whether it is over.
fn progress(record: &Path, changes: &ChangePlan) -> io::Result<(Progress, bool)> {
    let streams = changes.streams() as usize;
    // The record is whole before its progress is taken away.
    match Progress::read(&progress_path(record), changes.fingerprint()) {
        Ok(progress) => return Ok((progress, false)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(cause),
    }
    let record = RunRecord::read(record).map_err(io::Error::other)?;
    let over = !matches!(record.ended.as_str(), "preparing" | "running");
    let mut progress = record.changes.map(|changes| Progress::of(&changes)).unwrap_or_default();
    progress.done.resize(streams, 0);
    progress.begun.resize(streams, 0);
    Ok((progress, over))
}
