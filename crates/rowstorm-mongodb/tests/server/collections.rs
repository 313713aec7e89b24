//! Collections of other kinds, and what cannot be one.

use mongodb::bson::{Document, doc};
use rowstorm_gen::schema::IndexTime;
use rowstorm_sink::{Prepare, PrepareMode, Sink as _, SinkErrorKind};

use crate::bed::{
    APPEND, LABEL, RECREATE, count, database, document, generated, ints, payload, sink, table,
    texts, told, write,
};

const READINGS: &str = "
version: 1
tables:
  rs_readings:
    key: [ts, tags]
    columns:
      ts:      { type: timestamp, gen: { clock: { start: 2026-01-01T00:00:00Z, step: 1s } } }
      tags:    { type: text, gen: { one_of: [a, b] } }
      reading: { type: float, gen: { uniform: [0.0, 1.0] } }
    mongodb: { timeseries: { time: ts, meta: tags } }
";

pub(crate) async fn a_time_series_collection_is_made_and_filled() {
    let (sink, table) = (sink(), document(READINGS));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let filter = doc! { "name": &*table.name };
    let names = database(&sink).await.list_collections().filter(filter).await;
    let mut found = names.unwrap();
    assert!(found.advance().await.unwrap(), "the collection is there");
    let made = found.deserialize_current().unwrap();
    let series = made.options.timeseries.expect("it is a time series");
    assert_eq!((&*series.time_field, series.meta_field.as_deref()), ("ts", Some("tags")));
    assert!(!sink.limits(&table).idempotent, "nothing keeps one copy there");
    let outcome = write(&sink, &table, &generated(&sink, &table, 0..100)).await;
    assert_eq!(told(&outcome), (100, 0, vec![]));
    assert_eq!(count(&sink, &table, doc! {}).await, 100);
    let audit = sink.audit(&table, &rowstorm_sink::Scope::Table).await.unwrap();
    assert_eq!((audit.rows, audit.distinct_keys), (100, Some(100)));
    let plain =
        document(&READINGS.replace("    mongodb: { timeseries: { time: ts, meta: tags } }", ""));
    let error = sink.prepare(&plain, &APPEND).await.unwrap_err();
    assert!(error.message.contains("time-series collection"), "{error}");
}

pub(crate) async fn a_view_is_not_written_to() {
    let (sink, table) = (sink(), table("rs_view", LABEL));
    let database = database(&sink).await;
    database.collection::<Document>(&table.name).drop().await.unwrap();
    let view = doc! { "create": &*table.name, "viewOn": "rs_seen", "pipeline": [] };
    database.run_command(view).await.unwrap();
    let error = sink.prepare(&table, &APPEND).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
    assert!(error.message.contains("view"), "{error}");
}

pub(crate) async fn an_unchecked_collection_has_no_validator() {
    let columns = "      code: { type: varchar(3), gen: { text: { bytes: 3 } } }\n    mongodb: { unchecked: true }\n";
    let (sink, table) = (sink(), table("rs_unchecked", columns));
    sink.prepare(&table, &RECREATE).await.unwrap();
    let columns = vec![ints(0..3), texts(["abc", "long", ""])];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(told(&outcome), (3, 0, vec![]));
}

pub(crate) async fn names_and_words_that_cannot_be_are_refused() {
    let sink = sink();
    let prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };
    for (columns, says) in [
        ("      _id: { type: int, gen: { uniform: [0, 9] } }\n", "make it the table's `key`"),
        ("      a.b: { type: text, gen: { template: \"{id}\" }, unique: true }\n", "\"a.b\""),
        ("      at: { type: timestamp, gen: now, ddl: { mongodb: text } }\n", "`long`"),
    ] {
        let error = sink.prepare(&table("rs_refused", columns), &prepare).await.unwrap_err();
        assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
        assert!(error.message.contains(says), "{error}");
    }
}

pub(crate) async fn the_server_says_what_it_is() {
    let facts = sink().server().await.unwrap();
    let fact = |name: &str| facts.iter().find(|fact| fact.name == name).map(|fact| &*fact.value);
    assert!(fact("version").is_some_and(|version| version.contains('.')), "{facts:?}");
    assert!(fact("topology").is_some() && fact("write concern").is_some(), "{facts:?}");
}
