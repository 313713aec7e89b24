//! The suite, run against the reference and against the sink that keeps nothing.

use std::process::ExitCode;

use rowstorm_gen::{TablePlan, Value};
use rowstorm_sink::conformance::{self, Need, Row, Server, Subject};
use rowstorm_sink::{ChangeLimits, Memory, Null, SinkError};

/// With transactions, or (`false`) as a database that has none.
struct InMemory<const TRANSACTIONS: bool>;

impl<const TRANSACTIONS: bool> Subject for InMemory<TRANSACTIONS> {
    type Sink = Memory;
    const NAME: &'static str = if TRANSACTIONS { "memory" } else { "memory without transactions" };
    const SERVER: Server = Server::InProcess;
    const LACKS: &'static [Need] = if TRANSACTIONS {
        &[Need::Passwords, Need::Statements]
    } else {
        &[Need::Passwords, Need::Undo, Need::Statements]
    };

    async fn connect(_: &str) -> Result<Memory, SinkError> {
        let limits =
            ChangeLimits { rows: 1024, changers: 8, transactions: TRANSACTIONS, pipeline: 1 };
        Ok(Memory::new().with_change_limits(limits))
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
    let codes = [
        conformance::main::<InMemory<true>>(),
        conformance::main::<InMemory<false>>(),
        conformance::main::<Nowhere>(),
    ];
    let failed = codes.into_iter().find(|code| *code != ExitCode::SUCCESS);
    failed.unwrap_or(ExitCode::SUCCESS)
}
