//! A server that has too much to do, and connections that end: whether rows arrived is never guessed.

use std::time::Duration;

use rowstorm_sink::{Delivery, Payload, Sink, SinkError, SinkErrorKind};

use crate::bed::{Bed, ints, pairs, sink, sums, texts};
use crate::double::{Double, Fault, Release};

const ROWS: i64 = 60;
const LOST: SinkErrorKind = SinkErrorKind::Lost(Delivery::InDoubt);
const BUSY: SinkErrorKind = SinkErrorKind::Busy { retry_after: None };
const BREAKER: &str = "CircuitBreakingException[Allocating 2mb for 'http-result' failed]";

async fn bed(double: &Double, name: &str) -> (Bed, Payload) {
    let bed = Bed::new(double.url(), pairs(name)).await;
    let payload = bed.payload(vec![ints(0..ROWS), texts((0..ROWS).map(|_| Some("x")))]);
    (bed, payload)
}

fn error(code: u32, message: &str) -> String {
    serde_json::json!({"error": {"message": message, "code": code}}).to_string()
}

async fn refused(bed: &Bed, payload: &Payload) -> SinkError {
    bed.write(payload).await.unwrap_err()
}

#[tokio::test]
async fn too_much_to_do_is_busy_and_nothing_was_written() {
    let double = Double::start();
    let (bed, payload) = bed(&double, "rowstorm_busy").await;
    let waits = SinkErrorKind::Busy { retry_after: Some(Duration::from_secs(7)) };
    for (status, header, body, kind, class) in [
        (
            429,
            "retry-after: 7\r\n",
            error(4290, "TooManyRequests[x]"),
            waits,
            "4290 TooManyRequests",
        ),
        (429, "", String::new(), BUSY, "HTTP 429"),
        (503, "retry-after: 7\r\n", "<html>".to_owned(), waits, "HTTP 503"),
        (
            503,
            "",
            error(5035, "ClusterBlockException[state not recovered]"),
            BUSY,
            "5035 ClusterBlockException",
        ),
        (500, "", error(5000, BREAKER), BUSY, "5000 CircuitBreakingException"),
        (
            500,
            "",
            error(5000, "EsRejectedExecutionException[rejected execution]"),
            BUSY,
            "5000 EsRejectedExecutionException",
        ),
    ] {
        double.befall([Fault::Answer(status, header, body)]);
        let error = refused(&bed, &payload).await;
        assert_eq!((error.kind, &*error.class), (kind, class));
        assert_eq!(bed.count().await, 0);
    }
    assert_eq!(bed.write(&payload).await.unwrap().accepted, ROWS as u64, "and then it goes on");
}

#[tokio::test]
async fn shards_that_are_busy_leave_a_bulk_in_doubt_unless_all_rows_are_told() {
    let double = Double::start();
    let (bed, mut payload) = bed(&double, "rowstorm_shards").await;
    double.befall([Fault::Shard { every: 3, code: 5000, message: BREAKER }]);
    assert_eq!(refused(&bed, &payload).await.kind, LOST, "two thirds are written");
    assert_eq!(bed.count().await, 40);
    assert_eq!(sums(&bed.again(&mut payload).await), (20, 40, 0), "sent again, the rest follows");

    let one = bed.payload(vec![ints([900]), texts([Some("x")])]);
    double.befall([Fault::Shard { every: 1, code: 5000, message: BREAKER }]);
    assert_eq!(refused(&bed, &one).await.kind, BUSY, "every row says that it was not written");
    double.befall([Fault::Shard {
        every: 1,
        code: 5002,
        message: "UnavailableShardsException[x]",
    }]);
    assert_eq!(refused(&bed, &one).await.kind, LOST, "a shard that is away may have written");
}

#[tokio::test]
async fn an_error_for_the_whole_bulk_is_in_doubt_where_shards_speak_for_all() {
    let double = Double::start();
    double.be(Release::V6_4_2);
    let (bed, mut payload) = bed(&double, "rowstorm_release").await;
    // This release is known by its name.
    double.befall([Fault::Shard { every: 3, code: 5000, message: BREAKER }]);
    assert_eq!(refused(&bed, &payload).await.kind, LOST);
    assert_eq!(bed.count().await, 40, "other shards have written");
    assert_eq!(sums(&bed.again(&mut payload).await), (20, 40, 0));
}

#[tokio::test]
async fn a_connection_that_ends_leaves_rows_in_doubt_and_a_replay_tells() {
    let double = Double::start();
    for (fault, there, told) in
        [(Fault::CloseBefore, 0, (60, 0, 0)), (Fault::CloseAfter, 60, (0, 60, 0))]
    {
        let (bed, mut payload) = bed(&double, "rowstorm_closed").await;
        double.befall([fault]);
        let error = refused(&bed, &payload).await;
        assert_eq!((error.kind, &*error.class), (LOST, "connection"));
        assert_eq!(bed.count().await, there);
        assert_eq!(sums(&bed.again(&mut payload).await), told);
        assert_eq!(bed.count().await, 60);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_in_doubt() {
    let double = Double::start();
    let (bed, payload) = bed(&double, "rowstorm_garbled").await;
    for body in [
        "",
        "{}",
        "{\"cols\":[],\"results\":[{\"rowcount\":1}]}",
        "{\"cols\":[],\"results\":[{\"rowc",
    ] {
        double.befall([Fault::Answer(200, "", body.to_owned())]);
        assert_eq!(refused(&bed, &payload).await.kind, LOST, "{body}");
    }
}

#[tokio::test]
async fn a_wrong_password_stops_and_no_privilege_refuses() {
    let double = Double::start();
    let (bed, payload) = bed(&double, "rowstorm_privilege").await;
    double.befall([Fault::Answer(401, "", error(4011, "MissingPrivilegeException[x]"))]);
    assert_eq!(sums(&bed.write(&payload).await.unwrap()), (0, 0, 60));
    double.befall([Fault::Answer(403, "", String::new())]);
    assert_eq!(refused(&bed, &payload).await.kind, SinkErrorKind::Fatal);
    double.lock("bWU6cmlnaHQ=");
    let error = refused(&bed, &payload).await;
    assert_eq!((error.kind, &*error.class), (SinkErrorKind::Fatal, "HTTP 401"));
    assert!(error.message.contains("ROWSTORM_PASSWORD"), "{error}");
    let allowed = sink(&format!("crate://me:right@{}", double.host()));
    allowed.server().await.unwrap();
}

#[tokio::test]
async fn hosts_take_turns_and_a_dead_one_is_passed_over() {
    let double = Double::start();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_, payload) = bed(&double, "rowstorm_hosts").await;
    let several = sink(&format!("crate://{nobody},{}", double.host()));
    let before = double.requests();
    for _ in 0..4 {
        several.server().await.unwrap();
    }
    assert!(double.requests() > before);

    let other = Double::start();
    let both = sink(&format!("crate://{},{}", other.host(), double.host()));
    for _ in 0..4 {
        both.server().await.unwrap();
    }
    assert!(other.requests() >= 4, "each has its turn");

    let dead = Bed { sink: sink(&format!("crate://{nobody}")), table: pairs("rowstorm_hosts") };
    let error = refused(&dead, &payload).await;
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "nothing was sent: {error:?}");
    assert!(error.message.contains(&nobody.to_string()), "{error}");
}

#[tokio::test]
async fn a_table_that_a_starting_node_does_not_know_yet_is_waited_for() {
    let double = Double::start();
    let (bed, payload) = bed(&double, "rowstorm_starting").await;
    double.befall([Fault::Answer(
        404,
        "",
        error(4041, "RelationUnknown[Relation 'doc.x' unknown]"),
    )]);
    let error = refused(&bed, &payload).await;
    assert!(matches!(error.kind, SinkErrorKind::Busy { retry_after: Some(_) }), "{error:?}");
    assert_eq!(bed.write(&payload).await.unwrap().accepted, 60);
}
