//! PostgreSQL keeps what the suite promises.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

use rowstorm_gen::TablePlan;
use rowstorm_postgres::{ConnectOptions, Postgres};
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::{self, Row, Server, Subject};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

const VARIABLE: &str = "ROWSTORM_TEST_POSTGRES";

struct PostgresServer;

fn main() -> ExitCode {
    conformance::main::<PostgresServer>()
}

impl Subject for PostgresServer {
    type Sink = Postgres;
    const NAME: &'static str = "postgres";
    const SERVER: Server = Server::Env(VARIABLE);

    async fn connect(url: &str) -> Result<Postgres, SinkError> {
        // A name of its own for each sink: a case that kills its connections leaves other cases' alone.
        static SINKS: AtomicU32 = AtomicU32::new(0);
        let run = format!("{}-{}", std::process::id(), SINKS.fetch_add(1, Ordering::Relaxed));
        let options = ConnectOptions { url: url.into(), run: Some(run), ..Default::default() };
        Postgres::connect_with(options).await
    }

    async fn read(_: &Postgres, table: &TablePlan) -> Vec<Row> {
        let columns = table.columns.iter().map(|column| format!("{}::text", quote(&column.name)));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let (name, first) = (quote(&table.name), quote(&table.columns[0].name));
        let sql = format!("SELECT {columns} FROM {name} ORDER BY {name}.{first}");
        let rows = sqlx::query(&sql).fetch_all(&mut connection().await).await;
        let rows = rows.expect("the rows can be read");
        let places = 0..table.columns.len();
        rows.iter().map(|row| places.clone().map(|place| row.get(place)).collect()).collect()
    }

    async fn indexes(_: &Postgres, table: &TablePlan) -> Vec<Vec<String>> {
        let sql = "SELECT ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS key (part, place)
                JOIN pg_attribute ON attrelid = indrelid AND attnum = part ORDER BY place)
            FROM pg_index WHERE indrelid = to_regclass($1) AND NOT indisprimary";
        let query = sqlx::query(sql).bind(quote(&table.name));
        let rows = query.fetch_all(&mut connection().await).await.expect("the catalogue answers");
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn cut_connections(sink: &Postgres) {
        // With a time limit, the server waits until they are gone.
        let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1";
        let query = sqlx::query(sql).bind(sink.application_name());
        let killed = query.fetch_all(&mut connection().await).await.expect("they can be killed");
        assert!(!killed.is_empty(), "there was a connection");
    }
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn connection() -> PgConnection {
    let url = std::env::var(VARIABLE).expect("cases run only where the server is named");
    PgConnection::connect(&url).await.expect("the server takes a connection")
}
