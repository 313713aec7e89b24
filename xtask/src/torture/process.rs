//! `rowstorm run` as a process that may be killed, and what it leaves beside its record.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::command::output;

/// How often a process is looked at.
const POLL: Duration = Duration::from_millis(1);
/// A run that takes longer hangs.
const RUN_MAX: Duration = Duration::from_mins(10);
/// In the file of progress (`RECORD.ops`): 32 bytes, then two numbers of 8 bytes for each stream, of what is done and of what was begun, and two for the events.
const PROGRESS_HEAD: usize = 32;
const PROGRESS_STREAM: usize = 16;

/// The built command, and what it runs.
pub(super) struct Program {
    built: PathBuf,
    document: PathBuf,
    url: String,
    record: PathBuf,
}

/// A run that goes on.
pub(super) struct Run<'a> {
    program: &'a Program,
    child: Child,
    pub(super) started: Instant,
}

/// Where a process was when it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It had no record yet: it begins anew.
    Early,
    /// Before its first change.
    Load,
    /// With what was sent and not answered.
    Changes(InDoubt),
    /// It was faster.
    Over,
}

/// What was sent, and not answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct InDoubt {
    pub(super) transactions: u64,
    pub(super) events: u64,
}

impl Program {
    pub(super) fn new(built: &Path, document: &Path, url: String, scratch: &Path) -> Program {
        let record = scratch.join("shop.json");
        Program { built: built.to_owned(), document: document.to_owned(), url, record }
    }

    /// Takes away what the last round has left beside the database.
    pub(super) fn forget(&self) {
        for file in [&self.record, &self.progress()] {
            // It is there or it is not.
            let _ = std::fs::remove_file(file);
        }
    }

    fn progress(&self) -> PathBuf {
        self.record.with_extension("json.ops")
    }

    /// Whether changes have begun.
    pub(super) fn changes_begun(&self) -> bool {
        self.progress().exists()
    }

    /// Starts a run, which goes on where the last one was, if that one has left a record.
    pub(super) fn start(&self, options: &[String]) -> anyhow::Result<Run<'_>> {
        let mut command = Command::new(&self.built);
        command.arg("run").arg(&self.document).args(["--to", &self.url]);
        // By the amount alone: the schema's own duration would end a slow one early.
        command.args(["--rate", "max", "--duration", "1h", "--quiet", "--progress", "off"]);
        command.arg("-o").arg(&self.record);
        command.args(options);
        if self.record.exists() {
            command.arg("--resume").arg(&self.record);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().context("rowstorm does not start")?;
        Ok(Run { program: self, child, started: Instant::now() })
    }

    /// What the record says.
    pub(super) fn record(&self) -> anyhow::Result<Value> {
        let text = std::fs::read_to_string(&self.record).context("the run wrote no record")?;
        Ok(serde_json::from_str(&text)?)
    }

    /// `rowstorm verify --full`: rows that were compared. An error if one is not as it must be.
    pub(super) fn verify(&self) -> anyhow::Result<u64> {
        let mut command = Command::new(&self.built);
        command.arg("verify").arg(&self.record).arg("--schema").arg(&self.document);
        let said = output(command.args(["--at", &self.url, "--full", "--json"]))?;
        let found: Value = serde_json::from_str(&said)?;
        ensure!(found["verified"] == true, "verify: {said}");
        let tables = found["tables"].as_array().into_iter().flatten();
        Ok(tables.filter_map(|table| table["compared"].as_u64()).sum())
    }

    fn in_doubt(&self) -> anyhow::Result<InDoubt> {
        let bytes = std::fs::read(self.progress())?;
        ensure!(bytes.len() >= PROGRESS_HEAD, "the progress is cut short");
        let number =
            |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let begun = |marks: &[u8]| u64::from(number(&marks[..8]) < number(&marks[8..]));
        let mut marks: Vec<u64> =
            bytes[PROGRESS_HEAD..].chunks_exact(PROGRESS_STREAM).map(begun).collect();
        let events = marks.pop().context("the progress has no place for events")?;
        Ok(InDoubt { transactions: marks.iter().sum(), events })
    }
}

impl Run<'_> {
    /// Waits until changes have begun; whether they have, and the process still runs.
    pub(super) fn wait_for_changes(&mut self) -> anyhow::Result<bool> {
        while !self.program.changes_begun() {
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            ensure!(self.started.elapsed() < RUN_MAX, "the run hangs");
            std::thread::sleep(POLL);
        }
        Ok(true)
    }

    /// Kills it after this time, and says where it was; it may have ended by itself, and well.
    pub(super) fn kill_after(mut self, wait: Duration) -> anyhow::Result<Phase> {
        let until = Instant::now() + wait;
        while Instant::now() < until {
            if self.child.try_wait()?.is_some() {
                self.end()?;
                return Ok(Phase::Over);
            }
            std::thread::sleep(POLL.min(until.saturating_duration_since(Instant::now())));
        }
        // SIGKILL; of a process that has just ended, nothing.
        self.child.kill()?;
        if self.child.wait()?.code().is_some() {
            return Ok(Phase::Over);
        }
        let program = self.program;
        Ok(if program.changes_begun() {
            Phase::Changes(program.in_doubt()?)
        } else if program.record.exists() {
            Phase::Load
        } else {
            Phase::Early
        })
    }

    /// Waits for its end, which must be a good one; how long it took.
    pub(super) fn end(mut self) -> anyhow::Result<Duration> {
        while self.child.try_wait()?.is_none() {
            if self.started.elapsed() > RUN_MAX {
                self.child.kill()?;
            }
            std::thread::sleep(POLL);
        }
        let took = self.started.elapsed();
        let ended = self.child.wait_with_output()?;
        let said = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "the run ended with {}: {}", ended.status, said.trim());
        Ok(took)
    }
}
