//! Faults that the server is told to make (`failCommand`), and servers that are not there.

use std::time::Duration;

use mongodb::bson::doc;
use rowstorm_mongodb::Mongodb;
use rowstorm_sink::{
    Attempt, ConnectOptions, Delivery, Payload, Sink as _, SinkErrorKind, Writer as _,
};

use crate::bed::{
    LABEL, RECREATE, alone, count, fail_insert_after, fail_next_insert, ints, payload, sink, table,
    texts, told, write,
};

fn hundred(sink: &Mongodb, table: &rowstorm_gen::TablePlan) -> Payload {
    payload(sink, table, vec![ints(0..100), texts((0..100).map(|_| "label"))])
}

pub(crate) async fn a_server_that_refuses_at_the_door_is_busy() {
    let _alone = alone().await;
    let (sink, table) = (sink(), table("rs_busy", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let payload = hundred(&sink, &table);
    let mut writer = sink.writer(&table).await.unwrap();
    let labels = ["SystemOverloadedError", "RetryableError"];
    fail_next_insert(&sink, doc! { "errorCode": 462, "errorLabels": labels.to_vec() }).await;
    let error = writer.write(&payload).await.unwrap_err();
    assert!(matches!(error.kind, SinkErrorKind::Busy { .. }), "{error:?}");
    assert!(error.class.starts_with("462"), "{error:?}");
    assert_eq!(count(&sink, &table, doc! {}).await, 0);
    assert_eq!(writer.write(&payload).await.unwrap().accepted, 100, "the same bytes go in later");
}

pub(crate) async fn a_server_that_shuts_down_leaves_rows_in_doubt_and_a_replay_settles_them() {
    let _alone = alone().await;
    let table = table("rs_shutdown", LABEL);
    sink().prepare(&table, &RECREATE).await.unwrap();
    for code in [11600, 91, 189, 10107, 50] {
        // A client believes that this server is going, and waits for another: each code needs one of its own.
        let sink = sink();
        let payload = hundred(&sink, &table);
        let mut writer = sink.writer(&table).await.unwrap();
        fail_next_insert(&sink, doc! { "errorCode": code }).await;
        let error = writer.write(&payload).await.unwrap_err();
        assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt), "{error:?}");
        assert!(error.class.starts_with(&code.to_string()), "{error:?}");
    }
    let sink = sink();
    let mut payload = hundred(&sink, &table);
    assert_eq!(count(&sink, &table, doc! {}).await, 0);
    payload.attempt = Attempt::Replay;
    assert_eq!(told(&write(&sink, &table, &payload).await), (100, 0, vec![]));
}

pub(crate) async fn a_write_concern_that_is_not_met_leaves_rows_in_doubt_and_a_replay_confirms_them()
 {
    let _alone = alone().await;
    let (sink, table) = (sink(), table("rs_concern", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let mut payload = hundred(&sink, &table);
    let mut writer = sink.writer(&table).await.unwrap();
    let failed = doc! { "code": 64, "codeName": "WriteConcernTimeout", "errmsg": "waiting" };
    fail_next_insert(&sink, doc! { "writeConcernError": failed }).await;
    let error = writer.write(&payload).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt), "{error:?}");
    assert_eq!(error.class, "64 WriteConcernTimeout");
    assert_eq!(count(&sink, &table, doc! {}).await, 100, "they are there all the same");
    payload.attempt = Attempt::Replay;
    assert_eq!(told(&write(&sink, &table, &payload).await), (0, 100, vec![]));
}

pub(crate) async fn a_command_that_fails_behind_others_leaves_the_payload_in_doubt() {
    let _alone = alone().await;
    let (sink, table) = (sink(), table("rs_behind", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let mut payload = payload(&sink, &table, vec![ints(0..2500), texts((0..2500).map(|_| "x"))]);
    let mut writer = sink.writer(&table).await.unwrap();
    // Alone it would be busy: nothing of the third command was written.
    let busy = doc! { "errorCode": 462, "errorLabels": ["RetryableError"] };
    fail_insert_after(&sink, 2, busy).await;
    let error = writer.write(&payload).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt), "{error:?}");
    assert_eq!(count(&sink, &table, doc! {}).await, 2000);
    payload.attempt = Attempt::Replay;
    assert_eq!(told(&writer.write(&payload).await.unwrap()), (500, 2000, vec![]));
    assert_eq!(count(&sink, &table, doc! {}).await, 2500);
}

pub(crate) async fn a_connection_that_is_cut_is_noticed_at_once() {
    let _alone = alone().await;
    let (sink, table) = (sink(), table("rs_closed", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let long = "x".repeat(5_000);
    let columns = vec![ints(0..2500), texts((0..2500).map(|_| &*long))];
    let mut payload = payload(&sink, &table, columns);
    let mut writer = sink.writer(&table).await.unwrap();
    fail_insert_after(&sink, 1, doc! { "closeConnection": true }).await;
    let written = tokio::time::timeout(Duration::from_secs(20), writer.write(&payload)).await;
    let error = written.expect("it is noticed").unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt), "{error:?}");
    payload.attempt = Attempt::Replay;
    assert_eq!(told(&writer.write(&payload).await.unwrap()), (1500, 1000, vec![]));
    assert_eq!(count(&sink, &table, doc! {}).await, 2500);
}

pub(crate) async fn a_dropped_write_goes_on_to_its_end() {
    let (sink, table) = (sink(), table("rs_dropped", LABEL));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let payload = hundred(&sink, &table);
    let mut writer = sink.writer(&table).await.unwrap();
    // Polled once: the command is on its way, and nobody waits for it any more. Now and then it is answered within that.
    loop {
        tokio::select! {
            biased;
            written = writer.write(&payload) => {
                assert_eq!(written.unwrap().accepted, 100);
                sink.prepare(&table, &RECREATE).await.unwrap();
            }
            () = std::future::ready(()) => break,
        }
    }
    let arrived = async {
        while count(&sink, &table, doc! {}).await < 100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), arrived).await.expect("all rows arrive");
    let mut again = hundred(&sink, &table);
    again.attempt = Attempt::Replay;
    assert_eq!(writer.write(&again).await.unwrap().confirmed, 100, "the writer goes on");
}

pub(crate) async fn nobody_there_is_a_connection_lost() {
    // Port 1 of the loopback address: nobody listens there.
    let url = "mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=300";
    let options = ConnectOptions { url: url.into(), ..ConnectOptions::default() };
    let error = Mongodb::connect_with(&options).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "{error:?}");
    assert!(error.message.contains("127.0.0.1:1") && !error.message.contains("labels"), "{error}");
}

/// So that a runtime which ends right after takes none of them apart.
pub(crate) async fn a_closed_sink_leaves_no_task_behind() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (sink, table) = (sink(), table("rs_over", LABEL));
    for _ in 0..2 {
        sink.prepare(&table, &RECREATE).await.unwrap();
        let mut writer = sink.writer(&table).await.unwrap();
        sink.close().await;
        assert!(alive() > 0, "a writer is left, and the driver has tasks of its own");
        assert_eq!(writer.write(&hundred(&sink, &table)).await.unwrap().accepted, 100);
        drop(writer);
        sink.close().await;
        sink.close().await;
        // One is told by the client's end to end, too.
        let over = async {
            while alive() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), over).await.expect("they end");
    }
}
