//! `sysbench oltp_write_only`, over a table that it makes itself.
//!
//! The password is in a file: on a command line others could read it. There the script's own options must stand: in the file sysbench
//! reads over them. MariaDB alone: the client library of Debian's sysbench does not get into MySQL 9.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::ACCOUNTS;
use crate::bench::end_to_end::Place;
use crate::command::output;

/// sysbench, and the file that says where the server is.
pub(super) struct Sysbench {
    file: PathBuf,
    /// How often each statement comes in one transaction.
    updates: u64,
}

impl Sysbench {
    /// A transaction has so many of each statement: two updates, a delete, an insert.
    pub(super) fn new(url: &str, scratch: &Path, updates: u64) -> anyhow::Result<Sysbench> {
        let Place { user, password, host, port, database } =
            Place::parse(url).context("the address is none of MariaDB")?;
        let file = scratch.join("sysbench.conf");
        let text = format!(
            "mysql-host={host}\nmysql-port={port}\nmysql-user={user}\nmysql-password={password}\nmysql-db={database}\n"
        );
        std::fs::write(&file, text)?;
        Ok(Sysbench { file, updates })
    }

    /// Transactions a second, and what `cpu` says of the run itself: the table is made before and dropped after.
    pub(super) fn run(
        &self,
        clients: u64,
        transactions: u64,
        cpu: impl Fn() -> anyhow::Result<f64>,
    ) -> anyhow::Result<(f64, f64)> {
        self.step("cleanup", &[])?;
        self.step("prepare", &[])?;
        let before = cpu()?;
        let (threads, events) =
            (format!("--threads={clients}"), format!("--events={}", clients * transactions));
        let text = self.step("run", &[&threads, &events])?;
        let cpu = cpu()? - before;
        self.step("cleanup", &[])?;
        Ok((per_second(&text).with_context(|| format!("no transactions in {text}"))?, cpu))
    }

    fn step(&self, step: &str, options: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("sysbench");
        command.arg(format!("--config-file={}", self.file.display())).args(options);
        for name in ["index_updates", "non_index_updates", "delete_inserts"] {
            command.arg(format!("--{name}={}", self.updates));
        }
        command.args(["--tables=1", &format!("--table_size={ACCOUNTS}"), "--time=0"]);
        output(command.args(["oltp_write_only", step])).context("is sysbench installed?")
    }
}

/// Of the line `transactions:   400    (5714.94 per sec.)` the second number.
fn per_second(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("transactions:"))?;
    line.split_once('(')?.1.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::per_second;

    #[test]
    fn transactions_a_second_are_read() {
        let text =
            "SQL statistics:\n    transactions:                        400    (5714.94 per sec.)\n";
        assert_eq!(per_second(text), Some(5714.94));
        assert_eq!(per_second(""), None);
    }
}
