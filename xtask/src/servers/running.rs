//! A server that runs, how it is stopped, and the guard that stops it whatever becomes of us.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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

/// Ends a process in order, at most half a minute later by force, and removes its directory. Arguments: pid, signal, directory.
const STOP: &str = r#"
kill -"$2" "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL "$1" 2>/dev/null
rm -rf "$3"
"#;

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

    /// Stops it and removes what it wrote.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        let mut command = self.stop_command("");
        run(&mut command)?;
        if self.is_alive() {
            bail!("the server at {} does not end", self.kind_name());
        }
        Ok(())
    }

    fn stop_command(&self, first: &str) -> Command {
        let mut command = Command::new("sh");
        match &self.kind {
            Kind::Process { pid, signal, dir } => {
                command.arg("-c").arg(format!("{first}{STOP}")).arg("stop");
                command.args([&pid.to_string(), signal]).arg(dir);
            }
            Kind::Compose { project } => {
                command.arg("-c").arg(format!("{first} exec \"$@\"")).arg("stop");
                let down = compose::command(project, &["down", "--volumes", "--timeout", "10"]);
                command.arg(down.get_program()).args(down.get_args());
            }
        }
        command
    }

    fn kind_name(&self) -> String {
        match &self.kind {
            Kind::Process { pid, .. } => format!("process {pid}"),
            Kind::Compose { project } => format!("compose project {project}"),
        }
    }
}

/// Stops a server when it is dropped, and also when we are killed: a shell waits at the other end of a pipe, and the
/// pipe closes with us, however we end. The shell stands in a process group of its own, out of reach of Ctrl-C.
pub(crate) struct Guard {
    child: Option<Child>,
    shell: Child,
    stands_down: bool,
}

impl Guard {
    /// Guards a server; `child` is its process where we started it ourselves.
    pub(crate) fn new(running: &Running, child: Option<Child>) -> anyhow::Result<Guard> {
        let wait = "trap '' INT TERM HUP; read -r word; [ \"$word\" = forget ] && exit 0\n";
        let mut command = running.stop_command(wait);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let shell = command.spawn().context("cannot start sh")?;
        Ok(Guard { child, shell, stands_down: false })
    }

    /// Leaves the server running.
    pub(crate) fn forget(mut self) {
        self.stands_down = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take()
            && self.stands_down
        {
            let _ = pipe.write_all(b"forget\n");
        }
        // The pipe is closed now. Our own child must be reaped, or the shell would wait for a zombie.
        if let Some(child) = &mut self.child
            && !self.stands_down
        {
            let _ = child.wait();
        }
        let _ = self.shell.wait();
    }
}

fn command_line(pid: u32) -> Option<String> {
    match std::fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => Some(String::from_utf8_lossy(&line).into_owned()),
        // Without /proc, as on macOS, ps knows.
        Err(_) => output(Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()])).ok(),
    }
}
