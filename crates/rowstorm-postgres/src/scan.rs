//! Reading a table back: a cursor on the server, some rows at a time, values in their binary form.

mod value;

use std::sync::Arc;

use rowstorm_gen::{TablePlan, Value};
use rowstorm_sink::{Rows, Scan, SinkError};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Row as _, ValueRef as _};

use crate::catalogue::{self, failed};
use crate::connect::{Server, run};
use crate::dialect::{quote, table_name};
use value::Form;

/// Bytes that one fetch is to bring, about: large enough that its round trip does not count.
const FETCH_BYTES: usize = 1 << 20;
/// Rows that one fetch brings at most, and the first one.
const FETCH_ROWS_MAX: usize = 4096;
const FETCH_ROWS_FIRST: usize = 64;

/// A table that is being read.
#[derive(Debug)]
pub(crate) struct TableScan {
    connection: PgConnection,
    table: Arc<TablePlan>,
    forms: Vec<Form>,
    /// Rows of the next fetch; 0 once there are no more.
    rows: usize,
}

impl TableScan {
    /// Opens a cursor over all rows that stand there now.
    pub(crate) async fn open(
        server: &Server,
        table: Arc<TablePlan>,
    ) -> Result<TableScan, SinkError> {
        let mut connection = server.open().await?;
        let stored = catalogue::columns(&mut connection, &table).await.map_err(failed)?;
        let (mut forms, mut cells) = (Vec::new(), Vec::new());
        for column in &table.columns {
            let there = stored.iter().find(|there| there.name == *column.name);
            let there = there.ok_or_else(|| catalogue::missing(&table, &column.name))?;
            let form = Form::of(&there.detail.reader);
            // What no form of ours reads comes as the text that the server shows.
            let cast = if form == Form::Shown { "::text" } else { "" };
            cells.push(format!("{}{cast}", quote(&column.name)));
            forms.push(form);
        }
        let (cells, name) = (cells.join(", "), table_name(&table));
        let open = format!(
            "BEGIN READ ONLY; DECLARE rowstorm_scan NO SCROLL CURSOR FOR SELECT {cells} FROM {name}"
        );
        run(&mut connection, &open).await.map_err(failed)?;
        Ok(TableScan { connection, table, forms, rows: FETCH_ROWS_FIRST })
    }

    async fn fetch(&mut self) -> Result<Vec<Vec<Value>>, SinkError> {
        if self.rows == 0 {
            return Ok(Vec::new());
        }
        let sql = format!("FETCH {} FROM rowstorm_scan", self.rows);
        let fetched = sqlx::query(&sql).fetch_all(&mut self.connection).await.map_err(failed)?;
        let mut bytes = 0;
        let mut rows = Vec::with_capacity(fetched.len());
        for row in &fetched {
            rows.push(self.row(row, &mut bytes)?);
        }
        self.rows = match rows.len() {
            0 => 0,
            // Powers of two: each number of rows is a statement of its own.
            some => {
                (FETCH_BYTES * some / bytes.max(1)).clamp(1, FETCH_ROWS_MAX).next_power_of_two()
            }
        };
        Ok(rows)
    }

    fn row(&self, row: &PgRow, bytes: &mut usize) -> Result<Vec<Value>, SinkError> {
        let mut values = Vec::with_capacity(self.forms.len());
        for (place, (form, column)) in self.forms.iter().zip(&self.table.columns).enumerate() {
            let cell = row.try_get_raw(place).map_err(failed)?;
            if cell.is_null() {
                values.push(Value::Null);
                continue;
            }
            let sent = cell.as_bytes().map_err(|error| failed(sqlx::Error::Decode(error)))?;
            *bytes += sent.len();
            let value = form.read(sent).ok_or_else(|| {
                let what = format!("{} bytes are no {form:?}", sent.len());
                SinkError::fatal("answer", format!("column `{}`: {what}", column.name))
            })?;
            values.push(value::declared(value, column.data_type));
        }
        Ok(values)
    }
}

impl Scan for TableScan {
    fn next(&mut self) -> Rows<'_> {
        Box::pin(self.fetch())
    }
}
