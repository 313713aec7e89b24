//! Change streams: inserts, updates, deletes and reads that anybody can recompute.
//!
//! A workload's rows are split into a fixed number of streams: row `r` belongs to stream `r % streams`. Within a stream
//! ops are done in order, and op `j` is a pure function of `(seed, stream, j)`: its kind follows a fixed pattern, so that
//! the rows born and deleted by then have closed forms, the live rows are an interval, and an update draws its row from it. Nothing
//! is remembered; any op, and what must be in the database after it, can be computed by itself, in any order, by anybody
//! who has the document and the seed. Since a row's changes are all in one stream, the rows end the same however many streams run
//! side by side, and on however many machines.
//!
//! What this module does not do: it sends nothing and knows no time. How fast ops are done, and in how large
//! transactions, changes no row. `docs/changes.md` says how an adapter turns ops into statements.

mod batch;
mod course;
mod entry;
mod event;
mod expected;
mod history;
mod order;
mod pattern;
mod pick;
mod plan;
mod rule;
mod shape;
mod stream;
mod touched;
mod transaction;
mod turnover;
mod turns;
mod walk;

pub use batch::{ChangeBatch, Fate, Group};
pub use entry::{Entry, OpKind, Query};
pub use event::{Event, EventKind, share};
pub use expected::Expected;
pub use history::{History, Write};
pub use plan::ChangePlan;
pub use stream::{ChangeStream, Counts, Op};

/// The most ops of one stream: an op's number fits 32 bits, so that a table of last writers is small.
pub const OPS_MAX: u64 = u32::MAX as u64;
