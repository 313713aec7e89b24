//! `cargo xtask bench end-to-end`: Rowstorm into a database against its stock client fed with bytes that are ready.
//!
//! Both load the same rows of `schemas/cpu.yaml` in batches of the same size over the same number of connections, in turn,
//! pair by pair, so that what the machine does besides falls on both. Rowstorm makes its rows as it goes; the stock client
//! (`psql \copy … BINARY`, `LOAD DATA LOCAL` by `mysql` or `mariadb`; one process a connection) only reads files. The
//! server is durable.

mod copy_files;
mod mysql;
mod psql;
mod stock;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Instant;

use anyhow::{bail, ensure};

use super::median;
use super::processor::Clock;
use super::rowstorm::Rowstorm;
use crate::arguments::Arguments;
use crate::command::target_dir;
use crate::servers::{Durability, Server, given_or_started, named};
pub(super) use mysql::{Mysql, Place};
pub(crate) use stock::Stock;

/// One load, by one of the two.
struct Load {
    rows_per_second: f64,
    client_cpu: f64,
    server_cpu: f64,
}

/// What is measured.
struct Setting {
    stock: Box<dyn Stock>,
    rows: u64,
    batch: u64,
    in_flight: usize,
    table: String,
    files: Vec<PathBuf>,
    clock: Clock,
}

/// Measures pairs and prints them with their medians.
pub(crate) fn end_to_end(mut arguments: Arguments) -> anyhow::Result<()> {
    let server = named(&arguments.value::<String>("--server")?.unwrap_or("postgres".to_owned()))?;
    let to = arguments.value::<String>("--to")?;
    let rows = arguments.value("--rows")?.unwrap_or(2_000_000);
    let pairs = arguments.value("--pairs")?.unwrap_or(8);
    let batch = arguments.value("--batch")?.unwrap_or(10_000);
    let in_flight = arguments.value("--in-flight")?.unwrap_or(2);
    arguments.finish()?;

    let scratch = target_dir().join("bench/end-to-end");
    std::fs::create_dir_all(&scratch)?;
    let rowstorm = Rowstorm::build(&scratch)?;
    let (url, _guard) = given_or_started(to, server, Durability::Durable)?;
    let stock = stock_client(server, url)?;
    let durability = stock.durability()?;
    let setting = prepare(&rowstorm, &scratch, stock, rows, batch, in_flight)?;
    println!(
        "{rows} rows of schemas/cpu.yaml, {batch} a batch, {in_flight} connections, {durability}; against {}",
        setting.stock.name()
    );
    let result = measure(&rowstorm, &scratch, &setting, pairs);
    std::fs::remove_dir_all(&scratch)?;
    result
}

/// The stock client of a server.
pub(crate) fn stock_client(server: &dyn Server, url: String) -> anyhow::Result<Box<dyn Stock>> {
    Ok(match server.name() {
        "postgres" | "timescale" => Box::new(psql::Psql::new(url)?),
        "mysql" | "mariadb" => Box::new(Mysql::new(server, &url)?),
        other => bail!(
            "{other} has no stock client here that reads files; say postgres, mysql or mariadb"
        ),
    })
}

/// Loads the table once, has the stock client write it out, and cuts that into batches.
fn prepare(
    rowstorm: &Rowstorm,
    scratch: &Path,
    stock: Box<dyn Stock>,
    rows: u64,
    batch: u64,
    in_flight: usize,
) -> anyhow::Result<Setting> {
    let rows_text = rows.to_string();
    let options = ["--rows", &rows_text, "--table-mode", "recreate", "--yes"];
    let first = rowstorm.run("cpu", stock.url(), &options)?;
    first.must_have_loaded(rows)?;
    let table = stock.quote(first.table()?);
    let files = stock.files(&table, scratch, batch)?;
    ensure!(files.len() as u64 == rows.div_ceil(batch), "a batch was lost in cutting");
    Ok(Setting { stock, rows, batch, in_flight, table, files, clock: Clock::new()? })
}

fn measure(
    rowstorm: &Rowstorm,
    scratch: &Path,
    setting: &Setting,
    pairs: usize,
) -> anyhow::Result<()> {
    println!(
        "pair  rowstorm rows/s  stock rows/s  ratio  client/server CPU  client, server CPU s/Mrow (stock)"
    );
    let mut done = Vec::new();
    for pair in 0..pairs {
        let ours = || load(setting, || with_rowstorm(rowstorm, setting));
        let stock = || load(setting, || with_stock(scratch, setting));
        // Who goes first changes from pair to pair.
        let (mut ours, stock) = if pair % 2 == 0 {
            let ours = ours()?;
            (ours, stock()?)
        } else {
            let stock = stock()?;
            (ours()?, stock)
        };
        if !setting.stock.tells_loads_apart() {
            ours.server_cpu = stock.server_cpu;
        }
        print_pair(&(pair + 1).to_string(), setting, &ours, &stock);
        done.push((ours, stock));
    }
    let middle = |figure: fn(&Load) -> f64| {
        (
            median(done.iter().map(|(ours, _)| figure(ours))),
            median(done.iter().map(|(_, stock)| figure(stock))),
        )
    };
    let (rate, client, server) = (
        middle(|load| load.rows_per_second),
        middle(|load| load.client_cpu),
        middle(|load| load.server_cpu),
    );
    let ours = Load { rows_per_second: rate.0, client_cpu: client.0, server_cpu: server.0 };
    let stock = Load { rows_per_second: rate.1, client_cpu: client.1, server_cpu: server.1 };
    print_pair("median", setting, &ours, &stock);
    let ratio = |(ours, stock): &(Load, Load)| ours.rows_per_second / stock.rows_per_second;
    println!("median of the pairs' ratios: {:.3}", median(done.iter().map(ratio)));
    Ok(())
}

/// One load into the emptied table, and whether all of it arrived.
fn load(
    setting: &Setting,
    run: impl FnOnce() -> anyhow::Result<(f64, f64)>,
) -> anyhow::Result<Load> {
    setting.stock.ask(&format!("TRUNCATE TABLE {}", setting.table))?;
    if let Some(settle) = setting.stock.settle() {
        setting.stock.ask(settle)?;
    }
    let watch = setting.stock.watch(setting.clock)?;
    let result = run();
    let server_cpu = watch.0()?;
    let (seconds, client_cpu) = result?;
    let count = setting.stock.ask(&format!("SELECT count(*) FROM {}", setting.table))?;
    ensure!(count == setting.rows.to_string(), "{count} rows arrived of {}", setting.rows);
    Ok(Load { rows_per_second: setting.rows as f64 / seconds, client_cpu, server_cpu })
}

/// The seconds of the load itself, as the record has them, and the CPU of it.
fn with_rowstorm(rowstorm: &Rowstorm, setting: &Setting) -> anyhow::Result<(f64, f64)> {
    let (rows, batch) = (setting.rows.to_string(), setting.batch.to_string());
    let in_flight = setting.in_flight.to_string();
    let mut options = vec!["--rows", &rows, "--batch", &batch, "--in-flight", &in_flight];
    options.extend(["--table-mode", "append"]);
    let record = rowstorm.run("cpu", setting.stock.url(), &options)?;
    record.must_have_loaded(setting.rows)?;
    Ok((record.number("/seconds")?, record.number("/client/cpu_seconds")?))
}

/// One process a connection, each with its share of the files: seconds and CPU, both without those of starting the
/// client and connecting, which a run's record leaves out too.
fn with_stock(scratch: &Path, setting: &Setting) -> anyhow::Result<(f64, f64)> {
    let (idle_seconds, idle_cpu) = with_scripts(scratch, setting, &[])?;
    let (seconds, cpu) = with_scripts(scratch, setting, &setting.files)?;
    Ok((seconds - idle_seconds, cpu - idle_cpu))
}

/// From the first start to the last end.
fn with_scripts(
    scratch: &Path,
    setting: &Setting,
    files: &[PathBuf],
) -> anyhow::Result<(f64, f64)> {
    let mut scripts = Vec::new();
    for lane in 0..setting.in_flight {
        let path = scratch.join(format!("lane-{lane}.sql"));
        let mut script = File::create(&path)?;
        for file in files.iter().skip(lane).step_by(setting.in_flight) {
            writeln!(script, "{}", setting.stock.line(&setting.table, file))?;
        }
        scripts.push(path);
    }
    let cpu = setting.clock.of_ended_children()?;
    let start = Instant::now();
    let lanes: Vec<Child> = scripts
        .iter()
        .map(|script| Ok(setting.stock.lane(script)?.spawn()?))
        .collect::<anyhow::Result<_>>()?;
    for mut lane in lanes {
        ensure!(lane.wait()?.success(), "the stock client failed");
    }
    Ok((start.elapsed().as_secs_f64(), setting.clock.of_ended_children()? - cpu))
}

fn print_pair(name: &str, setting: &Setting, ours: &Load, stock: &Load) {
    let per_million = 1e6 / setting.rows as f64;
    println!(
        "{name:>6} {:>15.0} {:>13.0} {:>6.3} {:>10.1} % ({:.1} %)  {:.3}, {:.3} ({:.3}, {:.3})",
        ours.rows_per_second,
        stock.rows_per_second,
        ours.rows_per_second / stock.rows_per_second,
        100.0 * ours.client_cpu / ours.server_cpu,
        100.0 * stock.client_cpu / stock.server_cpu,
        ours.client_cpu * per_million,
        ours.server_cpu * per_million,
        stock.client_cpu * per_million,
        stock.server_cpu * per_million,
    );
}
