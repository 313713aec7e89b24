//! `sysbench oltp_write_only` and `oltp_update_index`, over a table that it makes itself.
//!
//! The password is in a file: on a command line others could read it. There the script's own options must stand: in the file sysbench
//! reads over them. No `mysql-ssl` either: with any value of it Debian's sysbench asks for key files, and does not get into MySQL 9.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::workload::{ROWS, Workload};
use crate::bench::end_to_end::Place;
use crate::command::output;

/// sysbench, and the file that says where the server is.
pub(super) struct Sysbench {
    file: PathBuf,
    /// The name of the script.
    script: &'static str,
    /// Its own options.
    options: Vec<String>,
}

impl Sysbench {
    /// A transaction of `oltp_write_only` has so many of each statement: two updates, a delete, an insert.
    pub(super) fn new(
        url: &str,
        scratch: &Path,
        workload: Workload,
        updates: u64,
    ) -> anyhow::Result<Sysbench> {
        let Place { user, password, host, port, database } =
            Place::parse(url).context("the address is none of MariaDB or MySQL")?;
        let file = scratch.join("sysbench.conf");
        let text = format!(
            "mysql-host={host}\nmysql-port={port}\nmysql-user={user}\nmysql-password={password}\nmysql-db={database}\n"
        );
        std::fs::write(&file, text)?;
        let table = ["--tables=1".to_owned(), format!("--table_size={ROWS}")];
        let times = ["index_updates", "non_index_updates", "delete_inserts"]
            .map(|name| format!("--{name}={updates}"));
        let (script, options) = match workload {
            Workload::UpdateIndex => ("oltp_update_index", table.to_vec()),
            Workload::WriteOnly | Workload::SimpleUpdate => {
                ("oltp_write_only", [&table[..], &times[..]].concat())
            }
        };
        Ok(Sysbench { file, script, options })
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
        command.args(&self.options).args(["--time=0", self.script, step]);
        output(&mut command).context("is sysbench installed?")
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
