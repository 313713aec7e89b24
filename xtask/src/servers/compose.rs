//! Starts a server from `deploy/compose.yaml`, where a container engine answers.

use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::running::{Kind, Stop};
use super::{Guard, Running, SERVERS, Server};
use crate::command::{output, root, run, succeeds};

/// The longest that images are fetched and servers come up.
const READY_WITHIN: Duration = Duration::from_mins(5);

/// Whether there is an engine, and the compose plugin with it.
pub(crate) fn engine_answers() -> bool {
    succeeds(Command::new("docker").args(["compose", "version"]))
        && succeeds(Command::new("docker").arg("info"))
}

/// Starts the service of a server's name, if the file has it, as a project of its own, on a port that the engine chooses.
pub(crate) fn start(server: &dyn Server, inside: u16) -> anyhow::Result<(Running, Guard)> {
    let project = format!("rowstorm-test-{}-{}", server.name(), std::process::id());
    // The guard stands first: what `up` has started by half is taken down as well.
    let guard = Guard::new(&Stop::compose(&project))?;
    let wait = READY_WITHIN.as_secs().to_string();
    let mut up = command(&project, &["up", "--detach", "--wait", "--wait-timeout", &wait]);
    run(up.arg(server.name()).stdout(std::io::stderr()))?;
    let address = output(&mut command(&project, &["port", server.name(), &inside.to_string()]))?;
    let port = address.trim().rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.with_context(|| format!("compose says no port, but `{}`", address.trim()))?;
    // The password stands in the file: the port is bound to the loopback address.
    let url = server.url(port, "rowstorm");
    Ok((Running { url, kind: Kind::Compose { project } }, guard))
}

/// Whether a project has containers that run.
pub(crate) fn is_up(project: &str) -> bool {
    output(&mut command(project, &["ps", "--quiet"])).is_ok_and(|ids| !ids.trim().is_empty())
}

/// `docker compose` for a project.
pub(crate) fn command(project: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(["compose", "--project-name", project, "--file"]);
    command.arg(root().join("deploy/compose.yaml")).args(arguments);
    // The engine chooses free ports.
    for server in SERVERS.into_iter().filter(|server| server.container_port().is_some()) {
        command.env(format!("ROWSTORM_{}_PORT", server.name().to_uppercase()), "0");
    }
    command
}
