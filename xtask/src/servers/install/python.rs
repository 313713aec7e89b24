//! A package of PyPI in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::{apt, cache};
use crate::command::{find, is_root, run, succeeds};
use crate::servers::place::unprivileged;

/// Makes an environment in a folder and installs one package with an exact version.
pub(super) fn install(dir: &Path, requirement: &str) -> anyhow::Result<()> {
    let python = python()?;
    let mut pip = pip_into(&python, dir)?;
    pip.args(["install", "--quiet", "--disable-pip-version-check", requirement]);
    run(pip.stdout(std::io::stderr()))
}

/// A Python that the server's user may start too: root's own is often in root's home.
fn python() -> anyhow::Result<PathBuf> {
    let usable = || {
        let candidates = [Some(PathBuf::from("/usr/bin/python3")), find("python3")];
        let mut candidates = candidates.into_iter().flatten().filter(|python| python.is_file());
        candidates.find(|python| {
            unprivileged(python).is_ok_and(|mut command| succeeds(command.args(["-c", "pass"])))
        })
    };
    if usable().is_none() {
        install_debian_python()?;
    }
    usable().context("python3 is not installed")
}

/// The command that is `pip` for a new environment in a folder: its own, or one from elsewhere that can install into it
/// (since 22.3), because Debian's Python makes environments with a pip only where `python3-venv` is installed.
fn pip_into(python: &Path, dir: &Path) -> anyhow::Result<Command> {
    let venv = |options: &[&str]| {
        succeeds(Command::new(python).args(["-m", "venv", "--clear"]).args(options).arg(dir))
    };
    let inside = dir.join("bin/python");
    let own = || {
        let mut command = Command::new(&inside);
        command.args(["-m", "pip"]);
        command
    };
    if venv(&[]) {
        return Ok(own());
    }
    for pip in ["pip3", "pip"] {
        let into = || {
            let mut command = Command::new(pip);
            command.arg("--python").arg(&inside);
            command
        };
        if venv(&["--without-pip"]) && succeeds(into().arg("--version")) {
            return Ok(into());
        }
    }
    install_debian_python()?;
    if !venv(&[]) {
        bail!("{} makes no environment: `-m venv` fails", python.display());
    }
    Ok(own())
}

fn install_debian_python() -> anyhow::Result<()> {
    if !is_root()? || find("apt-get").is_none() {
        bail!(
            "python3 with venv is needed; on Debian or Ubuntu: `sudo apt-get install python3-venv`"
        );
    }
    cache::alone("apt", || {
        run(&mut apt::apt(&["update"]))?;
        let wait = ["-o", "DPkg::Lock::Timeout=300"];
        run(apt::apt(&["install", "-y", "--no-install-recommends", "python3-venv"]).args(wait))
    })
}
