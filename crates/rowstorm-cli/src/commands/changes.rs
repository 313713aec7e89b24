//! What `run` does where a file has `changes:`: their settings, a record from the first moment on, and how a run that was stopped
//! or killed goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rowstorm::generate::changes::{ChangePlan, Event, EventKind};
use rowstorm::report::{Changes, EventOutcome, EventRecord, ReplayedOps, Settings};
use rowstorm::runner::{ChangeOptions, Progress, Resume, RunOptions, Stage};
use rowstorm::schema::{self, AutoOr, Generator, Late, Rate, RunSettings, Shard, Span, TableMode};
use rowstorm::sink::PrepareMode;
use rowstorm::{Plan, RunRecord};

use crate::config::Config;
use crate::console;
use crate::document::Document;
use crate::exit::{Failure, Result};
use crate::settings::prepare_mode;

/// How a record says that tables are being made ready: a run that goes on does so once more.
const PREPARING: &str = "preparing";
const RUNNING: &str = "running";

/// The changes that are asked for; `None` if the file has none.
pub(super) fn options(
    document: &Document,
    config: &Config,
    resumes: bool,
    cdc: bool,
) -> Result<Option<ChangeOptions>> {
    let settings = &config.settings;
    let Some(changes) = &document.schema.changes else {
        let given = [
            ("resume", resumes),
            ("cdc", cdc),
            ("stages", settings.stages.is_some()),
            ("changes", settings.changes.is_some_and(|amount| amount > 0)),
            ("pipeline", settings.pipeline.is_some()),
        ];
        let refused = |(name, _): &(&str, bool)| {
            Err(Failure::usage(format!("--{name}: {} has no `changes:`", document.name)))
        };
        return given.iter().find(|(_, given)| *given).map_or(Ok(None), refused);
    };
    let stages = stages(settings, config.is_given("rate"), changes.rate);
    let endless = stages.last().is_some_and(|last| last.length.is_none());
    if endless && settings.changes.is_none() {
        return Err(Failure::usage(format!("{}: its changes have no end", document.name)).help(
            "say --duration 60s, --changes 100000 or --stages 1000/s:30s,max:30s; --changes 0 only loads",
        ));
    }
    Ok(Some(ChangeOptions {
        stages,
        arrivals: changes.arrivals.unwrap_or_default(),
        late: settings.late.unwrap_or(Late::Queue),
        amount: settings.changes,
        batch: settings.batch.unwrap_or(AutoOr::Auto),
        in_flight: settings.in_flight.unwrap_or(AutoOr::Auto),
        pipeline: settings.pipeline,
        warmup: settings.warmup.map_or(Duration::ZERO, |span| span.0),
        cdc,
        ..ChangeOptions::default()
    }))
}

/// The schedule: stages, or one rate for a while. A rate that nobody gave is the document's.
fn stages(settings: &RunSettings, is_given: bool, document: Option<Rate>) -> Vec<Stage> {
    let per_second = |rate: Option<Rate>| match rate {
        None | Some(Rate::Max) => None,
        Some(Rate::PerSecond(rate)) => Some(rate),
    };
    let stage = |(rate, length): &(Rate, Span)| Stage {
        rate: per_second(Some(*rate)),
        length: Some(length.0),
    };
    if let Some(stages) = &settings.stages {
        return stages.0.iter().map(stage).collect();
    }
    let rate = if is_given { settings.rate } else { document.or(settings.rate) };
    let length = settings.duration.map(|span| span.0);
    vec![Stage { rate: per_second(rate), length }]
}

/// The load goes as fast as it can: rate, duration and warm-up are those of the changes.
pub(super) fn split(options: &mut RunOptions, changes: Option<ChangeOptions>) {
    if changes.is_some() {
        (options.rate, options.duration, options.warmup) = (None, None, Duration::ZERO);
        options.changes = changes;
    }
}

/// Says what cannot be known of a load that another run made.
pub(super) fn warn(options: &RunOptions, settings: &RunSettings, document: &Document) {
    let unknown = settings.epoch.is_none() && options.mode == PrepareMode::Append;
    let is_now = |table: &schema::Table| {
        table.columns.values().any(|column| matches!(column.generator, Generator::Now))
    };
    let changes = options.changes.as_ref().is_some_and(|asked| asked.amount != Some(0));
    if unknown && changes && document.tables().any(|(_, table)| is_now(table)) {
        console::talk(
            "note: `gen: now` counts from a run's start, and the load had another: say its --epoch, or go on with its \
             record (--resume), or `verify` will find the difference",
        );
    }
}

/// A record that is gone on with.
pub(super) struct Earlier {
    record: RunRecord,
    path: PathBuf,
}

impl Earlier {
    /// Reads it.
    pub(super) fn read(path: &Path) -> Result<Earlier> {
        let record = RunRecord::read(path).map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Earlier { record, path: path.to_owned() })
    }

    /// The settings without which the rows would be others, and what it was to do with tables that were there. That is
    /// never told anew: by it a run that goes on once more knows whether its load was its own.
    pub(super) fn lay_over(&self, config: &mut Config) -> Result<()> {
        let RunRecord { seed, epoch, shard, settings: earlier, .. } = &self.record;
        let is_said = config.is_said("table_mode");
        let settings = &mut config.settings;
        settings.seed = Some(*seed);
        settings.epoch = Some(epoch.clone());
        settings.rows = earlier.rows;
        // What one load made, shards go on with.
        let part = shard.map(|shard| Shard::Part { index: shard.index, of: shard.count });
        settings.shard = part.or(settings.shard);
        // A shard takes them as they are.
        if settings.shard.is_none() {
            let began = &self.record.table_mode;
            let modes = [TableMode::Create, TableMode::Append, TableMode::Recreate].map(Some);
            let told = modes.into_iter().find(|mode| prepare_mode(*mode).word() == began);
            let told = told.unwrap_or(settings.table_mode);
            if is_said && told != settings.table_mode {
                let said = prepare_mode(settings.table_mode).word();
                let text = format!(
                    "--table-mode {said}: {} is of a run that began with {began}, and goes on so",
                    self.path.display()
                );
                return Err(Failure::usage(text).help(
                    "leave --table-mode out: no table that the run has begun to fill is dropped",
                ));
            }
            settings.table_mode = told;
        }
        Ok(())
    }

    /// What the record names: itself, or the load's that a shard began with.
    pub(super) fn origin(&self) -> String {
        let shards = self.record.changes.as_ref().filter(|_| self.record.shard.is_some());
        let load = shards.map(|changes| changes.resumed_record.clone());
        load.filter(|path| !path.is_empty()).unwrap_or_else(|| self.path.display().to_string())
    }

    /// Where it stopped.
    pub(super) fn resume(&self, plan: &Plan) -> Result<Resume> {
        let changes = compiled(plan)?;
        let shown = self.path.display();
        let other = |what: &str| {
            Failure::usage(format!(
                "{shown} is of another run: its {what} is not that of this file"
            ))
            .help("the schema's tables, rows and mix must be those that it was started with")
        };
        if self.record.fingerprint != format!("{:016x}", plan.fingerprint()) {
            return Err(other("fingerprint"));
        }
        if self.record.ended == PREPARING {
            return Ok(Resume::Anew);
        }
        let fingerprint = changes.fingerprint();
        let ops = progress_path(&self.path);
        if ops.exists() {
            let progress = Progress::read(&ops, fingerprint)
                .map_err(|error| Failure::io(format!("cannot read {}", ops.display()), &error))?;
            return Ok(Resume::Changes(progress));
        }
        // Without changes, or with none done, it ended in the load, or with it.
        let Some(done) = self.record.changes.as_ref().filter(|done| !done.ranges_done.is_empty())
        else {
            let is_loaded = self.record.ended == "done" || self.record.table_mode == "append";
            let nothing = Progress::new(vec![0; changes.streams() as usize]);
            return Ok(if is_loaded { Resume::Changes(nothing) } else { Resume::Load });
        };
        if done.fingerprint != format!("{fingerprint:016x}") {
            return Err(other("mix"));
        }
        Ok(Resume::Changes(Progress::of(done)))
    }
}

fn compiled(plan: &Plan) -> Result<ChangePlan> {
    ChangePlan::new(plan).map_err(|error| Failure::usage(error.to_string()))
}

/// Where the state of a run's changes is kept, beside its record.
pub(crate) fn progress_path(record: &Path) -> PathBuf {
    let mut path = record.as_os_str().to_owned();
    path.push(".ops");
    PathBuf::from(path)
}

/// The record of a run that has just begun, and its progress beside it: what `--resume` needs if the run is killed.
pub(super) struct Begun {
    path: PathBuf,
    record: RunRecord,
    resumes: bool,
}

impl Begun {
    /// Writes it, and tells the runner where to keep its progress.
    pub(super) fn new(
        plan: &Plan,
        options: &mut RunOptions,
        path: PathBuf,
        resumes: bool,
    ) -> Result<Begun> {
        let ops = progress_path(&path);
        let asked = options.changes.get_or_insert_with(ChangeOptions::default);
        asked.journal = Some(ops.clone());
        let (ended, progress) = match &asked.resume {
            Resume::Changes(progress) => (RUNNING, progress.clone()),
            Resume::Load => (RUNNING, Progress::default()),
            Resume::Anew => {
                // What an earlier run of this name has left is none of this one's.
                let _ = std::fs::remove_file(ops);
                (PREPARING, Progress::default())
            }
        };
        let record = RunRecord { ended: ended.to_owned(), ..first(plan, options, &progress)? };
        let begun = Begun { path, record, resumes };
        begun.write(&begun.record)?;
        Ok(begun)
    }

    fn write(&self, record: &RunRecord) -> Result<()> {
        record.write(&self.path).map_err(|error| Failure::usage(error.to_string()))
    }

    /// Tables are ready. Before the first row, so that no run that goes on drops one.
    pub(super) fn prepared(&self) -> Result<()> {
        if self.record.ended == RUNNING {
            return Ok(());
        }
        self.write(&RunRecord { ended: RUNNING.to_owned(), ..self.record.clone() })
    }

    /// Says where it stands.
    pub(super) fn tell(&self) {
        console::talk(&format!("record  {}", self.path.display()));
    }

    /// Nothing was begun: there is nothing to go on with.
    pub(super) fn forget(&self) {
        if !self.resumes {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// The run is over: its record has all that the progress had.
    pub(super) fn end(self, record: &RunRecord) -> Result<PathBuf> {
        self.write(record)?;
        let _ = std::fs::remove_file(progress_path(&self.path));
        Ok(self.path)
    }
}

/// What earlier runs did of the events; their words are known when the run is over.
fn events(changes: &ChangePlan, progress: &Progress) -> Vec<EventRecord> {
    let outcome = |at: u64| match () {
        () if at < progress.events.done => EventOutcome::DoneBefore,
        () if at < progress.events.begun => EventOutcome::InDoubt,
        () => EventOutcome::NotReached,
    };
    let kind = |event: &Event| match event.kind {
        EventKind::Truncate(_) => "truncate",
        EventKind::Statement(_) => "statement",
    };
    let of = |(at, event): (u64, &Event)| EventRecord {
        after: event.after,
        kind: kind(event).to_owned(),
        outcome: outcome(at),
        ..EventRecord::default()
    };
    (0..).zip(changes.events()).map(of).collect()
}

/// What is known before the first row.
fn first(plan: &Plan, options: &RunOptions, progress: &Progress) -> Result<RunRecord> {
    let changes = compiled(plan)?;
    let asked = options.changes.as_ref();
    let ends = progress.done.iter().zip(&progress.begun);
    let in_doubt = (0..)
        .zip(ends)
        .filter(|(_, (from, to))| from < to)
        .map(|(stream, (from, to))| ReplayedOps { stream, from: *from, to: *to })
        .collect();
    Ok(RunRecord {
        rowstorm: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: options.started_at.clone(),
        epoch: options.epoch.clone(),
        target: options.target.clone(),
        table_mode: options.mode.word().to_owned(),
        fingerprint: format!("{:016x}", plan.fingerprint()),
        seed: plan.options().seed,
        shard: options.shard,
        settings: Settings {
            schema: options.schema_name.clone(),
            rows: plan.options().rows,
            ..Settings::default()
        },
        changes: Some(Changes {
            fingerprint: format!("{:016x}", changes.fingerprint()),
            streams: changes.streams(),
            ranges_done: progress.done.clone(),
            resumed_record: asked.map(|asked| asked.resumed_record.clone()).unwrap_or_default(),
            events: events(&changes, progress),
            in_doubt,
            ..Changes::default()
        }),
        ..RunRecord::default()
    })
}
