//! Reading rows back: what `verify` compares with what the schema says.

use std::future::Future;
use std::pin::Pin;

use rowstorm_gen::Value;

use crate::SinkError;

/// All rows of a table, some at a time, in any order.
///
/// A value comes as the column's declared type says, whatever the database made of it: a decimal stays exact, an instant is microseconds, a
/// UUID is a UUID where the database keeps it as text; documents, objects and arrays are [`Value::Json`]. What cannot be read as that type comes as what it is (a text, an integer), so that a
/// comparison shows it.
pub trait Scan: Send {
    /// The next rows, a value for each of the table's columns; empty at the end.
    ///
    /// # Errors
    /// When the database does not answer; the scan is over then.
    fn next(&mut self) -> Rows<'_>;
}

/// Rows that are on their way.
pub type Rows<'a> = Pin<Box<dyn Future<Output = Result<Vec<Vec<Value>>, SinkError>> + Send + 'a>>;

/// Any [`Scan`].
pub type BoxScan = Box<dyn Scan>;
