//! The command line: what may be typed. What it means stands in `commands` and `config`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::flags::RunFlags;

const AFTER_HELP: &str = "\
FILE is a schema file, or the name of a sample: cpu, environment, shop, payload, events.

Exit codes: 0 done, verified   1 internal error   2 usage or invalid file
            3 target unreachable or refused       4 rows rejected or lost
            5 verification mismatch   6 regression (compare)   99 threshold broke
            130/143 stopped by a signal: drained, record written";

/// Fill any database with realistic rows, fast, and prove that every row arrived.
#[derive(Debug, Parser)]
#[command(name = "rowstorm", version, arg_required_else_help = false)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work: no config, no server, half a minute
    Demo(DemoArgs),
    /// Print a sample schema, or import another tool's
    Init(InitArgs),
    /// Validate schema files: all problems at once
    Check(CheckArgs),
    /// Print rows; no database
    Sample(SampleArgs),
    /// Write the rows to files
    Generate(GenerateArgs),
    /// Show what a run would do: statements, sizes, limits; touches nothing
    Explain(ExplainArgs),
    /// Write the rows into a database, measure it, and count them there
    Run(RunArgs),
    /// Find the batch size and the concurrency, and print the flags that pin them
    Tune(TuneArgs),
    /// Compare a database, or a copy of it, with what was written: every row that differs is named
    Verify(VerifyArgs),
    /// Make a report of run records
    Report(ReportArgs),
    /// Say what changed between two runs, and whether it is more than chance
    Compare(CompareArgs),
    /// Make one record of the records of all shards
    Merge(MergeArgs),
    /// Print a JSON Schema, for editors
    Schema(SchemaArgs),
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Rows to write; 2 million unless said
    #[arg(long, value_name = "N", value_parser = crate::flags::count)]
    pub(crate) rows: Option<u64>,
    /// The seed of all values; 42 unless said
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// A sample
    #[arg(value_name = "NAME", default_value = "cpu")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(crate::samples::names()))]
    pub(crate) name: String,
    /// Import a tsperf schema instead
    #[arg(long, value_name = "F.json", conflicts_with = "name")]
    pub(crate) from_tsperf: Option<PathBuf>,
    /// Write to this file; standard output unless said
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Schema files, or names of samples
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    /// Also connect to this target, and print what it says of itself
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// A schema file, or the name of a sample
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Rows of each table
    #[arg(short = 'n', long = "rows", value_name = "N", default_value = "10")]
    #[arg(value_parser = crate::flags::count)]
    pub(crate) rows: u64,
    /// Skip this many rows
    #[arg(long, value_name = "N", default_value = "0", value_parser = crate::flags::count)]
    pub(crate) offset: u64,
    /// Only this table
    #[arg(long, value_name = "T")]
    pub(crate) table: Option<String>,
    /// How rows are printed
    #[arg(short, long, value_enum, default_value_t = SampleFormat::Table)]
    pub(crate) format: SampleFormat,
    /// The seed of all values
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What `gen: now` says, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) epoch: Option<String>,
}

/// How `sample` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleFormat {
    Table,
    Jsonl,
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// A schema file, or the name of a sample
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// The folder to write to
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// What is written
    #[arg(short, long, value_enum, default_value_t = GenerateFormat::Csv)]
    pub(crate) format: GenerateFormat,
    /// Rows, all tables together
    #[arg(long, value_name = "N", value_parser = crate::flags::count)]
    pub(crate) rows: Option<u64>,
    /// The seed of all values
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What `gen: now` says, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) epoch: Option<String>,
    /// Write part i of n
    #[arg(long, value_name = "i/n|auto")]
    pub(crate) shard: Option<rowstorm::schema::Shard>,
    /// Write over files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

/// What `generate` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GenerateFormat {
    Csv,
    Jsonl,
    #[cfg(feature = "parquet")]
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A schema file, or the name of a sample
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// The target; it is not connected to
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A schema file, or the name of a sample
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Where to: sqlite:PATH, postgres://user@host/db, mysql://user@host/db, mongodb://host/db, file:DIR, null:, memory:
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// Do not ask before tables are dropped
    #[arg(long)]
    pub(crate) yes: bool,
    /// Go on with a run of changes that was stopped or killed, where its record says
    #[arg(long, value_name = "RECORD")]
    pub(crate) resume: Option<PathBuf>,
    /// Write down what the controller sees and decides, a line of JSON each; a file for each table
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Also count changes in the server's own log (PostgreSQL, MySQL, MariaDB), and compare them with what was acknowledged
    #[arg(long)]
    pub(crate) cdc: bool,
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    /// A schema file, or the name of a sample
    #[arg(value_name = "FILE", required_unless_present = "replay")]
    pub(crate) file: Option<String>,
    /// Where to: sqlite:PATH, postgres://user@host/db, …
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// The table whose rows are written; the largest one unless said
    #[arg(long, value_name = "T")]
    pub(crate) table: Option<String>,
    /// Do not ask before the table is dropped
    #[arg(long)]
    pub(crate) yes: bool,
    /// Write down what the controller sees and decides, a line of JSON each; a file for each table
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Play a journal again without a target: print its decisions, and whether this version takes the same
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub(crate) replay: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A run record, or the schema file (or sample) of a load with the default settings; `-` is a record on standard input
    #[arg(value_name = "RECORD|FILE")]
    pub(crate) expected: String,
    /// The database that is compared: the one written, or a copy downstream
    #[arg(long, value_name = "URL")]
    pub(crate) at: String,
    /// The schema file of the record, if it is not where the record says
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<String>,
    /// How a copy differs from what was written: a file with its names, nesting and encodings (docs/verify.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<String>,
    /// Only what the database counts and sums itself
    #[arg(long, conflicts_with = "full")]
    pub(crate) counts: bool,
    /// Every row of every table, in several scans where --memory is short; a sample of such a table unless said
    #[arg(long)]
    pub(crate) full: bool,
    /// What the rows' hashes may take, 40 to 75 bytes each
    #[arg(long, value_name = "BYTES", default_value = "512MiB")]
    pub(crate) memory: rowstorm::schema::ByteSize,
    /// Rows that differ to print; all are counted
    #[arg(short = 'n', long = "show", value_name = "N", default_value = "10")]
    pub(crate) show: usize,
    /// Write all rows that differ to this file, a line of JSON each; `all` prints all
    #[arg(long, value_name = "FILE|all")]
    pub(crate) list: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Write JSON to this file, too
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) following: FollowFlags,
    /// Rows of a FILE's load, all tables together
    #[arg(long, value_name = "N", value_parser = crate::flags::count, help_heading = "Of a FILE")]
    pub(crate) rows: Option<u64>,
    /// The seed of a FILE's load
    #[arg(long, value_name = "N", help_heading = "Of a FILE")]
    pub(crate) seed: Option<u64>,
    /// What `gen: now` said in a FILE's load, RFC 3339; such columns are not compared unless said
    #[arg(long, value_name = "TIME", help_heading = "Of a FILE")]
    pub(crate) epoch: Option<String>,
}

/// How a copy is followed.
#[derive(Debug, Args)]
pub(crate) struct FollowFlags {
    /// Look again and again while the run of this record goes on, until the copy has drained: freshness, backlog
    #[arg(long, conflicts_with_all = ["counts", "list"], help_heading = "While a run goes on")]
    pub(crate) follow: bool,
    /// The pause between two looks of --follow
    #[arg(long, value_name = "TIME", default_value = "1s", help_heading = "While a run goes on")]
    pub(crate) every: rowstorm::schema::Span,
    /// How long after the run's end a backlog may stand still before --follow gives up
    #[arg(long, value_name = "TIME", default_value = "60s", help_heading = "While a run goes on")]
    pub(crate) patience: rowstorm::schema::Span,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run records; `-` is standard input
    #[arg(value_name = "RECORD", required = true)]
    pub(crate) records: Vec<PathBuf>,
    /// Write to this file; standard output unless said
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// What is written; by the file's ending, else `term`
    #[arg(short, long, value_enum)]
    pub(crate) format: Option<ReportFormat>,
}

/// What `report` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Html,
    Term,
    Md,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The record to compare with; `-` is standard input
    #[arg(value_name = "BASE")]
    pub(crate) base: PathBuf,
    /// The record that is compared
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// Exit with 6 if this holds: 'rows_per_second < -5%' (repeatable)
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub(crate) fail_on: Vec<String>,
    /// What is printed
    #[arg(short, long, value_enum, default_value_t = CompareFormat::Term)]
    pub(crate) format: CompareFormat,
}

/// What `compare` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    Term,
    Md,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The records of all shards, in any order
    #[arg(value_name = "RECORD", required = true)]
    pub(crate) records: Vec<PathBuf>,
    /// Write to this file; standard output unless said
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum, default_value_t = SchemaKind::File)]
    pub(crate) kind: SchemaKind,
}

/// What `schema` describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// Schema files
    File,
    /// Run records
    Record,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the settings that a run would have
    Show(ConfigShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigShowArgs {
    /// A schema file, or the name of a sample
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Say where each comes from
    #[arg(long)]
    pub(crate) origin: bool,
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}
