//! `run`: the main job.

use std::path::Path;

use rowstorm::report::Checked;
use rowstorm::runner::{Ending, Finished, Resume};
use rowstorm::schema::{Progress, RunSettings, TableMode};
use rowstorm::{Plan, Target};

use super::changes;
use super::journal::Kept;
use crate::args::RunArgs;
use crate::config::{self, Config};
use crate::document::Document;
use crate::exit::{Exit, Failure, Result};
use crate::load::{self, Loaded, Watch};
use crate::settings::{self, Clock};
use crate::{console, outcome, summary, target};

pub(crate) fn run(args: &RunArgs) -> Result<Exit> {
    let document = Document::load(&args.file)?;
    let mut config = Config::of(&document, &args.flags, config::environment())?;
    let earlier = args.resume.as_deref().map(changes::Earlier::read).transpose()?;
    if let Some(earlier) = &earlier {
        earlier.lay_over(&mut config)?;
    }
    let asked = changes::options(&document, &config, earlier.is_some(), args.cdc)?;
    let settings = config.settings;
    let thresholds = summary::thresholds(&settings)?;
    outcome::check_writable(settings.output.as_deref())?;
    outcome::check_writable(settings.report.as_deref())?;
    let target = target::parse(args.to.as_deref())?;
    let clock = Clock::start(&settings)?;
    let mut options =
        settings::run_options(&document, &settings, clock, |name| std::env::var(name).ok())?;
    options.target = target.to_string();
    changes::split(&mut options, asked);
    let kept = Kept::begin(args.journal.as_deref(), &mut options)?;
    let sink = target::open(&target, options.shard)?;
    let mut plan_options = settings::plan_options(&document, &settings, clock);
    if options.changes.is_some() {
        // A table without `preload` begins empty, and grows.
        plan_options.rows = settings.rows;
    }
    let plan = document.plan(plan_options)?;
    if let (Some(earlier), Some(changes)) = (&earlier, &mut options.changes) {
        changes.resume = earlier.resume(&plan)?;
        changes.resumed_record = earlier.origin();
    }
    let anew = matches!(options.resume(), Resume::Anew);
    if anew && settings.table_mode == Some(TableMode::Recreate) && !args.yes {
        confirm(&target, &names(&plan))?;
    }
    let talks = !settings.quiet.unwrap_or(false);
    if talks {
        introduce(&document, &target, &plan);
        changes::warn(&options, &settings, &document);
    }
    let (stem, output) = (document.stem(), settings.output.as_deref());
    let begun = if options.changes.is_some() {
        let path = outcome::place(output, &stem, clock.started_at)?;
        Some(changes::Begun::new(&plan, &mut options, path, earlier.is_some())?)
    } else {
        None
    };
    if let Some(begun) = begun.as_ref().filter(|_| talks) {
        begun.tell();
    }
    let prepared = || begun.as_ref().map_or(Ok(()), changes::Begun::prepared);
    let loaded = load::marked(plan, sink, options, watch(&settings, talks)?, prepared);
    let Loaded { finished, signal } = loaded.inspect_err(|_| {
        if let Some(begun) = &begun {
            begun.forget();
        }
    })?;
    let record = &finished.record;
    let path = match begun {
        Some(begun) => begun.end(record)?,
        None => outcome::write_record(record, output, &stem, clock.started_at)?,
    };
    let checked: Vec<Checked> = thresholds.iter().map(|one| one.evaluate(record)).collect();
    tell(&finished, &checked, &path, &settings)?;
    kept.map_or(Ok(()), |kept| kept.end(talks))?;
    Ok(outcome::exit(&finished.ending, signal, checked.iter().all(|one| one.held)))
}

/// What is said of a run that is over, and the report of it.
fn tell(
    finished: &Finished,
    checked: &[Checked],
    path: &Path,
    settings: &RunSettings,
) -> Result<()> {
    let record = &finished.record;
    let mut written = vec![path];
    if let Some(report) = &settings.report {
        summary::write_html(record, checked, report.as_ref())?;
        written.push(report.as_ref());
    }
    if settings.json.unwrap_or(false) {
        console::data(&record.to_json())?;
    } else if !settings.quiet.unwrap_or(false) {
        console::data(&summary::text(record, checked, &written))?;
    }
    if let Some(failure) = outcome::complaint(&finished.ending, record) {
        console::talk(&failure.to_string());
    }
    let is_early = matches!(finished.ending, Ending::Stopped | Ending::Failed(_));
    if is_early && record.changes.is_some() {
        console::talk(&format!("go on with it: --resume {}", path.display()));
    }
    for broken in checked.iter().filter(|one| !one.held) {
        console::talk(&format!("error: threshold `{}` broke: {}", broken.text, broken.observed));
    }
    Ok(())
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.tables().iter().map(|table| &*table.name).collect()
}

fn introduce(document: &Document, target: &Target, plan: &Plan) {
    let tables = names(plan);
    console::talk(&format!(
        "{} → {target}   tables {}   seed {}   fingerprint {:016x}",
        document.name,
        tables.join(", "),
        plan.options().seed,
        plan.fingerprint()
    ));
}

pub(super) fn watch(settings: &RunSettings, talks: bool) -> Result<Watch> {
    let metrics = settings.metrics.as_deref().map(|address| {
        crate::flags::address(address)
            .map_err(|why| Failure::usage(format!("metrics: `{address}`: {why}")))
    });
    Ok(Watch {
        progress: if talks { settings.progress.unwrap_or(Progress::Off) } else { Progress::Off },
        verbose: settings.verbose.unwrap_or(false),
        talks,
        metrics: metrics.transpose()?,
    })
}

/// Dropping tables is asked for twice: by `recreate`, and by a person or `--yes`.
pub(super) fn confirm(target: &Target, tables: &[&str]) -> Result<()> {
    match target {
        Target::Memory | Target::Null { .. } => return Ok(()),
        Target::Sqlite(_)
        | Target::Postgres(_)
        | Target::Mysql(_)
        | Target::Mongodb(_)
        | Target::Cratedb(_)
        | Target::Files { .. } => {}
    }
    let question = format!("{target}: drop {} with all rows, and make it anew?", tables.join(", "));
    match console::ask(&question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::usage("nothing was done: not confirmed")),
        None => Err(Failure::usage("recreate drops tables, and there is no terminal to ask on")
            .help("say --yes if that is meant")),
    }
}
