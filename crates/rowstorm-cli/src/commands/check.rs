//! `check`: all that is wrong, at once.

use rowstorm::Target;
use rowstorm::sink::Sink;

use crate::args::CheckArgs;
use crate::document::Document;
use crate::exit::{Exit, Failure, Result};
use crate::{console, load, target};

pub(crate) fn check(args: &CheckArgs) -> Result<Exit> {
    let mut failures: Vec<Failure> = Vec::new();
    for file in &args.files {
        match Document::load(file) {
            Ok(document) => console::data(&format!("{}\n", summary(&document)))?,
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(failure) = joined(&failures) {
        return Err(failure);
    }
    if args.to.is_some() {
        reach(&target::parse(args.to.as_deref())?)?;
    }
    Ok(Exit::Done)
}

/// Connects, and prints what the server says of itself. Nothing is made.
fn reach(target: &Target) -> Result<()> {
    let sink = target::open(target, None)?;
    let facts = load::block_on(async { Sink::server(&sink).await })?
        .map_err(|error| Failure::target(format!("{target}: {}", load::with_causes(&error))))?;
    let facts: Vec<String> =
        facts.iter().map(|fact| format!("{} {}", fact.name, fact.value)).collect();
    console::data(&format!("{target}: reachable: {}\n", facts.join(", ")))
}

fn summary(document: &Document) -> String {
    let columns: usize = document.tables().map(|(_, table)| table.columns.len()).sum();
    let tables: Vec<&str> = document.tables().map(|(name, _)| name.as_str()).collect();
    let changes = if document.schema.changes.is_some() {
        "; `changes` is valid, and not run by this release"
    } else {
        ""
    };
    format!("{}: valid: {} ({columns} columns){changes}", document.name, tables.join(", "))
}

fn joined(failures: &[Failure]) -> Option<Failure> {
    match failures {
        [] => None,
        [only] => Some(only.clone()),
        several => {
            let texts: Vec<String> = several.iter().map(ToString::to_string).collect();
            Some(Failure::laid_out(Exit::Usage, texts.join("\n\n")))
        }
    }
}
