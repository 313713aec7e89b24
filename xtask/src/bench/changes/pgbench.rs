//! PostgreSQL's own benchmark, over the tables that are there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::workload::ROWS;
use crate::command::{find, output};
use crate::servers::{Native, POSTGRES};

/// `pgbench -M prepared` with a script of simple updates.
pub(super) struct Pgbench {
    programs: Option<PathBuf>,
    url: String,
    script: PathBuf,
}

impl Pgbench {
    /// Writes the script: so many simple updates in one transaction. They are those of `pgbench -b simple-update`
    /// (<https://www.postgresql.org/docs/current/pgbench.html>).
    pub(super) fn new(url: &str, scratch: &Path, updates: u64) -> anyhow::Result<Pgbench> {
        let draws = (0..updates).map(|at| {
            format!("\\set aid{at} random(1, {ROWS})\n\\set delta{at} random(-5000, 5000)")
        });
        let statements = (0..updates).map(|at| {
            format!(
                "UPDATE bench_accounts SET abalance = abalance + :delta{at} WHERE aid = :aid{at};
SELECT abalance FROM bench_accounts WHERE aid = :aid{at};
INSERT INTO bench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, :aid{at}, :delta{at}, CURRENT_TIMESTAMP);"
            )
        });
        let lines = draws.chain(["BEGIN;".to_owned()]).chain(statements);
        let text = lines.chain(["COMMIT;\n".to_owned()]).collect::<Vec<_>>().join("\n");
        let script = scratch.join("simple-update.sql");
        std::fs::write(&script, text)?;
        let programs = POSTGRES.native().and_then(Native::programs);
        Ok(Pgbench { programs, url: url.to_owned(), script })
    }

    /// What the server promises of a commit.
    pub(super) fn fsync(&self) -> anyhow::Result<String> {
        let mut psql = self.command("psql")?;
        Ok(output(psql.args(["-XqAtc", "SHOW fsync", "-d", &self.url]))?.trim().to_owned())
    }

    /// Transactions a second, without the time that connecting took.
    pub(super) fn run(&self, clients: u64, transactions: u64) -> anyhow::Result<f64> {
        let mut command = self.command("pgbench")?;
        command.args(["-n", "-M", "prepared", "-f"]).arg(&self.script);
        command.args(["-c", &clients.to_string(), "-t", &transactions.to_string(), &self.url]);
        let text = output(&mut command)?;
        let figure = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let figure = figure.and_then(|rest| rest.split(' ').next());
        figure.and_then(|tps| tps.parse().ok()).with_context(|| format!("no tps in {text}"))
    }

    fn command(&self, name: &str) -> anyhow::Result<Command> {
        let ours = self.programs.as_ref().map(|programs| programs.join(name));
        let program = ours.filter(|program| program.is_file()).or_else(|| find(name));
        let mut command =
            Command::new(program.with_context(|| format!("{name} is not installed"))?);
        command.stdin(Stdio::null());
        Ok(command)
    }
}
