//! SQLite's words: types, names, statements.
//!
//! - Instants are TEXT, `2026-01-01T00:00:00.000001Z`: what SQLite's own date functions read, what people read in the
//!   shell, and, for the years 0 to 9999, sorted by time. Microseconds in an INTEGER would take 20 bytes less a row.
//! - Decimals are TEXT with all their digits: SQLite has no exact number beyond 64 bits, and a REAL would round them.
//! - UUIDs are TEXT of 36 characters, JSON documents, objects and arrays TEXT for the `json_*` functions.
//! - Booleans are INTEGER 0 and 1.
//! - `varchar(n)` is TEXT with a CHECK, since SQLite takes any length for any type.

use std::ops::Range;

use rowstorm_gen::changes::OpKind;
use rowstorm_gen::schema::{DataType, Index};
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::Statement;
use rowstorm_sink::sql::{self, Case, Counting, NameLimit, Names, Sum};

/// SQLite bounds no name but by the length of a statement.
pub(crate) const NAMES: Names =
    Names { database: "SQLite", quote, limit: NameLimit::Bytes(usize::MAX), case: Case::Ignored };

/// A sum of 64-bit values overflows in SQLite. The smallest integer has no literal of its own: as text it is compared as
/// the column's type. A result has at most 2,000 columns (`SQLITE_MAX_COLUMN`).
pub(crate) const COUNTING: Counting = Counting {
    names: NAMES,
    sum: Sum::Halves(|name| [format!("sum({name} >> 32)"), format!("sum({name} & 4294967295)")]),
    text: |expression| format!("CAST({expression} AS TEXT)"),
    literal: |value| format!("'{value}'"),
    cells_max: 2000,
};

/// A name as an identifier, whatever it holds.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The statement that makes a table.
pub(crate) fn create_table(table: &TablePlan) -> String {
    let options = table.spec.sqlite.clone().unwrap_or_default();
    let options: Vec<&str> = [("STRICT", options.strict), ("WITHOUT ROWID", options.without_rowid)]
        .into_iter()
        .filter_map(|(word, wanted)| wanted.then_some(word))
        .collect();
    let definitions = sql::definitions(table, &NAMES, type_words);
    let create =
        format!("CREATE TABLE {} {definitions} {}", quote(&table.name), options.join(", "));
    create.trim_end().to_owned()
}

/// The statement that drops it.
pub(crate) fn drop_table(table: &TablePlan) -> String {
    format!("DROP TABLE IF EXISTS {}", quote(&table.name))
}

fn type_words(column: &ColumnPlan) -> String {
    match (column.data_type, sql::own_type(column, "sqlite")) {
        (_, Some(words)) => words.to_owned(),
        (DataType::Text { max: Some(max) }, None) => {
            format!("TEXT CHECK (length({}) <= {max})", quote(&column.name))
        }
        (data_type, None) => type_name(data_type).to_owned(),
    }
}

fn type_name(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Bool | DataType::Int(_) => "INTEGER",
        DataType::Float { .. } => "REAL",
        DataType::Bytes => "BLOB",
        DataType::Decimal { .. }
        | DataType::Text { .. }
        | DataType::Timestamp
        | DataType::Uuid
        | DataType::Json
        | DataType::Object
        | DataType::Array => "TEXT",
    }
}

/// The statements that make the secondary indexes; making one again is harmless.
pub(crate) fn create_indexes(table: &TablePlan) -> Vec<String> {
    let one = |index: &Index| {
        let name = quote(&NAMES.index(&table.name, index));
        let unique = if index.unique { "UNIQUE " } else { "" };
        let columns = NAMES.list(index.on.iter().map(String::as_str));
        format!("CREATE {unique}INDEX IF NOT EXISTS {name} ON {} ({columns})", quote(&table.name))
    };
    table.spec.indexes.iter().map(one).collect()
}

/// The statement that takes one row.
pub(crate) fn insert(table: &TablePlan) -> String {
    let places: Vec<String> = (1..=table.columns.len()).map(|place| format!("?{place}")).collect();
    let columns = NAMES.columns(table);
    format!("INSERT INTO {} ({columns}) VALUES ({})", quote(&table.name), places.join(", "))
}

/// The statement that finds a row with this very content.
pub(crate) fn find(table: &TablePlan) -> String {
    stands(table, &(0..table.columns.len()).collect::<Vec<_>>())
}

/// The statement that finds a row by some columns, its key among them; the key comes first, so that it is found by the key.
pub(crate) fn stands(table: &TablePlan, columns: &[usize]) -> String {
    let name = |place: usize| quote(&table.columns[place].name);
    let (key, rest): (Vec<_>, Vec<_>) =
        columns.iter().enumerate().partition(|(_, place)| table.key.contains(place));
    let equal = key.iter().map(|(at, place)| format!("{} = ?{}", name(**place), at + 1));
    let same = rest.iter().map(|(at, place)| format!("{} IS ?{}", name(**place), at + 1));
    let conditions = equal.chain(same).collect::<Vec<_>>().join(" AND ");
    format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {conditions})", quote(&table.name))
}

/// The statement that reads all rows.
pub(crate) fn select(table: &TablePlan) -> String {
    format!("SELECT {} FROM {}", NAMES.columns(table), quote(&table.name))
}

/// The statement that takes a row away by its key.
pub(crate) fn unmake(statement: &Statement) -> String {
    let found = assigned(statement, 0..statement.keys(), " AND ");
    format!("DELETE FROM {} WHERE {found}", quote(&statement.table.name))
}

/// The statement that changes or reads one row: its parameters are the columns that travel.
pub(crate) fn change(statement: &Statement) -> String {
    if statement.query.is_some() {
        let parts = sql::query(statement, "sqlite", &NAMES, &quote(&statement.table.name));
        let text = |parts: Vec<_>| sql::worded(&parts, |at| format!("?{}", at + 1));
        return parts.map_or_else(|error| error.message, text);
    }
    let (table, keys) = (quote(&statement.table.name), statement.keys());
    let found = assigned(statement, 0..keys, " AND ");
    match statement.kind {
        OpKind::Insert => insert(&statement.table),
        OpKind::Update | OpKind::Rekey => {
            let set = assigned(statement, keys..statement.columns.columns.len(), ", ");
            format!("UPDATE {table} SET {set} WHERE {found}")
        }
        OpKind::Delete => unmake(statement),
        OpKind::Read => format!("SELECT * FROM {table} WHERE {found}"),
    }
}

/// Some columns of a statement, each with its own parameter.
fn assigned(statement: &Statement, places: Range<usize>, between: &str) -> String {
    let columns = &statement.columns.columns;
    let one = |at: usize| format!("{} = ?{}", quote(&columns[at].name), at + 1);
    places.map(one).collect::<Vec<_>>().join(between)
}
