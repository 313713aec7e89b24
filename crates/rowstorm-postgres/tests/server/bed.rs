//! One table, written to and counted.

use rowstorm_postgres::{ConnectOptions, Postgres};
pub(crate) use rowstorm_sink::testing::{
    APPEND, CREATE, LABEL, RECREATE, document, ints, payload, refusals, table, texts, write,
};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};

use crate::VARIABLE;

pub(crate) fn url() -> String {
    std::env::var(VARIABLE).expect("the case needs its server")
}

pub(crate) fn options() -> ConnectOptions {
    ConnectOptions { url: url(), ..ConnectOptions::default() }
}

pub(crate) async fn sink() -> Postgres {
    Postgres::connect_with(options()).await.expect("the server takes a connection")
}

pub(crate) async fn connection() -> PgConnection {
    PgConnection::connect(&url()).await.expect("the server takes a connection")
}

/// Runs SQL, with a connection of its own.
pub(crate) async fn sql(text: &str) {
    connection().await.execute(text).await.expect("the case's own SQL runs");
}

/// The one value of a query.
pub(crate) async fn count(query: &str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&mut connection().await).await.expect("a number")
}

/// Waits until somebody waits for a lock on a table.
pub(crate) async fn blocked_on(table: &str) {
    let waits = format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass('{table}')"
    );
    let mut connection = connection().await;
    while sqlx::query_scalar::<_, i64>(&waits).fetch_one(&mut connection).await.expect("a number")
        == 0
    {
        tokio::task::yield_now().await;
    }
}
