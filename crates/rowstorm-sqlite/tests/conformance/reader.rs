//! Reads a database by SQL of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot read has failed")]

use std::path::Path;

use rowstorm_gen::TablePlan;
use rowstorm_sink::conformance::Row;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// All rows, by the first column.
pub(crate) fn rows(path: &Path, table: &TablePlan) -> Vec<Row> {
    let connection = Connection::open(path).unwrap();
    let name = table.name.replace('"', "\"\"");
    let mut rows = connection.prepare(&format!("SELECT * FROM \"{name}\" ORDER BY 1")).unwrap();
    let columns = 0..table.columns.len();
    let row = |row: &rusqlite::Row<'_>| {
        columns.clone().map(|place| Ok(text(row.get_ref(place)?))).collect()
    };
    rows.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The columns of each secondary index.
pub(crate) fn indexes(path: &Path, table: &TablePlan) -> Vec<Vec<String>> {
    let connection = Connection::open(path).unwrap();
    let list = |sql: &str, name: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([name], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    let names = "SELECT name FROM pragma_index_list(?1) WHERE origin = 'c'";
    let columns = |index: &String| list("SELECT name FROM pragma_index_info(?1)", index);
    list(names, &table.name).iter().map(columns).collect()
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
