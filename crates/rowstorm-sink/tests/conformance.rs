//! The suite, run against the reference and against the sink that keeps nothing.

use std::process::ExitCode;

use rowstorm_gen::{TablePlan, Value};
use rowstorm_sink::conformance::{self, Need, Row, Server, Subject};
use rowstorm_sink::{Memory, Null, SinkError};

struct InMemory;

impl Subject for InMemory {
    type Sink = Memory;
    const NAME: &'static str = "memory";
    const SERVER: Server = Server::InProcess;
    const LACKS: &'static [Need] = &[Need::Passwords];

    async fn connect(_: &str) -> Result<Memory, SinkError> {
        Ok(Memory::new())
    }

    async fn read(sink: &Memory, table: &TablePlan) -> Vec<Row> {
        let mut rows = sink.rows(&table.name);
        rows.sort_by_key(|row| match row[0] {
            Value::Int(key) => key,
            _ => 0,
        });
        rows.iter().map(|row| row.iter().map(Value::to_text).collect()).collect()
    }

    async fn indexes(sink: &Memory, table: &TablePlan) -> Vec<Vec<String>> {
        sink.indexes(&table.name)
    }

    async fn cut_connections(sink: &Memory) {
        sink.cut_connections();
    }
}

struct Nowhere;

impl Subject for Nowhere {
    type Sink = Null<Memory>;
    const NAME: &'static str = "null";
    const SERVER: Server = Server::InProcess;
    const LACKS: &'static [Need] =
        &[Need::Rows, Need::Indexes, Need::Passwords, Need::Connections, Need::Changes, Need::Scan];

    async fn connect(_: &str) -> Result<Null<Memory>, SinkError> {
        Ok(Null::new("memory", Memory::new()))
    }

    async fn read(_: &Null<Memory>, _: &TablePlan) -> Vec<Row> {
        Vec::new()
    }
}

fn main() -> ExitCode {
    let memory = conformance::main::<InMemory>();
    let null = conformance::main::<Nowhere>();
    if memory == ExitCode::SUCCESS { null } else { memory }
}
