//! Connections that die, futures that are dropped, passwords that are wrong.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use super::bed::CREATE;
use super::table::{ids_and_texts, pairs};
use super::{Bed, Case, Need, Subject};
use crate::{Scope, Sink, SinkErrorKind, Writer};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    vec![
        Case::new(
            "a killed connection is lost and the sink stays usable",
            &[Need::Rows, Need::Connections],
            killed::<S>,
        ),
        Case::new(
            "a wrong password is an error and is printed nowhere",
            &[Need::Passwords],
            password::<S>,
        ),
        Case::new(
            "a dropped write leaves all rows or none",
            &[Need::Rows, Need::Transactions],
            dropped::<S>,
        ),
    ]
}

async fn killed<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_killed");
    bed.recreate(&table).await;
    let mut writer = bed.writer(&table).await;
    bed.write_with(&mut writer, &table, &ids_and_texts(0, 0..10)).await;
    S::cut_connections(&bed.sink).await;
    let payload = bed.encode(&table, &[ids_and_texts(10, 10..20)]);
    let error = writer.write(&payload).await.expect_err("the connection is gone");
    assert!(matches!(error.kind, SinkErrorKind::Lost(_)), "{error:?}");
    assert_eq!(bed.audit(&table).await.rows, 10, "nothing could arrive over a dead connection");
    let mut writer = bed.writer(&table).await;
    assert_eq!(bed.send(&mut writer, &payload).await.accepted, 10);
    assert_eq!(bed.audit(&table).await.rows, 20);
}

/// A word that stands nowhere else.
const PASSWORD: &str = "wrong7horse9battery";

async fn password<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_password");
    let error = match S::connect(&S::wrong_password(&bed.url, PASSWORD)).await {
        Err(error) => error,
        Ok(sink) => {
            assert!(!format!("{sink:?}").contains(PASSWORD), "the sink's Debug shows the password");
            let told = format!("{:?}", sink.explain(&table, &CREATE));
            assert!(!told.contains(PASSWORD), "explain shows the password");
            sink.prepare(&table, &CREATE).await.expect_err("the password is wrong")
        }
    };
    assert!(!matches!(error.kind, SinkErrorKind::Busy { .. }), "waiting does not help: {error:?}");
    let mut printed = vec![format!("{error} {error:?} {error:#?} {}", error.class)];
    let mut source = error.source();
    while let Some(error) = source {
        printed.push(format!("{error} {error:?} {error:#?}"));
        source = error.source();
    }
    for text in printed {
        assert!(!text.contains(PASSWORD), "the password is printed: {text}");
    }
}

async fn dropped<S: Subject>(bed: Bed<S>) {
    const ROWS: u64 = 300;
    let table = pairs("rowstorm_dropped");
    bed.recreate(&table).await;
    let drops: Vec<(i64, usize)> = (0..).step_by(1000).zip([1, 2, 3, 5, 8, 13]).collect();
    for (first, polls) in &drops {
        let payload = bed.encode(&table, &[ids_and_texts(0, *first..first + ROWS as i64)]);
        let mut writer = bed.writer(&table).await;
        drop_after(*polls, writer.write(&payload)).await;
        drop(writer);
        let marker = bed.write(&table, &ids_and_texts(0, [first + 999])).await;
        assert_eq!(marker.accepted, 1, "the sink stays usable");
    }
    // A dropped write may still arrive, but never in part.
    for (first, polls) in &drops {
        let scope = Scope::Between { column: 0, low: *first, high: first + 998 };
        let rows = bed.audit_within(&table, &scope).await.rows;
        assert!(rows == 0 || rows == ROWS, "{rows} of {ROWS} rows after {polls} polls");
    }
}

/// Polls a future so many times, then drops it.
async fn drop_after<F: Future>(polls: usize, future: F) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let poll =
            |context: &mut Context<'_>| Poll::Ready(future.as_mut().poll(context).is_ready());
        if std::future::poll_fn(poll).await {
            return;
        }
        tokio::task::yield_now().await;
    }
}
