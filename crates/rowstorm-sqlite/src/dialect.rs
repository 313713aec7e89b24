//! SQLite's words: types, names, statements.
//!
//! - Instants are TEXT, `2026-01-01T00:00:00.000001Z`: what SQLite's own date functions read, what people read in the
//!   shell, and, for the years 0 to 9999, sorted by time. Microseconds in an INTEGER would take 20 bytes less a row.
//! - Decimals are TEXT with all their digits: SQLite has no exact number beyond 64 bits, and a REAL would round them.
//! - UUIDs are TEXT of 36 characters, JSON documents, objects and arrays TEXT for the `json_*` functions.
//! - Booleans are INTEGER 0 and 1.
//! - `varchar(n)` is TEXT with a CHECK, since SQLite takes any length for any type.

use rowstorm_gen::schema::{DataType, Index};
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::Scope;

/// A name as an identifier, whatever it holds.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The statement that makes a table.
pub(crate) fn create_table(table: &TablePlan) -> String {
    let mut parts: Vec<String> = table.columns.iter().map(column).collect();
    if !table.key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", list(key_columns(table))));
    }
    let options = table.spec.sqlite.clone().unwrap_or_default();
    let options: Vec<&str> = [("STRICT", options.strict), ("WITHOUT ROWID", options.without_rowid)]
        .into_iter()
        .filter_map(|(word, wanted)| wanted.then_some(word))
        .collect();
    let create = format!("CREATE TABLE {} (\n  {}\n)", quote(&table.name), parts.join(",\n  "));
    format!("{create} {}", options.join(", ")).trim_end().to_owned()
}

fn column(column: &ColumnPlan) -> String {
    let name = quote(&column.name);
    let own = column.ddl.iter().find(|(database, _)| database == "sqlite").map(|(_, words)| words);
    let mut words = format!("{name} {}", own.map_or(type_name(column.data_type), String::as_str));
    if !column.nullable() {
        words.push_str(" NOT NULL");
    }
    if column.unique {
        words.push_str(" UNIQUE");
    }
    if let (DataType::Text { max: Some(max) }, None) = (column.data_type, own) {
        words.extend([" CHECK (length(", &name, ") <= ", &max.to_string(), ")"]);
    }
    words
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
        let name = quote(&format!("{}_{}_idx", table.name, index.on.join("_")));
        let unique = if index.unique { "UNIQUE " } else { "" };
        let columns = list(index.on.iter().map(String::as_str));
        format!("CREATE {unique}INDEX IF NOT EXISTS {name} ON {} ({columns})", quote(&table.name))
    };
    table.spec.indexes.iter().map(one).collect()
}

/// The statement that takes one row.
pub(crate) fn insert(table: &TablePlan) -> String {
    let places: Vec<String> = (1..=table.columns.len()).map(|place| format!("?{place}")).collect();
    let columns = list(table.columns.iter().map(|column| &*column.name));
    format!("INSERT INTO {} ({columns}) VALUES ({})", quote(&table.name), places.join(", "))
}

/// The statement that finds a row with this very content; the key comes first, so that it is found by the key.
pub(crate) fn find(table: &TablePlan) -> String {
    let equal = |place: usize| format!("{} = ?{}", quote(&table.columns[place].name), place + 1);
    let same = |place: usize| format!("{} IS ?{}", quote(&table.columns[place].name), place + 1);
    let key = table.key.iter().copied().map(equal);
    let rest = (0..table.columns.len()).filter(|place| !table.key.contains(place)).map(same);
    let conditions: Vec<String> = key.chain(rest).collect();
    let conditions = conditions.join(" AND ");
    format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {conditions})", quote(&table.name))
}

/// The statements of an audit.
pub(crate) struct AuditSql {
    pub(crate) rows: String,
    pub(crate) distinct_keys: Option<String>,
    /// Names of columns, and for each of them the sum of its upper halves, the sum of its lower halves, the smallest and
    /// the largest: a sum of 64-bit values overflows in SQLite, sums of halves do not.
    pub(crate) columns: Vec<(Vec<String>, String)>,
}

/// A result has at most 2,000 columns (SQLITE_MAX_COLUMN), four for each of these.
const AUDITED_AT_ONCE: usize = 400;

pub(crate) fn audit(table: &TablePlan, scope: &Scope) -> AuditSql {
    let name = quote(&table.name);
    let within = match scope {
        Scope::Table => String::new(),
        Scope::Between { column, low, high } => {
            // The smallest integer has no literal of its own: as text it is compared as the column's type.
            format!(" WHERE {} BETWEEN '{low}' AND '{high}'", quote(&table.columns[*column].name))
        }
    };
    let ints: Vec<&ColumnPlan> = table
        .columns
        .iter()
        .filter(|column| matches!(column.data_type, DataType::Int(_)))
        .collect();
    let four = |column: &&ColumnPlan| {
        let name = quote(&column.name);
        format!("sum({name} >> 32), sum({name} & 4294967295), min({name}), max({name})")
    };
    let columns = ints.chunks(AUDITED_AT_ONCE).map(|columns| {
        let names = columns.iter().map(|column| column.name.to_string()).collect();
        let sums: Vec<String> = columns.iter().map(four).collect();
        (names, format!("SELECT {} FROM {name}{within}", sums.join(", ")))
    });
    AuditSql {
        rows: format!("SELECT count(*) FROM {name}{within}"),
        distinct_keys: (!table.key.is_empty()).then(|| {
            let key = list(key_columns(table));
            format!("SELECT count(*) FROM (SELECT DISTINCT {key} FROM {name}{within})")
        }),
        columns: columns.collect(),
    }
}

fn key_columns(table: &TablePlan) -> impl Iterator<Item = &str> {
    table.key.iter().map(|place| &*table.columns[*place].name)
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(quote).collect::<Vec<_>>().join(", ")
}
