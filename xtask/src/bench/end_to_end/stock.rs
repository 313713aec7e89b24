//! A database's own client, fed with bytes that are ready.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::processor::Clock;

/// What is asked of a stock client.
pub(crate) trait Stock {
    /// What it is called in the table.
    fn name(&self) -> &'static str;
    /// Where Rowstorm writes: the same server, in the same way.
    fn url(&self) -> &str;
    /// A name as an identifier.
    fn quote(&self, name: &str) -> String;
    /// The answer to a statement.
    fn ask(&self, statement: &str) -> anyhow::Result<String>;
    /// What the server promises of a commit.
    fn durability(&self) -> anyhow::Result<String>;
    /// What is run before each load, so that none pays for the one before.
    fn settle(&self) -> Option<&'static str>;
    /// The client that runs a script: one connection.
    fn lane(&self, script: &Path) -> anyhow::Result<Command>;
    /// The script's line that loads one file.
    fn line(&self, table: &str, file: &Path) -> String;
    /// The table's rows as files of so many, as the client reads them.
    fn files(&self, table: &str, folder: &Path, rows: u64) -> anyhow::Result<Vec<PathBuf>>;
    /// Whether the server's CPU of our loads is told apart from what a run asks besides: tables, counts, statistics. Where
    /// it is not, that of the stock client's loads stands for both.
    fn tells_loads_apart(&self) -> bool;
    /// Begins to count the server's CPU.
    fn watch(&self, clock: Clock) -> anyhow::Result<ServerCpu>;
}

/// The server's CPU seconds from the beginning until it is asked.
pub(crate) struct ServerCpu(pub(in crate::bench) Box<dyn FnOnce() -> anyhow::Result<f64>>);
