//! Tables that are there, tables that are made, and what the server says of itself.

use rowstorm_sink::{IndexTime, Prepare, PrepareMode, Sink as _, SinkErrorKind};

use crate::bed::{
    APPEND, CREATE, LABEL, RECREATE, count, document, ints, payload, sink, sql, table, texts, write,
};

pub(crate) async fn columns_that_do_not_fit_are_named() {
    let sink = sink().await;
    let table = table("rs_fit", LABEL);
    for (made, class, named) in [
        ("id integer PRIMARY KEY, label text", "column type", "integer"),
        ("id bigint PRIMARY KEY, label bytea", "column type", "\"label\""),
        ("id bigint PRIMARY KEY, labels text", "missing column", "\"label\""),
    ] {
        sql(&format!("DROP TABLE IF EXISTS rs_fit; CREATE TABLE rs_fit ({made})")).await;
        let error = sink.prepare(&table, &APPEND).await.unwrap_err();
        assert_eq!(error.kind, SinkErrorKind::Fatal);
        assert!(error.class.starts_with(class) && error.message.contains(named), "{error:?}");
    }
    // More columns, another order, other lengths: all of these fit.
    sql("DROP TABLE rs_fit; CREATE TABLE rs_fit (more int DEFAULT 7, label varchar(9), id bigint UNIQUE)").await;
    sink.prepare(&table, &APPEND).await.unwrap();
    let columns = vec![ints([1, 2]), texts(["a", "b"])];
    assert_eq!(write(&sink, &table, &payload(&sink, &table, columns)).await.accepted, 2);
    assert_eq!(count("SELECT count(*) FROM rs_fit WHERE more = 7").await, 2);
    let error = sink.prepare(&table, &CREATE).await.unwrap_err();
    assert!(error.message.contains("append") && error.message.contains("recreate"), "{error}");
}

pub(crate) async fn a_key_without_an_index_is_not_believed() {
    let sink = sink().await;
    let table = table("rs_keyless", LABEL);
    for index in ["(label)", "(id, label)", "(id) WHERE id > 5", "((id + 1))"] {
        sql(&format!(
            "DROP TABLE IF EXISTS rs_keyless; CREATE TABLE rs_keyless (id bigint, label text);
             CREATE UNIQUE INDEX ON rs_keyless {index}"
        ))
        .await;
        let error = sink.prepare(&table, &APPEND).await.expect_err(index);
        assert!(error.message.contains("no unique index on (\"id\")"), "{error}");
    }
    sql("CREATE UNIQUE INDEX ON rs_keyless (id) INCLUDE (label)").await;
    sink.prepare(&table, &APPEND).await.unwrap();
}

pub(crate) async fn shards_prepare_at_the_same_time() {
    let sink = sink().await;
    let table = document(
        "{version: 1, tables: {rs_shards: {key: [id], columns: {id: {type: bigint, gen: sequence},
          label: {type: text, gen: {text: {bytes: 4}}}}, indexes: [{on: [label]}]}}}",
    );
    for _ in 0..5 {
        sql("DROP TABLE IF EXISTS rs_shards").await;
        let mut shards = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (sink, table) = (sink.clone(), table.clone());
            shards.spawn(async move { sink.prepare(&table, &CREATE).await });
        }
        while let Some(shard) = shards.join_next().await {
            shard.unwrap().expect("whoever came first, the table is there");
        }
    }
    assert_eq!(
        count("SELECT count(*) FROM pg_index WHERE indrelid = 'rs_shards'::regclass").await,
        2
    );
}

pub(crate) async fn unlogged_tables_and_their_indexes_are_made() {
    let sink = sink().await;
    let table = document(
        "{version: 1, tables: {rs_unlogged: {postgres: {unlogged: true}, columns: {
            id: {type: bigint, gen: sequence, unique: true}, label: {type: text, gen: {text: {bytes: 4}}, nulls: 0.5}},
          indexes: [{on: [label, id]}]}}}",
    );
    let after = Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::After };
    sink.prepare(&table, &after).await.unwrap();
    let indexes = "SELECT count(*) FROM pg_index WHERE indrelid = 'rs_unlogged'::regclass";
    assert_eq!(count(indexes).await, 1, "what keeps rows apart is there from the start");
    sink.finish(&table, &after).await.unwrap();
    sink.finish(&table, &after).await.unwrap();
    assert_eq!(count(indexes).await, 2);
    let unlogged =
        "SELECT count(*) FROM pg_class WHERE relname = 'rs_unlogged' AND relpersistence = 'u'";
    assert_eq!(count(unlogged).await, 1);
    assert!(sink.limits(&table).idempotent, "a unique column keeps one copy");
    let told = sink.explain(&table, &after);
    assert!(told.ddl.iter().any(|ddl| ddl.starts_with("CREATE UNLOGGED TABLE")), "{told:?}");
}

pub(crate) async fn a_schema_of_its_own_is_used() {
    let sink = sink().await;
    let table = document(
        "{version: 1, tables: {rs_own: {key: [id], postgres: {schema: 'rs \"s'}, columns: {
            id: {type: bigint, gen: sequence}, label: {type: text, gen: {text: {bytes: 4}}, nulls: 0.5}},
          indexes: [{on: [label]}]}}}",
    );
    sql("DROP SCHEMA IF EXISTS \"rs \"\"s\" CASCADE").await;
    let error = sink.prepare(&table, &RECREATE).await.unwrap_err();
    assert!(error.message.contains("CREATE SCHEMA"), "{error}");
    sql("CREATE SCHEMA \"rs \"\"s\"").await;
    for _ in 0..2 {
        sink.prepare(&table, &CREATE).await.unwrap();
    }
    let columns = || vec![ints([1, 1]), texts(["a", "b"])];
    assert_eq!(write(&sink, &table, &payload(&sink, &table, columns())).await.accepted, 1);
    sink.finish(&table, &CREATE).await.unwrap();
    assert_eq!(count("SELECT count(*) FROM \"rs \"\"s\".rs_own").await, 1);
}

pub(crate) async fn the_server_says_what_it_is() {
    let facts = sink().await.server().await.unwrap();
    let names: Vec<&str> = facts.iter().map(|fact| fact.name.as_str()).collect();
    assert!(names.contains(&"server_version") && names.contains(&"fsync"), "{names:?}");
    assert!(facts.iter().all(|fact| !fact.value.is_empty()), "{facts:?}");
}
