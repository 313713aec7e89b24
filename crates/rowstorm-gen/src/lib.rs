//! Deterministic generation: a schema and a seed become a [`Plan`], and a plan fills columns.
//!
//! Every cell is a pure function of `(seed, table, column, row)`. Nothing is remembered between rows, so any range
//! can be written by anyone, again, in any order. This crate has no clock, no IO and no task.

mod batch;
pub mod changes;
mod column;
mod compile;
mod fill;
mod permutation;
mod plan;
mod rows;
mod rule;
mod stream;
mod table_plan;
pub mod text;
mod value;
mod values;

pub use batch::{Batch, Bitmap, Codes, ColumnData, Strings, Values};
pub use column::{ColumnPlan, Storage};
pub use fill::Fill;
pub use permutation::Permutation;
pub use plan::{Plan, PlanError, PlanOptions};
pub use rows::Rows;
pub use rowstorm_schema as schema;
pub use stream::{Cell, Stream};
pub use table_plan::TablePlan;
pub use value::{Row, Value};

/// Moves whenever the same schema and seed would give other values than before.
pub const GENERATOR_VERSION: u32 = 1;

/// The most rows of one [`Batch`]: columns of this length stay in a core's own cache.
pub const BATCH_ROWS_MAX: usize = 1024;

// The tests' own list of kinds is read inside the crate, too, where rules can be called with picked rows.
#[cfg(test)]
extern crate self as rowstorm_gen;
#[cfg(test)]
#[path = "../tests/kinds/mod.rs"]
mod kinds;
