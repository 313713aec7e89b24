//! PostgreSQL keeps what the suite promises.

mod reader;

use std::process::ExitCode;

use rowstorm_gen::TablePlan;
use rowstorm_postgres::Postgres;
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{self, Row, Server, Subject};

struct PostgresServer;

impl Subject for PostgresServer {
    type Sink = Postgres;
    const NAME: &'static str = "postgres";
    const SERVER: Server = Server::Env(reader::VARIABLE);

    async fn connect(url: &str) -> Result<Postgres, SinkError> {
        Postgres::connect_with(reader::named(url)).await
    }

    async fn read(_: &Postgres, table: &TablePlan) -> Vec<Row> {
        reader::rows(table).await
    }

    async fn indexes(_: &Postgres, table: &TablePlan) -> Vec<Vec<String>> {
        reader::indexes(table).await
    }

    async fn cut_connections(sink: &Postgres) {
        reader::cut(sink.application_name()).await;
    }
}

fn main() -> ExitCode {
    conformance::main::<PostgresServer>()
}
