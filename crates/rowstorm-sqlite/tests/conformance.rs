//! The promises of every sink, kept by SQLite.
#![expect(clippy::unwrap_used, reason = "a test that cannot read has failed")]

use std::process::ExitCode;

use rowstorm_gen::TablePlan;
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{self, Need, Row, Server, Subject};
use rowstorm_sqlite::Sqlite;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

struct Embedded;

impl Subject for Embedded {
    type Sink = Sqlite;
    const NAME: &'static str = "sqlite";
    const SERVER: Server = Server::InProcess;
    // SQLite keeps whole floats as integers, and an integer has no negative zero.
    const LACKS: &'static [Need] = &[Need::Connections, Need::Passwords, Need::SignedZero];

    async fn connect(_: &str) -> Result<Sqlite, SinkError> {
        Sqlite::temporary()
    }

    async fn read(sink: &Sqlite, table: &TablePlan) -> Vec<Row> {
        let connection = Connection::open(sink.path()).unwrap();
        let name = table.name.replace('"', "\"\"");
        let mut rows = connection.prepare(&format!("SELECT * FROM \"{name}\" ORDER BY 1")).unwrap();
        let columns = 0..table.columns.len();
        let row = |row: &rusqlite::Row<'_>| {
            columns.clone().map(|place| Ok(text(row.get_ref(place)?))).collect()
        };
        rows.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    }

    async fn indexes(sink: &Sqlite, table: &TablePlan) -> Vec<Vec<String>> {
        let connection = Connection::open(sink.path()).unwrap();
        let sql = "SELECT i.name FROM pragma_index_list(?1) i WHERE i.origin = 'c'";
        let list = |sql: &str, name: &str| -> Vec<String> {
            let mut statement = connection.prepare(sql).unwrap();
            statement
                .query_map([name], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap()
        };
        let columns = |index: &String| list("SELECT name FROM pragma_index_info(?1)", index);
        list(sql, &table.name).iter().map(columns).collect()
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(format!("{value:?}")),
        ValueRef::Text(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
        ValueRef::Blob(bytes) => {
            Some(bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
        }
    }
}

fn main() -> ExitCode {
    conformance::main::<Embedded>()
}
