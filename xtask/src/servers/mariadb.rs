//! MariaDB for tests and measurements.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{Package, Source};
use super::mysql::{listen, prepare, settings};
use super::{Durability, Native, Place, Server, probe};
use crate::command::find;

/// MariaDB.
pub(crate) struct MariaDb;

impl Server for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn variable(&self) -> &'static str {
        "ROWSTORM_TEST_MARIADB"
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
        format!("mariadb://root:{password}@127.0.0.1:{port}/rowstorm")
    }
}

impl Native for MariaDb {
    fn source(&self) -> Source {
        Source::Package(Package {
            // The programs alone: no service, no user, no configuration.
            debian: &["mariadb-server-core", "mariadb-client-core"],
            quiet: None,
            elsewhere: "MariaDB 10.11 or newer with `mariadbd` and `mariadb-install-db` on the PATH \
                        (macOS: `brew install mariadb`)",
        })
    }

    fn programs(&self) -> Option<PathBuf> {
        // Debian has the server off the PATH of those who are not root.
        let debian = Some(PathBuf::from("/usr/sbin/mariadbd")).filter(|server| server.is_file());
        let server = debian.or_else(|| find("mariadbd"))?;
        find("mariadb-install-db")?;
        Some(server.parent()?.to_owned())
    }

    fn initialise(
        &self,
        _programs: &Path,
        place: &Place,
        password: &str,
    ) -> anyhow::Result<Command> {
        prepare(place, password)?;
        let mut command = place.command("mariadb-install-db");
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", place.dir().join("data").display()));
        command.arg(format!("--tmpdir={}", place.dir().join("tmp").display()));
        command.args(["--auth-root-authentication-method=socket", "--skip-test-db"]);
        command.arg("--skip-name-resolve");
        Ok(command)
    }

    fn command(
        &self,
        programs: &Path,
        place: &Place,
        port: u16,
        durability: Durability,
    ) -> Command {
        let mut command = place.command(programs.join("mariadbd"));
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", place.dir().join("data").display()));
        command.arg(format!("--tmpdir={}", place.dir().join("tmp").display()));
        listen(&mut command, place, port);
        command.arg("--log-bin=binlog").args(settings(durability));
        if durability == Durability::Durable {
            command.arg("--innodb-log-file-size=2G");
        }
        command
    }

    fn answers(&self, _programs: &Path, port: u16) -> bool {
        probe::mysql_greets(port)
    }
}
