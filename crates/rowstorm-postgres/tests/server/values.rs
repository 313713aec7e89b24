//! Values, read back as the server's own text.

use rowstorm_gen::{ColumnData, Values};
use rowstorm_sink::Sink as _;

use crate::bed::{RECREATE, connection, ints, payload, sink, sql, table, texts, write};

pub(crate) async fn decimals_arrive_with_every_digit() {
    let sink = sink().await;
    let columns = "      amount: { type: 'decimal(38,7)', gen: { uniform: [0, 1] } }\n";
    let table = table("rs_decimals", columns);
    sink.prepare(&table, &RECREATE).await.unwrap();
    // Digits of every length and sign, with runs of zeros in every place.
    let mut values = vec![0_i128, 1, -1, 9_999_999, 10_000_000, i128::from(i64::MIN)];
    for digits in 0..38 {
        let unit = 10_i128.pow(digits);
        values.extend([unit, -unit, unit - 1, 7 * unit, 123 * (unit / 10), unit + unit / 10_000]);
    }
    values.retain(|value| value.unsigned_abs() < 10_u128.pow(38));
    let expected: Vec<String> =
        values.iter().map(|value| rowstorm_gen::text::decimal(*value, 7).to_string()).collect();
    let amounts = Values::Decimal { unscaled: values.clone(), scale: 7 };
    let columns = vec![ints(0..values.len() as i64), ColumnData { values: amounts, valid: None }];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(outcome.accepted, values.len() as u64);
    let query = sqlx::query_scalar("SELECT amount::text FROM rs_decimals ORDER BY id");
    let found: Vec<String> = query.fetch_all(&mut connection().await).await.unwrap();
    assert_eq!(found, expected);
}

pub(crate) async fn other_types_of_the_schema_are_met() {
    let sink = sink().await;
    sql("DROP TABLE IF EXISTS rs_types; DROP TYPE IF EXISTS rs_mood; DROP DOMAIN IF EXISTS rs_size;
         CREATE TYPE rs_mood AS ENUM ('calm', 'wild'); CREATE DOMAIN rs_size AS smallint CHECK (VALUE < 100)")
    .await;
    let table = table(
        "rs_types",
        "      small: { type: int, gen: { uniform: [0, 9] }, ddl: { postgres: smallint } }
      wide:  { type: int, gen: { uniform: [0, 9] }, ddl: { postgres: 'numeric(20,1)' } }
      size:  { type: smallint, gen: { uniform: [0, 9] }, ddl: { postgres: rs_size } }
      mood:  { type: text, gen: { text: { bytes: 4 } }, ddl: { postgres: rs_mood } }
      note:  { type: text, gen: { text: { bytes: 4 } }, ddl: { postgres: json } }\n",
    );
    sink.prepare(&table, &RECREATE).await.unwrap();
    let rows = |sizes: [i64; 2]| {
        let notes = ["[1, 2]", "{}"];
        vec![
            ints([1, 2]),
            ints([-3, 4]),
            ints([-70_000, 5]),
            ints(sizes),
            texts(["calm", "wild"]),
            texts(notes),
        ]
    };
    let outcome = write(&sink, &table, &payload(&sink, &table, rows([8, 100]))).await;
    assert_eq!(
        (outcome.accepted, outcome.rejected.count),
        (1, 1),
        "the domain refuses one: {outcome:?}"
    );
    let text = "SELECT concat_ws(' ', id, small, wide, size, mood, note) FROM rs_types";
    let found: String = sqlx::query_scalar(text).fetch_one(&mut connection().await).await.unwrap();
    assert_eq!(found, "1 -3 -70000.0 8 calm [1, 2]");

    // Sent again: the one that stands there is recognised through all of these types.
    let mut again = payload(&sink, &table, rows([8, 9]));
    again.attempt = rowstorm_sink::Attempt::Replay;
    let outcome = write(&sink, &table, &again).await;
    assert_eq!((outcome.accepted, outcome.confirmed), (1, 1), "{outcome:?}");

    // 40,000 does not fit what the schema made of the column; nothing is cut off.
    let mut beyond = rows([1, 2]);
    (beyond[0], beyond[1]) = (ints([3, 4]), ints([40_000, 1]));
    let outcome = write(&sink, &table, &payload(&sink, &table, beyond)).await;
    assert_eq!(outcome.rejected.count, 2, "{outcome:?}");
    assert!(outcome.rejected.refusals[0].class.starts_with("22P03"), "{outcome:?}");
}
