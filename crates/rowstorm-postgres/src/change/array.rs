//! Columns of rows as array parameters: the cells are those of COPY BINARY behind another header.
//!
//! The layout is that of `array_send` in the server's `utils/adt/arrayfuncs.c`.

use rowstorm_sink::SinkError;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo, Postgres};
use sqlx::{Arguments as _, Type};

/// A type of arrays, and the type of their elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArrayType {
    pub(crate) array: Oid,
    pub(crate) element: Oid,
}

/// Adds a column as a parameter.
pub(crate) fn bind(
    arguments: &mut PgArguments,
    column: ArrayType,
    rows: usize,
    cells: &[u8],
) -> Result<(), SinkError> {
    let added = arguments.add(Parameter { column, rows, cells });
    // The protocol's messages end at 2 GiB, and groups are cut long before.
    added.map_err(|error| SinkError::fatal("parameter", error.to_string()))
}

/// How long the first `rows` cells are.
pub(crate) fn length(cells: &[u8], rows: usize) -> usize {
    let mut at = 0;
    for _ in 0..rows {
        let (head, _) = cells[at..].split_first_chunk().expect("a cell has its length before it");
        // -1 is null, which has no bytes.
        at += 4 + usize::try_from(i32::from_be_bytes(*head)).unwrap_or(0);
    }
    at
}

struct Parameter<'a> {
    column: ArrayType,
    rows: usize,
    cells: &'a [u8],
}

impl Encode<'_, Postgres> for Parameter<'_> {
    fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // One dimension; there may be nulls (the server looks); the element's type; so many; counted from 1.
        let head = [1, 1, self.column.element.0, u32::try_from(self.rows)?, 1];
        out.extend(head.iter().flat_map(|word| word.to_be_bytes()));
        out.extend_from_slice(self.cells);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(self.column.array))
    }

    fn size_hint(&self) -> usize {
        20 + self.cells.len()
    }
}

impl Type<Postgres> for Parameter<'_> {
    /// Asked for only where a value does not say it by itself.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("anyarray")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_long_as_they_say_and_a_null_is_empty() {
        let cells = [0, 0, 0, 2, 7, 8, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1, 9];
        for (rows, bytes) in [(0, 0), (1, 6), (2, 10), (3, 14), (4, 19)] {
            assert_eq!(length(&cells, rows), bytes);
        }
    }
}
