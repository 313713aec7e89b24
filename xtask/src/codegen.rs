//! `cargo xtask codegen`: the JSON Schemas that editors and readers of records use, written from the types.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::arguments::Arguments;
use crate::command::{cargo, output, root, run, target_dir};

/// What `rowstorm schema NAME` prints, and the file it is kept in.
const GENERATED: [(&str, &str); 2] =
    [("file", "schemas/rowstorm.schema.json"), ("record", "schemas/record.schema.json")];

/// Writes the files, or with `--check` fails if one is stale.
pub(crate) fn codegen(mut arguments: Arguments) -> anyhow::Result<()> {
    let only_check = arguments.flag("--check");
    arguments.finish()?;
    let program = build(false)?;
    if only_check { compare(&program) } else { write(&program) }
}

/// Fails if a file is stale, by the command that the tests of CI have built.
pub(crate) fn check() -> anyhow::Result<()> {
    compare(&build(true)?)
}

fn compare(program: &Path) -> anyhow::Result<()> {
    for (name, path) in GENERATED {
        let there = fs::read_to_string(root().join(path)).unwrap_or_default();
        if there != generate(program, name)? {
            bail!("{path} is stale: run `cargo xtask codegen`");
        }
    }
    Ok(())
}

fn write(program: &Path) -> anyhow::Result<()> {
    for (name, path) in GENERATED {
        fs::write(root().join(path), generate(program, name)?)?;
    }
    Ok(())
}

/// The command as the tests have it: with other features most of the tree would be built a second time.
fn build(all_features: bool) -> anyhow::Result<PathBuf> {
    let mut command = cargo(["test", "--quiet", "--workspace", "--test", "cli", "--no-run"]);
    if all_features {
        command.arg("--all-features");
    }
    run(&mut command)?;
    Ok(target_dir().join("debug/rowstorm"))
}

fn generate(program: &Path, name: &str) -> anyhow::Result<String> {
    let text = output(Command::new(program).args(["schema", name]))?;
    Ok(format!("{}\n", text.trim_end()))
}
