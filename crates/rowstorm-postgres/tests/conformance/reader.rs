//! Reads a server by SQL of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use rowstorm_gen::TablePlan;
use rowstorm_postgres::ConnectOptions;
use rowstorm_sink::conformance::Row;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

/// Where the server is.
pub(crate) const VARIABLE: &str = "ROWSTORM_TEST_POSTGRES";

/// A name of its own for each sink: a case that kills its connections leaves other cases' alone.
pub(crate) fn named(url: &str) -> ConnectOptions {
    static SINKS: AtomicU32 = AtomicU32::new(0);
    let run = format!("{}-{}", std::process::id(), SINKS.fetch_add(1, Ordering::Relaxed));
    ConnectOptions { url: url.into(), run: Some(run), ..ConnectOptions::default() }
}

/// All rows, by the first column.
pub(crate) async fn rows(table: &TablePlan) -> Vec<Row> {
    let columns = table.columns.iter().map(|column| format!("{}::text", quote(&column.name)));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let (name, first) = (quote(&table.name), quote(&table.columns[0].name));
    let sql = format!("SELECT {columns} FROM {name} ORDER BY {name}.{first}");
    let rows = sqlx::query(&sql).fetch_all(&mut connection().await).await;
    let rows = rows.expect("the rows can be read");
    let places = 0..table.columns.len();
    rows.iter().map(|row| places.clone().map(|place| row.get(place)).collect()).collect()
}

/// The columns of each secondary index.
pub(crate) async fn indexes(table: &TablePlan) -> Vec<Vec<String>> {
    let sql =
        "SELECT ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS key (part, place)
            JOIN pg_attribute ON attrelid = indrelid AND attnum = part ORDER BY place)
        FROM pg_index WHERE indrelid = to_regclass($1) AND NOT indisprimary";
    let query = sqlx::query(sql).bind(quote(&table.name));
    let rows = query.fetch_all(&mut connection().await).await.expect("the catalogue answers");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Kills connections of this name.
pub(crate) async fn cut(name: &str) {
    // With a time limit, the server waits until they are gone.
    let sql =
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1";
    let query = sqlx::query(sql).bind(name);
    let killed = query.fetch_all(&mut connection().await).await.expect("they can be killed");
    assert!(!killed.is_empty(), "there was a connection");
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn connection() -> PgConnection {
    let url = std::env::var(VARIABLE).expect("cases run only where the server is named");
    PgConnection::connect(&url).await.expect("the server takes a connection")
}
