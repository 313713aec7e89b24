//! Rows that were sent before: which of them stand there already, with this very content.
//!
//! A repeated key is no proof: the row may be another's, or a row's own twin from the same payload. So the rows that were
//! refused are read back by their keys and compared cell by cell.

use std::collections::{HashMap, HashSet};

use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_schema::DataType;
use rowstorm_sink::SinkError;
use serde_json::Value;

use crate::answer::{Answer, Failed};
use crate::connect::Server;
use crate::dialect;
use crate::encode::lines;
use crate::error::{CONFLICT, DUPLICATE};
use crate::write::CrateDbWriter;

/// Keys that are looked up at once.
pub(crate) const LOOKED_UP: usize = 100;

pub(crate) type Row = Vec<Value>;

/// How many rows of a bulk were refused because they stand there already.
pub(crate) async fn confirmed(
    writer: &CrateDbWriter,
    sent: &[&[u8]],
    answer: &Answer,
) -> Result<u64, SinkError> {
    let (server, table) = (&writer.server, &writer.table);
    let is_candidate = |failed: &&Failed| {
        failed.error.as_ref().is_none_or(|error| matches!(error.code, DUPLICATE | CONFLICT))
    };
    let candidates: Vec<Row> = answer
        .failed
        .iter()
        .filter(is_candidate)
        .filter_map(|failed| row(sent[failed.row]))
        .collect();
    if candidates.is_empty() {
        return Ok(0);
    }
    // What was written just now is no confirmation of what was refused just now.
    let refused: HashSet<usize> = answer.failed.iter().map(|failed| failed.row).collect();
    let written = (0..sent.len()).filter(|place| !refused.contains(place));
    let mut taken: HashSet<String> =
        written.filter_map(|place| row(sent[place])).map(|row| key(table, &row)).collect();
    server.rows(&dialect::refresh(server.schema(), table), &[]).await?;
    let mut confirmed = 0;
    for some in candidates.chunks(LOOKED_UP) {
        let standing = standing(server, table, some).await?;
        for row in some {
            let key = key(table, row);
            let same = standing
                .get(&key)
                .is_some_and(|there| is_same_row(table, &writer.steady, row, there));
            if same && taken.insert(key) {
                confirmed += 1;
            }
        }
    }
    Ok(confirmed)
}

/// Those of some rows, at most [`LOOKED_UP`], that stand there, by their keys.
pub(crate) async fn standing(
    server: &Server,
    table: &TablePlan,
    some: &[Row],
) -> Result<HashMap<String, Row>, SinkError> {
    let keys: Row =
        some.iter().flat_map(|row| table.key.iter().map(|&place| row[place].clone())).collect();
    let sql = select_some(server.schema(), table, some.len());
    let rows = server.rows(&sql, &keys).await?.into_iter();
    let whole = rows.filter(|row| row.len() == table.columns.len());
    Ok(whole.map(|row| (key(table, &row), row)).collect())
}

/// Reads so many rows by their keys: a parameter for each column of each key.
pub(crate) fn select_some(schema: &str, table: &TablePlan, count: usize) -> String {
    format!("{} WHERE {}", dialect::select(schema, table), by_keys(table, count))
}

fn by_keys(table: &TablePlan, count: usize) -> String {
    let equal = |place: &usize| format!("{} = ?", dialect::quote(&table.columns[*place].name));
    let one = table.key.iter().map(equal).collect::<Vec<_>>().join(" AND ");
    vec![format!("({one})"); count].join(" OR ")
}

/// Rows of a body that holds columns.
pub(crate) fn rows_of_columns(body: &[u8]) -> Vec<Vec<u8>> {
    let columns: Vec<Row> = lines(body).filter_map(row).collect();
    let count = columns.first().map_or(0, Vec::len);
    let line = |place: usize| {
        let cells: Vec<&Value> = columns.iter().filter_map(|column| column.get(place)).collect();
        serde_json::to_vec(&cells).expect("values of JSON are JSON")
    };
    (0..count).map(line).collect()
}

/// The cells of a line of a body.
pub(crate) fn row(line: &[u8]) -> Option<Row> {
    serde_json::from_slice(line).ok()
}

/// A row's key as text, the same for what was sent and what was read.
pub(crate) fn key(table: &TablePlan, row: &Row) -> String {
    let cells = table.key.iter().map(|&place| {
        let (value, column) = (&row[place], &table.columns[place]);
        match (value, column.data_type) {
            (Value::String(text), DataType::Decimal { .. }) => digits(text),
            (Value::Number(number), DataType::Float { .. }) => {
                float(number.as_f64().unwrap_or_default(), column.data_type).to_string()
            }
            _ => value.to_string(),
        }
    });
    cells.collect::<Vec<_>>().join(",")
}

fn is_same_row(table: &TablePlan, columns: &[usize], sent: &Row, there: &Row) -> bool {
    let same = |place: &usize| is_same(&table.columns[*place], &sent[*place], &there[*place]);
    columns.iter().all(same)
}

fn is_same(column: &ColumnPlan, sent: &Value, there: &Value) -> bool {
    match (column.data_type, sent, there) {
        (DataType::Decimal { .. }, Value::String(sent), Value::String(there)) => {
            digits(sent) == digits(there)
        }
        (DataType::Float { .. }, Value::Number(sent), Value::Number(there)) => {
            let float = |number: &serde_json::Number| {
                number.as_f64().map(|value| float(value, column.data_type).to_bits())
            };
            float(sent) == float(there)
        }
        (DataType::Object | DataType::Array, sent, there) => is_same_document(sent, there),
        (_, sent, there) => sent == there,
    }
}

/// Numbers are equal by value: `1`, `1.0`, and a decimal that was sent as a string and comes back as a number.
fn is_same_document(sent: &Value, there: &Value) -> bool {
    match (sent, there) {
        (Value::Array(sent), Value::Array(there)) => {
            sent.len() == there.len()
                && sent.iter().zip(there).all(|(sent, there)| is_same_document(sent, there))
        }
        (Value::Object(sent), Value::Object(there)) => {
            sent.len() == there.len()
                && sent.iter().all(|(name, sent)| {
                    there.get(name).is_some_and(|there| is_same_document(sent, there))
                })
        }
        (Value::Number(sent), Value::Number(there)) => sent.as_f64() == there.as_f64(),
        (Value::String(sent), Value::Number(there)) => digits(sent) == digits(&there.to_string()),
        (sent, there) => sent == there,
    }
}

/// What a column of this width keeps.
fn float(value: f64, data_type: DataType) -> f64 {
    match data_type {
        DataType::Float { double: false } => f64::from(value as f32),
        _ => value,
    }
}

/// A decimal without what does not count: `-1.50`, `-15E-1` and `-1.5` are one.
fn digits(text: &str) -> String {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let counted = all.trim_end_matches('0');
    let dropped = all.len() - counted.len();
    let significant = counted.trim_start_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let exponent: i64 = exponent.parse().unwrap_or_default();
    format!("{sign}{significant}e{}", exponent - fraction.len() as i64 + dropped as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_compare_by_their_digits() {
        for (one, other) in [
            ("-0.05", "-5E-2"),
            ("1E-10", "0.0000000001"),
            ("1.50", "1.5"),
            ("120", "1.2E+2"),
            ("0.000", "-0"),
            (
                "1234567890123456789012345678.0123456789",
                "1234567890123456789012345678.0123456789000",
            ),
        ] {
            assert_eq!(digits(one), digits(other), "{one} {other}");
        }
        for (one, other) in [("1", "10"), ("-1", "1"), ("0.1", "0.01"), ("101", "11")] {
            assert_ne!(digits(one), digits(other), "{one} {other}");
        }
    }

    #[test]
    fn columns_turn_into_rows() {
        let body = b"{\"stmt\":\"x\",\"args\":[\n[1,null,-0.0],\n[\"a\\n\",\"],\\n[\",\"c\"]\n]}";
        let rows = rows_of_columns(body);
        let rows: Vec<&str> = rows.iter().map(|row| std::str::from_utf8(row).unwrap()).collect();
        assert_eq!(rows, [r#"[1,"a\n"]"#, r#"[null,"],\n["]"#, r#"[-0.0,"c"]"#]);
    }
}
