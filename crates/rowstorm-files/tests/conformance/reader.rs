//! Reads text files by other means than the crate that wrote them: quoted and unquoted fields told apart, numbers with all
//! their digits.
#![expect(clippy::unwrap_used, reason = "a test that cannot read has failed")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rowstorm_files::FileFormat;
use rowstorm_gen::schema::DataType;
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::conformance::Row;
use tempfile::TempDir;

static FOLDERS: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());

/// A folder that is there until the program ends.
pub(crate) fn new_folder() -> PathBuf {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    FOLDERS.lock().unwrap().push(folder);
    path
}

pub(crate) fn remove_folders() {
    FOLDERS.lock().unwrap().clear();
}

/// All rows, by the first column.
pub(crate) fn rows(path: &Path, format: FileFormat, table: &TablePlan) -> Vec<Row> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = match format {
        FileFormat::Csv => csv(&text),
        FileFormat::JsonLines => text.lines().map(|line| object(line, table)).collect(),
        FileFormat::Parquet => panic!("read in parquet.rs"),
    };
    let number = |row: &Row| row[0].as_ref().and_then(|text| text.parse::<i64>().ok());
    rows.sort_by_key(number);
    rows
}

/// RFC 4180 behind the header: nothing without quotes is null.
fn csv(text: &str) -> Vec<Row> {
    let (mut rows, mut row, mut rest) = (Vec::new(), Row::new(), text);
    while !rest.is_empty() {
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let mut end = quoted.find('"').unwrap();
            while quoted[end + 1..].starts_with('"') {
                end += 2 + quoted[end + 2..].find('"').unwrap();
            }
            (Some(quoted[..end].replace("\"\"", "\"")), &quoted[end + 1..])
        } else {
            let end = rest.find([',', '\n']).unwrap();
            (Some(rest[..end].to_owned()).filter(|text| !text.is_empty()), &rest[end..])
        };
        row.push(field);
        if after.starts_with('\n') {
            rows.push(std::mem::take(&mut row));
        }
        rest = &after[1..];
    }
    rows.split_off(1)
}

/// One object a line, its values in the table's order: strings decoded, documents and numbers as they stand there.
fn object(line: &str, table: &TablePlan) -> Row {
    let mut values = std::collections::HashMap::new();
    let mut rest = line.strip_prefix('{').unwrap();
    while rest != "}" {
        let (key, after) = value(rest.trim_start_matches(','));
        let (value, after) = value(after.strip_prefix(':').unwrap());
        values.insert(serde_json::from_str::<String>(key).unwrap(), value);
        rest = after;
    }
    assert_eq!(values.len(), table.columns.len(), "{line}");
    let text = |column: &ColumnPlan| match (values[&*column.name], column.data_type) {
        ("null", _) => None,
        (raw, DataType::Json | DataType::Object | DataType::Array) => Some(raw.to_owned()),
        (raw, _) if raw.starts_with('"') => Some(serde_json::from_str(raw).unwrap()),
        (raw, _) => Some(raw.to_owned()),
    };
    table.columns.iter().map(text).collect()
}

/// The text of the JSON value at the beginning of a text, and what comes behind it.
fn value(text: &str) -> (&str, &str) {
    if text.starts_with(['"', '{', '[']) {
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
        stream.next().unwrap().unwrap();
        return text.split_at(stream.byte_offset());
    }
    text.split_at(text.find([',', '}']).unwrap())
}
