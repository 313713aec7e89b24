//! Stops what was started when it is dropped, and also when we are killed.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use anyhow::Context as _;

use super::running::Stop;

/// A shell waits at the other end of a pipe, and the pipe closes with us, however we end. The shell stands in a process group
/// of its own, out of reach of Ctrl-C. It stands by before anything is started, so that nothing is left at any moment.
pub(crate) struct Guard {
    child: Option<Child>,
    shell: Child,
    pipe: Option<ChildStdin>,
}

/// Reads words until the pipe closes; `forget` ends it, `pid N` says what to stop, `signal NAME` by which signal.
const STAND_BY: &str = r#"
trap '' INT TERM HUP
pid= signal=
while read -r word value; do
    case "$word" in
        forget) exit 0 ;;
        pid) pid=$value ;;
        signal) signal=$value ;;
    esac
done
"#;

impl Guard {
    /// Stands by.
    pub(super) fn new(stop: &Stop) -> anyhow::Result<Guard> {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{STAND_BY}\n{}", stop.script))
            .arg("stop")
            .args(&stop.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut shell = command.spawn().context("cannot start sh")?;
        let pipe = shell.stdin.take();
        Ok(Guard { child: None, shell, pipe })
    }

    /// Starts a process that is stopped in the end, in a group of its own: Ctrl-C is for us, and we then stop it in order.
    pub(super) fn start(&mut self, command: &mut Command) -> anyhow::Result<u32> {
        let child = command.process_group(0).spawn()?;
        let pid = child.id();
        self.child = Some(child);
        self.say(&format!("pid {pid}"));
        Ok(pid)
    }

    /// Runs a process to its end; it is killed if we end before: what it has half made is removed anyway.
    pub(super) fn run(&mut self, command: &mut Command) -> anyhow::Result<ExitStatus> {
        self.say("signal KILL");
        self.start(command)?;
        let status = self.child.as_mut().context("it was just started")?.wait()?;
        self.child = None;
        self.say("pid");
        self.say("signal");
        Ok(status)
    }

    /// How the process ended, if it did.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        match &mut self.child {
            Some(child) => child.try_wait().map_err(Into::into),
            None => Ok(None),
        }
    }

    /// Leaves the server running.
    pub(crate) fn forget(mut self) {
        self.say("forget");
        self.child = None;
    }

    /// A shell that is gone reads nothing; then there is nobody to tell.
    fn say(&mut self, words: &str) {
        if let Some(pipe) = &mut self.pipe {
            let _ = writeln!(pipe, "{words}");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pipe = None;
        // Our own child must be reaped, or the shell would wait for a zombie.
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
        let _ = self.shell.wait();
    }
}

/// Drops guards side by side: each waits for its server.
pub(crate) fn drop_all(guards: Vec<Guard>) {
    std::thread::scope(|scope| {
        for guard in guards {
            scope.spawn(move || drop(guard));
        }
    });
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::command::{succeeds, target_dir};

    /// A guard over a new folder, and a process that would run for ever.
    fn guarded(test: &str) -> (Guard, u32, PathBuf) {
        let dir = target_dir().join(format!("xtask-tests/{test}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut guard = Guard::new(&Stop::process("TERM", &dir)).unwrap();
        let pid = guard.start(Command::new("sleep").arg("1000")).unwrap();
        (guard, pid, dir)
    }

    fn lives(pid: u32) -> bool {
        succeeds(Command::new("kill").args(["-0", &pid.to_string()]))
    }

    #[test]
    fn what_is_guarded_ends_with_its_guard_and_its_folder_too() {
        let (guard, pid, dir) = guarded("guarded");
        assert!(lives(pid));
        drop(guard);
        assert!(!lives(pid));
        assert!(!dir.exists());
    }

    #[test]
    fn what_is_forgotten_goes_on() {
        let (guard, pid, dir) = guarded("forgotten");
        guard.forget();
        assert!(lives(pid));
        assert!(dir.exists());
        assert!(succeeds(Command::new("kill").arg(pid.to_string())));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_runs_to_its_end_is_not_stopped_any_more() {
        let dir = target_dir().join(format!("xtask-tests/ran-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut guard = Guard::new(&Stop::process("TERM", &dir)).unwrap();
        assert!(guard.run(&mut Command::new("true")).unwrap().success());
        assert!(guard.ended().unwrap().is_none());
        drop(guard);
        assert!(!dir.exists());
    }
}
