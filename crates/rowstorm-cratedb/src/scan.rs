//! Rows read back: by pages in the order of the primary key, for an answer over HTTP comes whole.

use std::fmt::Write as _;
use std::sync::Arc;

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{TablePlan, Value as Cell};
use rowstorm_sink::{BoxScan, Rows, Scan, SinkError, text as told};
use serde_json::Value;

use crate::connect::Server;
use crate::dialect;

/// Rows of one answer.
const PAGE_ROWS: usize = 1000;

struct CrateDbScan {
    server: Arc<Server>,
    table: Arc<TablePlan>,
    from: From,
}

/// Where the next page begins.
enum From {
    Start,
    /// Behind the row with this key.
    Key(Vec<Value>),
    /// Behind so many rows, of a table that has no key.
    Row(usize),
    End,
}

/// Makes what was written visible, and begins to read.
pub(crate) async fn open(
    server: &Arc<Server>,
    table: &Arc<TablePlan>,
) -> Result<BoxScan, SinkError> {
    server.rows(&dialect::refresh(server.schema(), table), &[]).await?;
    let (server, table) = (Arc::clone(server), Arc::clone(table));
    Ok(Box::new(CrateDbScan { server, table, from: From::Start }))
}

impl Scan for CrateDbScan {
    fn next(&mut self) -> Rows<'_> {
        Box::pin(async {
            let from = std::mem::replace(&mut self.from, From::End);
            let (statement, args) = match &from {
                From::Start => (self.page(None, 0), Vec::new()),
                From::Key(key) => (self.page(Some(key), 0), behind(key)),
                From::Row(row) => (self.page(None, *row), Vec::new()),
                From::End => return Ok(Vec::new()),
            };
            let rows = self.server.rows(&statement, &args).await?;
            if let Some(last) = rows.last().filter(|_| rows.len() == PAGE_ROWS) {
                let key: Vec<Value> =
                    self.table.key.iter().filter_map(|place| last.get(*place).cloned()).collect();
                self.from = match from {
                    _ if !key.is_empty() => From::Key(key),
                    From::Row(row) => From::Row(row + PAGE_ROWS),
                    From::Start | From::Key(_) | From::End => From::Row(PAGE_ROWS),
                };
            }
            Ok(rows.into_iter().map(|row| read(&self.table, row)).collect())
        })
    }
}

impl CrateDbScan {
    /// The statement of a page: behind a key, or behind so many rows in an order that tells all different rows apart.
    fn page(&self, key: Option<&Vec<Value>>, offset: usize) -> String {
        let table = &self.table;
        let name = |place: usize| dialect::quote(&table.columns[place].name);
        let mut sql = dialect::select(self.server.schema(), table);
        if key.is_some() {
            // (a, b) > (x, y): a > x, or a = x and b > y.
            let either = (0..table.key.len()).map(|last| {
                let equal = table.key[..last].iter().map(|place| format!("{} = ?", name(*place)));
                let more = format!("{} > ?", name(table.key[last]));
                format!("({})", equal.chain([more]).collect::<Vec<_>>().join(" AND "))
            });
            sql += " WHERE ";
            sql += &either.collect::<Vec<_>>().join(" OR ");
        }
        let has_order = |place: &usize| {
            !matches!(table.columns[*place].data_type, DataType::Object | DataType::Array)
        };
        let order: Vec<String> = if table.key.is_empty() {
            (0..table.columns.len()).filter(has_order).map(name).collect()
        } else {
            table.key.iter().map(|place| name(*place)).collect()
        };
        if !order.is_empty() {
            sql += " ORDER BY ";
            sql += &order.join(", ");
        }
        let _ = write!(sql, " LIMIT {PAGE_ROWS}");
        if offset > 0 {
            let _ = write!(sql, " OFFSET {offset}");
        }
        sql
    }
}

/// The parameters of a page behind a key.
fn behind(key: &[Value]) -> Vec<Value> {
    (0..key.len()).flat_map(|last| key[..=last].to_vec()).collect()
}

fn read(table: &TablePlan, row: Vec<Value>) -> Vec<Cell> {
    let cells = table.columns.iter().zip(row);
    cells.map(|(column, value)| cell(value, column.data_type)).collect()
}

/// A value as its column's type says; what cannot be read so, as what it is.
fn cell(value: Value, data_type: DataType) -> Cell {
    match (value, data_type) {
        (Value::Null, _) => Cell::Null,
        (value, DataType::Object | DataType::Array) => Cell::Json(value.to_string()),
        (Value::Bool(value), _) => Cell::Bool(value),
        (Value::Number(number), data_type) => match (number.as_i64(), data_type) {
            (Some(millis), DataType::Timestamp) => Cell::Timestamp(millis.saturating_mul(1000)),
            (_, DataType::Float { double: true }) => {
                Cell::Float(number.as_f64().unwrap_or_default())
            }
            // As many digits as tell it from other floats of four bytes.
            (_, DataType::Float { double: false }) => {
                Cell::Float(f64::from(number.as_f64().unwrap_or_default() as f32))
            }
            (Some(value), _) => Cell::Int(value),
            (None, data_type) => told::value(number.to_string(), data_type),
        },
        (Value::String(text), DataType::Bytes) => {
            unhex(&text).map_or(Cell::Text(text), Cell::Bytes)
        }
        (Value::String(text), data_type) => told::value(text, data_type),
        (value @ (Value::Array(_) | Value::Object(_)), _) => Cell::Text(value.to_string()),
    }
}

/// Bytes of hexadecimal text, as they are written.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    text.len().is_multiple_of(2).then(|| (0..text.len()).step_by(2).map(pair).collect())?
}
