//! A package of the system's own distribution.

use std::path::Path;

use anyhow::bail;

use super::{apt, cache};
use crate::command::{find, is_root, run};
use crate::servers::{Native, Server};

/// Where a server comes from if it is missing.
pub(crate) struct Package {
    /// Debian's packages.
    pub(crate) debian: &'static [&'static str],
    /// A file that keeps a package from starting a service of its own, and its text.
    pub(crate) quiet: Option<(&'static str, &'static str)>,
    /// What to say to everybody else.
    pub(crate) elsewhere: &'static str,
}

/// Installs it as root, or says what to install.
pub(super) fn install(
    server: &dyn Server,
    native: &dyn Native,
    package: &Package,
) -> anyhow::Result<()> {
    let debian = package.debian.join(" ");
    if !is_root()? || find("apt-get").is_none() {
        bail!(
            "{} is not installed. On Debian or Ubuntu: `sudo apt-get install {debian}`; elsewhere: {}; or start Docker; \
             or name a server that runs in {}",
            server.name(),
            package.elsewhere,
            server.variable(),
        );
    }
    cache::alone("apt", || {
        if native.programs().is_some() {
            return Ok(());
        }
        eprintln!("{} is not installed: installing Debian's {debian}", server.name());
        if let Some((path, text)) = package.quiet {
            write_new(path, text)?;
        }
        // Fresh lists are no must: an install that works without them is an install.
        if let Err(error) = run(&mut apt::apt(&["update"])) {
            eprintln!("{error:#}");
        }
        // The file that was just written is kept; without this, dpkg asks. Another dpkg is waited for.
        let keep = ["-o", "Dpkg::Options::=--force-confold", "-o", "DPkg::Lock::Timeout=300"];
        let install = ["install", "-y", "--no-install-recommends"];
        run(apt::apt(&install).args(keep).args(package.debian))
    })
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
