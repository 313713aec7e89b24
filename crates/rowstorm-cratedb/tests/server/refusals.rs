//! Rows that are refused: exact numbers, whatever the server says and leaves out.

use rowstorm_sink::SinkErrorKind;

use crate::bed::{Bed, ints, named, pairs, plan, sums, texts};
use crate::double::{Double, Release};
use crate::{servers, ways};

#[tokio::test]
async fn a_tenth_of_duplicates_a_null_and_a_long_text_are_counted_exactly() {
    let double = Double::start();
    for url in ways(&double) {
        let bed = Bed::new(&url, pairs("rowstorm_mixed")).await;
        let (mut accepted, mut rejected) = (0, 0);
        for first in (0..3000).step_by(1000) {
            // Every tenth key repeats the one before it; once in a hundred rows a text is too long, once it is null.
            let ids = (first..first + 1000).map(|row| if row % 10 == 9 { row - 1 } else { row });
            let labels = (first..first + 1000).map(|row| match row % 100 {
                33 => None,
                66 => Some("too long"),
                _ => Some("fits"),
            });
            let payload = bed.payload(vec![ints(ids), texts(labels)]);
            let outcome = bed.write(&payload).await.unwrap();
            assert_eq!(outcome.rows(), 1000);
            let told = |class: &str| outcome.rejected.refusals.iter().any(|it| it.class == class);
            assert!(
                told("4091 DuplicateKeyException") && told("4000 SQLParseException"),
                "{outcome:?}"
            );
            accepted += outcome.accepted;
            rejected += outcome.rejected.count;
        }
        assert_eq!((accepted, rejected), (3000 - 300 - 60, 300 + 60), "{url}");
        assert_eq!(bed.count().await, 2640, "{url}");
    }
    assert_eq!(double.bulks(), 3, "rows went over the PostgreSQL wire, too");
}

#[tokio::test]
async fn a_null_in_the_key_fails_the_bulk_and_only_its_row_is_refused() {
    let double = Double::start();
    for url in ways(&double) {
        let bed = Bed::new(&url, named("rowstorm_null_key")).await;
        let names: Vec<String> = (0..500).map(|row| format!("name {row}")).collect();
        let is_bad = |row: usize| row == 77 || row == 400;
        let names = names.iter().enumerate().map(|(row, name)| (!is_bad(row)).then_some(&**name));
        let payload = bed.payload(vec![texts(names)]);
        let before = double.requests();
        let outcome = bed.write(&payload).await.unwrap();
        assert_eq!(sums(&outcome), (498, 0, 2), "{url} {outcome:?}");
        assert_eq!(bed.count().await, 498);
        assert!(double.requests() - before < 60, "two rows are found in two times nine halves");
    }
}

#[tokio::test]
async fn a_bulk_of_nothing_but_bad_rows_ends() {
    let double = Double::start();
    let bed = Bed::new(double.url(), named("rowstorm_all_bad")).await;
    let payload = bed.payload(vec![texts((0..5000).map(|_| None))]);
    let before = double.requests();
    assert_eq!(sums(&bed.write(&payload).await.unwrap()), (0, 0, 5000));
    assert!(double.requests() - before < 300);
}

#[tokio::test]
async fn reasons_that_are_left_out_leave_no_row_out() {
    let double = Double::start();
    for url in servers(&double) {
        let bed = Bed::new(&url, pairs("rowstorm_reasons")).await;
        let payload =
            bed.payload(vec![ints((0..400).map(|_| 7)), texts((0..400).map(|_| Some("x")))]);
        let outcome = bed.write(&payload).await.unwrap();
        assert_eq!(sums(&outcome), (1, 0, 399));
        let refusals: Vec<_> =
            outcome.rejected.refusals.iter().map(|it| (&*it.class, it.count)).collect();
        assert_eq!(refusals, [("4091 DuplicateKeyException", 10), ("rowcount -2", 389)]);
    }
}

#[tokio::test]
async fn a_bulk_of_one_row_has_another_shape_in_older_releases() {
    let double = Double::start();
    for release in [Release::V5_9, Release::V6_4_2, Release::V6_4_3] {
        double.be(release);
        let bed = Bed::new(double.url(), pairs("rowstorm_one")).await;
        let one = |id: i64, label| bed.payload(vec![ints([id]), texts([label])]);
        assert_eq!(sums(&bed.write(&one(1, Some("x"))).await.unwrap()), (1, 0, 0));
        let twice = bed.write(&one(1, Some("x"))).await.unwrap();
        assert_eq!(sums(&twice), (0, 0, 1), "{release:?}");
        assert_eq!(twice.rejected.refusals[0].class, "4091 DuplicateKeyException");
        assert_eq!(sums(&bed.write(&one(2, None)).await.unwrap()), (0, 0, 1));
        let mut again = one(1, Some("x"));
        assert_eq!(sums(&bed.again(&mut again).await), (0, 1, 0), "{release:?}");
    }
}

#[tokio::test]
async fn rows_that_unnest_skips_in_silence_are_counted() {
    let double = Double::start();
    for url in servers(&double) {
        let bed = Bed::new(&format!("{url}/doc?method=unnest"), pairs("rowstorm_skipped")).await;
        let ids = [1, 2, 2, 3, 4];
        let labels = [Some("a"), Some("b"), Some("b"), None, Some("too long")];
        let mut payload = bed.payload(vec![ints(ids), texts(labels)]);
        assert!(payload.body.as_slice().windows(6).any(|word| word == b"UNNEST"));
        let outcome = bed.write(&payload).await.unwrap();
        assert_eq!(sums(&outcome), (2, 0, 3));
        assert_eq!(outcome.rejected.refusals[0].class, "skipped");
        assert_eq!(bed.count().await, 2);
        // Sent again, each row says for itself what it is.
        assert_eq!(sums(&bed.again(&mut payload).await), (0, 2, 3));
    }
}

#[tokio::test]
async fn what_the_server_cannot_hold_is_refused_and_counted() {
    let double = Double::start();
    let table = plan(
        "version: 1\ntables: { rowstorm_ends: { columns: { n: { type: bigint, gen: sequence } } } }",
    );
    for url in servers(&double) {
        let bed = Bed::new(&url, table.clone()).await;
        let payload = bed.payload(vec![ints([i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX])]);
        assert_eq!(sums(&bed.write(&payload).await.unwrap()), (3, 0, 2));
    }
}

#[tokio::test]
async fn a_body_beyond_the_servers_limit_is_too_large() {
    let double = Double::start();
    double.limit_bodies(1000);
    let bed = Bed::new(double.url(), pairs("rowstorm_limit")).await;
    let rows = |count: i64| bed.payload(vec![ints(0..count), texts((0..count).map(|_| Some("x")))]);
    let error = bed.write(&rows(200)).await.unwrap_err();
    assert_eq!((error.kind, &*error.class), (SinkErrorKind::TooLarge, "HTTP 413"));
    assert_eq!(bed.write(&rows(10)).await.unwrap().accepted, 10);
}
