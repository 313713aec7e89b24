//! PostgreSQL for tests and measurements.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{Package, Source};
use super::{Durability, Native, Place, Server};
use crate::command::{find, succeeds};

/// PostgreSQL.
pub(crate) struct Postgres;

impl Server for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn variable(&self) -> &'static str {
        "ROWSTORM_TEST_POSTGRES"
    }

    fn adapter(&self) -> &'static str {
        "rowstorm-postgres"
    }

    fn container_port(&self) -> Option<u16> {
        Some(5432)
    }

    fn native(&self) -> Option<&dyn Native> {
        Some(self)
    }

    fn url(&self, port: u16, password: &str) -> String {
        format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")
    }
}

impl Native for Postgres {
    fn programs(&self) -> Option<PathBuf> {
        let on_path = || {
            let program = find("postgres")?.canonicalize().ok()?;
            Some(program.parent()?.to_owned())
        };
        newest_of_debian().or_else(on_path).filter(|programs| programs.join("initdb").is_file())
    }

    fn source(&self) -> Source {
        Source::Package(Package {
            debian: &["postgresql"],
            quiet: Some((
                "/etc/postgresql-common/createcluster.conf",
                "create_main_cluster = false\n",
            )),
            elsewhere: "PostgreSQL 13 or newer with `initdb` on the PATH (macOS: `brew install postgresql`)",
        })
    }

    fn initialise(
        &self,
        programs: &Path,
        place: &Place,
        _password: &str,
    ) -> anyhow::Result<Command> {
        let mut command = place.command(programs.join("initdb"));
        command.arg("-D").arg(place.dir().join("data"));
        // A file: a pipe of the shell's is closed once privileges are dropped.
        command.arg(format!("--pwfile={}", place.dir().join("password").display()));
        command.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8"]);
        command.args(["--locale=C", "--no-sync"]);
        Ok(command)
    }

    fn command(
        &self,
        programs: &Path,
        place: &Place,
        port: u16,
        durability: Durability,
    ) -> Command {
        let mut command = place.command(programs.join("postgres"));
        command.arg("-D").arg(place.dir().join("data")).arg("-p").arg(port.to_string());
        let mut set = |setting: &str| {
            command.args(["-c", setting]);
        };
        set("listen_addresses=127.0.0.1");
        // A socket's path may have 107 bytes, and a checkout's can be longer.
        set("unix_socket_directories=");
        set("jit=off");
        match durability {
            Durability::Volatile => {
                set("fsync=off");
                set("wal_level=logical");
            }
            // Room enough that neither checkpoints nor vacuum fall into a measurement by chance.
            Durability::Durable => {
                set("shared_buffers=1GB");
                set("max_wal_size=6GB");
                set("autovacuum=off");
            }
        }
        command
    }

    fn answers(&self, programs: &Path, port: u16) -> bool {
        let mut command = Command::new(programs.join("pg_isready"));
        succeeds(command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]))
    }

    fn stop_signal(&self) -> &'static str {
        // "Fast shutdown": ends sessions, writes a checkpoint.
        "INT"
    }
}

/// Debian keeps the programs of each major version apart and off the PATH.
fn newest_of_debian() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.flatten().map(|entry| entry.path()).max_by_key(number)?;
    Some(newest.join("bin")).filter(|programs| programs.is_dir())
}
