//! The run record and what is made of it: statistics, terminal summary, charts, HTML.
//!
//! The record is the only interface between `run` and everything that comes after it. This crate reads no clock and
//! opens no connection.

mod record;

pub use record::{
    Batching, Client, DecisionEntry, ErrorEntry, IndexPhase, Latency, RECORD_VERSION, RangeDone,
    Rows, RunRecord, Schedule, Second, ServerEntry, Settings, Shard, TableRows,
};
