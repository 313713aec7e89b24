//! The run record: a versioned file format (`record_version: 1`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::changes::Changes;
use crate::steps::Step;

/// The version of the format that this crate writes.
pub const RECORD_VERSION: u32 = 1;

/// Everything that one run did, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// The version of this format: 1.
    pub record_version: u32,
    /// The version of Rowstorm that ran.
    pub rowstorm: String,
    /// When the run started, RFC 3339.
    pub started_at: String,
    /// What `gen: now` said, RFC 3339.
    pub epoch: String,
    /// The machine: system, cores.
    pub host: BTreeMap<String, String>,
    /// The target without user and password.
    pub target: String,
    /// What was done with tables that were there: `create`, `append`, `recreate`.
    pub table_mode: String,
    /// The data: schema, seed, generator version, and the rows of tables that others refer to; 16 hex digits.
    pub fingerprint: String,
    /// The seed.
    pub seed: u64,
    /// The part that this run wrote, if it was one of several.
    pub shard: Option<Shard>,
    /// The settings in force.
    pub settings: Settings,
    /// The accounts, all tables together: `accepted + confirmed + rejected + unknown == planned`.
    pub rows: Rows,
    /// The accounts of each table.
    pub tables: Vec<TableRows>,
    /// Batches that were sent again.
    pub retries: u64,
    /// How long the load took, in seconds, without preparation, late indexes and counting.
    pub seconds: f64,
    /// Rows that arrived per second of the load.
    pub rows_per_second: f64,
    /// Payload bytes that were sent, repeats included.
    pub bytes_sent: u64,
    /// What the controller chose, and why.
    pub batch: Batching,
    /// From sending a batch to its answer.
    pub latency_ms: Latency,
    /// The schedule that was asked for, if one was.
    pub schedule: Option<Schedule>,
    /// What held the run back: `target`, `client_cpu`, `generator`, `rate`. A slow network reads as `target`: from here, both are
    /// waiting for an answer.
    pub limited_by: String,
    /// What the client used.
    pub client: Client,
    /// What the server says of itself.
    pub server: Vec<ServerEntry>,
    /// Secondary indexes that were made after the load, timed apart.
    pub indexes: Vec<IndexPhase>,
    /// One entry per second.
    pub series: Vec<Second>,
    /// What went wrong, by class.
    pub errors: Vec<ErrorEntry>,
    /// Ranges of rows that are done, for `--resume`.
    pub ranges_done: Vec<RangeDone>,
    /// How the run ended: `done`, `stopped`, `failed`. Until then `preparing`, while tables are made ready, and `running`; a run that was
    /// killed says so for ever.
    pub ended: String,
    /// The error that ended it, if one did.
    pub failure: Option<String>,
    /// Whether the database's own count agrees; `None` if it could not be asked, or nothing was stored (`null:`).
    pub verified: Option<bool>,
    /// What came after the load, where the schema has `changes:`.
    #[serde(default)]
    pub changes: Option<Changes>,
}

/// Rows by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// Handed out to be written.
    pub planned: u64,
    /// Taken by the database.
    pub accepted: u64,
    /// Sent twice and found to be there from the first time.
    pub confirmed: u64,
    /// Refused by the database.
    pub rejected: u64,
    /// Sent, and no answer came, and no key can tell.
    pub unknown: u64,
    /// Counted in the database after the run, what stood there before taken off; `None` if it could not be counted, or
    /// nothing was stored.
    pub audited: Option<u64>,
}

/// The accounts of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableRows {
    /// The table's name.
    pub table: String,
    /// Its rows.
    pub rows: Rows,
    /// Rows that stood there before the run.
    pub before: u64,
}

/// Part `index` of `count`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// Which part, from 1.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

/// The settings in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// The schema file, or its name.
    pub schema: String,
    /// Rows asked for; `None` is until the duration ends.
    pub rows: Option<u64>,
    /// Seconds asked for.
    pub duration_s: Option<f64>,
    /// Rows per second asked for.
    pub rate: Option<f64>,
    /// Rows per batch: a number, `auto` or `auto:freeze`.
    pub batch: String,
    /// Batches in flight: a number, `auto` or `auto:freeze`.
    pub in_flight: String,
    /// What the controller looked for: `throughput`, `knee`, `p99 < 50ms`.
    #[serde(default)]
    pub objective: String,
    /// The budget of payload bytes in memory.
    pub max_bytes_in_flight: u64,
    /// When secondary indexes are made.
    pub indexes: String,
    /// Rejected rows that are still a success.
    pub max_errors: String,
    /// Whether the schema's changes were left out: `--changes 0`.
    #[serde(default)]
    pub load_only: bool,
    /// Attempts after the first.
    pub retry: u32,
    /// Seconds the server may take for one batch.
    pub timeout_s: f64,
}

/// What the controller chose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Batching {
    /// Rows per batch that were kept in the end.
    pub chosen_rows: u32,
    /// Batches in flight that were kept in the end.
    pub chosen_in_flight: u32,
    /// When it settled, in seconds since the start.
    pub settled_at_s: Option<f64>,
    /// When it froze: the setting held from then on, in seconds since the start.
    #[serde(default)]
    pub frozen_at_s: Option<f64>,
    /// When overload changed the frozen setting nevertheless: what was measured since is of another one.
    #[serde(default)]
    pub tainted_at_s: Option<f64>,
    /// The most payload bytes that were in flight at once.
    pub in_flight_bytes_max: u64,
    /// The decisions, in order. Of more than a thousand, old ones are left out, measurements of trials first.
    pub decisions: Vec<DecisionEntry>,
    /// How many were left out.
    #[serde(default)]
    pub decisions_left_out: u64,
    /// What each setting gave, all its times together.
    #[serde(default)]
    pub tried: Vec<Step>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionEntry {
    /// Seconds since the start.
    pub at_s: f64,
    /// Rows that had arrived by then.
    pub rows: u64,
    /// Rows per batch from then on.
    pub batch_rows: u32,
    /// Batches in flight from then on.
    pub in_flight: u32,
    /// Why, in one word: `start`, `doubling`, `guess`, `try`, `compare`, `better`, `smaller`, `back`, `long`, `way_back`, `busy`,
    /// `rejected`, `late`, `too_large`, `budget`, `changed`, `settled`, `frozen`, `pinned`, `other`.
    #[serde(default)]
    pub kind: String,
    /// Why, in words.
    pub reason: String,
}

impl DecisionEntry {
    /// Whether it is a measurement on the way to a decision: a trial of a neighbour, or what is kept beside it.
    pub(crate) fn measures(&self) -> bool {
        matches!(self.kind.as_str(), "try" | "compare")
    }
}

/// Percentiles of batch latencies, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Median.
    pub p50: f64,
    /// 90 % are below.
    pub p90: f64,
    /// 99 % are below.
    pub p99: f64,
    /// 99.9 % are below.
    pub p999: f64,
    /// The largest.
    pub max: f64,
    /// Pairs of upper bound in ms and count: enough to merge records.
    pub histogram: Vec<(f64, u64)>,
}

/// The schedule of an open-loop run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Rows per second asked for.
    pub target_per_second: f64,
    /// Rows per second reached.
    pub achieved_per_second: f64,
    /// From the intended start to the real one.
    pub lag_ms: Latency,
    /// Rows that started late, by more than a millisecond.
    pub late: u64,
    /// Rows that were left out.
    pub skipped: u64,
}

/// What the client used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// CPU seconds, user and system, of the whole process during the load.
    pub cpu_seconds: f64,
    /// Cores of the machine.
    pub cores: u32,
    /// The largest resident set, in bytes.
    pub peak_rss_bytes: u64,
    /// What this machine generates and encodes when nothing is sent, in rows per second on one core.
    pub null_rows_per_second: f64,
    /// Seconds that were spent filling and encoding, all lanes together.
    pub make_seconds: f64,
    /// Seconds that lanes waited for the server, all lanes together.
    pub wait_seconds: f64,
}

/// One fact about the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerEntry {
    /// "version", "fsync".
    pub name: String,
    /// As the server prints it.
    pub value: String,
}

/// The time that a table's late indexes took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IndexPhase {
    /// The table.
    pub table: String,
    /// Seconds.
    pub seconds: f64,
}

/// One second of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Second {
    /// The end of this second, since the start.
    pub at_s: f64,
    /// Rows that arrived in it.
    pub rows: u64,
    /// Rows per batch.
    pub batch: u32,
    /// Batches in flight.
    pub in_flight: u32,
    /// Median latency in ms.
    pub p50: f64,
    /// 99th percentile of latency in ms.
    pub p99: f64,
    /// Rows rejected and attempts that failed in it.
    pub errors: u64,
}

/// One class of errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorEntry {
    /// The database's own code and name.
    pub class: String,
    /// How often (rows refused, or attempts failed).
    pub count: u64,
    /// What was said, at most ten of them.
    pub samples: Vec<String>,
}

/// Rows `from..to` of a table that are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RangeDone {
    /// The table.
    pub table: String,
    /// The first row.
    pub from: u64,
    /// One behind the last row.
    pub to: u64,
}

impl Default for RunRecord {
    /// An empty record of today's version: nothing planned, nothing asked, nothing ended.
    fn default() -> Self {
        Self {
            record_version: RECORD_VERSION,
            rowstorm: String::new(),
            started_at: String::new(),
            epoch: String::new(),
            host: BTreeMap::new(),
            target: String::new(),
            table_mode: String::new(),
            fingerprint: String::new(),
            seed: 0,
            shard: None,
            settings: Settings::default(),
            rows: Rows::default(),
            tables: Vec::new(),
            retries: 0,
            seconds: 0.0,
            rows_per_second: 0.0,
            bytes_sent: 0,
            batch: Batching::default(),
            latency_ms: Latency::default(),
            schedule: None,
            limited_by: String::new(),
            client: Client::default(),
            server: Vec::new(),
            indexes: Vec::new(),
            series: Vec::new(),
            errors: Vec::new(),
            ranges_done: Vec::new(),
            ended: String::new(),
            failure: None,
            verified: None,
            changes: None,
        }
    }
}

impl RunRecord {
    /// Whether the accounts balance: nothing lost from the sums, and the database agrees where nothing is unknown.
    pub fn balances(&self) -> bool {
        let rows = &self.rows;
        rows.accepted + rows.confirmed + rows.rejected + rows.unknown == rows.planned
            && match rows.audited {
                Some(audited) => {
                    let arrived = rows.accepted + rows.confirmed;
                    (arrived..=arrived + rows.unknown).contains(&audited)
                }
                None => true,
            }
    }
}
