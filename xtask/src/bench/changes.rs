//! `cargo xtask bench changes`: changes by Rowstorm against the database's own benchmark, in transactions of the same size.
//!
//! On PostgreSQL both do what pgbench calls a simple update (an update and a read by key, an insert into a table without one) to
//! tables that Rowstorm has loaded just before; on MariaDB what sysbench calls `oltp_write_only` (an update of an indexed column and
//! of another, a delete, an insert), each to a table of its own with the same columns. So many of them are in each COMMIT, over the
//! same number of connections, pair by pair, and in every other pair Rowstorm goes first. `--workload update-index` is sysbench's
//! `oltp_update_index`: an update of an indexed column by itself. The server is durable. Client CPU is that of the whole process; Rowstorm's
//! has loaded before, in another, and goes on with its record (`--resume`).

mod pgbench;
mod sysbench;
mod workload;

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::end_to_end::{Mysql, Stock as _};
use super::median;
use super::processor::Clock;
use super::rowstorm::Rowstorm;
use crate::arguments::Arguments;
use crate::command::target_dir;
use crate::servers::{Durability, given_or_started, named};
use pgbench::Pgbench;
use sysbench::Sysbench;
use workload::Workload;

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
    let workload = arguments.value::<String>("--workload")?;
    let updates = arguments.value::<u64>("--updates")?;
    let in_flight: u64 = arguments.value("--in-flight")?.unwrap_or(4);
    arguments.finish()?;
    let workload = Workload::named(server.name(), workload.as_deref())?;
    let updates = updates.unwrap_or(workload.updates());
    let of_one = workload.rows();
    let size = updates * of_one;
    ensure!(
        workload != Workload::UpdateIndex || updates == 1,
        "update-index is one row a transaction"
    );
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
    let (rival, durability) = if workload == Workload::SimpleUpdate {
        let pgbench = Pgbench::new(&url, &scratch, updates)?;
        let durability = format!("fsync {}", pgbench.fsync()?);
        (Rival::Pgbench(pgbench), durability)
    } else {
        let durability = Mysql::new(server, &url)?.durability()?;
        (Rival::Sysbench(Sysbench::new(&url, &scratch, workload, updates)?), durability)
    };
    std::fs::write(&document, workload.document(size))?;
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
        // pgbench changes the tables that Rowstorm loads.
        let theirs = || setting.load().and_then(|_| setting.rival());
        let ours = || setting.load().and_then(|loaded| setting.rowstorm(&loaded));
        let (rival, ours) = if pair % 2 == 1 {
            let theirs = theirs()?;
            (theirs, ours()?)
        } else {
            let ours = ours()?;
            (theirs()?, ours)
        };
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
    /// Loads the tables anew; where the record of it is.
    fn load(&self) -> anyhow::Result<PathBuf> {
        // The document says how many rows a transaction has: the load has batches of its own.
        let options = ["--changes", "0", "--batch", "1000", "--table-mode", "recreate", "--yes"];
        self.rowstorm.run_file(&self.document, &self.url, &options)?;
        self.rowstorm.keep_record("loaded.json")
    }

    /// Makes the changes to what was loaded: those a second, and the CPU of the process that makes them.
    fn rowstorm(&self, loaded: &Path) -> anyhow::Result<Figure> {
        let (amount, in_flight) = (self.ops.to_string(), self.in_flight.to_string());
        let loaded = loaded.display().to_string();
        let mut options = vec!["--changes", &amount, "--rate", "max", "--in-flight", &in_flight];
        options.extend(["--resume", &loaded]);
        let cpu = self.clock.of_ended_children()?;
        let record = self.rowstorm.run_file(&self.document, &self.url, &options)?;
        let cpu = self.clock.of_ended_children()? - cpu;
        let matched = record.number("/changes/rows/matched")?;
        ensure!(matched as u64 == self.ops, "{matched} of {} rows were changed or read", self.ops);
        Ok(Figure {
            ops_per_second: matched / record.number("/changes/seconds")?,
            client_us: 1e6 * cpu / self.ops as f64,
        })
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
