//! Rows that the server refuses, by its own codes.

use rowstorm_postgres::{ConnectOptions, Postgres};
use rowstorm_sink::{Attempt, Sink as _, SinkErrorKind, Writer as _};

use crate::bed::{
    APPEND, LABEL, RECREATE, count, ints, options, payload, refusals, sink, sql, table, texts,
    write,
};

pub(crate) async fn rows_that_fail_a_check_are_counted_by_code() {
    let sink = sink().await;
    let table = table("rs_checks", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    sql("ALTER TABLE rs_checks ADD CHECK (id <> 3), ALTER label TYPE varchar(2), ALTER label SET NOT NULL").await;
    let labels = ["a", "b", "c", "long", "", "d", "e e"];
    let columns = vec![ints([1, 2, 3, 4, 5, 1, 6]), texts(labels)];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(outcome.accepted, 2);
    assert_eq!(
        refusals(&outcome),
        [
            ("22001 string_data_right_truncation", 2),
            ("23502 not_null_violation", 1),
            ("23505 unique_violation", 1),
            ("23514 check_violation", 1),
        ]
    );
    assert_eq!(count("SELECT count(*) FROM rs_checks").await, 2);
    let samples = outcome.rejected.refusals.iter().map(|refusal| refusal.sample.as_str());
    assert!(
        samples.clone().any(|sample| sample.contains("Key (id)=(1)")),
        "{:?}",
        samples.collect::<Vec<_>>()
    );
}

pub(crate) async fn every_row_refused_is_no_success() {
    let sink = sink().await;
    let table = table("rs_none", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    sql("ALTER TABLE rs_none ADD CONSTRAINT never CHECK (id < 0)").await;
    let columns = || vec![ints(0..500), texts((0..500).map(|_| "x"))];
    let payload = payload(&sink, &table, columns());
    let mut writer = sink.writer(&table).await.unwrap();
    for _ in 0..3 {
        let outcome = writer.write(&payload).await.unwrap();
        assert_eq!(refusals(&outcome), [("23514 check_violation", 500)]);
        assert_eq!(outcome.accepted, 0);
    }
    sql("ALTER TABLE rs_none DROP CONSTRAINT never").await;
    for accepted in [500, 0] {
        assert_eq!(writer.write(&payload).await.unwrap().accepted, accepted);
    }
    assert_eq!(count("SELECT count(*) FROM rs_none").await, 500);
}

pub(crate) async fn a_replay_confirms_what_stands_there_beside_refusals() {
    let sink = sink().await;
    let table = table("rs_replay", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    sql("ALTER TABLE rs_replay ADD CHECK (label <> 'bad')").await;
    let first = vec![ints([1, 2, 2, 3]), texts(["a", "b", "twin", "bad"])];
    let mut payload = payload(&sink, &table, first);
    let outcome = write(&sink, &table, &payload).await;
    assert_eq!((outcome.accepted, outcome.confirmed, outcome.rejected.count), (2, 0, 2));
    payload.attempt = Attempt::Replay;
    let again = write(&sink, &table, &payload).await;
    assert_eq!((again.accepted, again.confirmed, again.rejected.count), (0, 2, 2), "{again:?}");
    assert_eq!(
        refusals(&again),
        refusals(&outcome),
        "what was refused is refused again, for the same reasons"
    );
    sql("DELETE FROM rs_replay WHERE id = 1").await;
    let again = write(&sink, &table, &payload).await;
    assert_eq!((again.accepted, again.confirmed, again.rejected.count), (1, 1, 2), "{again:?}");
}

pub(crate) async fn an_unknown_parent_refuses_its_rows_alone() {
    let sink = sink().await;
    let table = table("rs_children", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    sql("DROP TABLE IF EXISTS rs_parents; CREATE TABLE rs_parents (id bigint PRIMARY KEY);
         INSERT INTO rs_parents SELECT generate_series(0, 9);
         ALTER TABLE rs_children ADD CONSTRAINT parent FOREIGN KEY (id) REFERENCES rs_parents")
    .await;
    let columns = vec![ints(5..15), texts((5..15).map(|_| "x"))];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(outcome.accepted, 5);
    assert_eq!(refusals(&outcome), [("23503 foreign_key_violation", 5)]);
    sql("DROP TABLE rs_children").await;
}

pub(crate) async fn a_deferred_constraint_speaks_row_by_row() {
    let sink = sink().await;
    let table = table("rs_deferred", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    sql("ALTER TABLE rs_deferred ADD CONSTRAINT labels UNIQUE (label) DEFERRABLE INITIALLY DEFERRED").await;
    let columns = vec![ints(0..4), texts(["a", "b", "a", "c"])];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(outcome.accepted, 3);
    assert_eq!(refusals(&outcome), [("23505 unique_violation", 1)]);
    assert_eq!(count("SELECT count(*) FROM rs_deferred").await, 3);
}

pub(crate) async fn rows_that_a_trigger_leaves_out_are_not_accepted() {
    let sink = sink().await;
    let table = table("rs_trigger", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    sql("CREATE OR REPLACE FUNCTION rs_even() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN IF NEW.id % 2 = 0 THEN RETURN NEW; END IF;
           IF NEW.id = 7 THEN RAISE EXCEPTION 'seven'; END IF; RETURN NULL; END $$;
         CREATE TRIGGER even BEFORE INSERT ON rs_trigger FOR EACH ROW EXECUTE FUNCTION rs_even()")
    .await;
    let numbers = |rows: std::ops::Range<i64>| vec![ints(rows.clone()), texts(rows.map(|_| "x"))];
    let outcome = write(&sink, &table, &payload(&sink, &table, numbers(0..6))).await;
    assert_eq!((outcome.accepted, refusals(&outcome)), (3, vec![("suppressed", 3)]));
    let outcome = write(&sink, &table, &payload(&sink, &table, numbers(6..10))).await;
    assert_eq!(outcome.accepted, 2);
    assert_eq!(refusals(&outcome), [("P0001 raise_exception", 1), ("suppressed", 1)]);
}

/// A user without rights on anything but what is granted.
async fn user(name: &str, grants: &str) -> Postgres {
    sql(&format!(
        "DO $$ BEGIN CREATE ROLE {name} LOGIN PASSWORD 'secret'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         {grants}"
    ))
    .await;
    let as_user = ConnectOptions {
        username: Some(name.to_owned()),
        password: Some("secret".to_owned()),
        ..options()
    };
    Postgres::connect_with(as_user).await.unwrap()
}

pub(crate) async fn a_read_only_user_is_refused_every_row() {
    let table = table("rs_read_only_user", LABEL);
    sink().await.prepare(&table, &RECREATE).await.unwrap();
    let sink = user("rs_reader", "GRANT SELECT ON rs_read_only_user TO rs_reader").await;
    sink.prepare(&table, &APPEND).await.expect("the table is there, nothing need be made");
    let columns = vec![ints(0..10), texts((0..10).map(|_| "x"))];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(refusals(&outcome), [("42501 insufficient_privilege", 10)]);
    sink.finish(&table, &APPEND).await.expect("statistics are a courtesy");
    assert_eq!(sink.audit(&table, &rowstorm_sink::Scope::Table).await.unwrap().rows, 0);
}

pub(crate) async fn a_read_only_database_is_refused_every_row() {
    let table = table("rs_read_only", LABEL);
    sink().await.prepare(&table, &RECREATE).await.unwrap();
    let mut read_only = options();
    read_only.url += "?options[default_transaction_read_only]=on";
    let sink = Postgres::connect_with(read_only).await.unwrap();
    let columns = vec![ints(0..10), texts((0..10).map(|_| "x"))];
    let mut payload = payload(&sink, &table, columns);
    let outcome = write(&sink, &table, &payload).await;
    assert_eq!(refusals(&outcome), [("25006 read_only_sql_transaction", 10)]);
    sink.finish(&table, &APPEND).await.expect("statistics are a courtesy");

    // Of a payload whose first answer was lost, nobody can say now that it was refused.
    payload.attempt = Attempt::Replay;
    let error = sink.writer(&table).await.unwrap().write(&payload).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
}

pub(crate) async fn without_temporary_tables_a_payload_is_refused_whole() {
    let table = table("rs_no_temporary", LABEL);
    sink().await.prepare(&table, &RECREATE).await.unwrap();
    let database: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&mut crate::bed::connection().await)
        .await
        .unwrap();
    let grants = format!(
        "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC; GRANT SELECT, INSERT ON rs_no_temporary TO rs_writer"
    );
    let sink = user("rs_writer", &grants).await;
    let columns = vec![ints([1, 2, 2]), texts(["a", "b", "c"])];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(refusals(&outcome), [("23505 unique_violation", 3)]);
    assert!(outcome.rejected.refusals[0].sample.contains("temporary"), "{outcome:?}");
    assert_eq!(count("SELECT count(*) FROM rs_no_temporary").await, 0, "all or nothing");
}
