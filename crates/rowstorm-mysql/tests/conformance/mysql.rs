//! MySQL keeps what the suite promises, by either way in.

mod reader;

use std::process::ExitCode;

use rowstorm_gen::TablePlan;
use rowstorm_mysql::Mysql;
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{self, NamePlace, Row, Server, Subject};

const VARIABLE: &str = "ROWSTORM_TEST_MYSQL";

/// By `LOAD DATA LOCAL`, or by `INSERT` of literals.
struct MysqlServer<const IS_LOAD: bool>;

fn main() -> ExitCode {
    let loaded = conformance::main::<MysqlServer<true>>();
    let inserted = conformance::main::<MysqlServer<false>>();
    if loaded == ExitCode::SUCCESS { inserted } else { loaded }
}

impl<const IS_LOAD: bool> Subject for MysqlServer<IS_LOAD> {
    type Sink = Mysql;
    const NAME: &'static str = if IS_LOAD { "mysql" } else { "mysql by insert" };
    const SERVER: Server = Server::Env(VARIABLE);

    async fn connect(url: &str) -> Result<Mysql, SinkError> {
        reader::connect(url, if IS_LOAD { "load" } else { "insert" }).await
    }

    async fn read(_: &Mysql, table: &TablePlan) -> Vec<Row> {
        reader::read(VARIABLE, table).await
    }

    fn can_name(_: NamePlace, name: &str) -> bool {
        reader::can_name(name)
    }

    async fn indexes(_: &Mysql, table: &TablePlan) -> Vec<Vec<String>> {
        reader::indexes(VARIABLE, table).await
    }

    async fn cut_connections(sink: &Mysql) {
        reader::cut_connections(VARIABLE, sink).await;
    }
}
