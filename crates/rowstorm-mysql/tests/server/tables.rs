//! Tables as they are made, and tables that somebody else made.

use rowstorm_gen::{ColumnData, Values};
use rowstorm_sink::{Sink as _, SinkErrorKind};

use crate::bed::{APPEND, Bed, LABEL, RECREATE, document, ints, payload, table, texts, write};

pub(crate) async fn texts_that_differ_are_different_keys(bed: Bed) {
    let sink = bed.sink().await;
    let table = document(
        "version: 1\ntables:\n  rs_words:\n    key: [word]\n    columns:\n      word: { type: text, gen: { template: \"{row}\" } }\n",
    );
    sink.prepare(&table, &RECREATE).await.unwrap();
    let words = ["a", "A", "ä", "a ", " a", "a\t", "ß", "ss", "ａ", "🦀", "🐙"];
    let outcome = write(&sink, &table, &payload(&sink, &table, vec![texts(words)])).await;
    assert_eq!(outcome.accepted, words.len() as u64, "{outcome:?}");
    let long = "x".repeat(256);
    let outcome =
        write(&sink, &table, &payload(&sink, &table, vec![texts([long.as_str(), "a"])])).await;
    assert_eq!(outcome.rejected.count, 2, "a key too long, and one that is there: {outcome:?}");
    assert_eq!(bed.ask::<usize>("SELECT COUNT(*) FROM rs_words").await, words.len());
}

pub(crate) async fn texts_that_a_row_has_no_room_for_keep_their_bound(bed: Bed) {
    let sink = bed.sink().await;
    let table = table(
        "rs_wide",
        "      a: { type: varchar(9000), gen: { text: { bytes: 4 } } }
      b: { type: varchar(9000), gen: { text: { bytes: 4 } } }
      c: { type: varchar(5000000), gen: { text: { bytes: 4 } } }\n",
    );
    sink.prepare(&table, &RECREATE).await.unwrap();
    let (fits, long) = ("é".repeat(9000), "é".repeat(9001));
    let columns = vec![
        ints(0..3),
        texts([fits.as_str(), &long, &fits]),
        texts([fits.as_str(), &fits, &long]),
        texts([long.as_str(), &long, &long]),
    ];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!((outcome.accepted, outcome.rejected.count), (1, 2), "{outcome:?}");
    let lengths =
        "SELECT CONCAT_WS(',', CHAR_LENGTH(a), CHAR_LENGTH(b), CHAR_LENGTH(c)) FROM rs_wide";
    assert_eq!(bed.ask::<String>(lengths).await, "9000,9000,9001");
}

pub(crate) async fn a_uuid_may_be_sixteen_bytes(bed: Bed) {
    for method in ["load", "insert"] {
        let sink = bed.sink_by(method).await;
        let table = table(
            "rs_uuid",
            "      ref: { type: uuid, gen: uuid_v4, ddl: { mysql: \"binary(16)\" } }\n",
        );
        sink.prepare(&table, &RECREATE).await.unwrap();
        let uuids = Values::Uuid(vec![[0xab; 16], *b"0123\t56\\89\nbcde'"]);
        let columns = vec![ints(0..2), ColumnData { values: uuids, valid: None }];
        assert_eq!(write(&sink, &table, &payload(&sink, &table, columns)).await.accepted, 2);
        let read = "SELECT GROUP_CONCAT(HEX(ref) ORDER BY id) FROM rs_uuid";
        let wanted = format!("{},303132330935365C38390A6263646527", "AB".repeat(16));
        assert_eq!(bed.ask::<String>(read).await, wanted, "{method}");
    }
}

pub(crate) async fn an_engine_without_transactions_is_refused(bed: Bed) {
    let sink = bed.sink().await;
    let table = document(
        "version: 1\ntables:\n  rs_engine:\n    key: [id]\n    mysql: { engine: MyISAM }\n    columns:\n      id: { type: int, gen: sequence }\n",
    );
    let error = sink.prepare(&table, &RECREATE).await.unwrap_err();
    assert_eq!((error.kind, error.class.as_str()), (SinkErrorKind::Fatal, "engine"), "{error}");
    bed.sql("DROP TABLE rs_engine").await;
}

pub(crate) async fn a_key_without_an_index_is_not_believed(bed: Bed) {
    let sink = bed.sink().await;
    let table = table("rs_keyless", LABEL);
    bed.sql("DROP TABLE IF EXISTS rs_keyless").await;
    bed.sql("CREATE TABLE rs_keyless (id BIGINT NOT NULL, label TEXT, UNIQUE (id, label(10)))")
        .await;
    let error = sink.prepare(&table, &APPEND).await.unwrap_err();
    assert_eq!((error.kind, error.class.as_str()), (SinkErrorKind::Fatal, "key"), "{error}");
    bed.sql("ALTER TABLE rs_keyless ADD UNIQUE (id)").await;
    sink.prepare(&table, &APPEND).await.unwrap();
}

pub(crate) async fn columns_that_would_round_are_named(bed: Bed) {
    let sink = bed.sink().await;
    let columns = "      at: { type: timestamp, gen: { clock: { step: 1s } } }\n";
    bed.sql("DROP TABLE IF EXISTS rs_rounds").await;
    bed.sql("CREATE TABLE rs_rounds (id BIGINT PRIMARY KEY, at DATETIME)").await;
    let error = sink.prepare(&table("rs_rounds", columns), &APPEND).await.unwrap_err();
    assert!(error.message.contains("`at`") && error.message.contains("datetime"), "{error}");
    let missing = sink.prepare(&table("rs_rounds", LABEL), &APPEND).await.unwrap_err();
    assert!(missing.message.contains("no column `label`"), "{missing}");
    bed.sql("ALTER TABLE rs_rounds MODIFY at DATETIME(6)").await;
    sink.prepare(&table("rs_rounds", columns), &APPEND).await.unwrap();
}

pub(crate) async fn the_server_says_what_it_is(bed: Bed) {
    let facts = bed.sink().await.server().await.unwrap();
    let value = |name: &str| {
        facts
            .iter()
            .find(|fact| fact.name == name)
            .map(|fact| fact.value.as_str())
            .unwrap_or_default()
    };
    assert_eq!(value("version"), bed.ask::<String>("SELECT @@version").await);
    assert!(!value("innodb_flush_log_at_trx_commit").is_empty(), "{facts:?}");
    assert!(value("session sql_mode").contains("STRICT_ALL_TABLES"), "{facts:?}");
}
