//! The suite with rows over the PostgreSQL wire (`method=postgres`): on the double, and on a real server, where
//! `ROWSTORM_TEST_CRATEDB` names one (with `?pg_port=` where the wire is not at 5432).

#[path = "../double/mod.rs"]
mod double;
#[path = "../conformance/reader.rs"]
mod reader;

use std::process::ExitCode;
use std::sync::LazyLock;

use double::Double;
use rowstorm_cratedb::CrateDb;
use rowstorm_gen::TablePlan;
use rowstorm_sink::conformance::{self, NamePlace, Need, Row, Server, Subject};
use rowstorm_sink::{ConnectOptions, SinkError};

/// One for all cases: each has tables of its own.
static DOUBLE: LazyLock<Double> = LazyLock::new(Double::start);

/// The server, if one is named; else the double.
static PLACE: LazyLock<String> = LazyLock::new(|| match std::env::var("ROWSTORM_TEST_CRATEDB") {
    Ok(url) => format!("{url}{}method=postgres", if url.contains('?') { '&' } else { '?' }),
    Err(_) => DOUBLE.wire_url(),
});

struct OverThePostgresWire;

fn main() -> ExitCode {
    conformance::main::<OverThePostgresWire>()
}

impl Subject for OverThePostgresWire {
    type Sink = CrateDb;
    const NAME: &'static str = "cratedb, PostgreSQL wire";
    const SERVER: Server = Server::InProcess;
    const LACKS: &'static [Need] = reader::LACKS;
    const INSTANT_STEP_US: i64 = 1000;
    const BIGINT: (i64, i64) = reader::BIGINT;

    async fn connect(url: &str) -> Result<CrateDb, SinkError> {
        let url = if url.is_empty() { &*PLACE } else { url };
        CrateDb::new(&ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() })
    }

    fn can_name(place: NamePlace, name: &str) -> bool {
        reader::can_name(place, name)
    }

    fn can_key(data_type: &str) -> bool {
        reader::can_key(data_type)
    }

    async fn read(_: &CrateDb, table: &TablePlan) -> Vec<Row> {
        reader::read(&PLACE, table)
    }

    fn wrong_password(_: &str, password: &str) -> String {
        // A double of its own, which lets one user in.
        static LOCKED: LazyLock<Double> = LazyLock::new(|| {
            let double = Double::start();
            double.lock("c29tZWJvZHk6cmlnaHQ=");
            double.lock_wire("somebody", "right");
            double
        });
        LOCKED.wire_url().replace("crate://", &format!("crate://rowstorm_nobody:{password}@"))
    }
}
