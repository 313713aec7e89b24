//! One file per command. Each takes its arguments and returns how the command ends.

mod changes;
mod check;
mod compare;
mod completions;
mod config;
mod demo;
mod explain;
mod generate;
mod init;
mod journal;
mod merge;
mod report;
mod run;
mod sample;
mod schema;
mod start;
mod tune;
mod verify;

pub(crate) use changes::progress_path;
pub(crate) use report::read as read_record;

use std::ffi::OsString;
use std::io::IsTerminal;

use clap::Parser;

use crate::args::{Cli, Command, ConfigCommand};
use crate::console;
use crate::exit::{Exit, Failure, Result};

/// Runs the command line of this process; errors are said, and become the exit code.
pub(crate) fn main() -> Exit {
    match parse(std::env::args_os()).and_then(dispatch) {
        Ok(exit) => exit,
        Err(failure) => {
            console::talk(&failure.to_string());
            failure.exit
        }
    }
}

/// What was typed; `None` where clap has answered already (`--help`).
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Cli>> {
    let error = match Cli::try_parse_from(arguments) {
        Ok(cli) => return Ok(Some(cli)),
        Err(error) => error,
    };
    let text = error.render();
    if error.use_stderr() {
        let text = if console::colours() { text.ansi().to_string() } else { text.to_string() };
        return Err(Failure::laid_out(Exit::Usage, text));
    }
    let plain = !std::io::stdout().is_terminal() || !console::colours();
    console::data(&if plain { text.to_string() } else { text.ansi().to_string() })?;
    Ok(None)
}

fn dispatch(cli: Option<Cli>) -> Result<Exit> {
    let Some(cli) = cli else { return Ok(Exit::Done) };
    match cli.command {
        None => start::start(),
        Some(Command::Init(args)) => init::init(&args),
        Some(Command::Check(args)) => check::check(&args),
        Some(Command::Sample(args)) => sample::sample(&args),
        Some(Command::Generate(args)) => generate::generate(&args),
        Some(Command::Explain(args)) => explain::explain(&args),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Tune(args)) => tune::tune(&args),
        Some(Command::Demo(args)) => demo::demo(&args),
        Some(Command::Verify(args)) => verify::verify(&args),
        Some(Command::Report(args)) => report::report(&args),
        Some(Command::Compare(args)) => compare::compare(&args),
        Some(Command::Merge(args)) => merge::merge(&args),
        Some(Command::Schema(args)) => schema::schema(&args),
        Some(Command::Config(ConfigCommand::Show(args))) => config::show(&args),
        Some(Command::Completions(args)) => completions::completions(&args),
    }
}
