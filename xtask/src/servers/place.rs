//! The private directory of one server, and the unprivileged user it runs as.
//!
//! PostgreSQL and others refuse to run as root, and containers are often root all the way. So where we are root, the
//! directory belongs to `nobody` and every program of the server is started as `nobody`.

use std::ffi::OsStr;
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use crate::command::{find, is_root, output, run};

/// The private directory of one server.
pub(crate) struct Place {
    dir: PathBuf,
    group: Option<String>,
}

impl Place {
    /// Makes an empty directory below `base`, or in the system's temporary directory where `nobody` cannot reach `base`.
    pub(crate) fn create(base: &Path, name: &str) -> anyhow::Result<Place> {
        std::fs::create_dir_all(base)?;
        let group = nobody_group()?;
        let base =
            if group.is_some() && !is_open(base) { std::env::temp_dir() } else { base.to_owned() };
        let unique = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let dir = base.join(format!("rowstorm-{name}-{unique:x}"));
        // Fails if it is there: in a temporary directory it could be somebody else's.
        DirBuilder::new().mode(0o700).create(&dir)?;
        let place = Place { dir, group };
        place.give(&place.dir)?;
        Ok(place)
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A program of the server, to be started as the user that owns the directory.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = lowered(program.as_ref(), self.group.as_deref());
        command.env("LC_ALL", "C.UTF-8").current_dir(&self.dir);
        command
    }

    /// Makes a folder that only the server's user can enter.
    pub(crate) fn create_dir(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.dir.join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        self.give(&path)?;
        Ok(path)
    }

    /// Writes a file that only the server's user can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.dir.join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        self.give(&path)?;
        Ok(path)
    }

    fn give(&self, path: &Path) -> anyhow::Result<()> {
        match &self.group {
            None => Ok(()),
            Some(group) => run(Command::new("chown").arg(format!("nobody:{group}")).arg(path)),
        }
    }
}

/// A command as the user that servers run as.
pub(crate) fn unprivileged(program: impl AsRef<OsStr>) -> anyhow::Result<Command> {
    Ok(lowered(program.as_ref(), nobody_group()?.as_deref()))
}

fn lowered(program: &OsStr, group: Option<&str>) -> Command {
    let Some(group) = group else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", &format!("--regid={group}"), "--clear-groups"]).arg(program);
    command
}

/// The group of `nobody` where we are root, by number: it is called `nogroup` here and `nobody` there.
fn nobody_group() -> anyhow::Result<Option<String>> {
    if !is_root()? {
        return Ok(None);
    }
    find("setpriv").context("setpriv (of util-linux) is needed to run a server as `nobody`")?;
    Ok(Some(output(Command::new("id").args(["-g", "nobody"]))?.trim().to_owned()))
}

/// Whether every folder on the way lets everybody through.
fn is_open(dir: &Path) -> bool {
    let through = |folder: &Path| {
        folder.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    };
    dir.ancestors().all(through)
}
