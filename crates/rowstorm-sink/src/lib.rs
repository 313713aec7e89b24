//! The boundary between generation and databases.
//!
//! A [`Sink`] knows one database: its limits, its table, how rows become bytes ([`Encoder`]) and how bytes are
//! written ([`Writer`]). It takes no decisions about retries, sizes or pacing: the runner does. Adapters share the
//! functions of this crate that they *call* ([`rows`], [`json`], [`sql`], [`Buffer`], [`Trouble`]); there is no base that
//! calls them.
//!
//! Nothing in [`Sink`] names SQL, JSON, a connection pool or a driver.

mod audit;
mod boxed;
mod buffer;
mod cdc;
mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
mod error;
mod event;
pub mod json;
mod memory;
mod null;
mod outcome;
mod payload;
pub mod rows;
mod scan;
mod sink;
pub mod sql;
#[cfg(any(test, feature = "conformance"))]
pub mod testing;
pub mod text;
mod trouble;

pub use audit::{Audit, ColumnAudit, Scope};
pub use boxed::{BoxChanger, BoxEncoder, BoxSink, BoxWriter};
pub use buffer::Buffer;
pub use cdc::{BoxChangeLog, ChangeLog, Counting, Events};
pub use change::{
    Answers, Change, ChangeLimits, Changed, Changer, End, Hold, NoChanger, Queried, Statement,
    Transaction,
};
pub use connect::{CONNECT_MAX, ConnectOptions};
pub use error::{Delivery, SinkError, SinkErrorKind};
pub use event::Event;
pub use memory::{
    Arrived, Fault, Memory, MemoryChanger, MemoryEncoder, MemoryRow, MemoryWriter, Writes,
};
pub use null::{Null, NullChanger, NullWriter};
pub use outcome::{Outcome, REFUSALS_MAX, Refusal, Rejected, SAMPLE_CHARS_MAX, cut};
pub use payload::{Attempt, Payload};
pub use scan::{BoxScan, Rows, Scan};
pub use sink::{
    Encoder, Explanation, Guess, IndexTime, Limits, Prepare, PrepareMode, ServerCounters,
    ServerFact, Sink, Writer,
};
pub use trouble::{Reaction, Trouble, named};

/// The guide's example is compiled and run with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/writing-a-sink.md")]
struct WritingASink;
