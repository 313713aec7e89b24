//! Reading a table back.

use rowstorm_gen::Value;
use rowstorm_sink::Sink as _;

use crate::bed::{sink, sql, table};

pub(crate) async fn other_stored_types_are_read_as_declared() {
    let sink = sink().await;
    sql("DROP TABLE IF EXISTS rs_read; DROP TYPE IF EXISTS rs_read_mood;
         CREATE TYPE rs_read_mood AS ENUM ('calm', 'wild');
         CREATE TABLE rs_read (id numeric PRIMARY KEY, amount numeric, mood rs_read_mood, token text, at timestamptz,
           note json, far numeric);
         INSERT INTO rs_read VALUES
           (1, 12.500, 'wild', '00112233-4455-6677-8899-AABBCCDDEEFF', '1999-12-31 23:59:59.999999Z', '[1]', -0.00012),
           (2, 0.001, NULL, 'none', 'infinity', NULL, 'NaN'),
           (3, 1e20, 'calm', NULL, NULL, '{}', 1e40)")
    .await;
    let table = table(
        "rs_read",
        "      amount: { type: 'decimal(10,2)', gen: { uniform: [0, 1] } }
      mood:   { type: text, gen: { text: { bytes: 4 } } }
      token:  { type: uuid, gen: uuid_v4 }
      at:     { type: timestamp, gen: now }
      note:   { type: json, gen: { one_of: ['{}'] } }
      far:    { type: 'decimal(20,5)', gen: { uniform: [0, 1] } }\n",
    );
    let decimal = |unscaled, scale| Value::Decimal { unscaled, scale };
    let text = |text: &str| Value::Text(text.to_owned());
    let mut scan = sink.scan(&table).await.unwrap();
    let rows = scan.next().await.unwrap();
    let uuid = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
    let expected = [
        vec![
            Value::Int(1),
            decimal(1250, 2),
            text("wild"),
            Value::Uuid(uuid),
            Value::Timestamp(946_684_799_999_999),
            Value::Json("[1]".to_owned()),
            decimal(-12, 5),
        ],
        vec![
            Value::Int(2),
            decimal(1, 3),
            Value::Null,
            text("none"),
            text("infinity"),
            Value::Null,
            text("NaN"),
        ],
        vec![
            Value::Int(3),
            decimal(10_i128.pow(22), 2),
            text("calm"),
            Value::Null,
            Value::Null,
            Value::Json("{}".to_owned()),
            text("1e40"),
        ],
    ];
    for (row, expected) in rows.iter().zip(&expected) {
        assert_eq!(row[..6], expected[..6]);
    }
    assert_eq!((&rows[0][6], &rows[1][6]), (&expected[0][6], &expected[1][6]));
    assert!(
        matches!(rows[2][6], Value::Text(_)),
        "no decimal of ours has 41 digits: {:?}",
        rows[2]
    );
    assert!(scan.next().await.unwrap().is_empty());
    assert!(scan.next().await.unwrap().is_empty(), "the end stays the end");
}

pub(crate) async fn rows_that_come_while_it_reads_do_not_disturb_it() {
    let sink = sink().await;
    let table = table("rs_reading", "      label: { type: text, gen: { text: { bytes: 4 } } }\n");
    sql("DROP TABLE IF EXISTS rs_reading; CREATE TABLE rs_reading (id bigint PRIMARY KEY, label text);
         INSERT INTO rs_reading SELECT id, repeat('x', 500) FROM generate_series(1, 20000) AS id")
    .await;
    let mut scan = sink.scan(&table).await.unwrap();
    let mut rows = scan.next().await.unwrap().len();
    sql("INSERT INTO rs_reading VALUES (0, ''); DELETE FROM rs_reading WHERE id > 19000").await;
    loop {
        let more = scan.next().await.unwrap();
        if more.is_empty() {
            break;
        }
        rows += more.len();
    }
    assert_eq!(rows, 20_000, "what stood there when it began");
}
