//! Rows that the server refuses, by its own codes, and rows that it would take and change.

use rowstorm_gen::{ColumnData, Values};
use rowstorm_sink::{Attempt, Sink as _, Writer as _};

use crate::bed::{Bed, LABEL, RECREATE, ints, payload, refusals, table, texts, write};

/// A check's code is each server's own.
fn check(bed: &Bed) -> u32 {
    if bed.is_mariadb { 4025 } else { 3819 }
}

pub(crate) async fn rows_that_cannot_go_are_counted_by_code(bed: Bed) {
    for method in ["load", "insert"] {
        let sink = bed.sink_by(method).await;
        let table = table("rs_checks", LABEL);
        sink.prepare(&table, &RECREATE).await.unwrap();
        bed.sql("ALTER TABLE rs_checks ADD CHECK (id <> 3), MODIFY label VARCHAR(2) NOT NULL")
            .await;
        let labels = ["a", "b", "c", "long", "", "d", "e e"];
        let columns = vec![ints([1, 2, 3, 4, 5, 1, 6]), texts(labels)];
        let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
        assert_eq!(outcome.accepted, 2, "{method}: {outcome:?}");
        // What the server says of a null differs between its statements, of a text cut off between servers.
        let null = if method == "load" { 1263 } else { 1048 };
        let by_code = refusals(&outcome);
        for (code, count) in [(1062, 1), (null, 1), (check(&bed), 1)] {
            assert!(by_code.contains(&(code, count)), "{method}: {code} in {by_code:?}");
        }
        assert_eq!(by_code.iter().map(|(_, count)| count).sum::<u64>(), 5);
        let left: String =
            bed.ask("SELECT GROUP_CONCAT(id, label ORDER BY id) FROM rs_checks").await;
        assert_eq!(left, "1a,2b");
    }
}

/// A tenth of repeated keys, some values too long, some nulls: what is left is known by a loop that shares nothing.
pub(crate) async fn rows_at_fault_among_many_are_counted_exactly(bed: Bed) {
    for method in ["load", "insert"] {
        let sink = bed.sink_by(method).await;
        let table = table("rs_tenth", LABEL);
        sink.prepare(&table, &RECREATE).await.unwrap();
        bed.sql("ALTER TABLE rs_tenth MODIFY label VARCHAR(4) NOT NULL").await;
        let mut writer = sink.writer(&table).await.unwrap();
        let (mut accepted, mut rejected, mut wanted) = (0, 0, (0, 0, 0));
        for first in (0..8000).step_by(2000) {
            let id = |row: i64| if row % 10 == 9 { row - 1 } else { row };
            let label = |row: i64| match row % 97 {
                13 => "much too long",
                14 => "",
                _ => "fine",
            };
            for row in first..first + 2000 {
                // A row whose key is taken is one refusal, whatever its label; but the key is only taken if the row
                // before went in.
                let good = label(row) == "fine";
                match (row % 10 == 9 && label(row - 1) == "fine", good) {
                    (false, true) => wanted = (wanted.0 + 1, wanted.1 + id(row), wanted.2),
                    _ => wanted.2 += 1,
                }
            }
            let rows = first..first + 2000;
            let columns = vec![ints(rows.clone().map(id)), texts(rows.map(label))];
            let outcome = writer.write(&payload(&sink, &table, columns)).await.unwrap();
            assert_eq!(outcome.rows(), 2000);
            accepted += outcome.accepted;
            rejected += outcome.rejected.count;
        }
        assert_eq!((accepted, rejected), (wanted.0, wanted.2), "{method}");
        let (count, sum): (u64, i64) = (
            bed.ask("SELECT COUNT(*) FROM rs_tenth WHERE label = 'fine'").await,
            bed.ask("SELECT CAST(SUM(id) AS SIGNED) FROM rs_tenth").await,
        );
        assert_eq!((count, sum), (wanted.0, wanted.1), "{method}");
    }
}

/// LOCAL and IGNORE would store something else with a warning; each such row must be refused, and no other.
pub(crate) async fn values_that_the_server_would_change_are_refused(bed: Bed) {
    let columns = "      small: { type: bigint, gen: { uniform: [0, 9] }, ddl: { mysql: smallint } }
      ratio: { type: float, gen: { uniform: [0.0, 1.0] } }
      amount: { type: \"decimal(12,4)\", gen: { uniform: [0, 9] }, ddl: { mysql: \"decimal(8,2)\" } }
      note: { type: json, gen: { constant: \"{}\" } }\n";
    for method in ["load", "insert"] {
        let sink = bed.sink_by(method).await;
        let table = table("rs_changed", columns);
        sink.prepare(&table, &RECREATE).await.unwrap();
        let plain = |values| ColumnData { values, valid: None };
        let documents = ["{}", "{}", "{}", "{}", "{}", "{}", "no json", "{}"];
        let Values::Text(documents) = texts(documents).values else { panic!("texts") };
        let columns = vec![
            ints(0..8),
            ints([1, 32_768, 1, 1, 1, 1, 1, -32_768]),
            plain(Values::Float(vec![0.5, 0.5, f64::NAN, f64::INFINITY, 0.5, 0.5, 0.5, -0.5])),
            plain(Values::Decimal {
                unscaled: vec![
                    10_000,
                    10_000,
                    10_000,
                    10_000,
                    99_999_999_999,
                    10_001,
                    10_000,
                    9900,
                ],
                scale: 4,
            }),
            plain(Values::Json(documents)),
        ];
        let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
        assert_eq!((outcome.accepted, outcome.rejected.count), (2, 6), "{method}: {outcome:?}");
        let left: String = bed
            .ask("SELECT GROUP_CONCAT(id, ':', small, ':', ratio, ':', amount ORDER BY id SEPARATOR ' ') FROM rs_changed")
            .await;
        assert_eq!(left, "0:1:0.5:1.00 7:-32768:-0.5:0.99", "{method}");
    }
}

/// By a user who may do no more than a load needs: MySQL lists 1,024 warnings to such a one, MariaDB 65,535.
pub(crate) async fn more_refusals_than_the_server_lists_are_counted(bed: Bed) {
    const ROWS: i64 = 70_000;
    let table = table("rs_listed", LABEL);
    bed.sink().await.prepare(&table, &RECREATE).await.unwrap();
    bed.sql("CREATE USER IF NOT EXISTS rs_writer@'%' IDENTIFIED BY 'writes'").await;
    bed.sql("GRANT SELECT, INSERT ON rs_listed TO rs_writer@'%'").await;
    let database: String = bed.ask("SELECT DATABASE()").await;
    bed.sql(&format!("GRANT CREATE TEMPORARY TABLES ON `{database}`.* TO rs_writer@'%'")).await;
    let sink = bed.sink_as("rs_writer", "writes").await;
    let columns = || vec![ints(0..ROWS), texts((0..ROWS).map(|_| "x"))];
    let mut whole = payload(&sink, &table, columns());
    for accepted in [ROWS as u64, 0] {
        let outcome = write(&sink, &table, &whole).await;
        assert_eq!(outcome.accepted, accepted);
        assert_eq!(outcome.rejected.count, ROWS as u64 - accepted);
    }
    whole.attempt = Attempt::Replay;
    let outcome = write(&sink, &table, &whole).await;
    assert_eq!((outcome.confirmed, outcome.rejected.count), (ROWS as u64, 0), "{outcome:?}");
    assert_eq!(bed.ask::<i64>("SELECT COUNT(*) FROM rs_listed").await, ROWS);
}

pub(crate) async fn a_replay_confirms_what_stands_there_beside_refusals(bed: Bed) {
    for method in ["load", "insert"] {
        let sink = bed.sink_by(method).await;
        let table = table("rs_replay", LABEL);
        sink.prepare(&table, &RECREATE).await.unwrap();
        bed.sql(
            "ALTER TABLE rs_replay ADD CHECK (label <> 'bad'), MODIFY label VARCHAR(4) NOT NULL",
        )
        .await;
        let first = vec![ints([1, 2, 2, 3, 4]), texts(["a", "b", "twin", "bad", "too long"])];
        let mut payload = payload(&sink, &table, first);
        let outcome = write(&sink, &table, &payload).await;
        assert_eq!((outcome.accepted, outcome.rejected.count), (2, 3), "{method}: {outcome:?}");
        payload.attempt = Attempt::Replay;
        // One connection replays several times: nothing of one time is left to the next.
        let mut writer = sink.writer(&table).await.unwrap();
        let again = writer.write(&payload).await.unwrap();
        assert_eq!((again.accepted, again.confirmed, again.rejected.count), (0, 2, 3), "{again:?}");
        assert_eq!(refusals(&again), refusals(&outcome), "refused again, for the same reasons");
        bed.sql("DELETE FROM rs_replay WHERE id = 1").await;
        bed.sql("UPDATE rs_replay SET label = 'not' WHERE id = 2").await;
        let again = writer.write(&payload).await.unwrap();
        assert_eq!((again.accepted, again.confirmed, again.rejected.count), (1, 0, 4), "{again:?}");
    }
}

pub(crate) async fn a_trigger_that_objects_refuses_its_row_alone(bed: Bed) {
    for method in ["load", "insert"] {
        let sink = bed.sink_by(method).await;
        let table = table("rs_trigger", LABEL);
        sink.prepare(&table, &RECREATE).await.unwrap();
        bed.sql(
            "CREATE TRIGGER objects BEFORE INSERT ON rs_trigger FOR EACH ROW BEGIN
               IF NEW.id = 7 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not seven'; END IF; END",
        )
        .await;
        let columns = vec![ints(0..100), texts((0..100).map(|_| "x"))];
        let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
        assert_eq!(refusals(&outcome), [(1644, 1)], "{method}: {outcome:?}");
        assert_eq!(outcome.rejected.refusals[0].sample, "not seven");
        assert_eq!(bed.ask::<i64>("SELECT COUNT(*) FROM rs_trigger").await, 99);
    }
}

pub(crate) async fn a_read_only_user_is_refused_every_row(bed: Bed) {
    let table = table("rs_reader", LABEL);
    bed.sink().await.prepare(&table, &RECREATE).await.unwrap();
    bed.sql("CREATE USER IF NOT EXISTS rs_reader@'%' IDENTIFIED BY 'reads'").await;
    bed.sql("GRANT SELECT ON rs_reader TO rs_reader@'%'").await;
    let sink = bed.sink_as("rs_reader", "reads").await;
    let columns = vec![ints(0..5), texts(["a", "b", "c", "d", "e"])];
    let outcome = write(&sink, &table, &payload(&sink, &table, columns)).await;
    assert_eq!(refusals(&outcome), [(1142, 5)], "{outcome:?}");
    assert_eq!(bed.ask::<i64>("SELECT COUNT(*) FROM rs_reader").await, 0);
}
