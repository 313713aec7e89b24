//! The project's own automation: `cargo xtask`.
//!
//! Everything that CI does can be typed here: `.ci/run` is one call of `cargo xtask ci`. This crate is compiled before
//! any test runs, so it stays small: the standard library, anyhow and serde_json.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people: it prints")]

mod arguments;
mod bench;
mod ci;
mod codegen;
mod command;
mod servers;
mod test;
mod tidy;
mod torture;

use std::process::ExitCode;

use anyhow::bail;
use arguments::Arguments;

const HELP: &str = "\
cargo xtask COMMAND

  test [ARGS…]           start what the tests need, run `cargo test --workspace ARGS…`, stop it again; --only mysql,mongodb
  ci                     everything that must be green: format, tidy, licences, lints, docs, generated files, tests
  servers up [NAME…]     start servers for tests and print their addresses; --dir D, --durable
                         unasked: postgres mariadb mysql mongodb; by name: mongodb-fast timescale cratedb
  servers env | down     print the addresses of those that run | stop them; --dir D
  codegen [--check]      write the JSON Schemas into schemas/ | fail if they are stale
  tidy [--base REV]      the rules of the house that no compiler checks
  torture                a run of changes that is killed, gone on with and proved; --server sqlite,postgres,… --rounds N
                         --kills N --seed N --rows N --changes N --program FILE --durable
  bench fill | encode    criterion benchmarks of the parts; what follows goes to criterion
  bench end-to-end       whole runs against the stock client; --server postgres|mysql|mariadb --to URL --rows N --pairs N
                         --batch N --in-flight N
  bench changes          changes against pgbench or sysbench; --server postgres|mariadb|mysql --to URL --changes N --updates N (in a transaction)
                         --workload simple-update|write-only|update-index --in-flight N --pairs N
  bench controller       the regret table of all controllers on simulated databases; --json --surfaces N --seeds N --each
  bench memory           peak memory of payload runs; --to URL --rows N --only-null
  bench surface          rows/s and CPU of a grid of settings, then the best ones against `auto`; --to URL | --server sqlite,postgres,…
                         --batch 100,300,… --in-flight 1,2,… --schema F --rounds N --seconds N --finalists N
                         --contest-rounds N --contest-seconds N --auto (no grid) --volatile (no fsync) --json
                         -- OPTIONS of rowstorm run
";

fn main() -> ExitCode {
    match run(Arguments::from_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> anyhow::Result<()> {
    if arguments.ask_for_help() {
        print!("{HELP}");
        return Ok(());
    }
    match arguments.next().as_deref() {
        Some("test") => test::test(arguments),
        Some("ci") => ci::ci(arguments),
        Some("servers") => servers::servers(arguments),
        Some("codegen") => codegen::codegen(arguments),
        Some("tidy") => tidy::tidy(arguments),
        Some("torture") => torture::torture(arguments),
        Some("bench") => bench::bench(arguments),
        None | Some("help") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => bail!("unknown command `{other}`\n\n{HELP}"),
    }
}
