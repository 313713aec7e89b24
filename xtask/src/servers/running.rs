//! A server that runs, and how it is stopped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::compose;
use crate::command::{output, run};

/// A server that runs.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    /// Its address.
    pub(crate) url: String,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What runs.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A process of this machine.
    Process {
        /// Its id.
        pid: u32,
        /// The signal that ends it in order.
        signal: String,
        /// Its private directory, removed in the end.
        dir: PathBuf,
    },
    /// Containers of one project.
    Compose {
        /// The project's name.
        project: String,
    },
}

/// What a shell does to stop something, without us if need be.
pub(super) struct Stop {
    /// The script.
    pub(super) script: &'static str,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
}

/// Ends the process group `$pid` in order, or by `$signal` if that is set, at most half a minute later by force, and removes
/// its directory. Arguments: signal, directory.
const STOP_PROCESS: &str = r#"
if [ -n "$pid" ]; then
    kill -s "${signal:-$1}" -- "-$pid" 2>/dev/null
    tries=0
    while kill -s 0 -- "-$pid" 2>/dev/null && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -s KILL -- "-$pid" 2>/dev/null
fi
rm -rf "$2"
"#;

/// Runs its arguments.
const STOP_BY_COMMAND: &str = "exec \"$@\"";

impl Stop {
    /// For a process that is not started yet, and its directory.
    pub(super) fn process(signal: &str, dir: &Path) -> Stop {
        Stop { script: STOP_PROCESS, arguments: vec![signal.into(), dir.into()] }
    }

    /// For a project of containers.
    pub(super) fn compose(project: &str) -> Stop {
        let down = compose::command(project, &["down", "--volumes", "--timeout", "10"]);
        let arguments = std::iter::once(down.get_program()).chain(down.get_args());
        Stop { script: STOP_BY_COMMAND, arguments: arguments.map(Into::into).collect() }
    }
}

impl Running {
    /// Reads what was written by an earlier call, if anything was.
    pub(crate) fn read(state: &Path) -> anyhow::Result<Option<Running>> {
        let Ok(text) = std::fs::read_to_string(state) else { return Ok(None) };
        let value: Value = serde_json::from_str(&text)?;
        let field = |name: &str| value[name].as_str().map(str::to_owned);
        let found = || {
            let url = field("url")?;
            let kind = match field("project") {
                Some(project) => Kind::Compose { project },
                None => Kind::Process {
                    pid: u32::try_from(value["pid"].as_u64()?).ok()?,
                    signal: field("signal")?,
                    dir: field("dir")?.into(),
                },
            };
            Some(Running { url, kind })
        };
        found().with_context(|| format!("{} cannot be read", state.display())).map(Some)
    }

    /// Remembers this server for a later call.
    pub(crate) fn write(&self, state: &Path) -> anyhow::Result<()> {
        let value = match &self.kind {
            Kind::Process { pid, signal, dir } => {
                json!({ "url": self.url, "pid": pid, "signal": signal, "dir": dir })
            }
            Kind::Compose { project } => json!({ "url": self.url, "project": project }),
        };
        if let Some(folder) = state.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(state, value.to_string()).map_err(Into::into)
    }

    /// Whether it still runs. A process must have our directory in its command line: ids are used again.
    pub(crate) fn is_alive(&self) -> bool {
        match &self.kind {
            Kind::Process { pid, dir, .. } => {
                command_line(*pid).is_some_and(|line| line.contains(&dir.display().to_string()))
            }
            Kind::Compose { project } => compose::is_up(project),
        }
    }

    /// Its process, if it is one of this machine.
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.kind {
            Kind::Process { pid, .. } => Some(*pid),
            Kind::Compose { .. } => None,
        }
    }

    /// Stops it and removes what it wrote.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        let (pid, stop) = match &self.kind {
            Kind::Process { pid, signal, dir } => (*pid, Stop::process(signal, dir)),
            Kind::Compose { project } => (0, Stop::compose(project)),
        };
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("pid={pid} signal=\n{}", stop.script))
            .arg("stop")
            .args(stop.arguments);
        run(&mut command)?;
        if self.is_alive() {
            bail!("the server at {} does not end", self.kind_name());
        }
        Ok(())
    }

    fn kind_name(&self) -> String {
        match &self.kind {
            Kind::Process { pid, .. } => format!("process {pid}"),
            Kind::Compose { project } => format!("compose project {project}"),
        }
    }
}

fn command_line(pid: u32) -> Option<String> {
    match std::fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => Some(String::from_utf8_lossy(&line).into_owned()),
        // Without /proc, as on macOS, ps knows.
        Err(_) => output(Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()])).ok(),
    }
}
