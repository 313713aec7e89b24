//! Finding out which rows of a payload are at fault, when COPY, which is all or nothing, was refused.
//!
//! The same bytes go into a temporary table of the same columns without their constraints. From there one
//! `INSERT … ON CONFLICT DO NOTHING` takes all rows but repeated ones; where that is refused, too, a function inserts
//! row by row and counts refusals by code. All of it is one transaction: a lost connection leaves all or nothing.

use rowstorm_gen::TablePlan;
use rowstorm_sink::sql::identity;
use rowstorm_sink::{Attempt, Delivery, Outcome, Payload, Reaction, SinkError, Trouble};
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalogue;
use crate::connect::run;
use crate::dialect::{NAMES, columns, literal, quote, same, table_name};
use crate::error::{SIFTED, class, into_error, is_sifted, trouble};
use crate::write::copy_into;

const STAGE: &str = "pg_temp.rowstorm_stage";
const SIFT: &str = "pg_temp.rowstorm_sift";

/// Why a repeated row is not there twice, where the server was not asked row by row.
const REPEATED: &str = "a row with the same key stands there already";

/// Makes the temporary table and the function, once for each connection.
pub(crate) async fn stage(
    connection: &mut PgConnection,
    table: &TablePlan,
) -> Result<(), sqlx::Error> {
    let stored = catalogue::columns(connection, table).await?;
    let nulls = columns(table, |column| {
        let base = stored.iter().find(|stored| stored.name == *column.name);
        let base = base.map_or("text", |stored| stored.detail.base.as_str());
        format!("NULL::{base} AS {}", quote(&column.name))
    });
    let make = format!(
        "CREATE TEMPORARY TABLE rowstorm_stage ON COMMIT DELETE ROWS AS SELECT {nulls} WITH NO DATA; {}",
        function(table)
    );
    run(connection, &make).await.map(|_| ())
}

/// Writes what can be written of a payload, and counts what cannot. `cause` is the first refusal, if there was one.
pub(crate) async fn sift(
    connection: &mut PgConnection,
    table: &TablePlan,
    payload: &Payload,
    cause: Option<&Trouble>,
) -> Result<Outcome, SinkError> {
    let trouble = match sift_in_transaction(connection, table, payload, cause).await {
        Ok(outcome) => match run(connection, "COMMIT").await {
            Ok(_) => return Ok(outcome),
            Err(error) => trouble(&error, Delivery::InDoubt),
        },
        Err(error) => trouble(&error, Delivery::None),
    };
    // If this fails, too, the connection is gone, and the next write says so.
    let _ = run(connection, "ROLLBACK").await;
    // Rows of an earlier attempt may stand there: nobody can say that they were refused.
    if trouble.reaction == Reaction::Refuse && payload.attempt == Attempt::Replay {
        return Err(into_error(trouble));
    }
    trouble.refuse(payload.len()).map_err(into_error)
}

async fn sift_in_transaction(
    connection: &mut PgConnection,
    table: &TablePlan,
    payload: &Payload,
    cause: Option<&Trouble>,
) -> Result<Outcome, sqlx::Error> {
    // Deferred constraints would only speak at COMMIT, of all rows at once.
    run(connection, "BEGIN; SET CONSTRAINTS ALL IMMEDIATE").await?;
    let copy = format!("COPY {STAGE} FROM STDIN (FORMAT binary)");
    copy_into(connection, &copy, payload).await.map_err(|(error, _)| error)?;
    run(connection, "SAVEPOINT rowstorm").await?;
    let mut outcome = match run(connection, &insert(table)).await {
        Ok(taken) => repeated(payload.len(), taken, cause),
        Err(error) if is_sifted(&error) => {
            run(connection, "ROLLBACK TO rowstorm").await?;
            row_by_row(connection).await?
        }
        Err(error) => return Err(error),
    };
    if payload.attempt == Attempt::Replay {
        let (matched,): (i64,) = sqlx::query_as(&matching(table)).fetch_one(connection).await?;
        // Each of them was refused just now: as a repeated key, or by a trigger that spoke before the key did.
        outcome.confirm(matched.unsigned_abs(), |class| class.starts_with("23505"));
    }
    Ok(outcome)
}

/// What `ON CONFLICT DO NOTHING` says: rows that are not there are there already.
fn repeated(rows: u64, taken: u64, cause: Option<&Trouble>) -> Outcome {
    let mut outcome = Outcome::accepted(taken);
    // The other constraint that this clause knows (23P01) has the same cause in every row or in none.
    let known =
        cause.filter(|cause| cause.class.starts_with("23505") || cause.class.starts_with("23P01"));
    match known {
        Some(cause) => {
            outcome.rejected.add(cause.class.clone(), rows - taken, cause.message.clone());
        }
        None => outcome.rejected.add(class("23505"), rows - taken, REPEATED),
    }
    outcome
}

async fn row_by_row(connection: &mut PgConnection) -> Result<Outcome, sqlx::Error> {
    let rows = sqlx::query(&format!("SELECT code, rows, sample FROM {SIFT}()"))
        .fetch_all(connection)
        .await?;
    let mut outcome = Outcome::default();
    for row in rows {
        let (code, count): (Option<String>, i64) = (row.try_get(0)?, row.try_get(1)?);
        let sample: Option<String> = row.try_get(2)?;
        match code.as_deref() {
            None => outcome.accepted = count.unsigned_abs(),
            Some("") => outcome.rejected.add_suppressed(count.unsigned_abs()),
            Some(code) => {
                let sample = sample.unwrap_or_default();
                outcome.rejected.add(class(code), count.unsigned_abs(), sample);
            }
        }
    }
    Ok(outcome)
}

fn insert(table: &TablePlan) -> String {
    let (name, columns) = (table_name(table), NAMES.columns(table));
    format!(
        "INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {STAGE} ON CONFLICT DO NOTHING"
    )
}

/// How many different keys of the payload stand in the table with the payload's content.
fn matching(table: &TablePlan) -> String {
    let key = identity(table);
    let keys = key.iter().map(|&place| {
        let name = quote(&table.columns[place].name);
        format!("there.{name} = here.{name}")
    });
    let alike = table.columns.iter().map(|column| {
        let name = quote(&column.name);
        same(column, &format!("there.{name}"), &format!("here.{name}"))
    });
    let conditions = keys.chain(alike).collect::<Vec<_>>().join(" AND ");
    let distinct = key.iter().map(|&place| format!("here.{}", quote(&table.columns[place].name)));
    format!(
        "SELECT count(*) FROM (SELECT DISTINCT {} FROM {STAGE} here JOIN {} there ON {conditions}) same",
        distinct.collect::<Vec<_>>().join(", "),
        table_name(table)
    )
}

/// The function that inserts row by row. A row of its answer without a code counts the rows that were taken.
fn function(table: &TablePlan) -> String {
    let sifted = SIFTED.map(|class| format!("'{class}'")).join(", ");
    let body = format!(
        "
#variable_conflict use_variable
DECLARE
  staged record; taken bigint := 0; place int; state text; message text; detail text;
  codes text[] := '{{}}'; counts bigint[] := '{{}}'; samples text[] := '{{}}';
BEGIN
  FOR staged IN SELECT * FROM {STAGE} LOOP
    state := NULL;
    BEGIN
      INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({values});
      IF FOUND THEN taken := taken + 1; ELSE state := ''; END IF;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      IF left(state, 2) NOT IN ({sifted}) THEN RAISE; END IF;
    END;
    IF state IS NOT NULL THEN
      place := array_position(codes, state);
      IF place IS NULL THEN
        codes := codes || state; counts := counts || 1::bigint;
        samples := samples || concat_ws(': ', message, nullif(detail, ''));
      ELSE counts[place] := counts[place] + 1; END IF;
    END IF;
  END LOOP;
  RETURN QUERY SELECT NULL::text, taken, NULL::text UNION ALL SELECT * FROM unnest(codes, counts, samples);
END",
        name = table_name(table),
        columns = NAMES.columns(table),
        values = columns(table, |column| format!("staged.{}", quote(&column.name))),
    );
    format!(
        "CREATE FUNCTION {SIFT}() RETURNS TABLE (code text, rows bigint, sample text) LANGUAGE plpgsql AS {}",
        literal(&body)
    )
}
