//! Starts a server from installed programs.

use std::fs::File;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::running::{Kind, Stop};
use super::{Durability, Guard, Native, Place, Running, Server};

/// Some seconds will do, unless the machine is very busy.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How often a start is tried: between finding a free port and listening on it, somebody else may take it.
const TRIES: usize = 3;

/// Makes a database in a new directory below `base` and starts a server on it.
pub(crate) fn start(
    server: &dyn Server,
    native: &dyn Native,
    programs: &Path,
    base: &Path,
    durability: Durability,
) -> anyhow::Result<(Running, Guard)> {
    let place = Place::create(base, server.name())?;
    let mut guard = Guard::new(&Stop::process(native.stop_signal(), place.dir()))?;
    let password = password()?;
    place.write("password", &password)?;
    initialise(native, programs, &place, &password, &mut guard)?;
    let mut tries = 0;
    let (pid, port) = loop {
        tries += 1;
        match spawn(server, native, programs, &place, durability, &mut guard) {
            Err(error) if tries < TRIES && guard.ended()?.is_some() => {
                eprintln!("{error:#}; starting it once more");
            }
            result => break result?,
        }
    };
    native.furnish(programs, port, &password)?;
    let signal = native.stop_signal().to_owned();
    let kind = Kind::Process { pid, signal, dir: place.dir().to_owned() };
    eprintln!("{} listens on port {port}, in {}", server.name(), place.dir().display());
    Ok((Running { url: server.url(port, &password), kind }, guard))
}

fn initialise(
    native: &dyn Native,
    programs: &Path,
    place: &Place,
    password: &str,
    guard: &mut Guard,
) -> anyhow::Result<()> {
    let log = Log::new(place, "initialise.log")?;
    let mut command = native.initialise(programs, place, password)?;
    let status = guard.run(log.take(&mut command)?)?;
    ensure!(status.success(), "the database could not be made ({status})\n{}", log.last_lines());
    Ok(())
}

/// Its process and its port, once it answers.
fn spawn(
    server: &dyn Server,
    native: &dyn Native,
    programs: &Path,
    place: &Place,
    durability: Durability,
    guard: &mut Guard,
) -> anyhow::Result<(u32, u16)> {
    let port = free_port()?;
    let log = Log::new(place, "log")?;
    let mut command = native.command(programs, place, port, durability);
    let started = guard.start(log.take(&mut command)?);
    let pid = started.with_context(|| format!("cannot start {}", server.name()))?;
    let wait = wait_until_ready(server, native, programs, port, guard);
    wait.with_context(|| log.last_lines())?;
    Ok((pid, port))
}

fn wait_until_ready(
    server: &dyn Server,
    native: &dyn Native,
    programs: &Path,
    port: u16,
    guard: &mut Guard,
) -> anyhow::Result<()> {
    let start = Instant::now();
    while start.elapsed() < READY_WITHIN {
        if let Some(status) = guard.ended()? {
            bail!("{} ended at once with {status}", server.name());
        }
        if native.answers(programs, port) {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
    bail!("{} did not answer within {} s", server.name(), READY_WITHIN.as_secs())
}

/// A port that is free now. Somebody may take it before the server does; then the start fails and says so.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A new password: other users of this machine can reach a loopback port too.
fn password() -> anyhow::Result<String> {
    let mut bytes = [0; 12];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:024x}", bytes.iter().fold(0_u128, |all, byte| all << 8 | u128::from(*byte))))
}

/// A file that a process writes to.
struct Log(PathBuf);

impl Log {
    fn new(place: &Place, name: &str) -> anyhow::Result<Log> {
        Ok(Log(place.write(name, "")?))
    }

    fn take<'a>(&self, command: &'a mut Command) -> anyhow::Result<&'a mut Command> {
        let file = File::options().append(true).open(&self.0)?;
        Ok(command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file))
    }

    fn last_lines(&self) -> String {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}
