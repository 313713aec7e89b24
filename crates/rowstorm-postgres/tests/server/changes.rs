//! Changes: what PostgreSQL alone does with a transaction that fails, waits, or is large.

use std::sync::Arc;

use rowstorm_gen::changes::ChangePlan;
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, ColumnData, Plan, PlanOptions};
use rowstorm_postgres::{ConnectOptions, Postgres};
use rowstorm_sink::{
    Attempt, Change, Changed, Changer as _, Delivery, End, Hold, Sink as _, SinkError,
    SinkErrorKind, Statement, Transaction,
};
use sqlx::Executor as _;

use crate::bed::{RECREATE, blocked_on, connection, count, ints, options, sink, sql, texts, url};

const INSERT: usize = 0;
const UPDATE: usize = 1;
const DELETE: usize = 2;
const READ: usize = 3;

/// A mix over one table of ids and labels, which is made anew with ten rows.
async fn bed(sink: &Postgres, name: &str) -> Arc<[Statement]> {
    let text = format!(
        "version: 1
tables:
  {name}:
    key: [id]
    preload: 1000
    columns:
      id:    {{ type: bigint, gen: sequence }}
      label: {{ type: text, gen: {{ text: {{ bytes: 4 }} }}, nulls: 0.5 }}
changes:
  mix:
    - {{ insert: {name}, weight: 3 }}
    - {{ update: {name}, set: [label], weight: 1 }}
    - {{ delete: {name}, weight: 1 }}
    - {{ read: {name}, weight: 1 }}
"
    );
    let schema = Schema::parse(&text, Format::Yaml, "case.yaml").expect("the case's schema");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("the case's schema compiles");
    let changes = ChangePlan::new(&plan).expect("the case's changes compile");
    sink.prepare(changes.table(0), &RECREATE).await.expect("the table is made");
    sql(&format!("INSERT INTO {name} SELECT id, 'old' FROM generate_series(0, 9) AS id")).await;
    Statement::all(&changes)
}

/// Some ids; behind them their labels, if any.
fn rows<'a>(ids: &[i64], labels: impl IntoIterator<Item = &'a str>) -> Batch {
    let mut columns: Vec<ColumnData> = vec![ints(ids.iter().copied())];
    let mut labels = labels.into_iter().peekable();
    if labels.peek().is_some() {
        columns.push(texts(labels));
    }
    Batch { rows: 0..ids.len() as u64, series: Vec::new(), columns }
}

fn groups<'a>(of: &[(usize, &'a Batch)]) -> Vec<Change<'a>> {
    of.iter().map(|(statement, batch)| Change { statement: *statement, batch }).collect()
}

fn commit<'a>(groups: &'a [Change<'a>]) -> Transaction<'a> {
    Transaction { groups, end: End::Commit, attempt: Attempt::First, hold: None }
}

/// How many rows hold a label.
async fn labelled(table: &str, label: &str) -> i64 {
    count(&format!("SELECT count(*) FROM {table} WHERE label = '{label}'")).await
}

fn counts(changed: &Result<Vec<Changed>, SinkError>) -> Vec<(u64, u64, u64)> {
    let changed = changed.as_ref().expect("the transaction is answered");
    let each = changed.iter().map(|it| (it.matched, it.missed, it.rejected.count));
    each.collect()
}

pub(crate) async fn a_transaction_is_one_statement() {
    let sink = sink().await;
    let mix = bed(&sink, "rs_one").await;
    sql("CREATE OR REPLACE FUNCTION rs_one_note() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN NEW.label := statement_timestamp(); RETURN NEW; END $$;
         CREATE TRIGGER note BEFORE INSERT OR UPDATE ON rs_one FOR EACH ROW EXECUTE FUNCTION rs_one_note()")
    .await;
    let mut changer = sink.changer(&mix).await.unwrap();
    let (new, update, gone) =
        (rows(&[20, 21], ["a", "b"]), rows(&[21, 0, 77], ["c", "d", "e"]), rows(&[5], []));
    let read = rows(&[20, 6, 78, 5], []);
    let groups =
        groups(&[(INSERT, &new), (READ, &read), (UPDATE, &update), (DELETE, &gone), (READ, &read)]);
    let changed = changer.change(commit(&groups)).await;
    let expected = [(2, 0, 0), (3, 1, 0), (2, 1, 0), (1, 0, 0), (2, 2, 0)];
    assert_eq!(counts(&changed), expected);
    let instants = "SELECT count(DISTINCT label) FROM rs_one WHERE label <> 'old'";
    assert_eq!(count(instants).await, 1, "all of it is what one message brought");
    assert_eq!(count("SELECT count(*) FROM rs_one").await, 11);
}

pub(crate) async fn a_statement_is_planned_once() {
    let sink = sink().await;
    let mix = bed(&sink, "rs_plan").await;
    // Releases before 14 do not tell how often they planned.
    sql("CREATE OR REPLACE FUNCTION rs_plan_note() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN NEW.label := (SELECT coalesce(sum((to_jsonb(p) ->> 'custom_plans')::int), 0) FROM pg_prepared_statements AS p);
           RETURN NEW; END $$;
         CREATE TRIGGER note BEFORE UPDATE ON rs_plan FOR EACH ROW EXECUTE FUNCTION rs_plan_note()")
    .await;
    let mut changer = sink.changer(&mix).await.unwrap();
    let update = rows(&[3], ["n"]);
    for _ in 0..8 {
        changer.change(commit(&groups(&[(UPDATE, &update)]))).await.unwrap();
    }
    assert_eq!(labelled("rs_plan", "0").await, 1, "no plan was made for the row at hand");
}

pub(crate) async fn a_read_of_many_rows_is_no_part_of_a_call() {
    let sink = sink().await;
    let mix = bed(&sink, "rs_read").await;
    sql("INSERT INTO rs_read SELECT id, 'many' FROM generate_series(10, 999) AS id").await;
    let mut changer = sink.changer(&mix).await.unwrap();
    let ids: Vec<i64> = (500..1_100).collect();
    let (many, update, few) = (rows(&ids, []), rows(&[600, 2_000], ["n", "n"]), rows(&[600], []));
    let groups =
        groups(&[(UPDATE, &update), (READ, &many), (READ, &few), (UPDATE, &update), (READ, &many)]);
    let changed = changer.change(commit(&groups)).await;
    let expected = [(1, 1, 0), (500, 100, 0), (1, 0, 0), (1, 1, 0), (500, 100, 0)];
    assert_eq!(counts(&changed), expected);
    assert_eq!(labelled("rs_read", "n").await, 1);
}

pub(crate) async fn without_temporary_functions_statements_come_one_by_one() {
    let mix = bed(&sink().await, "rs_poor").await;
    sql("DO $$ BEGIN CREATE ROLE rs_poor LOGIN PASSWORD 'rs'; EXCEPTION WHEN duplicate_object THEN END $$;
         GRANT ALL ON rs_poor TO rs_poor; REVOKE TEMP ON DATABASE postgres FROM PUBLIC")
    .await;
    let poor = ConnectOptions {
        url: url(),
        username: Some("rs_poor".into()),
        password: Some("rs".into()),
        ..ConnectOptions::default()
    };
    let mut changer = Postgres::new(poor).unwrap().changer(&mix).await.unwrap();
    let (new, update, gone) = (rows(&[20], ["a"]), rows(&[20, 0], ["c", "c"]), rows(&[5], []));
    let done = groups(&[(INSERT, &new), (UPDATE, &update), (READ, &gone), (DELETE, &gone)]);
    let changed = changer.change(commit(&done)).await;
    assert_eq!(counts(&changed), [(1, 0, 0), (2, 0, 0), (1, 0, 0), (1, 0, 0)]);
    assert_eq!(labelled("rs_poor", "c").await, 2);
    let refused = groups(&[(UPDATE, &update), (INSERT, &new)]);
    let changed = changer.change(commit(&refused)).await;
    sql("GRANT TEMP ON DATABASE postgres TO PUBLIC").await;
    assert_eq!(counts(&changed), [(0, 0, 2), (0, 0, 1)]);
    assert!(changed.unwrap()[0].rejected.refusals[0].class.starts_with("23505"));
}

pub(crate) async fn a_large_group_goes_in_pieces() {
    let sink = sink().await;
    let mix = bed(&sink, "rs_pieces").await;
    let mut changer = sink.changer(&mix).await.unwrap();
    let ids: Vec<i64> = (100..1100).collect();
    let long = "y".repeat(20_000);
    let new = rows(&ids, ids.iter().map(|id| if id % 3 == 0 { "" } else { &*long }));
    let (small, gone) = (rows(&[0], ["new"]), rows(&[100, 3], []));
    let done = groups(&[(UPDATE, &small), (INSERT, &new), (DELETE, &gone)]);
    let changed = changer.change(commit(&done)).await;
    assert_eq!(counts(&changed), [(1, 0, 0), (1000, 0, 0), (2, 0, 0)]);
    assert_eq!(count("SELECT count(*) FROM rs_pieces WHERE length(label) = 20000").await, 666);
    assert_eq!(count("SELECT count(*) FROM rs_pieces WHERE label IS NULL").await, 333);
    assert_eq!(labelled("rs_pieces", "new").await, 1);

    // Refused in its last piece, nothing of it is left.
    let ids: Vec<i64> = (2000..2999).chain([1]).collect();
    let again = rows(&ids, ids.iter().map(|_| &*long));
    let refused = groups(&[(INSERT, &again)]);
    assert_eq!(counts(&changer.change(commit(&refused)).await), [(0, 0, 1000)]);
    assert_eq!(count("SELECT count(*) FROM rs_pieces WHERE id >= 2000").await, 0);
}

pub(crate) async fn a_deferred_constraint_undoes_all_at_commit() {
    let sink = sink().await;
    let mix = bed(&sink, "rs_late").await;
    sql("UPDATE rs_late SET label = id::text;
         ALTER TABLE rs_late ADD CONSTRAINT late UNIQUE (label) DEFERRABLE INITIALLY DEFERRED")
    .await;
    let mut changer = sink.changer(&mix).await.unwrap();
    let (same, gone) = (rows(&[1], ["7"]), rows(&[3], []));
    for done in [vec![(UPDATE, &same)], vec![(UPDATE, &same), (DELETE, &gone)]] {
        let done = groups(&done);
        let changed = changer.change(commit(&done)).await;
        assert!(counts(&changed).iter().all(|count| *count == (0, 0, 1)), "{changed:?}");
        assert!(changed.unwrap()[0].rejected.refusals[0].class.starts_with("23505"));
    }
    assert_eq!(count("SELECT count(*) FROM rs_late").await, 10);
    // Several statements that pass it in between are fine.
    let swap = rows(&[1, 7], ["7", "1"]);
    let done = groups(&[(UPDATE, &same), (UPDATE, &swap)]);
    assert_eq!(counts(&changer.change(commit(&done)).await), [(1, 0, 0), (2, 0, 0)]);
}

pub(crate) async fn a_lock_that_is_not_to_be_had_is_busy() {
    let mix = bed(&sink().await, "rs_locked").await;
    let limit = std::time::Duration::from_millis(200);
    let limited = ConnectOptions { statement_timeout: Some(limit), ..options() };
    let sink = Postgres::connect_with(limited).await.unwrap();
    let mut changer = sink.changer(&mix).await.unwrap();
    let mut holder = connection().await;
    holder.execute("BEGIN; UPDATE rs_locked SET label = 'held' WHERE id = 3").await.unwrap();
    let (new, update) = (rows(&[20], ["a"]), rows(&[1, 3], ["b", "b"]));
    let done = groups(&[(INSERT, &new), (UPDATE, &update)]);
    let error = changer.change(commit(&done)).await.unwrap_err();
    assert!(matches!(error.kind, SinkErrorKind::Busy { .. }), "{error:?}");
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(count("SELECT count(*) FROM rs_locked").await, 10, "nothing was left");
    assert_eq!(counts(&changer.change(commit(&done)).await), [(1, 0, 0), (2, 0, 0)]);
}

pub(crate) async fn a_connection_that_is_cut_leaves_its_commit_in_doubt() {
    let mix = bed(&sink().await, "rs_doubt").await;
    let named = ConnectOptions { run: Some("doubt".into()), ..options() };
    let sink = Postgres::connect_with(named).await.unwrap();
    let mut changer = sink.changer(&mix).await.unwrap();
    let (new, gone) = (rows(&[20], ["a"]), rows(&[3], []));
    let done = groups(&[(INSERT, &new), (DELETE, &gone)]);
    let kill = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'rowstorm/doubt'";
    let held = |hold: Option<Hold<'static>>| Transaction { hold, ..commit(&done) };

    // Cut while the one statement waits that commits by itself.
    let mut holder = connection().await;
    holder.execute("BEGIN; LOCK TABLE rs_doubt IN EXCLUSIVE MODE").await.unwrap();
    let (changed, ()) = tokio::join!(changer.change(held(None)), async {
        blocked_on("rs_doubt").await;
        sql(kill).await;
    });
    assert_eq!(changed.unwrap_err().kind, SinkErrorKind::Lost(Delivery::InDoubt));
    holder.execute("ROLLBACK").await.unwrap();

    // Cut while it is held open: COMMIT is sent into the dark.
    let error = changer.change(held(Some(Box::pin(sql(kill))))).await.unwrap_err();
    assert_eq!(error.kind, SinkErrorKind::Lost(Delivery::InDoubt));
    assert_eq!(count("SELECT count(*) FROM rs_doubt").await, 10);

    let replay = Transaction { attempt: Attempt::Replay, ..commit(&done) };
    assert_eq!(counts(&changer.change(replay).await), [(1, 0, 0), (1, 0, 0)]);
    let replay = Transaction { attempt: Attempt::Replay, ..commit(&done) };
    let changed = changer.change(replay).await.unwrap();
    assert_eq!(changed.iter().map(|it| it.confirmed).collect::<Vec<_>>(), [1, 1]);
}

pub(crate) async fn rows_that_a_trigger_leaves_out_of_an_insert_are_refused() {
    let sink = sink().await;
    let mix = bed(&sink, "rs_left").await;
    sql(
        "CREATE OR REPLACE FUNCTION rs_left_out() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF NEW.id % 2 = 0 THEN RETURN NULL; END IF; RETURN NEW; END $$;
         CREATE TRIGGER leave BEFORE INSERT ON rs_left FOR EACH ROW EXECUTE FUNCTION rs_left_out()",
    )
    .await;
    let mut changer = sink.changer(&mix).await.unwrap();
    let new = rows(&[20, 21, 22], ["a", "b", "c"]);
    let done = groups(&[(INSERT, &new)]);
    assert_eq!(counts(&changer.change(commit(&done)).await), [(1, 0, 2)]);
}

pub(crate) async fn rows_are_found_by_the_key_however_small_the_table_was() {
    let sink = sink().await;
    let mix = bed(&sink, "rs_grown").await;
    let mut changer = sink.changer(&mix).await.unwrap();
    let update = rows(&[1, 2], ["n", "n"]);
    let done = groups(&[(UPDATE, &update)]);
    for _ in 0..8 {
        changer.change(commit(&done)).await.unwrap();
    }
    sql("INSERT INTO rs_grown SELECT id, 'more' FROM generate_series(10, 20000) AS id").await;
    let before = count("SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relname = 'rs_grown'").await;
    for _ in 0..8 {
        changer.change(commit(&done)).await.unwrap();
    }
    drop(changer);
    // A session tells what it counted when it ends, at the latest.
    while count("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%rs_grown%' AND pid <> pg_backend_pid()").await > 0 {
        tokio::task::yield_now().await;
    }
    let after = count("SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relname = 'rs_grown'").await;
    assert!(after - before < 20_000, "{before} rows had been scanned, then {after}");
}
