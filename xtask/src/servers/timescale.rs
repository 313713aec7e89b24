//! PostgreSQL 17 with TimescaleDB, from Debian 13 in a private root. Its edition is the Apache one: hypertables, no
//! compression.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{Root, Source, finished};
use super::postgres::Postgres;
use super::{Durability, Native, Place, Server, Standing};
use crate::command::output;

/// PostgreSQL with TimescaleDB.
pub(crate) struct Timescale;

const PROGRAMS: &str = "usr/lib/postgresql/17/bin";

const ROOT: Root = Root {
    suite: "trixie",
    packages: &["postgresql-17-timescaledb", "postgresql-17", "postgresql-client-17"],
    folders: &[PROGRAMS],
};

impl Server for Timescale {
    fn name(&self) -> &'static str {
        "timescale"
    }

    fn variable(&self) -> &'static str {
        "ROWSTORM_TEST_TIMESCALE"
    }

    fn adapter(&self) -> &'static str {
        Postgres.adapter()
    }

    fn standing(&self) -> Standing {
        Standing::OnRequest
    }

    fn container_port(&self) -> Option<u16> {
        None
    }

    fn native(&self) -> Option<&dyn Native> {
        Some(self)
    }

    fn url(&self, port: u16, password: &str) -> String {
        Postgres.url(port, password)
    }
}

impl Native for Timescale {
    fn source(&self) -> Source {
        Source::Root(ROOT)
    }

    fn programs(&self) -> Option<PathBuf> {
        Some(finished(&ROOT.key())?.join(PROGRAMS))
    }

    fn initialise(
        &self,
        programs: &Path,
        place: &Place,
        password: &str,
    ) -> anyhow::Result<Command> {
        Postgres.initialise(programs, place, password)
    }

    fn command(
        &self,
        programs: &Path,
        place: &Place,
        port: u16,
        durability: Durability,
    ) -> Command {
        let mut command = Postgres.command(programs, place, port, durability);
        command.args(["-c", "shared_preload_libraries=timescaledb"]);
        // It would report to its makers.
        command.args(["-c", "timescaledb.telemetry_level=off"]);
        command
    }

    fn answers(&self, programs: &Path, port: u16) -> bool {
        Postgres.answers(programs, port)
    }

    fn furnish(&self, programs: &Path, port: u16, password: &str) -> anyhow::Result<()> {
        let mut command = Command::new(programs.join("psql"));
        command.args(["-X", "-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres"]);
        command.args(["-v", "ON_ERROR_STOP=1", "-c", "CREATE EXTENSION timescaledb"]);
        output(command.env("PGPASSWORD", password)).map(|_| ())
    }

    fn stop_signal(&self) -> &'static str {
        Postgres.stop_signal()
    }
}
