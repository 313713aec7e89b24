//! Making a table, keeping it, making it anew, and its indexes.

use super::bed::{APPEND, CREATE, RECREATE};
use super::table::{Draft, ids_and_texts, pairs};
use super::{Bed, Case, Need, Subject};
use crate::{IndexTime, Prepare, PrepareMode, Scope, Sink, SinkErrorKind, Writer};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    vec![
        Case::new("preparing twice is harmless", &[Need::Rows], twice::<S>),
        Case::new("shards may prepare at the same instant", &[Need::Rows], same_instant::<S>),
        Case::new("recreating empties", &[Need::Rows], recreating::<S>),
        Case::new("create refuses a table that has rows", &[Need::Rows], create_refuses::<S>),
        Case::new("a missing table is an error", &[Need::Rows], missing::<S>),
        Case::new("finishing twice is harmless", &[], finish_twice::<S>),
        Case::new("a closed sink connects anew", &[Need::Rows], close_twice::<S>),
        Case::new("indexes are there when they were asked for", &[Need::Indexes], indexes::<S>),
        Case::new("explain names the way in and touches nothing", &[], explain::<S>),
        Case::new("the server's facts have names and values", &[], facts::<S>),
    ]
}

async fn twice<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_twice");
    bed.recreate(&table).await;
    bed.prepare(&table, &CREATE).await;
    bed.prepare(&table, &CREATE).await;
    bed.write(&table, &ids_and_texts(0, 0..3)).await;
    bed.prepare(&table, &APPEND).await;
    bed.prepare(&table, &APPEND).await;
    assert_eq!(bed.read(&table).await.len(), 3, "appending keeps what is there");
}

async fn same_instant<S: Subject>(bed: Bed<S>) {
    // A name of this run alone, since a table that was made cannot be made again.
    let name = format!("rowstorm_instant_{}", std::process::id());
    let table = Draft::new(&name).column("label", "text").index(&["label"]).plan();
    let sink = bed.sink;
    let mut shards = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (sink, table) = (sink.clone(), table.clone());
        let prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::Before };
        shards.spawn(async move { sink.prepare(&table, &prepare).await });
    }
    while let Some(prepared) = shards.join_next().await {
        prepared.expect("no panic").expect("each shard finds or makes the table");
    }
    assert_eq!(sink.audit(&table, &Scope::Table).await.expect("the table is there").rows, 0);
}

async fn recreating<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_recreating");
    bed.recreate(&table).await;
    bed.write(&table, &ids_and_texts(0, 0..3)).await;
    bed.recreate(&table).await;
    assert_eq!(bed.read(&table).await.len(), 0);
    assert_eq!(bed.write(&table, &ids_and_texts(0, 0..3)).await.accepted, 3);
}

async fn create_refuses<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_create_refuses");
    bed.recreate(&table).await;
    bed.write(&table, &ids_and_texts(0, 0..3)).await;
    let error = bed.sink.prepare(&table, &CREATE).await.expect_err("the table has rows");
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
    assert!(error.to_string().contains("rowstorm_create_refuses"), "{error} names the table");
    assert_eq!(bed.read(&table).await.len(), 3, "refusing keeps the rows");
}

async fn missing<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_never_made");
    let Ok(mut writer) = bed.sink.writer(&table).await else { return };
    let payload = bed.encode(&table, &[ids_and_texts(0, 0..3)]);
    let answer = writer.write(&payload).await;
    let refused = answer.as_ref().is_ok_and(|outcome| outcome.rejected.count == 3);
    assert!(
        answer.is_err() || refused,
        "rows cannot go into a table that is not there: {answer:?}"
    );
}

async fn finish_twice<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_finish").column("label", "text").index(&["label"]).plan();
    let prepare = Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::After };
    bed.prepare(&table, &prepare).await;
    bed.write(&table, &ids_and_texts(0, 0..3)).await;
    for _ in 0..2 {
        bed.sink.finish(&table, &prepare).await.expect("finishing succeeds");
    }
    assert_eq!(bed.audit(&table).await.rows, 3);
}

async fn close_twice<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_closed");
    bed.recreate(&table).await;
    for ids in [0..3, 3..6] {
        let mut writer = bed.writer(&table).await;
        bed.sink.close().await;
        bed.write_with(&mut writer, &table, &ids_and_texts(ids.start as u64, ids)).await;
        drop(writer);
        bed.sink.close().await;
        bed.sink.close().await;
    }
    assert_eq!(bed.read(&table).await.len(), 6, "rows that were written are there");
}

async fn indexes<S: Subject>(bed: Bed<S>) {
    let table = || {
        Draft::new("rowstorm_indexes")
            .column("label", "text")
            .column("size", "int")
            .index(&["label"])
            .index(&["size", "label"])
            .plan()
    };
    let both = vec![vec!["label".to_owned()], vec!["size".to_owned(), "label".to_owned()]];
    for (time, at_first, at_last) in [
        (IndexTime::Before, both.clone(), both.clone()),
        (IndexTime::After, vec![], both),
        (IndexTime::None, vec![], vec![]),
    ] {
        let table = table();
        let prepare = Prepare { mode: PrepareMode::Recreate, indexes: time };
        bed.prepare(&table, &prepare).await;
        assert_eq!(sorted(S::indexes(&bed.sink, &table).await), at_first, "{time:?}, prepared");
        bed.sink.finish(&table, &prepare).await.expect("finishing succeeds");
        assert_eq!(sorted(S::indexes(&bed.sink, &table).await), at_last, "{time:?}, finished");
    }
}

fn sorted(mut indexes: Vec<Vec<String>>) -> Vec<Vec<String>> {
    indexes.sort();
    indexes
}

async fn explain<S: Subject>(bed: Bed<S>) {
    let table = pairs("rowstorm_explained");
    let told = bed.sink.explain(&table, &RECREATE);
    assert!(!told.method.is_empty() && !told.statement.is_empty(), "{told:?}");
    assert_eq!(told, bed.sink.explain(&table, &RECREATE), "the same question, the same answer");
    let limits = bed.sink.limits(&table);
    assert!(limits.rows > 0 && limits.bytes > 0 && limits.writers > 0, "{limits:?}");
}

async fn facts<S: Subject>(bed: Bed<S>) {
    for fact in bed.sink.server().await.expect("the server answers") {
        assert!(!fact.name.is_empty() && !fact.value.is_empty(), "{fact:?}");
    }
}
