//! The promises of every sink, kept by SQLite.

mod reader;

use std::process::ExitCode;

use rowstorm_gen::TablePlan;
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{self, Need, Row, Server, Subject};
use rowstorm_sqlite::Sqlite;

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
        reader::rows(sink.path(), table)
    }

    async fn indexes(sink: &Sqlite, table: &TablePlan) -> Vec<Vec<String>> {
        reader::indexes(sink.path(), table)
    }
}

fn main() -> ExitCode {
    conformance::main::<Embedded>()
}
