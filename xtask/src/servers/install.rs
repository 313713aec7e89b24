//! Installs a server's package where that is safe to do unasked: as root, on Debian.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use super::Server;
use crate::command::{find, output, run};

/// Installs what is missing, or says what to install.
pub(crate) fn install(server: &dyn Server) -> anyhow::Result<()> {
    let package = server.package();
    let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    if !is_root || find("apt-get").is_none() {
        bail!(
            "{} is not installed. On Debian or Ubuntu: `sudo apt-get install {}`; elsewhere: {}; or start Docker; \
             or name a server that runs in {}",
            server.name(),
            package.debian,
            package.elsewhere,
            server.variable(),
        );
    }
    eprintln!("{} is not installed: installing Debian's package {}", server.name(), package.debian);
    write_new(package.quiet.0, package.quiet.1)?;
    run(&mut apt(&["update"]))?;
    // The file that was just written is kept; without this, dpkg asks.
    let keep = "Dpkg::Options::=--force-confold";
    run(&mut apt(&["install", "-y", "--no-install-recommends", "-o", keep, package.debian]))
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-q").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    // What it prints must not mix with what `servers up` prints for a shell to evaluate.
    command.stdout(std::io::stderr());
    command
}

fn write_new(path: &str, text: &str) -> anyhow::Result<()> {
    let path = Path::new(path);
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).map_err(Into::into)
}
