//! `demo`: no config, no server. The rows are seen first, then written, counted, drawn and reported.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rowstorm::runner::Ending;
use rowstorm::schema::{Progress, RunSettings, Span};
use rowstorm::{RunOptions, RunRecord, Target};

use super::sample::as_table;
use crate::args::DemoArgs;
use crate::document::Document;
use crate::exit::{Exit, Failure, Result};
use crate::load::{self, Loaded, Watch};
use crate::settings::{self, Clock};
use crate::{console, outcome, summary, target};

/// Enough for the controller to settle and for a curve to be drawn; a matter of seconds on two cores.
const ROWS: u64 = 2_000_000;

/// Rows that are shown first.
const SHOWN: u64 = 3;

/// Speed over time, and by batch size where several were tried.
const CHARTS: usize = 2;

/// Made in a temporary folder, which goes away with its rows.
const DATABASE: &str = "rowstorm-demo.db";

const REPORT: &str = "rowstorm-demo.html";
const RECORD: &str = "rowstorm-demo.run.json";

const WHAT: &str = "\
The CPU table of a metrics store goes into a temporary SQLite file, as fast as
it will, and SQLite counts what arrived. This is what its rows look like:
";

const NEXT: &str = "
next     rowstorm init shop -o shop.yaml
         rowstorm explain shop.yaml --to sqlite:shop.db
         rowstorm run shop.yaml --to sqlite:shop.db
";

pub(crate) fn demo(args: &DemoArgs) -> Result<Exit> {
    let document = Document::load("cpu")?;
    let settings = RunSettings {
        rows: Some(args.rows.unwrap_or(ROWS)),
        seed: args.seed.or(settings::defaults().seed),
        ..settings::defaults()
    };
    let clock = Clock::start(&settings)?;
    let plan = document.plan(settings::plan_options(&document, &settings, clock))?;
    console::talk(WHAT);
    console::data(&format!(
        "{}\n",
        as_table(plan.table("cpu").map_err(|error| internal(&error))?, 0, SHOWN)
    ))?;

    let folder = tempfile::tempdir()
        .map_err(|cause| Failure::io("cannot make a temporary folder", &cause))?;
    let database = Target::Sqlite(folder.path().join(DATABASE));
    let options = RunOptions {
        target: format!("sqlite:{DATABASE}"),
        ..settings::run_options(&document, &settings, clock, |_| None)?
    };
    let watch = Watch {
        progress: Progress::Every(Span(Duration::from_secs(1))),
        verbose: false,
        talks: true,
        metrics: None,
    };
    let Loaded { finished, signal } =
        load::load(plan, target::open(&database, None)?, options, watch)?;
    let record = &finished.record;
    let (report, kept) = keep(record)?;
    console::data(&format!("{}\n", summary::charts(record, CHARTS)))?;
    console::data(&summary::text(record, &[], &[&report, &kept]))?;
    if let Some(failure) = outcome::complaint(&finished.ending, record) {
        console::talk(&failure.to_string());
    }
    let verified = matches!(finished.ending, Ending::Done) && record.verified == Some(true);
    let exit = outcome::exit(&finished.ending, signal, true);
    if exit == Exit::Done && !verified {
        console::talk("error: SQLite did not count the rows");
        return Ok(Exit::Mismatch);
    }
    console::data(NEXT)?;
    Ok(exit)
}

/// Report and record, in the current folder, or where it cannot be written to in one that stays.
fn keep(record: &RunRecord) -> Result<(PathBuf, PathBuf)> {
    let here = (PathBuf::from(REPORT), PathBuf::from(RECORD));
    if write(record, &here.0, &here.1).is_ok() {
        return Ok(here);
    }
    let folder = tempfile::Builder::new().prefix("rowstorm-demo-").tempdir();
    let folder =
        folder.map_err(|cause| Failure::io("cannot make a temporary folder", &cause))?.keep();
    let there = (folder.join(REPORT), folder.join(RECORD));
    write(record, &there.0, &there.1)?;
    Ok(there)
}

fn write(record: &RunRecord, report: &Path, json: &Path) -> Result<()> {
    record.write(json).map_err(|error| Failure::usage(error.to_string()))?;
    summary::write_html(record, &[], report)
}

fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Internal, error.to_string())
}
