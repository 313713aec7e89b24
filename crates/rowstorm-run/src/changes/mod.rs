//! The changes of a run: what a schema's `changes:` asks for, after the load.
//!
//! A job is a range of ops of one stream, and a stream has at most one in flight: that is all the order there is. A lane takes any
//! stream that is free and as many ops as are due, makes their groups, sends them as one transaction, and books what became
//! of every row. The state of a run is one number for each stream: how many of its ops are done. So a retry, a resume and
//! a shard are all "those ops again", as a range of rows is in the load.
//!
//! What this module does not do: it compares no row with what is expected; it counts rows, and leaves the rest to `verify`.

mod audit;
mod books;
mod cdc;
mod crew;
mod desk;
mod filled;
mod job;
mod journal;
mod lane;
mod live;
mod options;
mod record;
mod run;
mod schedule;
mod script;
mod state;
mod stats;
mod tuner;
mod unchanged;
mod view;
mod work;

pub use journal::{EventMarks, Progress};
pub use live::ChangesSnapshot;
pub use options::{Arrivals, ChangeOptions, Late, Resume, Stage};

pub(crate) use cdc::check as check_log;
pub(crate) use desk::Desk;
pub(crate) use live::snapshot;
pub(crate) use run::{Changed, run};
pub(crate) use work::Work;
