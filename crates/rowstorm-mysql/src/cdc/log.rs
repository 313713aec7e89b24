//! The log as a replica reads it: events, and what they say of the tables that are watched.

use std::collections::HashMap;
use std::sync::Arc;

use mysql_async::binlog::events::{Event, EventData, TableMapEvent};
use mysql_async::binlog::row::BinlogRow;
use mysql_async::binlog::value::BinlogValue;
use mysql_async::prelude::Queryable as _;
use mysql_async::{BinlogStream, BinlogStreamRequest, Conn, Error, Row, Value as Cell};
use rowstorm_gen::{ColumnPlan, TablePlan, Value};
use rowstorm_sink::SinkError;

use super::{Logged, RowChange};
use crate::catalogue;
use crate::connect::{Server, Session};
use crate::dialect::table_name;
use crate::error::failed;
use crate::scan::value;

/// Replicas have numbers, and no two at a time the same: ours are beyond those that people choose, with the connection's own.
const REPLICA: u32 = 0x5277_0000;
/// The first and the last of MariaDB's events of compressed rows.
const COMPRESSED: std::ops::RangeInclusive<u8> = 165..=171;
const CHECKSUM_BYTES: usize = 4;
const PARSE_ERROR: u16 = 1064;

/// Whether a stream waits for more at the log's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Yes,
    No,
}

/// Which tables are read, and from where on.
#[derive(Debug)]
pub(super) struct Log {
    server: Server,
    database: String,
    pub(super) tables: HashMap<String, Watched>,
    /// The file that is read, and behind the last transaction that was read whole.
    pub(super) file: String,
    pub(super) offset: u64,
    /// The transaction that is being read changed one of the tables.
    has_rows: bool,
}

/// A table, and where its stored row has the plan's columns.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) table: Arc<TablePlan>,
    places: Vec<usize>,
}

impl Log {
    pub(super) async fn begin(server: Server, plans: &[Arc<TablePlan>]) -> Result<Log, SinkError> {
        let Session { mut connection, .. } = server.open().await?;
        let ask = "SELECT @@log_bin, @@binlog_format, @@binlog_row_image, DATABASE()";
        let told: Option<(bool, String, String, String)> =
            connection.query_first(ask).await.map_err(failed)?;
        let (is_on, format, image, database) = told.unwrap_or_default();
        check(is_on, &format, &image)?;
        let mut tables = HashMap::new();
        for table in plans {
            let stored = catalogue::columns(&mut connection, table).await?;
            let place = |column: &ColumnPlan| {
                let same = |name: &String| name.to_lowercase() == column.name.to_lowercase();
                stored.iter().position(same).ok_or_else(|| {
                    let name = table_name(table);
                    SinkError::fatal(
                        "no column",
                        format!("table {name} has no column {}", column.name),
                    )
                })
            };
            let places = table.columns.iter().map(place).collect::<Result<_, _>>()?;
            tables.insert(table.name.to_string(), Watched { table: Arc::clone(table), places });
        }
        let (file, offset) = end(&mut connection).await?;
        connection.disconnect().await.map_err(failed)?;
        Ok(Log { server, database, tables, file, offset, has_rows: false })
    }

    pub(super) async fn stream(&self, wait: Wait) -> Result<BinlogStream, SinkError> {
        let Session { connection, .. } = self.server.open().await?;
        let request = BinlogStreamRequest::new(REPLICA | (connection.id() & 0xffff))
            .with_filename(self.file.as_bytes())
            .with_pos(self.offset);
        let request = if wait == Wait::No { request.with_non_blocking() } else { request };
        connection.get_binlog_stream(request).await.map_err(failed)
    }

    /// What an event says of the tables.
    pub(super) fn read(
        &mut self,
        event: &Event,
        stream: &BinlogStream,
    ) -> Result<Vec<Logged>, SinkError> {
        let broken = |error: std::io::Error| failed(Error::from(error));
        if COMPRESSED.contains(&event.header().event_type_raw()) {
            let message = "the binary log has compressed rows: set log_bin_compress = OFF";
            return Err(SinkError::fatal("binlog", message));
        }
        let mut logged = Vec::new();
        match event.read_data().map_err(broken)? {
            Some(EventData::RotateEvent(rotate)) => {
                // MariaDB ends the first one of a stream in a checksum, which the driver does not know of yet.
                let mut name = rotate.name_raw();
                if name.len() == self.file.len() + CHECKSUM_BYTES {
                    name = &name[..self.file.len()];
                }
                self.file = String::from_utf8_lossy(name).into_owned();
                self.offset = rotate.position();
            }
            Some(EventData::RowsEvent(rows)) => {
                let Some(map) = stream.get_tme(rows.table_id()) else { return Ok(logged) };
                let Some(watched) = self.watched(map) else { return Ok(logged) };
                for row in rows.rows(map) {
                    let (before, after) = row.map_err(broken)?;
                    let (before, after) = (
                        before.map(|row| watched.values(row)).transpose()?,
                        after.map(|row| watched.values(row)).transpose()?,
                    );
                    let table = Arc::clone(&watched.table.name);
                    logged.push(Logged::Row(RowChange { table, before, after }));
                }
                self.has_rows |= !logged.is_empty();
            }
            Some(EventData::XidEvent(_)) => logged.extend(self.committed(event)),
            Some(EventData::QueryEvent(query)) if query.query_raw() == b"COMMIT" => {
                logged.extend(self.committed(event));
            }
            _ => {}
        }
        Ok(logged)
    }

    fn committed(&mut self, event: &Event) -> Option<Logged> {
        // Events of a compressed transaction have no place of their own.
        if event.header().log_pos() > 0 {
            self.offset = event.header().log_pos().into();
        }
        std::mem::take(&mut self.has_rows).then_some(Logged::Commit)
    }

    fn watched(&self, map: &TableMapEvent<'_>) -> Option<&Watched> {
        let is_here = map.database_name_raw() == self.database.as_bytes();
        self.tables.get(&*map.table_name()).filter(|_| is_here)
    }
}

impl Watched {
    fn values(&self, row: BinlogRow) -> Result<Vec<Value>, SinkError> {
        let mut cells = row.unwrap();
        let cells = self.table.columns.iter().zip(&self.places).map(|(column, &place)| {
            let taken = std::mem::replace(&mut cells[place], BinlogValue::Value(Cell::NULL));
            let cell = Cell::try_from(taken);
            cell.map(|cell| value(column, cell)).map_err(|error| {
                SinkError::fatal(
                    "binlog",
                    format!("a value of {} cannot be read: {error}", column.name),
                )
            })
        });
        cells.collect()
    }
}

/// Whether rows can be read from a log that is kept so.
fn check(is_on: bool, format: &str, image: &str) -> Result<(), SinkError> {
    if is_on && format == "ROW" && image == "FULL" {
        return Ok(());
    }
    let state = if is_on { "on" } else { "off" };
    let message = format!(
        "the binary log cannot be read by row: log_bin is {state}, binlog_format {format}, binlog_row_image {image}; \
         start the server with --log-bin --binlog-format=ROW --binlog-row-image=FULL"
    );
    Err(SinkError::fatal("binlog", message))
}

/// Where the log ends now. The statement has two names, and each server knows one.
async fn end(connection: &mut Conn) -> Result<(String, u64), SinkError> {
    let row: Option<Row> = match connection.query_first("SHOW BINARY LOG STATUS").await {
        Err(Error::Server(error)) if error.code == PARSE_ERROR => {
            connection.query_first("SHOW MASTER STATUS").await.map_err(failed)?
        }
        told => told.map_err(failed)?,
    };
    let told = row.and_then(|mut row| Some((row.take(0)?, row.take(1)?)));
    told.ok_or_else(|| SinkError::fatal("binlog", "the binary log is empty"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_log_that_is_not_of_whole_rows_is_refused_in_words() {
        assert!(check(true, "ROW", "FULL").is_ok());
        for (is_on, format, image, said) in [
            (false, "ROW", "FULL", "log_bin is off"),
            (true, "MIXED", "FULL", "binlog_format MIXED"),
            (true, "ROW", "MINIMAL", "binlog_row_image MINIMAL"),
        ] {
            let error = check(is_on, format, image).unwrap_err();
            assert!(error.message.contains(said) && error.message.contains("--log-bin"), "{error}");
        }
    }
}
