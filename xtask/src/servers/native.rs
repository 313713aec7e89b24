//! Starts a server from installed programs.

use std::fs::File;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::running::Kind;
use super::{Durability, Guard, Place, Running, Server};

const READY_WITHIN: Duration = Duration::from_mins(1);

/// Makes a database in a new directory below `base` and starts a server on it.
pub(crate) fn start(
    server: &dyn Server,
    programs: &Path,
    base: &Path,
    durability: Durability,
) -> anyhow::Result<(Running, Guard)> {
    let place = Place::create(base, server.name())?;
    let password = password()?;
    place.write("password", &password)?;
    let started = server
        .initialise(programs, &place)
        .and_then(|()| spawn(server, programs, &place, durability, &password));
    if started.is_err() {
        std::fs::remove_dir_all(place.dir())?;
    }
    let (running, guard) = started?;
    let port = running.url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or("");
    eprintln!("{} listens on port {port}, in {}", server.name(), place.dir().display());
    Ok((running, guard))
}

fn spawn(
    server: &dyn Server,
    programs: &Path,
    place: &Place,
    durability: Durability,
    password: &str,
) -> anyhow::Result<(Running, Guard)> {
    let port = free_port()?;
    let log = place.write("log", "")?;
    let file = File::options().append(true).open(&log)?;
    let mut command = server.command(programs, place, port, durability);
    // A group of its own: Ctrl-C is for us, and the guard then ends the server in order.
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    let mut child = command.spawn().with_context(|| format!("cannot start {}", server.name()))?;
    let wait = wait_until_ready(server, programs, port, &mut child);
    let kind = Kind::Process {
        pid: child.id(),
        signal: server.stop_signal().to_owned(),
        dir: place.dir().to_owned(),
    };
    let running = Running { url: server.url(port, password), kind };
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let guard = Guard::new(&running, Some(child))?;
    wait.with_context(|| last_lines(&said))?;
    Ok((running, guard))
}

fn wait_until_ready(
    server: &dyn Server,
    programs: &Path,
    port: u16,
    child: &mut Child,
) -> anyhow::Result<()> {
    let start = Instant::now();
    while start.elapsed() < READY_WITHIN {
        if let Some(status) = child.try_wait()? {
            bail!("{} ended at once with {status}", server.name());
        }
        if server.answers(programs, port) {
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

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
