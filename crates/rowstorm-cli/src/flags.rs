//! The flags of a run. Each is also a key of the file's `run:` and a `ROWSTORM_*` variable, read by the same parser.

use std::net::SocketAddr;

use clap::{ArgAction, Args, Parser, ValueEnum};
use rowstorm::schema::{
    AutoOr, ByteSize, IndexTime, Late, Objective, Progress, Rate, Shard, Span, Stages, TableMode,
    Tolerance,
};
use serde::Serialize;

/// Where `--metrics` listens when no address is given: this machine only.
const METRICS_ADDRESS: &str = "127.0.0.1:8000";

/// Settings given as flags; the field names are those of `RunSettings`.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct RunFlags {
    /// Lay this profile of the file over its `run:`
    #[arg(long, value_name = "NAME")]
    #[serde(skip)]
    pub(crate) profile: Option<String>,

    /// Rows to write, all tables together
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Amount")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    /// Stop after this long: 60s, 5m
    #[arg(long, value_name = "TIME", help_heading = "Amount")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<Span>,
    /// Changes to make, all shards together; 0 only loads
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Amount")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changes: Option<u64>,
    /// Leave this much of the start out of the statistics
    #[arg(long, value_name = "TIME", help_heading = "Amount")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warmup: Option<Span>,
    /// Write part i of n; auto reads a Kubernetes Indexed Job
    #[arg(long, value_name = "i/n|auto", help_heading = "Amount")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shard: Option<Shard>,

    /// Rows per second (of the changes, where the file has some), all shards together: 10000/s, or max
    #[arg(long, value_name = "N/s|max", help_heading = "Load")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Rate>,
    /// Changes: rates one after another: 1000/s:30s,2500/s:30s,max:20s
    #[arg(long, value_name = "N/s:TIME,…", help_heading = "Load")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stages: Option<Stages>,
    /// Changes that are due while the target is behind: queue (sent late), or drop (counted)
    #[arg(long, value_enum, value_name = "queue|drop", help_heading = "Load")]
    #[arg(hide_possible_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) late: Option<LateFlag>,
    /// Rows per batch; auto finds it and keeps looking, auto:freeze holds what it found
    #[arg(long, value_name = "auto|auto:freeze|N", help_heading = "Load")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch: Option<AutoOr>,
    /// Batches in flight at once (connections), as --batch; if either freezes, both do
    #[arg(long, value_name = "auto|auto:freeze|N", help_heading = "Load")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_flight: Option<AutoOr>,
    /// Changes: transactions of a given size that a connection sends without waiting between, at most
    #[arg(long, value_name = "N", help_heading = "Load")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pipeline: Option<u32>,
    /// What auto looks for: throughput, knee (where twice as much gains little), 'p99 < 50ms'
    #[arg(long, value_name = "GOAL", help_heading = "Load")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) objective: Option<Objective>,
    /// The most payload bytes in memory at once: 256MiB
    #[arg(long, value_name = "BYTES", help_heading = "Load")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_bytes_in_flight: Option<ByteSize>,

    /// The seed of all values
    #[arg(long, value_name = "N", help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// What `gen: now` says, RFC 3339; the start of the run unless said
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<String>,

    /// What is done with a table that is there
    #[arg(long, value_enum, value_name = "create|append|recreate", help_heading = "Table")]
    #[arg(hide_possible_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table_mode: Option<TableModeFlag>,
    /// When secondary indexes are made
    #[arg(long, value_enum, value_name = "before|after|none", help_heading = "Table")]
    #[arg(hide_possible_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) indexes: Option<IndexesFlag>,

    /// Rejected or lost rows that are still a success: 0, 100, 0.1%
    #[arg(long, value_name = "N|P%", help_heading = "Errors")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_errors: Option<Tolerance>,
    /// Attempts after the first for a batch that was not taken
    #[arg(long, value_name = "N", help_heading = "Errors")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<u32>,
    /// How long the server may take for one batch
    #[arg(long, value_name = "TIME", help_heading = "Errors")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Span>,
    /// A condition on the record, for exit code 99: 'rows_per_second > 200000' (repeatable; ROWSTORM_THRESHOLDS
    /// separates with `;`)
    #[arg(long = "threshold", id = "thresholds", value_name = "EXPR", help_heading = "Errors")]
    #[arg(action = ArgAction::Append, value_delimiter = ';')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thresholds: Option<Vec<String>>,

    /// Where the run record goes; ./<schema>-<time>.run.json unless said
    #[arg(short, long, value_name = "RECORD.json", help_heading = "Output")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    /// Write an HTML report
    #[arg(long, value_name = "F.html", help_heading = "Output")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<String>,
    /// How often progress is printed, or off
    #[arg(long, value_name = "1s|off", help_heading = "Output")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<Progress>,
    /// Serve /metrics, /healthz and /readyz [127.0.0.1:8000 when no address is given]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = METRICS_ADDRESS)]
    #[arg(value_parser = address, help_heading = "Output")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Print the run record to standard output, and nothing else
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = switch)]
    #[arg(value_name = "BOOL", help_heading = "Output")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<bool>,
    /// Print errors only
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = switch)]
    #[arg(value_name = "BOOL", help_heading = "Output")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quiet: Option<bool>,
    /// Also print every decision of the controller as it is taken, and why
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = switch)]
    #[arg(value_name = "BOOL", help_heading = "Output")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verbose: Option<bool>,
}

/// [`TableMode`] for clap.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TableModeFlag {
    Create,
    Append,
    Recreate,
}

impl Serialize for TableModeFlag {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mode = match self {
            TableModeFlag::Create => TableMode::Create,
            TableModeFlag::Append => TableMode::Append,
            TableModeFlag::Recreate => TableMode::Recreate,
        };
        mode.serialize(out)
    }
}

/// [`Late`] for clap.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LateFlag {
    Queue,
    Drop,
}

impl Serialize for LateFlag {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let late = match self {
            LateFlag::Queue => Late::Queue,
            LateFlag::Drop => Late::Drop,
        };
        late.serialize(out)
    }
}

/// [`IndexTime`] for clap.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum IndexesFlag {
    Before,
    After,
    None,
}

impl Serialize for IndexesFlag {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let time = match self {
            IndexesFlag::Before => IndexTime::Before,
            IndexesFlag::After => IndexTime::After,
            IndexesFlag::None => IndexTime::None,
        };
        time.serialize(out)
    }
}

/// The flags alone, to read the value of a variable as the flag of that name would be read.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Alone {
    #[command(flatten)]
    flags: RunFlags,
}

impl RunFlags {
    /// Reads one setting from text, as the flag would.
    pub(crate) fn read(key: &str, value: &str) -> Result<RunFlags, String> {
        let flag = crate::config::flag_name(key);
        match Alone::try_parse_from([format!("--{flag}={value}")]) {
            Ok(alone) => Ok(alone.flags),
            Err(error) => Err(reason(&error)),
        }
    }
}

/// The cause of a clap error without the flag's name.
fn reason(error: &clap::Error) -> String {
    use std::error::Error as _;
    if let Some(source) = error.source() {
        return source.to_string();
    }
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A whole number; `_` may group its digits.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    digits.parse().map_err(|_| "expected a whole number, like 1000000 or 1_000_000".to_owned())
}

/// Yes or no, in the words that people use in the environment.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected true or false (1 or 0, yes or no, on or off)".to_owned()),
    }
}

/// An instant, kept as text: the document has it so.
fn instant(text: &str) -> Result<String, String> {
    match rowstorm::schema::parse_instant(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// `IP:PORT`, or a port alone: this machine only.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| format!("expected an address like {METRICS_ADDRESS}, or a port"))
}
