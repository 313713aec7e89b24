//! `generate`: the rows as files, counted by reading them back.

use rowstorm::report::number::{bytes, grouped};
use rowstorm::runner::Setting;
use rowstorm::schema::{Progress, Span};
use rowstorm::sink::PrepareMode;
use rowstorm::{RunOptions, Target};

use crate::args::{GenerateArgs, GenerateFormat};
use crate::config::{self, Config};
use crate::document::Document;
use crate::exit::{Exit, Result};
use crate::flags::RunFlags;
use crate::load::{self, Loaded, Watch};
use crate::settings::{self, Clock};
use crate::{console, outcome, target};

/// Rows that are appended to a file at once: a megabyte or so.
const BATCH_ROWS: u32 = 8_192;

pub(crate) fn generate(args: &GenerateArgs) -> Result<Exit> {
    let document = Document::load(&args.file)?;
    let flags = RunFlags {
        rows: args.rows,
        seed: args.seed,
        epoch: args.epoch.clone(),
        shard: args.shard,
        ..RunFlags::default()
    };
    let mut settings = Config::of(&document, &flags, config::environment())?.settings;
    settings.duration = None; // files end with their rows
    let (folder, format) = (args.output.clone(), format(args.format).to_owned());
    let target = Target::Files { folder, format, part: None };
    let clock = Clock::start(&settings)?;
    let options = RunOptions {
        batch: Setting::Fixed(BATCH_ROWS),
        in_flight: Setting::Fixed(1),
        rate: None,
        mode: if args.force { PrepareMode::Recreate } else { PrepareMode::Create },
        target: target.to_string(),
        ..settings::run_options(&document, &settings, clock, |name| std::env::var(name).ok())?
    };
    let plan = document.plan(settings::plan_options(&document, &settings, clock))?;
    let every = Progress::Every(Span(std::time::Duration::from_secs(1)));
    let progress = settings.progress.unwrap_or(every);
    let watch = Watch { progress, verbose: false, talks: true, metrics: None };
    let fingerprint = plan.fingerprint();
    let sink = target::open(&target, options.shard)?;
    let Loaded { finished, signal } = load::load(plan, sink, options, watch)?;
    let record = &finished.record;
    console::talk(&format!(
        "written  {}   {} rows   {}   seed {}   fingerprint {fingerprint:016x}",
        args.output.display(),
        grouped(record.rows.accepted),
        bytes(record.bytes_sent as f64),
        record.seed,
    ));
    if let Some(failure) = outcome::complaint(&finished.ending, record) {
        console::talk(&failure.to_string());
    }
    Ok(outcome::exit(&finished.ending, signal, true))
}

fn format(format: GenerateFormat) -> &'static str {
    match format {
        GenerateFormat::Csv => "csv",
        GenerateFormat::Jsonl => "jsonl",
        #[cfg(feature = "parquet")]
        GenerateFormat::Parquet => "parquet",
    }
}
