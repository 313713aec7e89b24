//! One run of `rowstorm`, and what it came to.

use std::io::BufReader;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::grid::Setting;
use super::limit::Limit;
use super::server_cpu::Watch;
use crate::bench::processor::Clock;
use crate::bench::rowstorm::{Record, Rowstorm};

/// The longest that making the table and counting it may take.
const BESIDE_LOAD_MAX: Duration = Duration::from_mins(3);

/// What all runs have in common.
#[derive(Clone, Copy)]
pub(super) struct Bench<'a> {
    pub(super) rowstorm: &'a Rowstorm,
    pub(super) schema: &'a str,
    pub(super) url: &'a str,
    /// The server's process, if it is one of ours.
    pub(super) server: Option<u32>,
    pub(super) clock: Clock,
    /// Further options of `rowstorm run`.
    pub(super) options: &'a [String],
}

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Fixed(Setting),
    Auto,
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Trial {
    pub(super) rows_per_second: f64,
    /// Seconds of CPU for a million rows.
    pub(super) client_cpu: f64,
    /// The same of the server; no number where it cannot be seen.
    pub(super) server_cpu: f64,
    /// What was in force at the end.
    pub(super) chosen: Setting,
    /// When the controller settled, in seconds.
    pub(super) settled_at: Option<f64>,
    /// Rows per second of the whole seconds behind that.
    pub(super) settled_rate: Option<f64>,
    /// Attempts that were repeated.
    pub(super) retries: f64,
    /// What the server says of itself.
    pub(super) server: Vec<(String, String)>,
}

impl Bench<'_> {
    /// Runs for so many seconds into a table that is made anew.
    ///
    /// # Errors
    /// If the run fails or its accounts do not balance.
    pub(super) fn run(&self, choice: Choice, seconds: u32) -> anyhow::Result<Trial> {
        let (batch, in_flight) = match choice {
            Choice::Fixed(setting) => (setting.batch.to_string(), setting.in_flight.to_string()),
            Choice::Auto => ("auto".to_owned(), "auto".to_owned()),
        };
        let mut command = self.rowstorm.command(self.schema, self.url);
        command.args(["--batch", &batch, "--in-flight", &in_flight]);
        command.args(["--duration", &format!("{seconds}s"), "--table-mode", "recreate", "--yes"]);
        // An index that is made after the load says nothing of writing with it.
        if !self.options.iter().any(|option| option.starts_with("--indexes")) {
            command.args(["--indexes", "before"]);
        }
        // Its lines say when the load began.
        command.args(["--progress", "200ms"]).args(self.options);
        let watch = self.server.map(|pid| Watch::start(self.clock, pid));
        let spawned =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.context("cannot start rowstorm")?;
        let said = child.stderr.take().context("it has no pipe")?;
        let limit = Limit::start(child.id(), Duration::from_secs(seconds.into()) + BESIDE_LOAD_MAX);
        let (start, last) = read(BufReader::new(said));
        let status = child.wait()?;
        limit.finish();
        let course = watch.map(Watch::finish);
        ensure!(status.success(), "{status}: {last}");

        let record = self.rowstorm.record()?;
        let mut trial = Trial::of(&record)?;
        if let (Some(course), Some(start)) = (course, start) {
            let end = start + Duration::from_secs_f64(record.number("/seconds")?);
            trial.server_cpu = course.between(start, end) * 1e6 / arrived(&record)?;
        }
        Ok(trial)
    }
}

impl Trial {
    fn of(record: &Record) -> anyhow::Result<Trial> {
        let rows = arrived(record)?;
        let settled_at = record.number("/batch/settled_at_s").ok();
        let setting = |path: &str| record.number(path).map(|number| number as u32);
        Ok(Trial {
            rows_per_second: record.number("/rows_per_second")?,
            client_cpu: record.number("/client/cpu_seconds")? * 1e6 / rows,
            server_cpu: f64::NAN,
            chosen: Setting {
                batch: setting("/batch/chosen_rows")?,
                in_flight: setting("/batch/chosen_in_flight")?,
            },
            settled_at,
            settled_rate: settled_at.and_then(|at| rate_behind(at, &record.series())),
            retries: record.number("/retries")?,
            server: record.server(),
        })
    }
}

/// Rows that arrived, if every one that was planned did and the database's own count says so.
fn arrived(record: &Record) -> anyhow::Result<f64> {
    let number = |name: &str| record.number(&format!("/rows/{name}"));
    let planned = number("planned")?;
    ensure!(planned > 0.0, "not one row was taken in time");
    record.must_have_loaded(planned as u64)?;
    Ok(planned)
}

/// Rows per second of the seconds that begin at some time or later; the series has each second's end and its rows.
fn rate_behind(from: f64, series: &[(f64, f64)]) -> Option<f64> {
    let behind = series.partition_point(|(end, _)| *end < from) + 1;
    let start = series.get(behind.checked_sub(1)?)?.0;
    let rows: f64 = series.get(behind..)?.iter().map(|(_, rows)| rows).sum();
    let end = series.last()?.0;
    (end > start).then(|| rows / (end - start))
}

/// When the load began, and the last line.
fn read(lines: impl std::io::BufRead) -> (Option<Instant>, String) {
    let mut start = None;
    let mut last = String::new();
    for line in lines.lines().map_while(Result::ok) {
        let now = Instant::now();
        if start.is_none() {
            start = since_start(&line).and_then(|since| now.checked_sub(since));
        }
        last = line;
    }
    (start, last)
}

/// The time in front of a line of a load's progress: " 1.39s  rows 134k …".
fn since_start(line: &str) -> Option<Duration> {
    let mut words = line.split_whitespace();
    let seconds = words.next()?.strip_suffix('s')?.parse().ok()?;
    (words.next()? == "rows").then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress_is_told_from_others() {
        let line = " 1.39s  rows 134k  now 113k/s  mean 96.1k/s  batch 1000  in-flight 1  err 0";
        assert_eq!(since_start(line), Some(Duration::from_millis(1390)));
        for line in ["making the tables ready", "written  x.run.json", "", "s rows"] {
            assert_eq!(since_start(line), None, "{line}");
        }
    }

    #[test]
    fn the_rate_behind_an_instant_counts_whole_seconds_alone() {
        let series = [(1.0, 100.0), (2.0, 200.0), (3.0, 400.0), (4.0, 600.0)];
        for (from, rate) in
            [(0.5, Some(400.0)), (1.5, Some(500.0)), (2.0, Some(500.0)), (3.5, None), (9.0, None)]
        {
            assert_eq!(rate_behind(from, &series), rate, "from {from}");
        }
    }
}
