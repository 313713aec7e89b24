//! What each logical type is stored as, and how its cells travel.
//!
//! - Instants are DATETIME(6) in UTC: TIMESTAMP ends in 2038. Our sessions' time zone is UTC.
//! - UUIDs are CHAR(36), which people read and every server compares alike; `ddl: {mysql: binary(16)}` halves them.
//! - Texts have the binary collation, so that keys that differ are different. `text` is LONGTEXT, or VARCHAR(255) where
//!   it is part of a key, which cannot hold a LONGTEXT; `varchar(n)` that a row has no room for is a text with a CHECK.
//! - JSON, objects and arrays are JSON (on MariaDB a LONGTEXT that is checked).

use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_schema::{DataType, IntWidth};
use rowstorm_sink::sql::own_type;

/// The name under which a schema's `ddl` has this database's types.
pub(crate) const DATABASE: &str = "mysql";
/// The most bytes of an InnoDB index entry's columns:
/// <https://dev.mysql.com/doc/refman/8.4/en/innodb-limits.html>.
pub(crate) const KEY_BYTES_MAX: u32 = 3072;
/// A row has room for 65,535 bytes of columns that are stored in it; some are left to the others.
const ROW_BYTES_MAX: u32 = 60_000;
/// Characters of a `text` column in a key.
const KEY_CHARACTERS: u32 = 255;
/// A character of utf8mb4.
const CHARACTER_BYTES: u32 = 4;

/// How one column's cells are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// As it is: digits, or an instant.
    Plain,
    /// Hexadecimal digits, that the server turns back into bytes.
    Hex,
}

impl Cell {
    pub(crate) fn of(column: &ColumnPlan) -> Cell {
        let binary = |words: &str| words.trim().to_ascii_lowercase().starts_with("binary");
        match column.data_type {
            DataType::Bytes => Cell::Hex,
            DataType::Uuid if own_type(column, DATABASE).is_some_and(binary) => Cell::Hex,
            _ => Cell::Plain,
        }
    }
}

/// What a column is stored as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The type in SQL.
    pub(crate) word: String,
    /// The most characters, where the type itself does not bound them.
    pub(crate) check: Option<u32>,
    /// Bytes in an index entry; `None` if the type cannot be in one whole.
    pub(crate) key_bytes: Option<u32>,
}

/// What a table's columns are stored as, one for each.
pub(crate) fn stored(table: &TablePlan) -> Vec<Stored> {
    let keyed = |place: usize, column: &ColumnPlan| {
        let unique = |on: &[String]| on.iter().any(|name| **name == *column.name);
        column.unique
            || table.key.contains(&place)
            || table.spec.indexes.iter().any(|index| index.unique && unique(&index.on))
    };
    let texts = table.key.iter().filter(|&&place| is_open(&table.columns[place])).count() as u32;
    let characters = KEY_CHARACTERS.min(KEY_BYTES_MAX / CHARACTER_BYTES / texts.max(1));
    let mut row = 0;
    let each = table.columns.iter().enumerate().map(|(place, column)| {
        let limit = if keyed(place, column) { Some(characters) } else { None };
        let stored = one(column, limit, ROW_BYTES_MAX - row);
        row += stored.key_bytes.unwrap_or(20).min(ROW_BYTES_MAX - row);
        stored
    });
    each.collect()
}

/// Whether a column holds any length.
fn is_open(column: &ColumnPlan) -> bool {
    matches!(column.data_type, DataType::Text { max: None } | DataType::Bytes)
}

/// `limit` is the most characters of an open column in a key, `room` the bytes left in the row.
fn one(column: &ColumnPlan, limit: Option<u32>, room: u32) -> Stored {
    let sized =
        |word: &str, bytes| Stored { word: word.into(), check: None, key_bytes: Some(bytes) };
    let open = |word: &str| Stored { word: word.into(), check: None, key_bytes: None };
    if let Some(word) = own_type(column, DATABASE) {
        return open(word);
    }
    match (column.data_type, limit) {
        (DataType::Bool, _) => sized("BOOLEAN", 1),
        (DataType::Int(IntWidth::Small), _) => sized("SMALLINT", 2),
        (DataType::Int(IntWidth::Int), _) => sized("INT", 4),
        (DataType::Int(IntWidth::Big), _) => sized("BIGINT", 8),
        (DataType::Float { double: false }, _) => sized("FLOAT", 4),
        (DataType::Float { double: true }, _) => sized("DOUBLE", 8),
        (DataType::Decimal { precision, scale }, _) => {
            sized(&format!("DECIMAL({precision},{scale})"), 20)
        }
        (DataType::Timestamp, _) => sized("DATETIME(6)", 8),
        (DataType::Uuid, _) => sized("CHAR(36) CHARACTER SET ascii COLLATE ascii_bin", 36),
        (DataType::Text { max: None }, Some(limit)) => {
            sized(&format!("VARCHAR({limit})"), CHARACTER_BYTES * limit)
        }
        (DataType::Bytes, Some(limit)) => sized(&format!("VARBINARY({limit})"), limit),
        (DataType::Text { max: Some(max) }, _) => {
            match max.checked_mul(CHARACTER_BYTES).filter(|bytes| *bytes <= room) {
                Some(bytes) => sized(&format!("VARCHAR({max})"), bytes),
                None => Stored { check: Some(max), ..open(long_text(max)) },
            }
        }
        (DataType::Text { max: None }, None) => open("LONGTEXT"),
        (DataType::Bytes, None) => open("LONGBLOB"),
        (DataType::Json | DataType::Object | DataType::Array, _) => open("JSON"),
    }
}

/// The shortest type that holds so many characters.
fn long_text(characters: u32) -> &'static str {
    match u64::from(characters) * u64::from(CHARACTER_BYTES) {
        0..0x1_0000 => "TEXT",
        0x1_0000..0x100_0000 => "MEDIUMTEXT",
        _ => "LONGTEXT",
    }
}

/// Whether a stored type would change values without a word, or never take them; what it is as declared.
pub(crate) fn misfit(column: &ColumnPlan, declared: &str) -> Option<rowstorm_sink::sql::Fault> {
    use rowstorm_sink::sql::Fault::Narrow;
    if own_type(column, DATABASE).is_some() {
        return None;
    }
    let declared = declared.to_ascii_lowercase();
    let is = |word: &str| declared.split([' ', '(']).next() == Some(word);
    match column.data_type {
        // Fractions of seconds and of binary digits are rounded without a warning.
        DataType::Timestamp if (is("datetime") || is("timestamp")) && !declared.contains("(6)") => {
            Some(Narrow)
        }
        DataType::Float { double: true } if is("float") => Some(Narrow),
        _ => None,
    }
}

/// Whether a stored type leaves out digits of a decimal with no more than a note.
pub(crate) fn rounds(column: &ColumnPlan, declared: &str) -> bool {
    let DataType::Decimal { scale, .. } = column.data_type else { return false };
    let digits = declared.split([',', ')']).nth(1).and_then(|digits| digits.trim().parse().ok());
    digits.is_none_or(|digits: u8| digits < scale)
}
