//! PostgreSQL's own client.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use super::copy_files;
use super::stock::{ServerCpu, Stock};
use crate::bench::processor::Clock;
use crate::command::{find, output};
use crate::servers::{Native, POSTGRES};

/// `psql`, and the server's first process.
pub(super) struct Psql {
    program: PathBuf,
    url: String,
    server: u32,
}

impl Psql {
    pub(super) fn new(url: String) -> anyhow::Result<Psql> {
        let program =
            POSTGRES.native().and_then(Native::programs).map(|programs| programs.join("psql"));
        let program = program.filter(|psql| psql.is_file());
        let program = program.or_else(|| find("psql")).context("psql is not installed")?;
        let mut psql = Psql { program, url, server: 0 };
        let pid = psql.ask("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")?;
        psql.server = pid.parse().context("the server says no process id")?;
        Ok(psql)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url]);
        command.stdin(Stdio::null());
        command
    }
}

impl Stock for Psql {
    fn name(&self) -> &'static str {
        "psql \\copy … BINARY"
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn quote(&self, name: &str) -> String {
        format!("\"{name}\"")
    }

    fn ask(&self, statement: &str) -> anyhow::Result<String> {
        Ok(output(self.command().args(["-c", statement]))?.trim().to_owned())
    }

    fn durability(&self) -> anyhow::Result<String> {
        Ok(format!("fsync {}", self.ask("SHOW fsync")?))
    }

    fn settle(&self) -> Option<&'static str> {
        Some("CHECKPOINT")
    }

    fn lane(&self, script: &Path) -> anyhow::Result<Command> {
        let mut command = self.command();
        command.arg("-f").arg(script);
        Ok(command)
    }

    fn line(&self, table: &str, file: &Path) -> String {
        format!("\\copy {table} FROM '{}' BINARY", file.display())
    }

    fn files(&self, table: &str, folder: &Path, rows: u64) -> anyhow::Result<Vec<PathBuf>> {
        let whole = folder.join("whole.copy");
        self.ask(&format!("\\copy {table} TO '{}' BINARY", whole.display()))?;
        let files = copy_files::cut(&whole, folder, rows)?;
        std::fs::remove_file(&whole)?;
        Ok(files)
    }

    fn tells_loads_apart(&self) -> bool {
        true
    }

    fn watch(&self, clock: Clock) -> anyhow::Result<ServerCpu> {
        ensure!(self.server > 0, "the server says no process id");
        let watch = clock.watch(self.server)?;
        Ok(ServerCpu(Box::new(move || watch.finish())))
    }
}
