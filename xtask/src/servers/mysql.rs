//! MySQL 9 for tests and measurements, from Debian's unstable suite in a private root: no other suite has it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{Root, Source, finished};
use super::{Durability, Native, Place, Server, probe};

/// Oracle's MySQL.
pub(crate) struct MySql;

const ROOT: Root = Root {
    suite: "sid",
    packages: &["mysql-server-core", "mysql-client-core"],
    folders: &["usr/sbin", "usr/bin"],
};

impl Server for MySql {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn variable(&self) -> &'static str {
        "ROWSTORM_TEST_MYSQL"
    }

    fn adapter(&self) -> &'static str {
        "rowstorm-mysql"
    }

    fn container_port(&self) -> Option<u16> {
        Some(3306)
    }

    fn native(&self) -> Option<&dyn Native> {
        Some(self)
    }

    fn url(&self, port: u16, password: &str) -> String {
        format!("mysql://root:{password}@127.0.0.1:{port}/rowstorm")
    }
}

impl Native for MySql {
    fn source(&self) -> Source {
        Source::Root(ROOT)
    }

    fn programs(&self) -> Option<PathBuf> {
        Some(finished(&ROOT.key())?.join("usr"))
    }

    fn initialise(
        &self,
        programs: &Path,
        place: &Place,
        password: &str,
    ) -> anyhow::Result<Command> {
        prepare(place, password)?;
        let mut command = mysqld(programs, place);
        // What is made here is given a password before the server listens.
        command.args(["--initialize-insecure", "--innodb-doublewrite=OFF"]);
        Ok(command)
    }

    fn command(
        &self,
        programs: &Path,
        place: &Place,
        port: u16,
        durability: Durability,
    ) -> Command {
        let mut command = mysqld(programs, place);
        listen(&mut command, place, port);
        command.args(settings(durability));
        command.args(["--mysqlx=OFF", "--log-bin=binlog"]);
        if durability == Durability::Durable {
            command.arg("--innodb-redo-log-capacity=4G");
        }
        command
    }

    fn answers(&self, _programs: &Path, port: u16) -> bool {
        probe::mysql_greets(port)
    }
}

fn mysqld(programs: &Path, place: &Place) -> Command {
    let mut command = place.command(programs.join("sbin/mysqld"));
    // Must stand first.
    command.arg("--no-defaults");
    let mut set = |name: &str, path: PathBuf| {
        command.arg(format!("--{name}={}", path.display()));
    };
    set("basedir", programs.to_owned());
    set("datadir", place.dir().join("data"));
    set("tmpdir", place.dir().join("tmp"));
    set("lc-messages-dir", programs.join("share/mysql"));
    set("character-sets-dir", programs.join("share/mysql/charsets"));
    set("plugin-dir", programs.join("lib/mysql/plugin"));
    // Debian's default is a folder that only its package makes.
    command.arg("--secure-file-priv=");
    command
}

/// Makes what MySQL and MariaDB expect to find, and the statements that they run before they listen: one administrator
/// with a password, and an empty database.
pub(super) fn prepare(place: &Place, password: &str) -> anyhow::Result<()> {
    place.create_dir("tmp")?;
    let statements = format!(
        "ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n\
         CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;\n\
         CREATE DATABASE IF NOT EXISTS rowstorm;\n"
    );
    place.write("init.sql", &statements).map(|_| ())
}

/// Where both listen, and what they run first. A socket's path may have 107 bytes, and a checkout's can be longer: it is
/// relative to the data.
pub(super) fn listen(command: &mut Command, place: &Place, port: u16) {
    command.arg(format!("--init-file={}", place.dir().join("init.sql").display()));
    command.arg("--bind-address=127.0.0.1").arg(format!("--port={port}"));
    command.args(["--socket=socket", "--pid-file=pid", "--skip-name-resolve"]);
}

/// What both are told. Both write a row-based binary log, as a server that is replicated does.
pub(super) fn settings(durability: Durability) -> Vec<&'static str> {
    let mut options = vec!["--local-infile=ON", "--server-id=1", "--binlog-format=ROW"];
    options.push("--performance-schema=OFF");
    options.extend(match durability {
        Durability::Volatile => [
            "--innodb-flush-log-at-trx-commit=0",
            "--sync-binlog=0",
            "--innodb-doublewrite=OFF",
            "--innodb-buffer-pool-size=256M",
        ]
        .as_slice(),
        // Each commit is on disk twice, in the redo log and in the binary log. Logs of a minute ago are removed.
        Durability::Durable => [
            "--innodb-flush-log-at-trx-commit=1",
            "--sync-binlog=1",
            "--innodb-buffer-pool-size=1G",
            "--max-binlog-size=256M",
            "--binlog-expire-logs-seconds=60",
        ]
        .as_slice(),
    });
    options
}
