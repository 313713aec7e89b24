//! Reading rows back: streamed as the server sends them, by a prepared statement, whose answers have types: a FLOAT in text
//! has six digits.

use std::sync::Arc;

use mysql_async::prelude::{Query as _, Queryable as _, WithParams as _};
use mysql_async::{BinaryProtocol, QueryResult, Value as Cell};
use rowstorm_gen::schema::DataType;
use rowstorm_gen::{ColumnPlan, TablePlan, Value};
use rowstorm_sink::{BoxScan, Rows, Scan, SinkError};

use crate::connect::{Server, Session};
use crate::dialect::{NAMES, table_name};
use crate::error::failed;

/// Rows that are handed out at once.
const ROWS: usize = 1024;
/// Days from 1970-01-01 to 0000-03-01, where the calendar's cycle of 400 years begins for who counts days.
const DAYS_BEFORE: i64 = 719_468;

struct TableScan {
    table: Arc<TablePlan>,
    rows: Option<QueryResult<'static, 'static, BinaryProtocol>>,
}

/// Begins to read a table.
pub(crate) async fn open(server: &Server, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
    let Session { mut connection, .. } = server.open().await?;
    // Who compares what it reads may take its time.
    connection.query_drop("SET SESSION net_write_timeout = 3600").await.map_err(failed)?;
    let select = format!("SELECT {} FROM {}", NAMES.columns(table), table_name(table));
    let rows = select.with(()).run(connection).await.map_err(failed)?;
    Ok(Box::new(TableScan { table: Arc::clone(table), rows: Some(rows) }))
}

impl Scan for TableScan {
    fn next(&mut self) -> Rows<'_> {
        Box::pin(async {
            let mut read = Vec::new();
            let Some(rows) = &mut self.rows else { return Ok(read) };
            while read.len() < ROWS {
                let Some(row) = rows.next().await.map_err(failed)? else {
                    self.rows = None;
                    break;
                };
                let cells = self.table.columns.iter().zip(row.unwrap());
                read.push(cells.map(|(column, cell)| value(column, cell)).collect());
            }
            Ok(read)
        })
    }
}

/// A cell as its column's type says; what cannot be read so, as what it is.
pub(crate) fn value(column: &ColumnPlan, cell: Cell) -> Value {
    match (cell, column.data_type) {
        (Cell::NULL, _) => Value::Null,
        (Cell::Int(value @ (0 | 1)), DataType::Bool) => Value::Bool(value == 1),
        (Cell::Int(value), _) => Value::Int(value),
        (Cell::UInt(value), _) => {
            i64::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Int)
        }
        (Cell::Float(value), _) => Value::Float(value.into()),
        (Cell::Double(value), _) => Value::Float(value),
        (Cell::Date(year, month, day, hour, minute, second, micros), _) => {
            let seconds = days(year, month, day) * 86_400
                + i64::from(hour) * 3600
                + i64::from(minute) * 60
                + i64::from(second);
            Value::Timestamp(seconds * 1_000_000 + i64::from(micros))
        }
        (time @ Cell::Time(..), _) => Value::Text(time.as_sql(true)),
        (Cell::Bytes(bytes), data_type) => of_bytes(bytes, data_type),
    }
}

fn of_bytes(bytes: Vec<u8>, data_type: DataType) -> Value {
    if let (DataType::Uuid, Ok(uuid)) = (data_type, <[u8; 16]>::try_from(&*bytes)) {
        return Value::Uuid(uuid);
    }
    if data_type == DataType::Bytes {
        return Value::Bytes(bytes);
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Value::Bytes(error.into_bytes()),
    };
    match data_type {
        DataType::Decimal { scale, .. } => decimal(&text, scale).unwrap_or(Value::Text(text)),
        DataType::Uuid => uuid(&text).map_or(Value::Text(text), Value::Uuid),
        DataType::Json | DataType::Object | DataType::Array => Value::Json(text),
        DataType::Text { .. }
        | DataType::Bytes
        | DataType::Bool
        | DataType::Int(_)
        | DataType::Float { .. }
        | DataType::Timestamp => Value::Text(text),
    }
}

/// A decimal with at least `scale` digits behind its point, more if it has more.
fn decimal(text: &str, scale: u8) -> Option<Value> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let scale = scale.max(u8::try_from(fraction.len()).ok()?);
    let unscaled =
        format!("{whole}{fraction:0<width$}", width = usize::from(scale)).parse().ok()?;
    Some(Value::Decimal { unscaled, scale })
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.split('-').collect();
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
    Some(number.to_be_bytes())
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
fn days(year: u16, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_BEFORE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years() {
        for (date, count) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2024, 3, 1), 19_783),
            ((1, 1, 1), -719_162),
            ((9999, 12, 31), 2_932_896),
        ] {
            assert_eq!(days(date.0, date.1, date.2), count, "{date:?}");
        }
    }

    #[test]
    fn decimals_stay_exact() {
        for (text, unscaled, scale) in [
            ("12.50", 1250, 2),
            ("-0.5", -50, 2),
            ("7", 700, 2),
            ("1.2345", 12345, 4),
            ("1.2000", 120, 2),
        ] {
            assert_eq!(decimal(text, 2), Some(Value::Decimal { unscaled, scale }), "{text}");
        }
        assert_eq!(decimal("abc", 2), None);
    }
}
