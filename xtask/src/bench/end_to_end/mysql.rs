//! The own clients of MySQL and MariaDB.
//!
//! Their servers are one process whose threads are its sessions, so what a run counts and analyses in the end would be in
//! the server's CPU of our loads and not in theirs.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use super::stock::{ServerCpu, Stock};
use crate::bench::processor::Clock;
use crate::command::{find, output};
use crate::servers::{Native, Server};

/// `mysql` or `mariadb`, and the server's process.
pub(in crate::bench) struct Mysql {
    program: PathBuf,
    /// What both are told that differs between the two, TLS above all: off on both sides.
    options: &'static [&'static str],
    place: Place,
    url: String,
    server: u32,
}

/// `SCHEME://USER[:PASSWORD]@HOST:PORT/DATABASE`, as the servers of this crate are called.
pub(in crate::bench) struct Place {
    pub(in crate::bench) user: String,
    pub(in crate::bench) password: String,
    pub(in crate::bench) host: String,
    pub(in crate::bench) port: String,
    pub(in crate::bench) database: String,
}

impl Mysql {
    pub(in crate::bench) fn new(server: &dyn Server, url: &str) -> anyhow::Result<Mysql> {
        let name = server.name();
        let folder = server.native().and_then(Native::programs);
        let beside =
            folder.map(|folder| folder.join("bin").join(name)).filter(|path| path.is_file());
        let program = beside.or_else(|| find(name));
        let mut client = Mysql {
            program: program.with_context(|| format!("{name}, the client, is not installed"))?,
            options: match name {
                "mysql" => &["--ssl-mode=DISABLED", "--get-server-public-key"],
                _ => &["--skip-ssl"],
            },
            place: Place::parse(url).context("the address is none of MySQL")?,
            url: format!("{url}?ssl-mode=DISABLED"),
            server: 0,
        };
        let file = client.ask("SELECT @@pid_file")?;
        let file = Path::new(&client.ask("SELECT @@datadir")?).join(file);
        let pid =
            std::fs::read_to_string(&file).context("the server's process id cannot be read")?;
        client.server = pid.trim().parse().context("the server's process id is none")?;
        Ok(client)
    }

    fn command(&self) -> Command {
        let Place { user, password, host, port, database } = &self.place;
        let mut command = Command::new(&self.program);
        command.args(["--no-defaults", "--protocol=TCP", "--local-infile=1", "-N", "-B"]);
        command.args(self.options);
        command.args(["-h", host, "-P", port, "-u", user, "-D", database]);
        // On the command line others could read it.
        command.env("MYSQL_PWD", password).stdin(Stdio::null());
        command
    }
}

impl Place {
    pub(in crate::bench) fn parse(url: &str) -> Option<Place> {
        let (_, rest) = url.split_once("://")?;
        let (who, rest) = rest.rsplit_once('@')?;
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let (address, database) = rest.split_once('/')?;
        let (host, port) = address.rsplit_once(':')?;
        let [user, password, host, port, database] =
            [user, password, host, port, database].map(str::to_owned);
        Some(Place { user, password, host, port, database })
    }
}

impl Stock for Mysql {
    fn name(&self) -> &'static str {
        "LOAD DATA LOCAL"
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn quote(&self, name: &str) -> String {
        format!("`{name}`")
    }

    fn ask(&self, statement: &str) -> anyhow::Result<String> {
        Ok(output(self.command().args(["-e", statement]))?.trim().to_owned())
    }

    fn durability(&self) -> anyhow::Result<String> {
        let ask = "SELECT CONCAT_WS(', ', @@version, CONCAT('innodb_flush_log_at_trx_commit ', \
                   @@innodb_flush_log_at_trx_commit), CONCAT('sync_binlog ', @@sync_binlog))";
        self.ask(ask)
    }

    fn settle(&self) -> Option<&'static str> {
        None
    }

    fn lane(&self, script: &Path) -> anyhow::Result<Command> {
        let mut command = self.command();
        command.stdin(File::open(script)?);
        Ok(command)
    }

    fn line(&self, table: &str, file: &Path) -> String {
        format!(
            "LOAD DATA LOCAL INFILE '{}' INTO TABLE {table} CHARACTER SET utf8mb4;",
            file.display()
        )
    }

    /// The client's own batch output has the escapes that LOAD DATA reads; a null would be the word NULL, but the table has
    /// none.
    fn files(&self, table: &str, folder: &Path, rows: u64) -> anyhow::Result<Vec<PathBuf>> {
        let whole = output(self.command().args(["-q", "-e", &format!("SELECT * FROM {table}")]))?;
        let mut files = Vec::new();
        let mut lines = whole.lines().peekable();
        while lines.peek().is_some() {
            let path = folder.join(format!("{:05}.tsv", files.len()));
            let mut file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
            for line in lines.by_ref().take(rows as usize) {
                ensure!(
                    !line.split('\t').any(|cell| cell == "NULL"),
                    "a null cannot be told apart"
                );
                writeln!(file, "{line}")?;
            }
            file.flush()?;
            files.push(path);
        }
        Ok(files)
    }

    fn tells_loads_apart(&self) -> bool {
        false
    }

    fn watch(&self, clock: Clock) -> anyhow::Result<ServerCpu> {
        let (pid, before) = (self.server, clock.of_tree(self.server));
        ensure!(before > 0.0, "the server's process is not on this machine");
        Ok(ServerCpu(Box::new(move || Ok(clock.of_tree(pid) - before))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let place = Place::parse("mysql://root:p@ss@127.0.0.1:3307/rowstorm").unwrap();
        assert_eq!((place.user.as_str(), place.password.as_str()), ("root", "p@ss"));
        assert_eq!((place.host.as_str(), place.port.as_str()), ("127.0.0.1", "3307"));
        assert_eq!(place.database, "rowstorm");
        assert!(Place::parse("127.0.0.1").is_none());
    }
}
