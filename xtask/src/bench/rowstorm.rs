//! Rowstorm itself, built for release, and what its record says.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::command::{cargo, output, root, run, target_dir};

/// The built command.
pub(super) struct Rowstorm {
    program: PathBuf,
    scratch: PathBuf,
}

/// What a record says.
pub(super) struct Record(Value);

impl Rowstorm {
    /// Builds it.
    pub(super) fn build(scratch: &Path) -> anyhow::Result<Rowstorm> {
        run(&mut cargo(["build", "--release", "--package", "rowstorm-cli"]))?;
        Ok(Rowstorm { program: target_dir().join("release/rowstorm"), scratch: scratch.to_owned() })
    }

    /// `rowstorm run schemas/SCHEMA.yaml --to URL …`, and the record of it. The run must end well.
    pub(super) fn run(&self, schema: &str, to: &str, options: &[&str]) -> anyhow::Result<Record> {
        let record = self.scratch.join("run.json");
        let mut command = Command::new(&self.program);
        command.current_dir(root()).arg("run").arg(format!("schemas/{schema}.yaml"));
        command.args(["--to", to, "--quiet", "--progress", "off", "-o"]).arg(&record).args(options);
        output(&mut command)?;
        let text = std::fs::read_to_string(&record).context("the run wrote no record")?;
        Ok(Record(serde_json::from_str(&text)?))
    }
}

impl Record {
    /// A number, by its path: `/client/cpu_seconds`.
    pub(super) fn number(&self, path: &str) -> anyhow::Result<f64> {
        let value = self.0.pointer(path).and_then(Value::as_f64);
        value.with_context(|| format!("the record has no number {path}"))
    }

    /// The name of the first table.
    pub(super) fn table(&self) -> anyhow::Result<&str> {
        let name = self.0.pointer("/tables/0/table").and_then(Value::as_str);
        name.context("the record has no table")
    }

    /// Fails unless exactly so many rows arrived and the database's own count says so.
    pub(super) fn must_have_loaded(&self, rows: u64) -> anyhow::Result<()> {
        let (accepted, audited) = (self.number("/rows/accepted")?, self.number("/rows/audited")?);
        if accepted as u64 != rows || audited as u64 != rows {
            bail!("of {rows} rows {accepted} were accepted and {audited} counted");
        }
        Ok(())
    }
}
