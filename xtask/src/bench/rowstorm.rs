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
        self.run_file(Path::new(&format!("schemas/{schema}.yaml")), to, options)
    }

    /// The same of any file.
    pub(super) fn run_file(
        &self,
        file: &Path,
        to: &str,
        options: &[&str],
    ) -> anyhow::Result<Record> {
        let mut command = self.command(&file.display().to_string(), to);
        output(command.args(["--quiet", "--progress", "off"]).args(options))?;
        self.record()
    }

    /// `rowstorm run FILE --to URL`; the file's path is from the root of the checkout.
    pub(super) fn command(&self, schema: &str, to: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(root()).args(["run", schema, "--to", to, "-o"]).arg(self.record_path());
        command
    }

    /// The record of the run that has just ended.
    pub(super) fn record(&self) -> anyhow::Result<Record> {
        let text =
            std::fs::read_to_string(self.record_path()).context("the run wrote no record")?;
        Ok(Record(serde_json::from_str(&text)?))
    }

    /// Puts the record of the run that has just ended under a name of its own.
    pub(super) fn keep_record(&self, name: &str) -> anyhow::Result<PathBuf> {
        let kept = self.scratch.join(name);
        std::fs::rename(self.record_path(), &kept).context("the run wrote no record")?;
        Ok(kept)
    }

    fn record_path(&self) -> PathBuf {
        self.scratch.join("run.json")
    }
}

impl Record {
    /// A number, by its path: `/client/cpu_seconds`.
    pub(super) fn number(&self, path: &str) -> anyhow::Result<f64> {
        let value = self.0.pointer(path).and_then(Value::as_f64);
        value.with_context(|| format!("the record has no number {path}"))
    }

    /// The end of each second, and the rows that arrived in it.
    pub(super) fn series(&self) -> Vec<(f64, f64)> {
        let seconds = self.0["series"].as_array().into_iter().flatten();
        seconds
            .filter_map(|second| Some((second["at_s"].as_f64()?, second["rows"].as_f64()?)))
            .collect()
    }

    /// What the server says of itself: names and values.
    pub(super) fn server(&self) -> Vec<(String, String)> {
        let facts = self.0["server"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        facts.filter_map(|fact| Some((text(&fact["name"])?, text(&fact["value"])?))).collect()
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
