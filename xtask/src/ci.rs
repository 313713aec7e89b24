//! `cargo xtask ci`: everything that must be green, each step named and timed.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::arguments::Arguments;
use crate::command::{cargo, run, succeeds};
use crate::{codegen, test, tidy};

/// What a step costs. After a failure the cheap ones still run, so that one round shows most of what is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    Cheap,
    Dear,
}

struct Step {
    name: &'static str,
    cost: Cost,
    run: fn() -> anyhow::Result<()>,
}

const STEPS: [Step; 7] = [
    Step { name: "format", cost: Cost::Cheap, run: format },
    Step { name: "tidy", cost: Cost::Cheap, run: tidy::check },
    Step { name: "licences, bans, sources, advisories", cost: Cost::Cheap, run: deny },
    Step { name: "clippy", cost: Cost::Dear, run: clippy },
    Step { name: "documentation", cost: Cost::Dear, run: documentation },
    Step { name: "tests", cost: Cost::Dear, run: tests },
    Step { name: "generated files", cost: Cost::Dear, run: codegen::check },
];

/// Runs all steps.
pub(crate) fn ci(arguments: Arguments) -> anyhow::Result<()> {
    arguments.finish()?;
    let mut lines = Vec::new();
    let mut failed = 0;
    for step in STEPS {
        if failed > 0 && step.cost == Cost::Dear {
            lines.push(format!("  left out      -  {}", step.name));
            continue;
        }
        println!("\n== {} ==", step.name);
        let start = Instant::now();
        let result = (step.run)();
        lines.push(line(step.name, start.elapsed(), &result));
        if let Err(error) = result {
            eprintln!("{}: {error:#}", step.name);
            failed += 1;
        }
    }
    println!("\n{}", lines.join("\n"));
    if failed > 0 {
        bail!("{failed} of {} steps failed", STEPS.len());
    }
    Ok(())
}

fn line(name: &str, took: Duration, result: &anyhow::Result<()>) -> String {
    let word = if result.is_ok() { "ok" } else { "FAILED" };
    format!("  {word:<8} {:>5.0} s  {name}", took.as_secs_f64())
}

fn format() -> anyhow::Result<()> {
    run(&mut cargo(["fmt", "--all", "--check"]))
}

fn clippy() -> anyhow::Result<()> {
    let mut command =
        cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--quiet"]);
    run(command.args(["--", "-D", "warnings"]))
}

fn documentation() -> anyhow::Result<()> {
    // Libraries only: the command and the library are both called rowstorm, and would write the same pages.
    let mut command =
        cargo(["doc", "--workspace", "--lib", "--all-features", "--no-deps", "--quiet"]);
    run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// With all features: Arrow and Parquet are half of a build from nothing (5.5 of 12 CPU minutes), so only CI has them.
fn tests() -> anyhow::Result<()> {
    test::test(Arguments::of(["--all-features", "--no-fail-fast"]))
}

/// Licences, bans and sources need no network. Advisories do: without it, that is said and no failure.
fn deny() -> anyhow::Result<()> {
    if !succeeds(&mut cargo(["deny", "--version"])) {
        run(&mut cargo(["install", "--locked", "cargo-deny"]))?;
    }
    let check = ["check", "--hide-inclusion-graph"];
    let quiet = ["deny", "--log-level", "error"];
    run(cargo(quiet).args(check).args(["licenses", "bans", "sources"]))?;
    if !succeeds(&mut cargo(["deny", "fetch", "db"])) {
        println!("advisories not checked: their database cannot be fetched");
        return Ok(());
    }
    run(cargo(quiet).arg("--offline").args(check).arg("advisories"))
}
