//! The `rowstorm` command: arguments, settings, progress and exit codes around the library `rowstorm`.

mod args;
mod cells;
mod claimed;
mod commands;
mod config;
mod console;
mod document;
mod exit;
mod exporter;
mod flags;
mod load;
mod outcome;
mod progress;
mod samples;
mod secrets;
mod settings;
mod signals;
mod summary;
mod target;
mod tsperf;

fn main() -> std::process::ExitCode {
    exit::install_panic_hook();
    commands::main().into()
}
