//! MongoDB as the suite meets it, with changes in transactions or without.

use rowstorm_gen::TablePlan;
use rowstorm_mongodb::Mongodb;
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{NamePlace, Need, Row, Server, Subject};

use crate::reader;

pub(crate) struct MongodbServer<const TRANSACTIONS: bool>;

impl<const TRANSACTIONS: bool> Subject for MongodbServer<TRANSACTIONS> {
    type Sink = Mongodb;
    const NAME: &'static str = "mongodb";
    const SERVER: Server = Server::Env(reader::VARIABLE);
    // Copies: each document has an `_id`, and it says which row it is. Transactions: rows are loaded without, and
    // `tests/server` shows that a dropped write goes on to its end.
    const LACKS: &'static [Need] = if TRANSACTIONS {
        &[Need::Copies, Need::Transactions, Need::Rekey]
    } else {
        &[Need::Copies, Need::Transactions, Need::Rekey, Need::Undo]
    };
    // A date holds milliseconds.
    const INSTANT_STEP_US: i64 = 1000;

    async fn connect(url: &str) -> Result<Mongodb, SinkError> {
        let mark = if url.contains('?') { '&' } else { '?' };
        let asked = if TRANSACTIONS { format!("{mark}transactions=true") } else { String::new() };
        Mongodb::connect_with(&reader::named(&format!("{url}{asked}"))).await
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
