//! `cargo xtask bench changes`: changes by Rowstorm against the database's own benchmark, in transactions of the same size.
//!
//! On PostgreSQL both do what pgbench calls a simple update (an update and a read by key, an insert into a table without one) to
//! tables that Rowstorm has loaded just before; on MariaDB what sysbench calls `oltp_write_only` (an update of an indexed column and
//! of another, a delete, an insert), each to a table of its own with the same columns. So many of them are in each COMMIT, over the
//! same number of connections, in turn, pair by pair. The server is durable. Client CPU is that of the whole process, for Rowstorm without what loading alone takes.

mod pgbench;
mod sysbench;

use std::path::PathBuf;

use anyhow::{bail, ensure};

use super::end_to_end::{Mysql, Stock as _};
use super::median;
use super::processor::Clock;
use super::rowstorm::Rowstorm;
use crate::arguments::Arguments;
use crate::command::target_dir;
use crate::servers::{Durability, given_or_started, named};
use pgbench::Pgbench;
use sysbench::Sysbench;

/// The database's own benchmark.
enum Rival {
    Pgbench(Pgbench),
    Sysbench(Sysbench),
}

impl Rival {
    fn name(&self) -> &'static str {
        match self {
            Rival::Pgbench(_) => "pgbench",
            Rival::Sysbench(_) => "sysbench",
        }
    }
}

/// pgbench's accounts at scale 1.
const ACCOUNTS: u64 = 100_000;

/// What is measured.
struct Setting {
    rowstorm: Rowstorm,
    document: PathBuf,
    rival: Rival,
    url: String,
    clock: Clock,
    ops: u64,
    /// Rows of one transaction.
    size: u64,
    in_flight: u64,
}

/// What one of the two came to.
struct Figure {
    ops_per_second: f64,
    client_us: f64,
}

/// Measures pairs and prints them with their medians.
pub(super) fn changes(mut arguments: Arguments) -> anyhow::Result<()> {
    let server = named(&arguments.value::<String>("--server")?.unwrap_or("postgres".to_owned()))?;
    let to = arguments.value::<String>("--to")?;
    let ops: u64 = arguments.value("--changes")?.unwrap_or(600_000);
    let pairs = arguments.value("--pairs")?.unwrap_or(5);
    let updates: u64 = arguments.value("--updates")?.unwrap_or(10);
    let in_flight: u64 = arguments.value("--in-flight")?.unwrap_or(4);
    arguments.finish()?;
    let of_one = match server.name() {
        "postgres" => 3,
        "mariadb" => 4,
        other => bail!("{other} has no stock benchmark here; say postgres or mariadb"),
    };
    let size = updates * of_one;
    ensure!(updates > 0 && in_flight > 0, "--updates and --in-flight begin at 1");
    ensure!(
        ops.is_multiple_of(size * in_flight),
        "--changes must be a multiple of {of_one} × updates × in flight, so that both do the same"
    );

    let scratch = target_dir().join("bench/changes");
    std::fs::create_dir_all(&scratch)?;
    let rowstorm = Rowstorm::build(&scratch)?;
    let (url, _guard) = given_or_started(to, server, Durability::Durable)?;
    let document = scratch.join("accounts.yaml");
    let (rival, schema, durability) = if server.name() == "postgres" {
        let pgbench = Pgbench::new(&url, &scratch, updates)?;
        let durability = format!("fsync {}", pgbench.fsync()?);
        (Rival::Pgbench(pgbench), schema(size), durability)
    } else {
        let durability = Mysql::new(server, &url)?.durability()?;
        (Rival::Sysbench(Sysbench::new(&url, &scratch, updates)?), write_only(size), durability)
    };
    std::fs::write(&document, schema)?;
    let clock = Clock::new()?;
    let setting = Setting { rowstorm, document, rival, url, clock, ops, size, in_flight };
    println!(
        "{ops} rows changed or read, {size} a transaction, {in_flight} connections, {durability}"
    );
    let result = measure(&setting, pairs);
    std::fs::remove_dir_all(&scratch)?;
    result
}

fn measure(setting: &Setting, pairs: usize) -> anyhow::Result<()> {
    let name = setting.rival.name();
    println!("pair  rowstorm rows/s  {name} rows/s  ratio  client CPU µs a row ({name})");
    let mut done = Vec::new();
    for pair in 1..=pairs {
        // Loading alone says what the other run's load takes, and leaves the tables that pgbench changes.
        let (_, idle) = setting.rowstorm(0)?;
        let rival = setting.rival()?;
        let (ops_per_second, cpu) = setting.rowstorm(setting.ops)?;
        let client_us = 1e6 * (cpu - idle) / setting.ops as f64;
        let ours = Figure { ops_per_second, client_us };
        print(&pair.to_string(), &ours, &rival);
        done.push((ours, rival));
    }
    let middle = |figure: fn(&Figure) -> f64| {
        let ours = median(done.iter().map(|(ours, _)| figure(ours)));
        (ours, median(done.iter().map(|(_, rival)| figure(rival))))
    };
    let (rate, cpu) = (middle(|it| it.ops_per_second), middle(|it| it.client_us));
    print(
        "median",
        &Figure { ops_per_second: rate.0, client_us: cpu.0 },
        &Figure { ops_per_second: rate.1, client_us: cpu.1 },
    );
    Ok(())
}

impl Setting {
    /// Loads the tables anew and makes so many changes: those a second, and the CPU of all of it.
    fn rowstorm(&self, ops: u64) -> anyhow::Result<(f64, f64)> {
        let (amount, in_flight) = (ops.to_string(), self.in_flight.to_string());
        let size = self.size.to_string();
        let mut options = vec!["--changes", &amount, "--rate", "max", "--in-flight", &in_flight];
        options.extend(["--batch", &size, "--table-mode", "recreate", "--yes"]);
        let cpu = self.clock.of_ended_children()?;
        let record = self.rowstorm.run_file(&self.document, &self.url, &options)?;
        let cpu = self.clock.of_ended_children()? - cpu;
        if ops == 0 {
            return Ok((0.0, cpu));
        }
        let matched = record.number("/changes/rows/matched")?;
        ensure!(matched as u64 == ops, "{matched} of {ops} rows were changed or read");
        Ok((matched / record.number("/changes/seconds")?, cpu))
    }

    fn rival(&self) -> anyhow::Result<Figure> {
        let transactions = self.ops / (self.size * self.in_flight);
        let (per_second, cpu) = match &self.rival {
            Rival::Pgbench(pgbench) => {
                let cpu = self.clock.of_ended_children()?;
                let per_second = pgbench.run(self.in_flight, transactions)?;
                (per_second, self.clock.of_ended_children()? - cpu)
            }
            Rival::Sysbench(sysbench) => {
                sysbench.run(self.in_flight, transactions, || self.clock.of_ended_children())?
            }
        };
        let ops_per_second = per_second * self.size as f64;
        Ok(Figure { ops_per_second, client_us: 1e6 * cpu / self.ops as f64 })
    }
}

/// sysbench's table.
fn write_only(size: u64) -> String {
    format!(
        "version: 1
tables:
  bench_rows:
    key: [id]
    preload: {ACCOUNTS}
    columns:
      id:  {{ type: int, gen: sequence }}
      k:   {{ type: int, gen: {{ uniform: [1, {ACCOUNTS}] }} }}
      c:   {{ type: varchar(120), gen: {{ text: {{ bytes: 119 }} }} }}
      pad: {{ type: varchar(60), gen: {{ text: {{ bytes: 59 }} }} }}
    indexes: [ {{ on: [k] }} ]
changes:
  transaction: {size} rows
  mix:
    - {{ update: bench_rows, set: [k], weight: 1 }}
    - {{ update: bench_rows, set: [c], weight: 1 }}
    - {{ delete: bench_rows, pick: uniform, weight: 1 }}
    - {{ insert: bench_rows, weight: 1 }}
"
    )
}

/// pgbench's tables, as far as a simple update touches them.
fn schema(size: u64) -> String {
    format!(
        "version: 1
tables:
  bench_accounts:
    key: [aid]
    preload: {ACCOUNTS}
    columns:
      aid:      {{ type: int, gen: sequence }}
      bid:      {{ type: int, gen: {{ uniform: [1, 10] }} }}
      abalance: {{ type: int, gen: {{ uniform: [-5000, 5000] }} }}
      filler:   {{ type: text, gen: {{ constant: '{:84}' }} }}
  bench_history:
    columns:
      tid:   {{ type: int, gen: {{ uniform: [1, 100] }} }}
      bid:   {{ type: int, gen: {{ uniform: [1, 10] }} }}
      aid:   {{ type: int, gen: {{ ref: {{ table: bench_accounts }} }} }}
      delta: {{ type: int, gen: {{ uniform: [-5000, 5000] }} }}
      mtime: {{ type: timestamp, gen: now }}
changes:
  transaction: {} rows
  mix:
    - {{ update: bench_accounts, set: [abalance], weight: 1 }}
    - {{ read: bench_accounts, weight: 1 }}
    - {{ insert: bench_history, weight: 1 }}
",
        "", size
    )
}

fn print(name: &str, ours: &Figure, rival: &Figure) {
    println!(
        "{name:>6} {:>14.0} {:>15.0} {:>6.3}  {:.2} ({:.2})",
        ours.ops_per_second,
        rival.ops_per_second,
        ours.ops_per_second / rival.ops_per_second,
        ours.client_us,
        rival.client_us,
    );
}
