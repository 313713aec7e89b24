//! From a drawn number to a value of the column's type: clamped, rounded, scaled.

use rowstorm_schema::DataType;

use crate::{Rows, Values};

/// The numeric types with the bounds that values are set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// Rounded half to even.
    Int { low: i64, high: i64 },
    /// As it is.
    Double { low: f64, high: f64 },
    /// Rounded to 32 bits.
    Single { low: f64, high: f64 },
    /// Scaled by 10^scale, rounded half to even.
    Decimal { scale: u8, unit: f64, low: i128, high: i128 },
}

impl Number {
    /// The type's numbers between two bounds; `None` if the type is not numeric or no number is between them.
    pub(crate) fn new(data_type: DataType, min: Option<f64>, max: Option<f64>) -> Option<Number> {
        let low = min.unwrap_or(f64::NEG_INFINITY);
        let high = max.unwrap_or(f64::INFINITY);
        let (number, is_empty) = match data_type {
            DataType::Int(width) => {
                let (least, most) = width.bounds();
                // `as` saturates, so that infinities become the type's own bounds.
                let low = (low.ceil() as i64).max(least);
                let high = (high.floor() as i64).min(most);
                (Number::Int { low, high }, low > high)
            }
            DataType::Float { double: true } => {
                let (low, high) = (low.max(f64::MIN), high.min(f64::MAX));
                (Number::Double { low, high }, low > high)
            }
            DataType::Float { double: false } => {
                let low = low.max(f64::from(f32::MIN));
                let high = high.min(f64::from(f32::MAX));
                (Number::Single { low, high }, low > high)
            }
            DataType::Decimal { precision, scale } => {
                let most = 10_i128.pow(u32::from(precision)) - 1;
                let unit = 10_i128.pow(u32::from(scale)) as f64;
                let low = ((low * unit).ceil() as i128).max(-most);
                let high = ((high * unit).floor() as i128).min(most);
                (Number::Decimal { scale, unit, low, high }, low > high)
            }
            DataType::Bool
            | DataType::Text { .. }
            | DataType::Bytes
            | DataType::Timestamp
            | DataType::Uuid
            | DataType::Json
            | DataType::Object
            | DataType::Array => return None,
        };
        (!is_empty).then_some(number)
    }

    /// The smallest difference between two values; 0 for floats.
    pub(crate) fn quantum(&self) -> f64 {
        match self {
            Number::Int { .. } => 1.0,
            Number::Double { .. } | Number::Single { .. } => 0.0,
            Number::Decimal { unit, .. } => 1.0 / unit,
        }
    }

    /// Fills `out` with the numbers that `draw` gives.
    #[inline]
    pub(crate) fn fill(&self, rows: &Rows<'_>, out: &mut Values, draw: impl Fn(u64) -> f64) {
        match *self {
            Number::Int { low, high } => rows
                .map_into(out.ints(), |row| (draw(row).round_ties_even() as i64).clamp(low, high)),
            Number::Double { low, high } => {
                rows.map_into(out.floats(), |row| draw(row).clamp(low, high));
            }
            Number::Single { low, high } => {
                rows.map_into(out.floats(), |row| f64::from(draw(row).clamp(low, high) as f32));
            }
            Number::Decimal { scale, unit, low, high } => {
                rows.map_into(out.decimals(scale), |row| {
                    ((draw(row) * unit).round_ties_even() as i128).clamp(low, high)
                });
            }
        }
    }
}
