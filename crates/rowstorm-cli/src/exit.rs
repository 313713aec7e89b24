//! How the command ends: exit codes that scripts and Kubernetes can tell apart, and errors that say what to do.

use std::fmt;
use std::process::ExitCode;

/// The exit codes. Fixed: scripts hang on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, verified, thresholds held.
    Done,
    /// A bug.
    Internal,
    /// Usage, or an invalid file.
    Usage,
    /// The target is unreachable, or refused the table.
    Target,
    /// Rows were rejected or lost, beyond `--max-errors`.
    Rows,
    /// The database's count disagrees.
    Mismatch,
    /// `compare --fail-on` holds.
    Regression,
    /// A threshold was breached; 99 as k6 has it.
    Threshold,
    /// Stopped by SIGINT: 128 + 2, as shells count.
    Interrupted,
    /// Stopped by SIGTERM: 128 + 15.
    Terminated,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::Target => 3,
            Exit::Rows => 4,
            Exit::Mismatch => 5,
            Exit::Regression => 6,
            Exit::Threshold => 99,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// An error that ends the command: what is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The message is already laid out, with its own `error:` lines.
    pub(crate) laid_out: bool,
}

/// What every command returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), help: None, laid_out: false }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    pub(crate) fn target(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Target, message)
    }

    /// Text that has its own `error:` lines.
    pub(crate) fn laid_out(exit: Exit, text: impl Into<String>) -> Failure {
        Failure { laid_out: true, ..Failure::new(exit, text) }
    }

    /// A file or stream that cannot be read or written.
    pub(crate) fn io(what: impl fmt::Display, cause: &std::io::Error) -> Failure {
        Failure::usage(format!("{what}: {cause}"))
    }

    #[must_use]
    pub(crate) fn help(self, help: impl Into<String>) -> Failure {
        Failure { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.laid_out {
            write!(out, "{}", self.message.trim_end())?;
        } else {
            write!(out, "error: {}", self.message)?;
        }
        match &self.help {
            Some(help) => write!(out, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// No panic message reaches a user: it may hold their data, and says nothing that they could act on.
pub(crate) fn install_panic_hook() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return; // somebody who debugs wants all of it
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        crate::console::talk(&format!(
            "error: internal error at {place} (rowstorm {})\n  help: this is a bug; please report \
             it with this line and the command. RUST_BACKTRACE=1 shows more",
            env!("CARGO_PKG_VERSION")
        ));
        std::process::exit(i32::from(Exit::Internal.code()));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_is_wrong_and_what_would_be_right() {
        let failure = Failure::usage("no target").help("add --to sqlite:cpu.db");
        assert_eq!(failure.to_string(), "error: no target\n  help: add --to sqlite:cpu.db");
        assert_eq!(failure.exit.code(), 2);
    }

    /// Runs this test again in a process of its own, which panics.
    #[test]
    fn a_panic_exits_1_and_keeps_its_message_to_itself() {
        const CHILD: &str = "ROWSTORM_TEST_PANICS";
        if std::env::var_os(CHILD).is_some() {
            install_panic_hook();
            panic!("the password is hunter2");
        }
        let name = "exit::tests::a_panic_exits_1_and_keeps_its_message_to_itself";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .env_remove("RUST_BACKTRACE")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.code(), Some(1), "{said}");
        assert!(said.contains("internal error at") && !said.contains("hunter2"), "{said}");
    }
}
