//! Rows as SQLite keeps them, read as their columns' types.

use std::sync::Arc;

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{TablePlan, Value};
use rowstorm_sink::{Rows, Scan, SinkError, text};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::write::Worker;
use crate::{dialect, error};

/// Rows that cross from the connection's thread at once.
const PAGE_ROWS: usize = 1000;

type Page = Vec<Vec<Value>>;

/// A statement that runs on the connection's thread, a page ahead of who reads.
pub(crate) struct SqliteScan {
    pages: mpsc::Receiver<Result<Page, SinkError>>,
    _temporary: Option<Arc<TempDir>>,
}

impl SqliteScan {
    pub(crate) fn start(
        worker: &Worker,
        table: &TablePlan,
        temporary: Option<Arc<TempDir>>,
    ) -> Result<SqliteScan, SinkError> {
        let (send, pages) = mpsc::channel(1);
        let types: Vec<DataType> = table.columns.iter().map(|column| column.data_type).collect();
        let select = dialect::select(table);
        worker.begin(Box::new(move |connection| {
            if let Err(failure) = read(connection, &select, &types, &send) {
                let _ = send.blocking_send(Err(error::fatal(failure)));
            }
        }))?;
        Ok(SqliteScan { pages, _temporary: temporary })
    }
}

impl Scan for SqliteScan {
    fn next(&mut self) -> Rows<'_> {
        Box::pin(async { self.pages.recv().await.unwrap_or(Ok(Vec::new())) })
    }
}

/// Sends all rows, unless nobody wants them any more.
fn read(
    connection: &Connection,
    select: &str,
    types: &[DataType],
    pages: &mpsc::Sender<Result<Page, SinkError>>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = types.iter().enumerate();
        let cells = cells.map(|(place, data_type)| Ok(value(row.get_ref(place)?, *data_type)));
        page.push(cells.collect::<rusqlite::Result<_>>()?);
        if page.len() == PAGE_ROWS && pages.blocking_send(Ok(std::mem::take(&mut page))).is_err() {
            return Ok(());
        }
    }
    if !page.is_empty() {
        let _ = pages.blocking_send(Ok(page));
    }
    Ok(())
}

fn value(cell: ValueRef<'_>, data_type: DataType) -> Value {
    match (cell, data_type) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(value @ (0 | 1)), DataType::Bool) => Value::Bool(value == 1),
        // A whole float is kept as an integer.
        (ValueRef::Integer(value), DataType::Float { .. }) => Value::Float(value as f64),
        (ValueRef::Integer(value), _) => Value::Int(value),
        (ValueRef::Real(value), _) => Value::Float(value),
        (ValueRef::Text(bytes), data_type) => match std::str::from_utf8(bytes) {
            Ok(told) => text::value(told.to_owned(), data_type),
            Err(_) => Value::Bytes(bytes.to_vec()),
        },
        (ValueRef::Blob(bytes), _) => Value::Bytes(bytes.to_vec()),
    }
}
