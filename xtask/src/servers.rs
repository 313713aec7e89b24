//! Real servers for tests and measurements: started on free loopback ports, in a directory of their own, and stopped.
//!
//! A database is one file that implements [`Server`]. Three ways in, tried in this order: an address that the environment
//! names, a container where an engine answers, programs that are installed or can be. Nothing that was there before is
//! touched.

mod compose;
mod cratedb;
mod guard;
mod install;
mod mariadb;
mod mongodb;
mod mysql;
mod native;
mod place;
mod postgres;
mod probe;
mod running;
mod server;
mod side_by_side;
mod timescale;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::arguments::Arguments;
use crate::command::target_dir;
pub(crate) use guard::{Guard, drop_all};
pub(crate) use place::Place;
pub(crate) use running::Running;
pub(crate) use server::{Durability, Native, Server, Standing};
pub(crate) use side_by_side::side_by_side;

/// All servers that can be started.
pub(crate) const SERVERS: [&dyn Server; 7] = [
    &postgres::Postgres,
    &mariadb::MariaDb,
    &mysql::MySql,
    &mongodb::MongoDb,
    &mongodb::FastMongoDb,
    &timescale::Timescale,
    &cratedb::CrateDb,
];

/// The one server that part of the measurements needs by name.
pub(crate) const POSTGRES: &dyn Server = &postgres::Postgres;

/// `cargo xtask servers up|down|env`.
pub(crate) fn servers(mut arguments: Arguments) -> anyhow::Result<()> {
    let base = arguments.value::<PathBuf>("--dir")?;
    let base = std::path::absolute(base.unwrap_or_else(servers_dir))?;
    let action = arguments.next();
    let durability =
        if arguments.flag("--durable") { Durability::Durable } else { Durability::Volatile };
    let names = arguments.rest();
    let chosen = choose(&names)?;
    match action.as_deref() {
        Some("up") if names.is_empty() => {
            let (unasked, by_name) = unasked();
            let by_name: Vec<_> = by_name.into_iter().map(Server::name).collect();
            eprintln!("starting what CI requires; by name only: {}", by_name.join(", "));
            up(&base, durability, &unasked)
        }
        Some("up") => up(&base, durability, &chosen),
        Some("env") => each_running(&base, &chosen, |server, running, _| {
            export(server, &running.url);
            Ok(())
        }),
        Some("down") => each_running(&base, &chosen, |server, running, state| {
            running.stop()?;
            std::fs::remove_file(state)?;
            eprintln!("{} stopped", server.name());
            Ok(())
        }),
        _ => bail!("say `servers up`, `servers down` or `servers env`"),
    }
}

/// The servers that are started unasked, and the others.
pub(crate) fn unasked() -> (Vec<&'static dyn Server>, Vec<&'static dyn Server>) {
    SERVERS.into_iter().partition(|server| server.standing() == Standing::Required)
}

/// The server of a name.
pub(crate) fn named(name: &str) -> anyhow::Result<&'static dyn Server> {
    let known = || SERVERS.map(Server::name).join(", ");
    let found = SERVERS.into_iter().find(|server| server.name() == name);
    found.with_context(|| format!("no server is called `{name}`; there are: {}", known()))
}

/// Leaves servers running, and prints all their addresses even if one of them does not start.
fn up(base: &Path, durability: Durability, chosen: &[&'static dyn Server]) -> anyhow::Result<()> {
    side_by_side(chosen, |server| {
        let state = state(base, server);
        if let Some(running) = Running::read(&state)?.filter(Running::is_alive) {
            eprintln!("{} runs already", server.name());
            export(server, &running.url);
            return Ok(());
        }
        if let Some(url) = server.given() {
            // The variable may be left over from one that was stopped.
            if probe::somebody_listens(&url) {
                eprintln!("{} is given in {}", server.name(), server.variable());
                export(server, &url);
                return Ok(());
            }
            eprintln!("nobody listens at the address in {}: starting one", server.variable());
        }
        let (running, guard) = start(server, base, durability)?;
        running.write(&state)?;
        guard.forget();
        export(server, &running.url);
        Ok(())
    })
    .map(|_: Vec<()>| ())
}

fn each_running(
    base: &Path,
    chosen: &[&'static dyn Server],
    act: impl Fn(&dyn Server, &Running, &Path) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    side_by_side(chosen, |server| {
        let state = state(base, server);
        if let Some(running) = Running::read(&state)?.filter(Running::is_alive) {
            return act(server, &running, &state);
        }
        eprintln!("{} is not running", server.name());
        Ok(())
    })
    .map(|_: Vec<()>| ())
}

/// Starts a server: in a container where an engine answers, else from installed programs, else installs them first
/// where that can be done without a question.
fn start(
    server: &dyn Server,
    base: &Path,
    durability: Durability,
) -> anyhow::Result<(Running, Guard)> {
    let native = server.native();
    // Measurements want the server's own processes on this machine, if there is a choice.
    let contained = server.container_port().filter(|_| {
        (durability == Durability::Volatile || native.is_none()) && compose::engine_answers()
    });
    if let Some(port) = contained {
        match compose::start(server, port) {
            Ok(started) => return Ok(started),
            // An engine without the image and without a network is no engine for us.
            Err(error) => eprintln!("no container: {error:#}; trying installed programs"),
        }
    }
    let native = native.with_context(|| {
        format!(
            "no package manager here has the server of {}: start Docker, or name one that runs in {}",
            server.name(),
            server.variable()
        )
    })?;
    if native.programs().is_none() {
        install::install(server, native)?;
    }
    let programs = native.programs();
    let programs = programs.with_context(|| format!("{} is still missing", server.name()))?;
    native::start(server, native, &programs, base, durability)
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
    let (running, guard) = start(server, &servers_dir(), durability)?;
    Ok((running.url, Some(guard)))
}

/// A server of our own, which lives as long as its guard; what the environment names is left alone.
pub(crate) fn start_here(
    server: &dyn Server,
    durability: Durability,
) -> anyhow::Result<(Running, Guard)> {
    start(server, &servers_dir(), durability)
}

fn servers_dir() -> PathBuf {
    target_dir().join("servers")
}

/// What is remembered of a server that was left running.
fn state(base: &Path, server: &dyn Server) -> PathBuf {
    base.join(format!("{}.json", server.name()))
}

fn export(server: &dyn Server, url: &str) {
    println!("export {}='{url}'", server.variable());
}

fn choose(names: &[String]) -> anyhow::Result<Vec<&'static dyn Server>> {
    if names.is_empty() {
        return Ok(SERVERS.to_vec());
    }
    names.iter().map(|name| named(name)).collect()
}
