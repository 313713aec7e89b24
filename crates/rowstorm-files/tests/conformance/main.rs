//! The promises of every sink, as far as a text file can keep them.
//!
//! Parquet is not among them: a reader sees a file's rows once its footer is written, which is at the end of the run, and
//! nothing can be added after. What it writes is compared value for value in `parquet.rs`.

mod reader;

use std::process::ExitCode;

use rowstorm_files::{FileFormat, Files};
use rowstorm_gen::TablePlan;
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{self, Need, Row, Server, Subject};

const FORMATS: [FileFormat; 2] = [FileFormat::Csv, FileFormat::JsonLines];

struct Text<const FORMAT: usize>;

impl<const FORMAT: usize> Subject for Text<FORMAT> {
    type Sink = Files;
    const NAME: &'static str = ["csv", "jsonl"][FORMAT];
    const SERVER: Server = Server::InProcess;
    // A JSON Lines file has one word for no value and for the document `null`.
    const LACKS: &'static [Need] = &[
        Need::Keys,
        Need::Checks,
        Need::Indexes,
        Need::Connections,
        Need::Passwords,
        Need::JsonNull,
        Need::Changes,
        Need::Scan,
    ];

    async fn connect(_: &str) -> Result<Files, SinkError> {
        Ok(Files::new(reader::new_folder(), FORMATS[FORMAT]))
    }

    async fn read(sink: &Files, table: &TablePlan) -> Vec<Row> {
        reader::rows(&sink.path(&table.name), FORMATS[FORMAT], table)
    }
}

fn main() -> ExitCode {
    let csv = conformance::main::<Text<0>>();
    let json_lines = conformance::main::<Text<1>>();
    reader::remove_folders();
    if csv == ExitCode::SUCCESS { json_lines } else { csv }
}
