//! `cargo xtask bench controller`: what each controller loses against the best fixed setting, on simulated databases.
//!
//! One binary, one client, the same weather for all. The judged surfaces are drawn at random (numbers from 1,000 on, seeds from
//! 500 on); nothing was ever tuned on them. `--set tuned` takes the scenario files instead, `--first N` other draws.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report for people")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads clocks")]

mod contenders;
mod cost;
mod field;
mod table;

use std::process::ExitCode;

use field::{Field, Set};

const HELP: &str = "\
bench controller [--json] [--set judged|tuned] [--surfaces N] [--seeds N] [--first N] [--first-seed N]
                 [--seconds N] [--only NAME] [--each]";

fn main() -> ExitCode {
    let mut arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let json = flag(&mut arguments, "--json");
    let each = flag(&mut arguments, "--each");
    let set = value(&mut arguments, "--set").unwrap_or_else(|| "judged".to_owned());
    let only = value(&mut arguments, "--only");
    let mut number = |name: &str, default: u64| {
        value(&mut arguments, name).map_or(Some(default), |text| text.parse().ok())
    };
    let field = (|| {
        Some(Field {
            set: Set::named(&set)?,
            surfaces: number("--surfaces", 24)?,
            seeds: number("--seeds", 20)?,
            first: number("--first", 1_000)?,
            first_seed: number("--first-seed", 500)?,
            seconds: number("--seconds", 600)? as f64,
            only,
        })
    })();
    let Some(field) = field.filter(|_| arguments.is_empty()) else {
        eprintln!("{HELP}");
        return ExitCode::FAILURE;
    };
    let results = field.play();
    if each {
        print!("{}", table::each(&results));
    }
    let cost = cost::measure();
    if json {
        println!("{}", table::json(&results, &cost));
    } else {
        print!("{}", table::table(&results, &cost));
    }
    ExitCode::SUCCESS
}

fn flag(arguments: &mut Vec<String>, name: &str) -> bool {
    let at = arguments.iter().position(|argument| argument == name);
    at.map(|at| arguments.remove(at)).is_some()
}

fn value(arguments: &mut Vec<String>, name: &str) -> Option<String> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.remove(at);
    (at < arguments.len()).then(|| arguments.remove(at))
}
