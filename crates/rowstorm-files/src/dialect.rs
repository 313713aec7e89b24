//! What the three formats are called, how a file begins, and what its text means.

use std::fmt::Write;
use std::path::Path;

use rowstorm_gen::TablePlan;
use rowstorm_sink::Buffer;

use crate::encode::csv_text;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// RFC 4180 with a header; null is an empty field, empty text is `""`.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// Parquet with zstd; needs the feature `parquet`.
    Parquet,
}

impl FileFormat {
    /// The file name's ending.
    pub fn extension(self) -> &'static str {
        match self {
            FileFormat::Csv => "csv",
            FileFormat::JsonLines => "jsonl",
            FileFormat::Parquet => "parquet",
        }
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            FileFormat::Csv => "CSV",
            FileFormat::JsonLines => "JSON Lines",
            FileFormat::Parquet => "Parquet",
        }
    }

    /// Whether this build can write it.
    pub fn available(self) -> bool {
        match self {
            FileFormat::Csv | FileFormat::JsonLines => true,
            FileFormat::Parquet => cfg!(feature = "parquet"),
        }
    }
}

/// The bytes that a file begins with.
pub(crate) fn header(format: FileFormat, table: &TablePlan) -> Vec<u8> {
    match format {
        FileFormat::Csv => {
            let mut line = Buffer::default();
            for (place, column) in table.columns.iter().enumerate() {
                if place > 0 {
                    line.put(b",");
                }
                csv_text(&column.name, &mut line);
            }
            line.put(b"\n");
            line.as_slice().to_vec()
        }
        FileFormat::JsonLines | FileFormat::Parquet => Vec::new(),
    }
}

/// Whether a file holds its header and no row.
pub(crate) fn is_only_header(path: &Path, format: FileFormat, table: &TablePlan) -> bool {
    let header = header(format, table);
    std::fs::metadata(path).is_ok_and(|file| file.len() == header.len() as u64)
        && std::fs::read(path).is_ok_and(|bytes| bytes == header)
}

/// A table's name as a file name.
pub(crate) fn file_stem(table: &str) -> String {
    let mut stem = String::with_capacity(table.len());
    for byte in table.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            stem.push(char::from(byte));
        } else {
            write!(stem, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    stem
}

pub(crate) fn notes(format: FileFormat) -> Vec<String> {
    let text = match format {
        FileFormat::Csv => {
            "null is an empty field, empty text is \"\"; instants are RFC 3339 in UTC; bytes are \\x and hexadecimal digits"
        }
        FileFormat::JsonLines => {
            "decimals are JSON numbers with all their digits; bytes are hexadecimal digits"
        }
        FileFormat::Parquet => {
            "objects and arrays are JSON text; zstd; one row group per megabyte of rows"
        }
    };
    vec![text.to_owned()]
}
