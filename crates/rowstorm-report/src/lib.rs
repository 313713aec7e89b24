//! The run record and what is made of it: statistics, terminal summary, charts, HTML.
//!
//! The record is the only interface between `run` and everything that comes after it. This crate reads no clock and
//! opens no connection.

#![expect(
    clippy::format_push_string,
    reason = "a report is written once; an allocation a line is nothing"
)]

mod change_facts;
mod changes;
pub mod chart;
mod compare;
mod compare_text;
mod draw;
mod event;
mod facts;
mod fail_on;
mod file;
mod histogram;
mod html;
mod markdown;
mod merge;
mod metric;
pub mod number;
mod record;
mod reproduce;
pub mod statistics;
pub mod steps;
mod style;
mod summary;
mod terminal_chart;
mod threshold;
mod verdict;
mod verification;
mod verification_text;

pub use changes::{
    Cdc, CdcKind, ChangeKind, ChangeQuery, ChangeRows, ChangeSchedule, ChangeStage, ChangeTable,
    Changes, ReplayedOps, TableKind, Transactions,
};
pub use compare::{Change, Compared, Comparison, Interval, Tested, compare};
pub use event::{EventOutcome, EventRecord};
pub use fail_on::FailOn;
pub use file::{RecordError, json_schema};
pub use html::html;
pub use markdown::markdown;
pub use merge::{MergeError, merge};
pub use metric::{Better, METRICS, Metric, Unit};
pub use record::{
    Batching, Client, DecisionEntry, ErrorEntry, IndexPhase, Latency, RECORD_VERSION, RangeDone,
    Rows, RunRecord, Schedule, Second, ServerEntry, Settings, Shard, TableRows,
};
pub use reproduce::reproduce;
pub use style::Style;
pub use summary::summary;
pub use terminal_chart::draw;
pub use threshold::{Checked, ExpressionError, Relation, Threshold};
pub use verdict::{Counted, Tone, Verdict, target_kind};
pub use verification::{
    Cell, Contradiction, Difference, Finding, FindingKind, Followed, Look, LostOp,
    VERIFICATION_VERSION, Verification, VerifiedTable, Wrongs,
};
