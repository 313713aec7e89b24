//! Connections that break, and servers that are not there.

use std::time::Duration;

use rowstorm_postgres::{ConnectOptions, Postgres};
use rowstorm_sink::{Delivery, Sink as _, SinkErrorKind, Writer as _};
use sqlx::Executor as _;

use crate::bed::{
    LABEL, RECREATE, blocked_on, connection, count, ints, options, payload, sink, sql, table,
    texts, url,
};

/// Rows whose COPY is more than the sockets between hold: it is still being sent while the server waits.
fn large() -> Vec<rowstorm_gen::ColumnData> {
    let long = "x".repeat(20_000);
    vec![ints(0..2000), texts((0..2000).map(|_| &*long))]
}

pub(crate) async fn a_connection_that_is_cut_in_mid_write_is_lost_and_opened_again() {
    let named = ConnectOptions { run: Some("cut".into()), ..options() };
    let sink = Postgres::connect_with(named).await.unwrap();
    let table = table("rs_cut", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    // The server reads a few rows, then waits in this trigger for a lock that the case holds.
    sql("CREATE OR REPLACE FUNCTION rs_wait() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN PERFORM pg_advisory_xact_lock_shared(7777); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE INSERT ON rs_cut FOR EACH ROW EXECUTE FUNCTION rs_wait()")
    .await;
    let payload = payload(&sink, &table, large());
    let mut holder = connection().await;
    holder.execute("SELECT pg_advisory_lock(7777)").await.unwrap();
    let mut writer = sink.writer(&table).await.unwrap();
    let writing = tokio::time::timeout(Duration::from_secs(20), writer.write(&payload));
    let (written, ()) = tokio::join!(writing, async {
        let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7777 AND NOT granted";
        while count(waits).await == 0 {
            tokio::task::yield_now().await;
        }
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rowstorm/cut'").await;
    });
    let error = written.expect("it is noticed").unwrap_err();
    assert_eq!(
        error.kind,
        SinkErrorKind::Lost(Delivery::None),
        "its end was not sent yet: {error:?}"
    );
    holder.execute("SELECT pg_advisory_unlock(7777)").await.unwrap();
    assert_eq!(count("SELECT count(*) FROM rs_cut").await, 0);
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 2000, "the writer opens another");
}

pub(crate) async fn a_dropped_write_leaves_its_writer_usable() {
    let sink = sink().await;
    let table = table("rs_dropped", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    let payload = payload(&sink, &table, large());
    let mut writer = sink.writer(&table).await.unwrap();
    let mut holder = connection().await;
    holder.execute("BEGIN; LOCK TABLE rs_dropped IN EXCLUSIVE MODE").await.unwrap();
    tokio::select! {
        written = writer.write(&payload) => panic!("the table is locked: {written:?}"),
        () = blocked_on("rs_dropped") => {}
    }
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 2000);
    assert_eq!(count("SELECT count(*) FROM rs_dropped").await, 2000);
}

pub(crate) async fn a_statement_over_its_time_limit_is_busy() {
    let short = ConnectOptions { statement_timeout: Some(Duration::from_millis(50)), ..options() };
    let limited = Postgres::connect_with(short).await.unwrap();
    let table = table("rs_timeout", LABEL);
    sink().await.prepare(&table, &RECREATE).await.unwrap();
    let payload = payload(&limited, &table, vec![ints([1]), texts(["x"])]);
    let mut writer = limited.writer(&table).await.unwrap();
    let mut holder = connection().await;
    holder.execute("BEGIN; LOCK TABLE rs_timeout IN EXCLUSIVE MODE").await.unwrap();
    let error = writer.write(&payload).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Busy { retry_after: None }, "{error:?}");
    assert_eq!(error.class, "57014 query_canceled");
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 1, "it was undone, and goes again");
}

pub(crate) async fn nobody_there_is_a_connection_lost() {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Postgres::connect(&format!("postgres://me:hunter2@{free}/db")).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "{error:?}");
    assert_eq!(error.class, "connection");
    assert!(error.message.contains(&free.to_string()), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

pub(crate) async fn a_missing_database_is_fatal_and_says_what_to_do() {
    let (server, _) = url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let error = Postgres::connect(&format!("{server}/rs_nowhere")).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
    assert!(error.message.contains("CREATE DATABASE"), "{error}");
}
