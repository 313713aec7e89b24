//! `cargo xtask bench end-to-end`: Rowstorm into PostgreSQL against the stock client fed with bytes that are ready.
//!
//! Both load the same rows of `schemas/cpu.yaml` in batches of the same size over the same number of connections, in turn,
//! pair by pair, so that what the machine does besides falls on both. Rowstorm makes its rows as it goes; the stock client
//! (`psql \copy … BINARY`, one process a connection) only reads files. The server is durable.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use super::processor::Clock;
use super::rowstorm::Rowstorm;
use super::{copy_files, median};
use crate::arguments::Arguments;
use crate::command::{find, output, target_dir};
use crate::servers::{Durability, Native, POSTGRES, given_or_started};

/// One load, by one of the two.
struct Load {
    rows_per_second: f64,
    client_cpu: f64,
    server_cpu: f64,
}

/// What is measured.
struct Setting {
    url: String,
    rows: u64,
    batch: u64,
    in_flight: usize,
    psql: PathBuf,
    table: String,
    files: Vec<PathBuf>,
    server_pid: u32,
    clock: Clock,
}

/// Measures pairs and prints them with their medians.
pub(crate) fn end_to_end(mut arguments: Arguments) -> anyhow::Result<()> {
    let to = arguments.value::<String>("--to")?;
    let rows = arguments.value("--rows")?.unwrap_or(2_000_000);
    let pairs = arguments.value("--pairs")?.unwrap_or(8);
    let batch = arguments.value("--batch")?.unwrap_or(10_000);
    let in_flight = arguments.value("--in-flight")?.unwrap_or(2);
    arguments.finish()?;

    let scratch = target_dir().join("bench/end-to-end");
    std::fs::create_dir_all(&scratch)?;
    let rowstorm = Rowstorm::build(&scratch)?;
    let (url, _guard) = given_or_started(to, POSTGRES, Durability::Durable)?;
    let setting = prepare(&rowstorm, &scratch, url, rows, batch, in_flight)?;
    println!(
        "{rows} rows of schemas/cpu.yaml, {batch} a batch, {in_flight} connections, fsync {}",
        setting.ask("SHOW fsync")?
    );
    let result = measure(&rowstorm, &scratch, &setting, pairs);
    std::fs::remove_dir_all(&scratch)?;
    result
}

/// Loads the table once, has the server write it out, and cuts that into batches.
fn prepare(
    rowstorm: &Rowstorm,
    scratch: &Path,
    url: String,
    rows: u64,
    batch: u64,
    in_flight: usize,
) -> anyhow::Result<Setting> {
    let psql = POSTGRES.native().and_then(Native::programs).map(|programs| programs.join("psql"));
    let psql = psql.filter(|psql| psql.is_file());
    let psql = psql.or_else(|| find("psql")).context("psql is not installed")?;
    let rows_text = rows.to_string();
    let options = ["--rows", &rows_text, "--table-mode", "recreate", "--yes"];
    let first = rowstorm.run("cpu", &url, &options)?;
    first.must_have_loaded(rows)?;
    let table = format!("\"{}\"", first.table()?);
    let mut setting = Setting {
        url,
        rows,
        batch,
        in_flight,
        psql,
        table,
        files: Vec::new(),
        server_pid: 0,
        clock: Clock::new()?,
    };
    let pid = setting.ask("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")?;
    setting.server_pid = pid.parse().context("the server says no process id")?;
    let whole = scratch.join("whole.copy");
    setting.ask(&format!("\\copy {} TO '{}' BINARY", setting.table, whole.display()))?;
    setting.files = copy_files::cut(&whole, scratch, setting.batch)?;
    std::fs::remove_file(&whole)?;
    ensure!(setting.files.len() as u64 == rows.div_ceil(batch), "a batch was lost in cutting");
    Ok(setting)
}

fn measure(
    rowstorm: &Rowstorm,
    scratch: &Path,
    setting: &Setting,
    pairs: usize,
) -> anyhow::Result<()> {
    println!(
        "pair  rowstorm rows/s   psql rows/s  ratio  client/server CPU  client, server CPU s/Mrow (psql)"
    );
    let mut done = Vec::new();
    for pair in 0..pairs {
        let ours = || load(setting, || with_rowstorm(rowstorm, setting));
        let stock = || load(setting, || with_psql(scratch, setting));
        // Who goes first changes from pair to pair.
        let (ours, stock) = if pair % 2 == 0 {
            let ours = ours()?;
            (ours, stock()?)
        } else {
            let stock = stock()?;
            (ours()?, stock)
        };
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
    setting.ask(&format!("TRUNCATE {}", setting.table))?;
    setting.ask("CHECKPOINT")?;
    let watch = setting.clock.watch(setting.server_pid)?;
    let result = run();
    let server_cpu = watch.finish()?;
    let (seconds, client_cpu) = result?;
    let count = setting.ask(&format!("SELECT count(*) FROM {}", setting.table))?;
    ensure!(count == setting.rows.to_string(), "{count} rows arrived of {}", setting.rows);
    Ok(Load { rows_per_second: setting.rows as f64 / seconds, client_cpu, server_cpu })
}

/// The seconds of the load itself, as the record has them, and the CPU of it.
fn with_rowstorm(rowstorm: &Rowstorm, setting: &Setting) -> anyhow::Result<(f64, f64)> {
    let (rows, batch) = (setting.rows.to_string(), setting.batch.to_string());
    let in_flight = setting.in_flight.to_string();
    let mut options = vec!["--rows", &rows, "--batch", &batch, "--in-flight", &in_flight];
    options.extend(["--table-mode", "append"]);
    let record = rowstorm.run("cpu", &setting.url, &options)?;
    record.must_have_loaded(setting.rows)?;
    Ok((record.number("/seconds")?, record.number("/client/cpu_seconds")?))
}

/// One process a connection, each with its share of the files: seconds and CPU, both without those of starting `psql` and
/// connecting, which a run's record leaves out too.
fn with_psql(scratch: &Path, setting: &Setting) -> anyhow::Result<(f64, f64)> {
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
            writeln!(script, "\\copy {} FROM '{}' BINARY", setting.table, file.display())?;
        }
        scripts.push(path);
    }
    let cpu = setting.clock.of_ended_children()?;
    let start = Instant::now();
    let lanes: Vec<Child> = scripts
        .iter()
        .map(|script| setting.psql().arg("-f").arg(script).spawn())
        .collect::<Result<_, _>>()?;
    for mut lane in lanes {
        ensure!(lane.wait()?.success(), "psql failed");
    }
    Ok((start.elapsed().as_secs_f64(), setting.clock.of_ended_children()? - cpu))
}

impl Setting {
    fn psql(&self) -> Command {
        let mut command = Command::new(&self.psql);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url]);
        command.stdin(Stdio::null());
        command
    }

    fn ask(&self, statement: &str) -> anyhow::Result<String> {
        Ok(output(self.psql().args(["-c", statement]))?.trim().to_owned())
    }
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
