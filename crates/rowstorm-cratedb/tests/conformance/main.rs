//! CrateDB keeps what the suite promises, wherever `ROWSTORM_TEST_CRATEDB` names a server.

mod reader;

use std::process::ExitCode;

use rowstorm_cratedb::CrateDb;
use rowstorm_gen::TablePlan;
use rowstorm_sink::conformance::{self, NamePlace, Need, Row, Server, Subject};
use rowstorm_sink::{ConnectOptions, SinkError};

const VARIABLE: &str = "ROWSTORM_TEST_CRATEDB";

struct RealServer;

fn main() -> ExitCode {
    conformance::main::<RealServer>()
}

impl Subject for RealServer {
    type Sink = CrateDb;
    const NAME: &'static str = "cratedb";
    const SERVER: Server = Server::Env(VARIABLE);
    const LACKS: &'static [Need] = reader::LACKS;
    const INSTANT_STEP_US: i64 = 1000;
    const BIGINT: (i64, i64) = reader::BIGINT;

    async fn connect(url: &str) -> Result<CrateDb, SinkError> {
        CrateDb::new(&ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() })
    }

    fn can_name(place: NamePlace, name: &str) -> bool {
        reader::can_name(place, name)
    }

    fn can_key(data_type: &str) -> bool {
        reader::can_key(data_type)
    }

    async fn read(_: &CrateDb, table: &TablePlan) -> Vec<Row> {
        reader::read(&std::env::var(VARIABLE).expect("cases run only with a server"), table)
    }
}
