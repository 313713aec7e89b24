//! `cargo xtask bench surface`: how fast a database takes rows at each setting of a grid, and how near `auto` comes to the best.
//!
//! Two parts, because the largest of 49 noisy figures is not the best setting but the luckiest. The **survey** runs every
//! setting several times, in another order each round, and between blocks the reference, 10,000 rows × 4, which shows how
//! much the machine itself moves. The **contest** runs the best few of the survey, the reference, `auto`, and what `auto`
//! had chosen (pinned), in turn, all for the same longer time; ratios are of runs of the same round. Every run makes its
//! table anew, with the schema's indexes (unless `-- --indexes` says otherwise), and one whose accounts do not balance is a
//! failure.

mod contest;
mod grid;
mod json;
mod limit;
mod sample;
mod server_cpu;
mod survey;
mod table;
mod trial;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::ensure;
use serde_json::{Value, json};

use super::processor::Clock;
use super::rowstorm::Rowstorm;
use crate::arguments::Arguments;
use crate::command::target_dir;
use crate::servers::{Durability, named, start_here};
use contest::Contest;
use grid::{BATCHES, IN_FLIGHT, Setting, grid, numbers};
use survey::Survey;
use trial::Bench;

/// Neither a server nor an address: a file of ours.
const SQLITE: &str = "sqlite";

/// What is measured.
struct Scope {
    schema: String,
    settings: Vec<Setting>,
    rounds: usize,
    seconds: u32,
    finalists: usize,
    contest_rounds: usize,
    contest_seconds: u32,
    durability: Durability,
    /// Further options of `rowstorm run`.
    options: Vec<String>,
}

/// Measures each database and prints tables, or JSON.
pub(crate) fn surface(mut arguments: Arguments) -> anyhow::Result<()> {
    let options = arguments.behind_dashes();
    let to = arguments.value::<String>("--to")?;
    let servers = arguments.value::<String>("--server")?.unwrap_or_default();
    let json = arguments.flag("--json");
    let scope = Scope::take(&mut arguments, options)?;
    let mut names: Vec<String> = servers.split(',').map(str::to_owned).collect();
    names.extend(arguments.rest());
    names.retain(|name| !name.is_empty());
    ensure!(to.is_some() == names.is_empty(), "say either --to URL or --server NAME,…");

    let scratch = target_dir().join("bench/surface");
    std::fs::create_dir_all(&scratch)?;
    let rowstorm = Rowstorm::build(&scratch)?;
    let mut found = Vec::new();
    let mut show = |text: &str, value: Value| {
        if json {
            found.push(value);
        } else {
            println!("{text}");
        }
    };
    if let Some(url) = to {
        let (text, value) = measure(&rowstorm, &scope, "the given address", &url, None)?;
        show(&text, value);
    }
    for name in names {
        let (text, value) = measure_server(&rowstorm, &scope, &name, &scratch)?;
        show(&text, value);
    }
    std::fs::remove_dir_all(&scratch)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    }
    Ok(())
}

impl Scope {
    fn take(arguments: &mut Arguments, options: Vec<String>) -> anyhow::Result<Scope> {
        let batches = arguments.value::<String>("--batch")?;
        let in_flight = arguments.value::<String>("--in-flight")?;
        let is_given = batches.is_some() && in_flight.is_some();
        let batches = numbers(batches.as_deref().unwrap_or(BATCHES))?;
        let in_flight = numbers(in_flight.as_deref().unwrap_or(IN_FLIGHT))?;
        let is_volatile = arguments.flag("--volatile");
        let scope = Scope {
            schema: arguments.value("--schema")?.unwrap_or_else(|| "schemas/cpu.yaml".to_owned()),
            settings: grid(&batches, &in_flight),
            rounds: arguments.value("--rounds")?.unwrap_or(3),
            seconds: arguments.value("--seconds")?.unwrap_or(3),
            finalists: arguments.value("--finalists")?.unwrap_or(3),
            contest_rounds: arguments.value("--contest-rounds")?.unwrap_or(5),
            contest_seconds: arguments.value("--contest-seconds")?.unwrap_or(20),
            durability: if is_volatile { Durability::Volatile } else { Durability::Durable },
            options,
        };
        if !arguments.flag("--auto") {
            return Ok(scope);
        }
        // No survey: the settings that were given, if any were, go into the contest.
        let settings = if is_given { scope.settings } else { Vec::new() };
        Ok(Scope { rounds: 0, settings, ..scope })
    }
}

/// Starts a server, measures it and stops it.
fn measure_server(
    rowstorm: &Rowstorm,
    scope: &Scope,
    name: &str,
    scratch: &Path,
) -> anyhow::Result<(String, Value)> {
    if name == SQLITE {
        let url = format!("sqlite:{}", scratch.join("surface.db").display());
        return measure(rowstorm, scope, name, &url, None);
    }
    let server = named(name)?;
    // Always one of our own: what else runs on another one would be measured too.
    let (running, guard) = start_here(server, scope.durability)?;
    let result = measure(rowstorm, scope, name, &running.url, running.pid());
    drop(guard);
    result
}

fn measure(
    rowstorm: &Rowstorm,
    scope: &Scope,
    name: &str,
    url: &str,
    server: Option<u32>,
) -> anyhow::Result<(String, Value)> {
    let Scope { schema, options, seconds, contest_seconds, .. } = scope;
    let bench = Bench { rowstorm, schema, url, server, clock: Clock::new()?, options };
    let survey = Survey::run(bench, &scope.settings, scope.rounds, *seconds)?;
    let finalists = match scope.rounds {
        0 => scope.settings.clone(),
        _ => survey.best(scope.finalists),
    };
    let contest = Contest::run(bench, &finalists, scope.contest_rounds, *contest_seconds);

    let facts = survey.reference.first().map(|trial| trial.server.clone()).unwrap_or_default();
    let facts: Vec<String> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let mut text =
        format!("== {name}: {schema} {} ==\n{}\n\n", options.join(" "), facts.join(", "));
    if scope.rounds > 0 {
        let _ = writeln!(text, "survey: {} rounds of {seconds} s\n", scope.rounds);
        text += &table::survey(&survey);
    }
    if scope.contest_rounds > 0 {
        let _ =
            writeln!(text, "\ncontest: {} rounds of {contest_seconds} s\n", scope.contest_rounds);
        text += &table::contest(&contest);
    }
    let value = json!({
        "server": name,
        "facts": facts,
        "schema": schema,
        "options": options,
        "survey_seconds": seconds,
        "contest_seconds": contest_seconds,
        "survey": json::survey(&survey),
        "contest": json::contest(&contest),
    });
    Ok((text, value))
}
