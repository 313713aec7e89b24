//! One ratio that a wrong socket option would break.

use std::time::{Duration, Instant};

use rowstorm_sink::{Sink as _, Writer as _};

use crate::bed::{LABEL, RECREATE, connection, ints, payload, sink, table, texts};

/// A COPY of one row is three messages. Without TCP_NODELAY the last waits for the acknowledgement of the one before,
/// which the peer delays by 40 ms; a prepared insert of one row is one message and never waits.
#[expect(clippy::disallowed_methods, reason = "the case is about time")]
pub(crate) async fn small_copies_do_not_wait_for_a_delayed_acknowledgement() {
    const ROUNDS: i64 = 30;
    let sink = sink().await;
    let table = table("rs_nodelay", LABEL);
    sink.prepare(&table, &RECREATE).await.unwrap();
    let mut writer = sink.writer(&table).await.unwrap();
    let mut stock = connection().await;
    let (mut copies, mut inserts) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let payload = payload(&sink, &table, vec![ints([round]), texts(["x"])]);
        let start = Instant::now();
        assert_eq!(writer.write(&payload).await.unwrap().accepted, 1);
        copies.push(start.elapsed());
        let insert = sqlx::query("INSERT INTO rs_nodelay VALUES ($1, 'x')").bind(-1 - round);
        let start = Instant::now();
        insert.execute(&mut stock).await.unwrap();
        inserts.push(start.elapsed());
    }
    let (copy, insert) = (median(copies), median(inserts));
    assert!(copy < insert * 10, "one row by COPY takes {copy:?}, by INSERT {insert:?}");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
