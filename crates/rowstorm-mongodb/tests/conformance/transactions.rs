//! MongoDB keeps what the suite promises, with changes in transactions, as a URL asks for that names a replica set.

mod reader;

use std::process::ExitCode;

use rowstorm_gen::TablePlan;
use rowstorm_mongodb::Mongodb;
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{self, NamePlace, Need, Row, Server, Subject};

struct MongodbServer;

impl Subject for MongodbServer {
    type Sink = Mongodb;
    const NAME: &'static str = "mongodb";
    const SERVER: Server = Server::Env(reader::VARIABLE);
    // Copies: each document has an `_id`, and it says which row it is. Transactions: rows are loaded without, and
    // `tests/server` shows that a dropped write goes on to its end.
    const LACKS: &'static [Need] = &[Need::Copies, Need::Transactions, Need::Rekey];
    // A date holds milliseconds.
    const INSTANT_STEP_US: i64 = 1000;

    async fn connect(url: &str) -> Result<Mongodb, SinkError> {
        let mark = if url.contains('?') { '&' } else { '?' };
        Mongodb::connect_with(&reader::named(&format!("{url}{mark}transactions=true"))).await
    }

    async fn read(sink: &Mongodb, table: &TablePlan) -> Vec<Row> {
        reader::rows(sink.database(), table).await
    }

    fn can_name(place: NamePlace, name: &str) -> bool {
        place == NamePlace::Column || !name.contains('$')
    }

    async fn indexes(sink: &Mongodb, table: &TablePlan) -> Vec<Vec<String>> {
        reader::indexes(sink.database(), table).await
    }

    async fn cut_connections(sink: &Mongodb) {
        reader::cut_connections(sink.app_name()).await;
    }
}

fn main() -> ExitCode {
    conformance::main::<MongodbServer>()
}
