//! Reads rows by plain text queries of its own, and finds a sink's connections by the user that was made for it.

use std::sync::atomic::{AtomicU32, Ordering};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder};
use rowstorm_gen::TablePlan;
use rowstorm_gen::schema::DataType;
use rowstorm_mysql::{ConnectOptions, Mysql};
use rowstorm_sink::SinkError;
use rowstorm_sink::conformance::Row;

/// The user's own words.
const PASSWORD: &str = "suite's p@ss/word";

/// Connects as a user of the sink's own: a case that kills its connections leaves other cases' alone. Users are made once
/// and stay; the server is one for tests.
pub(crate) async fn connect(url: &str, method: &str) -> Result<Mysql, SinkError> {
    static SINKS: AtomicU32 = AtomicU32::new(0);
    let run = format!("suite{}", SINKS.fetch_add(1, Ordering::Relaxed));
    let options = ConnectOptions {
        url: format!("{url}?method={method}"),
        run: Some(run.clone()),
        ..ConnectOptions::default()
    };
    if url.contains("rowstorm_nobody") {
        return Mysql::connect_with(options).await;
    }
    let user = format!("rowstorm_{run}");
    let mut root = connection(url).await;
    for sql in [
        format!(
            "CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{}'",
            PASSWORD.replace('\'', "''")
        ),
        format!("GRANT ALL ON *.* TO '{user}'@'%'"),
    ] {
        root.query_drop(sql).await.expect("the test's user may make users");
    }
    let options =
        ConnectOptions { username: Some(user), password: Some(PASSWORD.into()), ..options };
    Mysql::connect_with(options).await
}

pub(crate) async fn read(variable: &str, table: &TablePlan) -> Vec<Row> {
    let column = |column: &rowstorm_gen::ColumnPlan| {
        let name = quote(&column.name);
        match column.data_type {
            // A FLOAT prints six digits of its own, and all of them as a DOUBLE.
            DataType::Float { double: false } => format!("CAST({name} + 0e0 AS CHAR)"),
            DataType::Bytes => format!("HEX({name})"),
            _ => format!("CAST({name} AS CHAR)"),
        }
    };
    let columns = table.columns.iter().map(column).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns} FROM {} ORDER BY {}",
        quote(&table.name),
        quote(&table.columns[0].name)
    );
    let mut connection = connection(&url(variable)).await;
    let rows: Vec<mysql_async::Row> = connection.query(sql).await.expect("the rows can be read");
    let cells =
        |row: mysql_async::Row| row.unwrap().into_iter().map(mysql_async::from_value).collect();
    rows.into_iter().map(cells).collect()
}

/// Names hold no character beyond U+FFFF: <https://dev.mysql.com/doc/refman/8.4/en/identifiers.html>.
pub(crate) fn can_name(name: &str) -> bool {
    name.chars().all(|letter| u32::from(letter) <= 0xffff)
}

pub(crate) async fn indexes(variable: &str, table: &TablePlan) -> Vec<Vec<String>> {
    let sql = format!(
        "SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = DATABASE()
         AND table_name = '{}' AND index_name <> 'PRIMARY' ORDER BY index_name, seq_in_index",
        table.name
    );
    let mut connection = connection(&url(variable)).await;
    let rows: Vec<(String, String)> = connection.query(sql).await.expect("the catalogue answers");
    let mut indexes: Vec<(String, Vec<String>)> = Vec::new();
    for (index, column) in rows {
        match indexes.last_mut() {
            Some((name, columns)) if *name == index => columns.push(column),
            _ => indexes.push((index, vec![column])),
        }
    }
    indexes.into_iter().map(|(_, columns)| columns).collect()
}

pub(crate) async fn cut_connections(variable: &str, sink: &Mysql) {
    let mut root = connection(&url(variable)).await;
    let user = sink.application_name().replace('/', "_");
    let find = format!("SELECT id FROM information_schema.processlist WHERE user = '{user}'");
    let ids: Vec<u64> = root.query(find.as_str()).await.expect("the list of connections");
    assert!(!ids.is_empty(), "there was a connection");
    for id in ids {
        root.query_drop(format!("KILL {id}")).await.expect("it can be killed");
    }
    while !root.query::<u64, _>(find.as_str()).await.expect("the list of connections").is_empty() {
        tokio::task::yield_now().await;
    }
}

fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn url(variable: &str) -> String {
    std::env::var(variable).expect("cases run only where the server is named")
}

async fn connection(url: &str) -> Conn {
    let options = Opts::from_url(&url.replacen("mariadb:", "mysql:", 1))
        .expect("the variable holds a URL of MySQL");
    let options = OptsBuilder::from_opts(options).prefer_socket(false);
    Conn::new(options).await.expect("the server takes a connection")
}
