//! What a database must say about its server, so that it can be installed, started, found and stopped.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Place;
use super::install::Source;

/// A database server that can be started for a test.
pub(crate) trait Server: Sync {
    /// Its name, as `cargo xtask servers up NAME` and `ROWSTORM_REQUIRE` know it; also the service's in the compose file.
    fn name(&self) -> &'static str;
    /// The variable that tells the tests its address.
    fn variable(&self) -> &'static str;
    /// The crate whose tests need it.
    fn adapter(&self) -> &'static str;
    /// Whether it is started unasked.
    fn standing(&self) -> Standing {
        Standing::Required
    }
    /// The port that it has inside its container, if the compose file has such a service.
    fn container_port(&self) -> Option<u16>;
    /// How it is installed and started from programs, if it can be.
    fn native(&self) -> Option<&dyn Native>;
    /// Its address for tests.
    fn url(&self, port: u16, password: &str) -> String;
    /// The address of one that runs elsewhere, if the environment names it.
    fn given(&self) -> Option<String> {
        std::env::var(self.variable()).ok().filter(|url| !url.is_empty())
    }
}

/// A server that can be installed and started without a container engine.
pub(crate) trait Native: Sync {
    /// Where it comes from.
    fn source(&self) -> Source;
    /// The folder of its programs, if it is installed.
    fn programs(&self) -> Option<PathBuf>;
    /// The command that makes an empty database. It comes from [`Place::command`], which drops privileges; the password
    /// stands in the place's file `password`, too.
    fn initialise(&self, programs: &Path, place: &Place, password: &str)
    -> anyhow::Result<Command>;
    /// The command that is the server, in the foreground.
    fn command(&self, programs: &Path, place: &Place, port: u16, durability: Durability)
    -> Command;
    /// Whether it answers.
    fn answers(&self, programs: &Path, port: u16) -> bool;
    /// What is done once it answers, before anybody gets its address.
    fn furnish(&self, _programs: &Path, _port: u16, _password: &str) -> anyhow::Result<()> {
        Ok(())
    }
    /// The signal that ends it in order.
    fn stop_signal(&self) -> &'static str {
        "TERM"
    }
}

/// Whether a server is started unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is: CI cannot do without it.
    Required,
    /// Only by its name.
    OnRequest,
}

/// Whether what a server has confirmed survives a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It does: for measurements.
    Durable,
    /// It does not: for tests, which would only wait for the disk.
    Volatile,
}
