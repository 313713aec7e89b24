//! Connections that break, locks that are held, and servers that are not there.

#![expect(clippy::disallowed_methods, reason = "a case measures how long a write takes")]

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use rowstorm_gen::ColumnData;
use rowstorm_mysql::{ConnectOptions, Mysql};
use rowstorm_sink::{Delivery, Sink as _, SinkErrorKind, Writer as _};

use crate::bed::{Bed, LABEL, RECREATE, ints, payload, table, texts};
use crate::between::{Stop, behind};

/// Some of it is waiting, since a cut may be noticed only when the server is asked.
const NOTICED_MAX: Duration = Duration::from_secs(40);

/// More than the sockets between hold: it is still being sent while the server waits.
fn large() -> Vec<ColumnData> {
    let long = "x".repeat(20_000);
    vec![ints(0..2000), texts((0..2000).map(|_| &*long))]
}

/// The id of the connection that runs a statement with these words, once there is one.
async fn running(bed: &Bed, words: &str) -> u64 {
    let find = format!(
        "SELECT id FROM information_schema.processlist WHERE info LIKE '{words}%' AND id <> CONNECTION_ID()"
    );
    let mut connection = bed.connection().await;
    loop {
        if let Some(id) = connection.query_first(find.as_str()).await.unwrap() {
            return id;
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn a_connection_that_is_cut_in_mid_write_is_lost_and_opened_again(bed: Bed) {
    let sink = bed.sink().await;
    let table = table("rs_cut", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    let payload = payload(&sink, &table, large());
    let mut writer = sink.writer(&table).await.unwrap();
    // The server reads a few rows, then waits for a key that another transaction has taken.
    let mut holder = bed.connection().await;
    holder.query_drop("START TRANSACTION").await.unwrap();
    holder.query_drop("INSERT INTO rs_cut VALUES (3, 'held')").await.unwrap();
    let writing = tokio::time::timeout(NOTICED_MAX, writer.write(&payload));
    let (written, ()) = tokio::join!(writing, async {
        let id = running(&bed, "LOAD DATA LOCAL INFILE ''rowstorm'' INTO TABLE `rs_cut`").await;
        bed.sql(&format!("KILL {id}")).await;
    });
    let error = written.expect("it is noticed").unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "no COMMIT was sent: {error:?}");
    holder.query_drop("ROLLBACK").await.unwrap();
    assert_eq!(bed.ask::<i64>("SELECT COUNT(*) FROM rs_cut").await, 0);
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 2000, "the writer opens another");
}

pub(crate) async fn a_load_whose_server_is_gone_without_a_word_is_lost_and_goes_again(bed: Bed) {
    let sink = behind(&bed, Stop::ForEver).sink().await;
    let table = table("rs_unheard", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    let payload = payload(&sink, &table, large());
    let mut writer = sink.writer(&table).await.unwrap();
    let written = tokio::time::timeout(NOTICED_MAX, writer.write(&payload)).await;
    let error = written.expect("it is noticed").unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "no COMMIT was sent: {error:?}");
    assert_eq!(bed.ask::<i64>("SELECT COUNT(*) FROM rs_unheard").await, 0);
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 2000, "the writer opens another");
    assert_eq!(bed.ask::<i64>("SELECT COUNT(*) FROM rs_unheard").await, 2000);
}

pub(crate) async fn a_load_that_stands_still_goes_on_while_the_server_knows_it(bed: Bed) {
    let sink = behind(&bed, Stop::UntilAsked).sink().await;
    let table = table("rs_still", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    let payload = payload(&sink, &table, large());
    let mut writer = sink.writer(&table).await.unwrap();
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 2000);
    assert_eq!(bed.ask::<i64>("SELECT COUNT(*) FROM rs_still").await, 2000);
}

pub(crate) async fn a_lock_that_is_not_given_is_busy(bed: Bed) {
    let short = ConnectOptions { statement_timeout: Some(Duration::from_secs(1)), ..bed.options() };
    let sink = Mysql::connect_with(short).await.unwrap();
    let table = table("rs_locked", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    let payload = payload(&sink, &table, vec![ints([1, 2]), texts(["x", "y"])]);
    let mut writer = sink.writer(&table).await.unwrap();
    let mut holder = bed.connection().await;
    holder.query_drop("START TRANSACTION").await.unwrap();
    holder.query_drop("INSERT INTO rs_locked VALUES (2, 'held')").await.unwrap();
    let error = writer.write(&payload).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Busy { retry_after: None }, "{error:?}");
    holder.query_drop("ROLLBACK").await.unwrap();
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 2, "it was undone, and goes again");
}

pub(crate) async fn tls_is_as_the_url_says(bed: Bed) {
    let with = |mode: &str| ConnectOptions {
        url: format!("{}?ssl-mode={mode}", bed.url),
        ..ConnectOptions::default()
    };
    Mysql::connect_with(with("DISABLED")).await.unwrap();
    Mysql::connect_with(with("PREFERRED")).await.unwrap();
    let required = Mysql::connect_with(with("REQUIRED")).await;
    // Whether this server has TLS, by its own word.
    let ask = "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Ssl_server_not_after'";
    let has_tls = if bed.is_mariadb {
        bed.ask::<String>("SELECT @@have_ssl").await == "YES"
    } else {
        !bed.ask::<String>(ask).await.is_empty()
    };
    match required {
        Ok(_) => assert!(has_tls),
        Err(error) => {
            assert!(!has_tls, "{error}");
            assert_eq!(
                (error.kind, error.class.as_str()),
                (SinkErrorKind::Fatal, "tls"),
                "{error}"
            );
        }
    }
    let error = Mysql::connect_with(with("VERIFY_IDENTITY")).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Fatal, "nobody has signed its certificate: {error:?}");
    assert!(error.message.contains("ssl-mode"), "{error}");
}

pub(crate) async fn a_missing_database_is_fatal_and_says_what_to_do(bed: Bed) {
    let (server, _) = bed.url.rsplit_once('/').unwrap();
    let error = Mysql::connect(&format!("{server}/rs_nowhere")).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
    assert!(error.message.contains("CREATE DATABASE"), "{error}");
}

pub(crate) async fn nobody_there_is_a_connection_lost(_: Bed) {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Mysql::connect(&format!("mysql://me:hunter2@{free}/db")).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "{error:?}");
    assert!(error.message.contains(&free.to_string()), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

/// A client without TCP_NODELAY would wait 40 ms for an acknowledgement, three times a payload.
pub(crate) async fn small_loads_do_not_wait_for_a_delayed_acknowledgement(bed: Bed) {
    let sink = bed.sink().await;
    let table = table("rs_small", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    let mut writer = sink.writer(&table).await.unwrap();
    let mut fastest = Duration::MAX;
    for id in 0..20 {
        let payload = payload(&sink, &table, vec![ints([id]), texts(["x"])]);
        let start = Instant::now();
        assert_eq!(writer.write(&payload).await.unwrap().accepted, 1);
        fastest = fastest.min(start.elapsed());
    }
    assert!(fastest < Duration::from_millis(30), "one row takes {fastest:?}");
}
