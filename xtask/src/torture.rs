//! `cargo xtask torture`: a run is killed with SIGKILL again and again, gone on with, and proved in the end.
//!
//! A round loads `schemas/shop.yaml` and changes it, with two statements and a truncate between ops; it is killed at moments that a seed draws, in the load and in the changes, gone on with by
//! `--resume` until it is done, and compared row by row with `rowstorm verify --full`. Then the database's own client counts: rows, least
//! and greatest keys, and orders without a customer, against what follows from the weights of the mix by multiplication. Seed, batch and
//! batches in flight are others in every round. `--transaction '3 rows'` changes what a COMMIT holds: small ones are sent together.

mod client;
mod document;
mod moments;
mod process;
mod round;

use std::path::PathBuf;

use anyhow::{bail, ensure};

use crate::arguments::Arguments;
use crate::command::{cargo, root, run, target_dir};
use crate::servers::{Durability, Guard, named, start_here};
use client::Client;
use process::Program;
use round::{Amount, Round, Setting};

/// Needs no server.
const SQLITE: &str = "sqlite";

/// Tortures one database after another; an error if a single round failed.
pub(crate) fn torture(mut arguments: Arguments) -> anyhow::Result<()> {
    let servers = arguments.value::<String>("--server")?.unwrap_or(SQLITE.to_owned());
    let rounds: u64 = arguments.value("--rounds")?.unwrap_or(20);
    let kills: u32 = arguments.value("--kills")?.unwrap_or(5);
    let seed: u64 = arguments.value("--seed")?.unwrap_or(1);
    let rows = arguments.value("--rows")?.unwrap_or(126_000);
    let changes = arguments.value("--changes")?.unwrap_or(129_024);
    let transaction = arguments.value::<String>("--transaction")?;
    let program = arguments.value::<PathBuf>("--program")?;
    let durability =
        if arguments.flag("--durable") { Durability::Durable } else { Durability::Volatile };
    arguments.finish()?;
    ensure!(rounds > 0 && kills > 0, "--rounds and --kills begin at 1");
    let amount = Amount::new(rows, changes)?;
    let program = match program {
        Some(program) => std::path::absolute(program)?,
        None => built()?,
    };
    let mut failed = 0;
    for name in servers.split(',').map(str::trim) {
        let scratch = target_dir().join(format!("torture-{name}"));
        std::fs::create_dir_all(&scratch)?;
        let (url, client, _guard) = target(name, durability, &scratch)?;
        let shop = std::fs::read_to_string(root().join("schemas/shop.yaml"))?;
        let schema = scratch.join("shop.yaml");
        std::fs::write(&schema, document::document(&shop, amount, transaction.as_deref())?)?;
        let program = Program::new(&program, &schema, url, &scratch);
        let setting = Setting { program, client, amount };
        println!(
            "{name}: {rounds} rounds of {kills} kills, {rows} rows and {changes} changes, first seed {seed}"
        );
        let wrong = all(&setting, rounds, kills, seed)?;
        println!("{name}: {} of {rounds} rounds ended as they must\n", rounds - wrong);
        failed += wrong;
        // What is left of a round that failed is worth a look.
        if wrong == 0 {
            std::fs::remove_dir_all(&scratch)?;
        }
    }
    if failed > 0 {
        bail!("{failed} rounds failed");
    }
    Ok(())
}

/// All rounds of one database; how many failed.
fn all(setting: &Setting, rounds: u64, kills: u32, seed: u64) -> anyhow::Result<u64> {
    let pace = setting.unharmed(seed)?;
    println!(
        "unharmed: changes begin after {:.2} s, all is done after {:.2} s",
        pace.load.as_secs_f64(),
        pace.total.as_secs_f64()
    );
    println!(
        "round  seed  batch × in flight  kills: early load changes  in doubt  events  confirmed  rows verified  seconds"
    );
    let mut wrong = 0;
    for number in 1..=rounds {
        let seed = seed + number - 1;
        match setting.round(seed, kills, &pace) {
            Ok(round) => print(number, &round),
            Err(error) => {
                wrong += 1;
                println!("{number:>5} {seed:>5} FAILED: {error:#}");
            }
        }
    }
    Ok(wrong)
}

fn print(number: u64, round: &Round) {
    println!(
        "{number:>5} {:>5} {:>12} × {:<2} {:>14} {:>4} {:>7} {:>9} {:>7} {:>10} {:>14} {:>8.1}",
        round.seed,
        round.batch,
        round.in_flight,
        round.kills.early,
        round.kills.load,
        round.kills.changes,
        round.in_doubt,
        round.events_in_doubt,
        round.confirmed,
        round.verified,
        round.seconds
    );
}

/// Where rows go, who counts there, and what ends with us.
fn target(
    name: &str,
    durability: Durability,
    scratch: &std::path::Path,
) -> anyhow::Result<(String, Client, Option<Guard>)> {
    if name == SQLITE {
        let file = scratch.join("shop.db");
        let client = Client::sqlite(&file)?;
        return Ok((format!("sqlite:{}", file.display()), client, None));
    }
    let server = named(name)?;
    // One of our own: tables of these names may be somebody's.
    let (running, guard) = start_here(server, durability)?;
    let client = Client::of(server, &running.url)?;
    Ok((client.url(&running.url), client, Some(guard)))
}

fn built() -> anyhow::Result<PathBuf> {
    run(&mut cargo(["build", "--release", "--package", "rowstorm-cli"]))?;
    Ok(target_dir().join("release/rowstorm"))
}
