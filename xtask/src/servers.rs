//! Real servers for tests and measurements: started on free loopback ports, in a directory of their own, and stopped.
//!
//! A database is one file that implements [`Server`]. Three ways in, tried in this order by `cargo xtask test`: an
//! address that the environment names, a container where an engine answers, programs that are installed. Nothing that
//! was there before is touched.

mod compose;
mod install;
mod native;
mod place;
mod postgres;
mod running;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::arguments::Arguments;
use crate::command::target_dir;
pub(crate) use place::Place;
pub(crate) use running::{Guard, Running};

/// A database server that can be started for a test.
pub(crate) trait Server: Sync {
    /// Its name, as `cargo xtask servers up NAME` and `ROWSTORM_REQUIRE` know it; also the service's in the compose file.
    fn name(&self) -> &'static str;
    /// The variable that tells the tests its address.
    fn variable(&self) -> &'static str;
    /// The port that it has inside its container.
    fn container_port(&self) -> u16;
    /// The folder of its programs, if it is installed.
    fn programs(&self) -> Option<PathBuf>;
    /// The Debian package that holds it, and what others do instead.
    fn package(&self) -> Package;
    /// Makes an empty database. The commands go through [`Place::command`], which drops privileges.
    fn initialise(&self, programs: &Path, place: &Place) -> anyhow::Result<()>;
    /// The command that is the server, in the foreground.
    fn command(&self, programs: &Path, place: &Place, port: u16, durability: Durability)
    -> Command;
    /// Whether it answers.
    fn answers(&self, programs: &Path, port: u16) -> bool;
    /// Its address for tests.
    fn url(&self, port: u16, password: &str) -> String;
    /// The signal that ends it in order.
    fn stop_signal(&self) -> &'static str;
}

/// Where a server comes from if it is missing.
pub(crate) struct Package {
    /// Debian's package.
    pub(crate) debian: &'static str,
    /// A file that keeps the package from starting a service of its own, and its text.
    pub(crate) quiet: (&'static str, &'static str),
    /// What to say to everybody else.
    pub(crate) elsewhere: &'static str,
}

/// Whether what a server has confirmed survives a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It does: for measurements.
    Durable,
    /// It does not: for tests, which would only wait for the disk.
    Volatile,
}

/// All servers that can be started.
pub(crate) const SERVERS: [&dyn Server; 1] = [&postgres::Postgres];

/// The one server that part of the measurements needs by name.
pub(crate) const POSTGRES: &dyn Server = &postgres::Postgres;

/// `cargo xtask servers up|down|env`.
pub(crate) fn servers(mut arguments: Arguments) -> anyhow::Result<()> {
    let base = arguments.value::<PathBuf>("--dir")?;
    let base = base.unwrap_or_else(|| target_dir().join("servers"));
    let base = std::path::absolute(&base)?;
    let action = arguments.next();
    let durability =
        if arguments.flag("--durable") { Durability::Durable } else { Durability::Volatile };
    let chosen = choose(&arguments.rest())?;
    for server in chosen {
        let state = base.join(format!("{}.json", server.name()));
        let running = Running::read(&state)?.filter(Running::is_alive);
        match (action.as_deref(), running) {
            (Some("up" | "env"), Some(running)) => export(server, &running),
            (Some("up"), None) => {
                let (running, guard) = start(server, &base, durability)?;
                running.write(&state)?;
                guard.forget();
                export(server, &running);
            }
            (Some("down"), Some(running)) => {
                running.stop()?;
                std::fs::remove_file(&state)?;
                eprintln!("{} stopped", server.name());
            }
            (Some("down" | "env"), None) => eprintln!("{} is not running", server.name()),
            _ => bail!("say `servers up`, `servers down` or `servers env`"),
        }
    }
    Ok(())
}

/// Starts a server: in a container where an engine answers, else from installed programs, else installs them first
/// where that can be done without a question.
fn start(
    server: &dyn Server,
    base: &Path,
    durability: Durability,
) -> anyhow::Result<(Running, Guard)> {
    if durability == Durability::Volatile && compose::engine_answers() {
        match compose::start(server) {
            Ok(started) => return Ok(started),
            // An engine without the image and without a network is no engine for us.
            Err(error) => eprintln!("no container: {error:#}; trying installed programs"),
        }
    }
    if server.programs().is_none() {
        install::install(server)?;
    }
    let programs = server.programs();
    let programs = programs.with_context(|| format!("{} is still missing", server.name()))?;
    native::start(server, &programs, base, durability)
}

/// The address that is given, or that of a server which is started now and lives as long as its guard.
pub(crate) fn given_or_started(
    given: Option<String>,
    server: &dyn Server,
    durability: Durability,
) -> anyhow::Result<(String, Option<Guard>)> {
    if let Some(url) = given {
        return Ok((url, None));
    }
    let (running, guard) = start(server, &target_dir().join("servers"), durability)?;
    Ok((running.url, Some(guard)))
}

fn export(server: &dyn Server, running: &Running) {
    println!("export {}='{}'", server.variable(), running.url);
}

fn choose(names: &[String]) -> anyhow::Result<Vec<&'static dyn Server>> {
    if names.is_empty() {
        return Ok(SERVERS.to_vec());
    }
    let find = |name: &String| {
        let known = || SERVERS.map(Server::name).join(", ");
        let found = SERVERS.into_iter().find(|server| server.name() == name);
        found.with_context(|| format!("no server is called `{name}`; there are: {}", known()))
    };
    names.iter().map(find).collect()
}
