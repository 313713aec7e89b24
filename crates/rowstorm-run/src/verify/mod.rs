//! Is what the schema and the record say in the database? And if not: which rows, and why.
//!
//! The rows that must be there are computed again, on all cores, and kept as hashes in a ledger of a stated size; the rows that are
//! there are read in any order and struck off. What is left over on either side is named: a row is *missing*, *stale* (an op was
//! lost), *phantom* (it should have gone, was rolled back, or is nobody's), *wrong* (nobody wrote these values) or *duplicate*.
//! Nothing is written, and a database is compared no more loosely than it stores: [`Keeps`].
//!
//! Sums within the database, range by range, are not used: a hash that all databases compute alike from each one's own text
//! form of floats, instants and JSON does not exist, so every row is read (`docs/verify.md`).

mod check;
mod claim;
mod compare;
mod decode;
mod digest;
mod findings;
mod follow;
mod fresh;
mod go;
mod judge;
mod keeps;
mod ledger;
mod map;
mod options;
mod pairs;
mod phantom;
mod sums;
#[cfg(test)]
mod tests;

pub use claim::Claim;
pub use findings::Listener;
pub use follow::{Follow, FollowError, RunState, StateSource};
pub use go::Verify;
pub use keeps::Keeps;
pub use options::{Depth, Epoch, VerifyOptions};
