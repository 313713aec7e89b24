//! `verify`: is in the database what was written?

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use rowstorm::Target;
use rowstorm::generate::changes::{ChangePlan, Event, EventKind};
use rowstorm::report::number::grouped;
use rowstorm::report::{Finding, Look, Verification};
use rowstorm::runner::verify::{
    Depth, Follow, FollowError, Keeps, Listener, Verify, VerifyOptions,
};
use rowstorm::schema::FieldMap;
use rowstorm::sink::{BoxSink, Sink, SinkError};

use crate::args::VerifyArgs;
use crate::claimed::{Claimed, claimed, state};
use crate::document::field_map;
use crate::exit::{Exit, Failure, Result};
use crate::{console, load, outcome, summary, target};

pub(crate) fn verify(args: &VerifyArgs) -> Result<Exit> {
    let started_at = Timestamp::now();
    let target = target::parse(Some(&args.at))?;
    let output = args.output.as_deref().and_then(std::path::Path::to_str);
    outcome::check_writable(output)?;
    let sink = target::open(&target, None)?;
    if !Sink::keeps_rows(&sink) {
        return Err(Failure::usage(format!("{target} keeps no rows that could be compared")));
    }
    let Claimed { claim, epoch, before, known_missing, said } = claimed(args)?;
    if let Some(said) = said {
        console::talk(&format!("note: {said}"));
    }
    let map = args.map.as_deref().map(|map| field_map(map, claim.plan().schema())).transpose()?;
    if args.following.follow {
        let changes = claim.changes().cloned();
        drop(claim);
        let followed = follow(args, &target, sink, changes, map.unwrap_or_default())?;
        return tell(args, &target, started_at, followed);
    }
    let options = VerifyOptions {
        map: map.unwrap_or_default(),
        depth: match (args.counts, args.full) {
            (true, _) => Depth::Counts,
            (false, true) => Depth::Full,
            (false, false) => Depth::Sample,
        },
        memory_bytes: args.memory.0,
        findings_max: if args.list.as_deref() == Some("all") { usize::MAX } else { args.show },
        listener: listener(args.list.as_deref())?,
        epoch,
        before,
        known_missing,
        ..VerifyOptions::default()
    };
    let found = load::block_on(async {
        let keeps = keeps(&target, &sink).await?;
        watched(Verify::new(claim, sink, VerifyOptions { keeps, ..options })).await
    })?;
    let found = found
        .map_err(|error| Failure::target(format!("{target}: {}", load::with_causes(&error))))?;
    tell(args, &target, started_at, found)
}

/// Prints and writes what was found.
fn tell(
    args: &VerifyArgs,
    target: &Target,
    started_at: Timestamp,
    found: Verification,
) -> Result<Exit> {
    let found = Verification {
        started_at: started_at.to_string(),
        expected: args.expected.clone(),
        at: target.to_string(),
        ..found
    };
    if let Some(path) = &args.output {
        std::fs::write(path, found.to_json())
            .map_err(|cause| Failure::io(format!("cannot write {}", path.display()), &cause))?;
    }
    console::data(&if args.json { found.to_json() } else { found.terminal(summary::style()) })?;
    Ok(if found.verified { Exit::Done } else { Exit::Mismatch })
}

/// Looks at a copy until the run has ended and the copy has drained.
fn follow(
    args: &VerifyArgs,
    target: &Target,
    sink: BoxSink,
    changes: Option<ChangePlan>,
    map: FieldMap,
) -> Result<Verification> {
    let Some(changes) = changes else {
        return Err(Failure::usage("--follow is for the record of a run with `changes:`"));
    };
    let empties = |event: &Event| matches!(event.kind, EventKind::Truncate(_));
    if changes.events().iter().any(empties) {
        let message = "--follow cannot tell rows that are late from rows that a `truncate` took";
        return Err(Failure::usage(message).help("verify the copy when the run is over"));
    }
    let (record, plan) = (PathBuf::from(&args.expected), changes.clone());
    let quiet = args.json;
    let told = move |look: &Look| {
        if !quiet {
            console::talk(&format!(
                "{:>7.1}s   done {}   backlog {}   oldest {:.1}s",
                look.at_s,
                grouped(look.done),
                grouped(look.backlog),
                look.oldest_s
            ));
        }
    };
    let failed = |error: FollowError| match error {
        FollowError::Sink(error) => {
            Failure::target(format!("{target}: {}", load::with_causes(&error)))
        }
        FollowError::Progress(cause) => {
            Failure::io(format!("cannot read how far {} is", args.expected), &cause)
        }
    };
    let followed = load::block_on(async {
        let keeps = keeps(target, &sink).await?;
        let follow = Follow {
            changes,
            sink,
            state: Box::new(move || state(&record, &plan)),
            keeps,
            map,
            memory_bytes: args.memory.0,
            findings_max: args.show,
            pause: args.following.every.0,
            patience: args.following.patience.0,
        };
        follow.go(told).await
    })?;
    followed.map_err(failed)
}

/// What the database keeps of a value; its server is asked for its version.
async fn keeps(target: &Target, sink: &BoxSink) -> std::result::Result<Keeps, SinkError> {
    let facts = Sink::server(sink).await?;
    let version = facts.iter().find(|fact| fact.name == "version");
    Ok(Keeps::of(target.name(), version.map_or("", |fact| &fact.value)))
}

/// Writes every finding to a file as it is found.
fn listener(list: Option<&str>) -> Result<Option<Listener>> {
    let Some(path) = list.filter(|path| *path != "all") else { return Ok(None) };
    let file =
        File::create(path).map_err(|cause| Failure::io(format!("cannot write {path}"), &cause))?;
    let mut file = BufWriter::new(file);
    let path = path.to_owned();
    let mut failed = false;
    Ok(Some(Box::new(move |finding: &Finding| {
        let written = file.write_all(finding.to_json_line().as_bytes());
        if let (Err(cause), false) = (written, failed) {
            failed = true;
            console::talk(&format!("error: cannot write {path}: {cause}"));
        }
    })))
}

/// Compares, and says on a terminal how far it is.
async fn watched(verify: Verify) -> std::result::Result<Verification, SinkError> {
    let read = verify.rows_read();
    let shows = std::io::stderr().is_terminal();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let compared = verify.go();
    tokio::pin!(compared);
    loop {
        tokio::select! {
            found = &mut compared => {
                if shows {
                    say("\r\u{1b}[K");
                }
                return found;
            }
            _ = ticks.tick() => if shows {
                say(&format!("\r\u{1b}[K{} rows read", grouped(read.load(Ordering::Relaxed))));
            }
        }
    }
}

fn say(text: &str) {
    // A closed standard error is no reason to fail.
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
