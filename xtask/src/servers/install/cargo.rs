//! A program of crates, built with its own lock file.

use std::path::Path;

use crate::command::{cargo, run, target_dir};

/// Builds a crate's programs into a folder. Its build directory is removed: nobody builds it twice.
pub(super) fn install(dir: &Path, package: &str, version: &str) -> anyhow::Result<()> {
    let scratch = target_dir().join(format!("servers/{package}"));
    // It is a program beside us, and may ask for a newer Rust than it needs.
    let install = ["install", "--locked", "--ignore-rust-version", "--version", version, package];
    let mut command = cargo(install);
    command.arg("--root").arg(dir).arg("--target-dir").arg(&scratch);
    command.env_remove("CARGO_BUILD_BUILD_DIR").stdout(std::io::stderr());
    run(&mut command)?;
    std::fs::remove_dir_all(scratch).map_err(Into::into)
}
