//! `cargo xtask codegen`: the JSON Schemas that editors and readers of records use, written from the types.

use std::fs;

use anyhow::bail;

use crate::arguments::Arguments;
use crate::command::{cargo, output, root};

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
    for (name, path) in GENERATED {
        let there = fs::read_to_string(root().join(path)).unwrap_or_default();
        if there != generate(name)? {
            bail!("{path} is stale: run `cargo xtask codegen`");
        }
    }
    Ok(())
}

fn write() -> anyhow::Result<()> {
    for (name, path) in GENERATED {
        fs::write(root().join(path), generate(name)?)?;
    }
    Ok(())
}

fn generate(name: &str) -> anyhow::Result<String> {
    let command = ["run", "--quiet", "--package", "rowstorm-cli", "--", "schema", name];
    let text = output(&mut cargo(command))?;
    Ok(format!("{}\n", text.trim_end()))
}
