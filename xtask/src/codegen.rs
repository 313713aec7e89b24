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
    if only_check { check() } else { write() }
}

/// Fails if a file is stale.
pub(crate) fn check() -> anyhow::Result<()> {
    let program = build()?;
    for (name, path) in GENERATED {
        let there = fs::read_to_string(root().join(path)).unwrap_or_default();
        if there != generate(&program, name)? {
            bail!("{path} is stale: run `cargo xtask codegen`");
        }
    }
    Ok(())
}

fn write() -> anyhow::Result<()> {
    let program = build()?;
    for (name, path) in GENERATED {
        fs::write(root().join(path), generate(&program, name)?)?;
    }
    Ok(())
}

/// The command as the tests have it: built alone it has fewer features, and most of the tree would be built a second time.
fn build() -> anyhow::Result<PathBuf> {
    run(&mut cargo(["test", "--quiet", "--workspace", "--test", "cli", "--no-run"]))?;
    Ok(target_dir().join("debug/rowstorm"))
}

fn generate(program: &Path, name: &str) -> anyhow::Result<String> {
    let text = output(Command::new(program).args(["schema", name]))?;
    Ok(format!("{}\n", text.trim_end()))
}
