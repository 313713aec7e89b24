//! Two servers of MongoDB's protocol over its storage engine, WiredTiger: SecantusDB in Python, which can be told to fail
//! (`failCommand`), for tests; and in Rust, for measurements. MongoDB itself is in no registry. Their licence is the GPL:
//! they are processes beside us and are never linked.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{Source, crate_key, finished, python_key};
use super::{Durability, Native, Place, Server, Standing, probe};

/// The one for tests.
pub(crate) struct MongoDb;

/// The one for measurements: it takes several times as many documents, and minutes to build. It has no password: a user
/// could be made only by a client, on a server that is open until then.
pub(crate) struct FastMongoDb;

const PYTHON: &str = "SecantusDB==0.7.0b3";
const CRATE: (&str, &str) = ("secantus-mdb", "0.5.3-beta.196");

/// Makes the user; arguments: the folder of the data and the file of the password.
const MAKE_USER: &str = include_str!("mongodb/make_user.py");

impl Server for MongoDb {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn variable(&self) -> &'static str {
        "ROWSTORM_TEST_MONGODB"
    }

    fn adapter(&self) -> &'static str {
        "rowstorm-mongodb"
    }

    fn container_port(&self) -> Option<u16> {
        Some(27017)
    }

    fn native(&self) -> Option<&dyn Native> {
        Some(self)
    }

    fn url(&self, port: u16, password: &str) -> String {
        format!(
            "mongodb://root:{password}@127.0.0.1:{port}/rowstorm?authSource=admin&directConnection=true"
        )
    }
}

impl Native for MongoDb {
    fn source(&self) -> Source {
        Source::Python(PYTHON)
    }

    fn programs(&self) -> Option<PathBuf> {
        Some(finished(&python_key(PYTHON))?.join("bin"))
    }

    fn initialise(
        &self,
        programs: &Path,
        place: &Place,
        _password: &str,
    ) -> anyhow::Result<Command> {
        let mut command = place.command(programs.join("python"));
        command.args(["-c", MAKE_USER]).arg(place.dir().join("data"));
        command.arg(place.dir().join("password"));
        Ok(command)
    }

    fn command(
        &self,
        programs: &Path,
        place: &Place,
        port: u16,
        _durability: Durability,
    ) -> Command {
        // Without more it says that it is a replica set of one, and has transactions.
        let mut command = daemon(programs, "secantusd-py", place, port);
        command.args(["--auth", "--enable-test-commands"]);
        command
    }

    fn answers(&self, _programs: &Path, port: u16) -> bool {
        probe::mongodb_answers(port)
    }
}

impl Server for FastMongoDb {
    fn name(&self) -> &'static str {
        "mongodb-fast"
    }

    fn variable(&self) -> &'static str {
        MongoDb.variable()
    }

    fn adapter(&self) -> &'static str {
        MongoDb.adapter()
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

    fn url(&self, port: u16, _password: &str) -> String {
        format!("mongodb://127.0.0.1:{port}/rowstorm?directConnection=true")
    }

    /// The variable is that of the other one.
    fn given(&self) -> Option<String> {
        None
    }
}

impl Native for FastMongoDb {
    fn source(&self) -> Source {
        Source::Crate(CRATE.0, CRATE.1)
    }

    fn programs(&self) -> Option<PathBuf> {
        Some(finished(&crate_key(CRATE.0, CRATE.1))?.join("bin"))
    }

    fn initialise(
        &self,
        _programs: &Path,
        place: &Place,
        _password: &str,
    ) -> anyhow::Result<Command> {
        // It makes its store when it starts.
        Ok(place.command("true"))
    }

    fn command(
        &self,
        programs: &Path,
        place: &Place,
        port: u16,
        _durability: Durability,
    ) -> Command {
        let mut command = daemon(programs, "secantusd-rs", place, port);
        command.arg("--standalone");
        command
    }

    fn answers(&self, _programs: &Path, port: u16) -> bool {
        probe::mongodb_answers(port)
    }
}

/// The same for every durability, as MongoDB itself answers before its journal is on disk unless a client asks for more. With
/// `--sync-on-commit`, dropping a collection would wait for the disk once for each document: minutes for 40,000.
fn daemon(programs: &Path, program: &str, place: &Place, port: u16) -> Command {
    let mut command = place.command(programs.join(program));
    // It looks for a configuration in the user's home.
    command.env("HOME", place.dir());
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    command.arg("--storage-path").arg(place.dir().join("data"));
    command
}
