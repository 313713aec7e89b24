//! Rows over the PostgreSQL wire: a count for each and never a reason, and yet exact numbers.

use rowstorm_sink::{Delivery, Sink, SinkErrorKind};

use crate::bed::{Bed, ints, pairs, plan, sink, sums, texts};
use crate::double::{Double, Fault, Release};
use crate::wires;

const LOST: SinkErrorKind = SinkErrorKind::Lost(Delivery::InDoubt);

#[tokio::test]
async fn fifty_thousand_rows_are_one_bulk() {
    let double = Double::start();
    for url in wires(&double) {
        let bed = Bed::new(&url, pairs("rowstorm_wire_many")).await;
        let rows = bed.payload(vec![ints(0..50_000), texts((0..50_000).map(|_| Some("x")))]);
        assert_eq!(sums(&bed.write(&rows).await.unwrap()), (50_000, 0, 0), "{url}");
        assert_eq!(bed.count().await, 50_000, "{url}");
    }
    assert_eq!(double.bulks(), 1);
}

#[tokio::test]
async fn one_row_goes_over_http_which_tells_more() {
    let double = Double::start();
    for url in wires(&double) {
        let bed = Bed::new(&url, pairs("rowstorm_wire_one")).await;
        let one = |label| bed.payload(vec![ints([1]), texts([label])]);
        assert_eq!(sums(&bed.write(&one(Some("x"))).await.unwrap()), (1, 0, 0));
        let other = bed.write(&one(Some("y"))).await.unwrap();
        assert_eq!(sums(&other), (0, 0, 1));
        assert_eq!(other.rejected.refusals[0].class, "4091 DuplicateKeyException");
    }
    assert_eq!(double.bulks(), 0);
}

#[tokio::test]
async fn rows_that_stand_there_already_are_rejected_as_over_http() {
    let double = Double::start();
    for url in wires(&double) {
        let bed = Bed::new(&url, pairs("rowstorm_wire_standing")).await;
        let rows =
            |labels: [&'static str; 3]| bed.payload(vec![ints(0..3), texts(labels.map(Some))]);
        assert_eq!(sums(&bed.write(&rows(["a", "b", "c"])).await.unwrap()), (3, 0, 0));
        let again = bed.write(&rows(["a", "other", "c"])).await.unwrap();
        assert_eq!(sums(&again), (0, 0, 3), "{url} {again:?}");
        assert_eq!(bed.count().await, 3);
    }
}

#[tokio::test]
async fn rows_that_a_shard_could_not_take_are_sent_again() {
    let double = Double::start();
    let breaker = "CircuitBreakingException[Allocating 2mb]";
    let bed = Bed::new(&double.wire_url(), pairs("rowstorm_wire_shards")).await;
    let rows = bed.payload(vec![ints(0..60), texts((0..60).map(|_| Some("x")))]);
    double.befall([Fault::Shard { every: 3, code: 5000, message: breaker }]);
    assert_eq!(
        sums(&bed.write(&rows).await.unwrap()),
        (60, 0, 0),
        "HTTP took the third that failed"
    );
    assert_eq!(bed.count().await, 60);

    let mut rows = bed.payload(vec![ints(60..120), texts((0..60).map(|_| Some("x")))]);
    let fault = || Fault::Shard { every: 3, code: 5000, message: breaker };
    double.befall([fault(), fault()]);
    assert_eq!(bed.write(&rows).await.unwrap_err().kind, LOST, "HTTP has the same trouble");
    assert_eq!(sums(&bed.again(&mut rows).await), (7, 53, 0));
    assert_eq!(bed.count().await, 120);
}

/// They are not to be told from rows of another writer: the accounts say fewer than stand there.
#[tokio::test]
async fn rows_that_were_written_and_told_as_failed_are_shown_by_the_audit() {
    let double = Double::start();
    let bed = Bed::new(&double.wire_url(), pairs("rowstorm_wire_denied")).await;
    let rows = bed.payload(vec![ints(0..60), texts((0..60).map(|_| Some("x")))]);
    double.befall([Fault::Denied { every: 3 }]);
    let outcome = bed.write(&rows).await.unwrap();
    assert_eq!(sums(&outcome), (40, 0, 20), "{outcome:?}");
    assert_eq!(bed.count().await, 60, "the audit finds what the accounts do not have");

    // Where HTTP has trouble with one of them, all are sent again, and looked up.
    let mut rows = bed.payload(vec![ints(60..120), texts((0..60).map(|_| Some("x")))]);
    let once_more =
        Fault::Shard { every: 60, code: 5002, message: "UnavailableShardsException[x]" };
    double.befall([Fault::Denied { every: 3 }, once_more]);
    assert_eq!(bed.write(&rows).await.unwrap_err().kind, LOST);
    assert_eq!(sums(&bed.again(&mut rows).await), (0, 60, 0));
}

#[tokio::test]
async fn without_a_key_a_row_that_failed_and_is_taken_again_is_in_doubt() {
    let double = Double::start();
    let table = plan(
        "version: 1\ntables: { rowstorm_wire_keyless: { columns: { n: { type: bigint, gen: sequence } } } }",
    );
    for url in wires(&double) {
        let bed = Bed::new(&url, table.clone()).await;
        let rows = bed.payload(vec![ints([1, i64::MAX, 3])]);
        let outcome = bed.write(&rows).await.unwrap();
        assert_eq!(
            sums(&outcome),
            (2, 0, 1),
            "a row at fault is at fault twice: {url} {outcome:?}"
        );
    }
    let bed = Bed::new(&double.wire_url(), table).await;
    double.befall([Fault::Shard { every: 2, code: 5000, message: "CircuitBreakingException[x]" }]);
    let rows = bed.payload(vec![ints([1, 2, 3])]);
    assert_eq!(bed.write(&rows).await.unwrap_err().kind, LOST);
}

#[tokio::test]
async fn a_connection_that_ends_leaves_rows_in_doubt_and_the_lane_goes_on() {
    for (fault, sums_again) in [(Fault::CloseBefore, (20, 0, 0)), (Fault::CloseAfter, (0, 20, 0))] {
        let double = Double::start();
        let bed = Bed::new(&double.wire_url(), pairs("rowstorm_wire_lost")).await;
        let mut rows = bed.payload(vec![ints(0..20), texts((0..20).map(|_| Some("x")))]);
        double.befall([fault]);
        assert_eq!(bed.write(&rows).await.unwrap_err().kind, LOST);
        assert_eq!(sums(&bed.again(&mut rows).await), sums_again);
        assert_eq!(bed.count().await, 20);
    }
}

#[tokio::test]
async fn an_error_for_the_whole_is_in_doubt_where_shards_speak_for_all() {
    let double = Double::start();
    let bed = Bed::new(&double.wire_url(), pairs("rowstorm_wire_whole")).await;
    let rows = bed.payload(vec![ints(0..20), texts((0..20).map(|_| Some("x")))]);
    double.befall([Fault::Answer(500, "", "Allocating 2mb failed".to_owned())]);
    assert_eq!(
        sums(&bed.write(&rows).await.unwrap()),
        (20, 0, 0),
        "nothing was written, and HTTP takes all"
    );

    double.be(Release::V6_4_2);
    double.befall([Fault::Shard {
        every: 4,
        code: 5002,
        message: "UnavailableShardsException[x]",
    }]);
    let mut rows = bed.payload(vec![ints(100..120), texts((0..20).map(|_| Some("x")))]);
    let error = bed.write(&rows).await.unwrap_err();
    assert_eq!(error.kind, LOST);
    assert_eq!(sums(&bed.again(&mut rows).await), (5, 15, 0));
}

#[tokio::test]
async fn a_password_is_asked_for_and_a_wrong_one_stops_the_run() {
    let double = Double::start();
    double.lock_wire("me", "right");
    let with = |login: &str| double.wire_url().replace("crate://", &format!("crate://{login}@"));
    let bed = Bed::new(&with("me:right"), pairs("rowstorm_wire_password")).await;
    let rows = bed.payload(vec![ints(0..2), texts([Some("x"); 2])]);
    assert_eq!(sums(&bed.write(&rows).await.unwrap()), (2, 0, 0));
    for login in ["me:hunter2", "you:right", "me"] {
        let wrong = sink(&with(login));
        let mut writer = wrong.writer(&bed.table).await.unwrap();
        let error = rowstorm_sink::Writer::write(&mut writer, &rows).await.unwrap_err();
        assert_eq!(error.kind, SinkErrorKind::Fatal, "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_wire_where_nothing_listens_is_lost_before_anything_was_sent() {
    let double = Double::start();
    let url = format!("{}?method=postgres&pg_port=1", double.url());
    let bed = Bed::new(&url, pairs("rowstorm_wire_nobody")).await;
    let rows = bed.payload(vec![ints(0..2), texts([Some("x"); 2])]);
    let error = bed.write(&rows).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::None), "{error}");
    assert!(error.message.contains("PostgreSQL wire at 127.0.0.1:1"), "{error}");
}
