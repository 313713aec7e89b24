//! Generators of numbers: their settings, checked against the column's type.

use std::sync::Arc;

use rowstorm_schema::{DataType, Literal, SequenceSpec};

use super::column::Scope;
use super::generator::Made;
use super::literal;
use crate::PlanError;
use crate::fill::{Number, Sequence, Uniform, UniformRange};

/// A sequence whose last row still fits its type.
pub(super) fn sequence(
    scope: &Scope<'_>,
    data_type: DataType,
    spec: &SequenceSpec,
) -> Result<Made, PlanError> {
    let fill = Sequence { start: spec.start, step: spec.step, data_type };
    if let Some(last_row) = scope.rows.and_then(|rows| rows.checked_sub(1)) {
        let last = fill.exact(last_row);
        let fits = match data_type {
            DataType::Int(width) => {
                let (low, high) = width.bounds();
                (i128::from(low)..=i128::from(high)).contains(&last)
            }
            DataType::Decimal { precision, scale } => {
                last.unsigned_abs() < 10_u128.pow(u32::from(precision - scale))
            }
            DataType::Float { .. } => true,
            DataType::Bool
            | DataType::Text { .. }
            | DataType::Bytes
            | DataType::Timestamp
            | DataType::Uuid
            | DataType::Json
            | DataType::Object
            | DataType::Array => return Err(misfit(scope, "sequence", data_type)),
        };
        if !fits {
            return Err(scope.invalid(format!(
                "row {last_row} would be {last}, which does not fit `{data_type}`; take a wider type"
            )));
        }
    }
    Ok(Made::plain(Arc::new(fill)))
}

/// A uniform range, in the words of its type.
pub(super) fn uniform(
    scope: &Scope<'_>,
    data_type: DataType,
    [low, high]: &[Literal; 2],
) -> Result<Made, PlanError> {
    let wrong = || {
        scope.invalid(format!(
            "[{low}, {high}] is not a range of `{data_type}`, the lower end first"
        ))
    };
    let range = match data_type {
        DataType::Int(width) => {
            let (least, most) = width.bounds();
            let (low, high) =
                literal::integer(low).zip(literal::integer(high)).ok_or_else(wrong)?;
            if low > high || low < least || high > most {
                return Err(wrong());
            }
            int_range(scope, low, high)?
        }
        DataType::Decimal { precision, scale } => {
            let read = |end| literal::decimal(end, precision, scale);
            let (low, high) = read(low).zip(read(high)).ok_or_else(wrong)?;
            if low > high {
                return Err(wrong());
            }
            // Two's complement: right even where the span is beyond 127 bits.
            UniformRange::Decimal { low, most: high.wrapping_sub(low) as u128, scale }
        }
        DataType::Float { double } => {
            let (low, high) = literal::float(low).zip(literal::float(high)).ok_or_else(wrong)?;
            if low >= high || !(high - low).is_finite() {
                return Err(wrong());
            }
            UniformRange::Float { low, high, double }
        }
        DataType::Timestamp => {
            let (low, high) =
                literal::instant(low).zip(literal::instant(high)).ok_or_else(wrong)?;
            let most = high.checked_sub(low).and_then(|span| u64::try_from(span - 1).ok());
            UniformRange::Timestamp { low, most: most.ok_or_else(wrong)? }
        }
        DataType::Bool
        | DataType::Text { .. }
        | DataType::Bytes
        | DataType::Uuid
        | DataType::Json
        | DataType::Object
        | DataType::Array => return Err(misfit(scope, "uniform", data_type)),
    };
    Ok(Made::plain(Arc::new(Uniform(range))))
}

fn int_range(scope: &Scope<'_>, low: i64, high: i64) -> Result<UniformRange, PlanError> {
    let most = high.wrapping_sub(low) as u64;
    if !scope.unique {
        return Ok(UniformRange::Int { low, most });
    }
    match scope.rows {
        Some(rows) if rows.checked_sub(1).is_some_and(|last| last > most) => {
            Err(scope.invalid(format!(
                "{rows} rows, but only {} different values; widen the range",
                u128::from(most) + 1
            )))
        }
        Some(_) | None => Ok(UniformRange::UniqueInt { low, most }),
    }
}

/// The numbers of the column's type between two bounds.
pub(super) fn number(
    scope: &Scope<'_>,
    data_type: DataType,
    min: Option<f64>,
    max: Option<f64>,
) -> Result<Number, PlanError> {
    Number::new(data_type, min, max).ok_or_else(|| {
        let bound = |bound: Option<f64>| bound.map_or("-".to_owned(), |bound| bound.to_string());
        scope.invalid(format!(
            "`{data_type}` has no number between min {} and max {}",
            bound(min),
            bound(max)
        ))
    })
}

/// The generator does not make the type.
pub(super) fn misfit(scope: &Scope<'_>, generator: &str, data_type: DataType) -> PlanError {
    scope.invalid(format!("`{generator}` does not fit the type `{data_type}`"))
}
