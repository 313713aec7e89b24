//! What SQL databases have in common, as functions and values that an adapter *calls*: nothing here calls an adapter.
//!
//! Text only: an adapter runs the statements over its own driver and brings the answers back. What differs between
//! databases (marks around a name, how long one may be, an exact sum) is in two small values, [`Names`] and
//! [`Counting`], that a dialect states once.

mod audit;
mod columns;
mod event;
mod names;
mod query;
mod table;

pub use audit::{AuditSql, Counting, Sum};
pub use columns::{Fault, StoredColumn, check_columns};
pub use event::event;
pub use names::{Case, NameLimit, Names, Quote};
pub use query::{QueryPart, check_words, query, worded};
pub use table::{any_row, definitions, has_rows, identity, own_type, replay_note, statements};
