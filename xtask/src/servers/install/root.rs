//! Programs of another suite of Debian, with their own libraries down to the loader, in a folder: nothing of the system is
//! upgraded, and no privileges are needed.

use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::apt::Apart;
use crate::command::run;

/// Packages of a suite.
pub(crate) struct Root {
    /// The suite's name.
    pub(crate) suite: &'static str,
    /// The packages that hold the programs.
    pub(crate) packages: &'static [&'static str],
    /// The folders below the root whose programs are called.
    pub(crate) folders: &'static [&'static str],
}

impl Root {
    /// Its name in the cache.
    pub(crate) fn key(&self) -> String {
        format!("debian-{}-{}", self.suite, self.packages.join("-"))
    }
}

/// Downloads the packages and the libraries that they need, and unpacks them into an empty folder.
pub(super) fn unpack(dir: &Path, root: &Root) -> anyhow::Result<()> {
    let scratch = dir.join("apt");
    let apart = Apart::new(&scratch, root.suite)?;
    let mut names = apart.resolve(root.packages)?;
    names.retain(|name| root.packages.contains(&name.as_str()) || is_needed(name));
    apart.download(&names)?;
    let archives = apart.archives()?;
    ensure!(archives.len() == names.len(), "{} of {} came", archives.len(), names.len());
    for archive in archives {
        run(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(dir))?;
    }
    fs::remove_dir_all(scratch)?;
    let loader = Loader::find(dir)?;
    for folder in root.folders {
        for entry in fs::read_dir(dir.join(folder))? {
            loader.wrap(&entry?.path())?;
        }
    }
    Ok(())
}

/// Libraries, but not those of compilers and script languages, which only tools beside the server load.
fn is_needed(package: &str) -> bool {
    let idle = ["libllvm", "libz3", "libperl", "libpython"];
    package.starts_with("lib") && !idle.iter().any(|start| package.starts_with(start))
}

/// The root's own loader and libraries: those of the system may be older than what the programs were built for.
struct Loader {
    program: PathBuf,
    libraries: PathBuf,
}

impl Loader {
    fn find(dir: &Path) -> anyhow::Result<Loader> {
        let is_loader = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
        };
        for entry in fs::read_dir(dir.join("usr/lib"))?.flatten() {
            let libraries = entry.path();
            let Ok(files) = fs::read_dir(&libraries) else { continue };
            if let Some(program) = files.flatten().map(|file| file.path()).find(is_loader) {
                return Ok(Loader { program, libraries });
            }
        }
        Err(anyhow::anyhow!("there is no loader below {}", dir.display()))
    }

    /// Puts a script in a program's place that starts it with the loader. The process stays the same one, and the program
    /// still finds its neighbours by its own name.
    fn wrap(&self, program: &Path) -> anyhow::Result<()> {
        if program.is_symlink() || !is_elf(program)? {
            return Ok(());
        }
        let moved = program.with_added_extension("elf");
        fs::rename(program, &moved)?;
        let [loader, libraries, moved] =
            [&self.program, &self.libraries, &moved].map(|path| quoted(path));
        let script = format!(
            "#!/bin/sh\nexec {loader} --argv0 \"$0\" --library-path {libraries} {moved} \"$@\"\n"
        );
        fs::write(program, script)?;
        fs::set_permissions(program, Permissions::from_mode(0o755)).context("cannot make a script")
    }
}

fn is_elf(path: &Path) -> anyhow::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start == *b"\x7fELF")
}

/// For a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_needed, quoted};

    #[test]
    fn libraries_are_unpacked_and_tools_are_not() {
        for (package, needed) in [
            ("libssl3t64", true),
            ("libllvm19", false),
            ("perl-base", false),
            ("libperl5.42", false),
        ] {
            assert_eq!(is_needed(package), needed, "{package}");
        }
    }

    #[test]
    fn a_path_with_a_quote_stays_one_word() {
        assert_eq!(quoted(Path::new("/it's here")), r"'/it'\''s here'");
    }
}
