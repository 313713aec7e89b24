//! The command as users have it: the real binary, its exit codes, its files and what it prints.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod changing;
mod common;
mod events;
#[cfg(unix)]
mod live;
mod rows;
mod runs;
mod secrets;
mod tuning;
mod usage;
mod verifying;
