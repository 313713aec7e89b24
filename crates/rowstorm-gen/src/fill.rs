//! The rule of a column: one dynamic call per column and batch.

use std::fmt::Debug;

use crate::{Rows, Stream, Values};

/// A rule that makes a column's values: each a pure function of the stream and the row.
///
/// A fill clears `out`, keeps its memory, and leaves exactly `rows.len()` values of one kind in it. It may be called
/// for any rows, in any order, from any thread, and always gives the same value for the same row.
pub trait Fill: Debug + Send + Sync {
    /// Fills `out` with the values of `rows`.
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values);
}
