//! `start`, `start + step`, …

use rowstorm_schema::DataType;

use crate::{Fill, Rows, Stream, Values};

/// `start + row × step` as a number of the column's type.
#[derive(Debug)]
pub(crate) struct Sequence {
    pub(crate) start: i64,
    pub(crate) step: i64,
    pub(crate) data_type: DataType,
}

impl Sequence {
    /// The exact value of a row, which may be beyond 64 bits.
    pub(crate) fn exact(&self, row: u64) -> i128 {
        i128::from(self.start) + i128::from(row) * i128::from(self.step)
    }
}

impl Fill for Sequence {
    fn fill(&self, _stream: Stream, rows: Rows<'_>, out: &mut Values) {
        match self.data_type {
            DataType::Float { double: true } => {
                rows.map_into(out.floats(), |row| self.exact(row) as f64);
            }
            DataType::Float { double: false } => {
                rows.map_into(out.floats(), |row| f64::from(self.exact(row) as f32));
            }
            DataType::Decimal { scale, .. } => {
                let unit = 10_i128.pow(u32::from(scale));
                rows.map_into(out.decimals(scale), |row| self.exact(row).wrapping_mul(unit));
            }
            DataType::Int(_)
            | DataType::Bool
            | DataType::Text { .. }
            | DataType::Bytes
            | DataType::Timestamp
            | DataType::Uuid
            | DataType::Json
            | DataType::Object
            | DataType::Array => {
                let (start, step) = (self.start, self.step);
                rows.map_into(out.ints(), |row| {
                    start.wrapping_add((row as i64).wrapping_mul(step))
                });
            }
        }
    }
}
