//! The laws of a run, against a database in memory with staged faults. Time is virtual: nothing sleeps.

mod accounts;
mod bytes;
mod changes;
mod changing;
mod endings;
mod events;
mod metrics;
mod pacing;
mod queries;
mod refusing;
mod schedule;
mod several;
mod shards;
mod stage;
mod tuning;
mod verifying;
