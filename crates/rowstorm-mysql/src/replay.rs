//! Writing a payload once more whose first answer was lost: rows that stand there already with this very content are
//! confirmed.
//!
//! The lines go into a temporary table first, where rows that never can go, and a row's own twins, are refused. What is
//! left goes from there into the table, and rows that were left out are looked up by their whole content.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use rowstorm_gen::TablePlan;
use rowstorm_sink::{Outcome, Payload};

use crate::dialect;
use crate::error::{class, is_duplicate};
use crate::send::{Answer, Way};
use crate::sift::sift;

/// Writes a payload within the open transaction. `way` leads into the temporary table, which is there and empty.
pub(crate) async fn replay(
    connection: &mut Conn,
    table: &TablePlan,
    identity: &[usize],
    way: &mut Way,
    payload: &Payload,
) -> Result<Outcome, Error> {
    let staged = sift(connection, way, payload.body.as_slice(), payload.len()).await?;
    connection.query_drop(dialect::unstage(table, dialect::STAGE)).await?;
    let mut answer = Answer::default();
    answer.add(connection, 0).await?;
    let mut outcome = Outcome::accepted(answer.affected);
    for warning in answer.warnings {
        outcome.rejected.add(class(warning.code), 1, warning.message);
    }
    // More were left out than are listed: of repeated keys, the cause of nearly all.
    let listed = outcome.rows();
    outcome.rejected.add(class(1062), staged.accepted.saturating_sub(listed), "a key is taken");
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let standing = dialect::standing(table, identity, &all, dialect::STAGE);
    let standing: Option<u64> = connection.query_first(standing).await?;
    outcome.confirm(standing.unwrap_or(0), is_duplicate);
    for refusal in staged.rejected.refusals {
        outcome.rejected.add(refusal.class, refusal.count, refusal.sample);
    }
    Ok(outcome)
}
