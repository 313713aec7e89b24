//! Writing lines so that each row is either in the table as it was sent, or refused and counted.
//!
//! Either [`Way`] leaves rows out that cannot go, and *changes* values that do not fit: a text is cut, a null becomes a
//! zero. Rows left out are refused rows, with the warning's code. A changed value is undone: the lines around it are sent
//! again in smaller pieces, until each such row stands alone and is refused.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use rowstorm_sink::{Delivery, Outcome, Reaction, cut};

use crate::error::{class, is_beside, is_skipped, read};
use crate::send::{Answer, Warning, Way};

/// Writes lines within the open transaction.
///
/// # Errors
/// What concerns the connection or the statement and not single rows; the transaction is for the caller to undo.
pub(crate) async fn sift(
    connection: &mut Conn,
    way: &mut Way,
    lines: &[u8],
    rows: u64,
) -> Result<Outcome, Error> {
    let mut trouble = match attempt(connection, way, lines, rows as usize).await? {
        Verdict::Booked(outcome) => return Ok(outcome),
        Verdict::Undo(trouble) => trouble,
    };
    // It is the transaction's first step: all of it is undone, which takes no savepoint on the usual way.
    connection.query_drop("ROLLBACK").await?;
    let starts = starts(lines);
    let mut outcome = Outcome::default();
    let mut pieces = Vec::new();
    trouble.split(0..starts.len() - 1, &mut pieces, &mut outcome);
    while let Some(piece) = pieces.pop() {
        let body = &lines[starts[piece.start]..starts[piece.end]];
        connection.query_drop("SAVEPOINT rowstorm").await?;
        match attempt(connection, way, body, piece.len()).await? {
            Verdict::Booked(booked) => add(&mut outcome, booked),
            Verdict::Undo(again) => {
                connection.query_drop("ROLLBACK TO SAVEPOINT rowstorm").await?;
                trouble = again;
                trouble.split(piece, &mut pieces, &mut outcome);
            }
        }
    }
    Ok(outcome)
}

/// What an attempt came to.
enum Verdict {
    /// Every row is in the table as it was sent, or left out and counted.
    Booked(Outcome),
    /// Values were changed, or the statement failed for a row's sake.
    Undo(Changed),
}

/// Why an attempt must be undone.
struct Changed {
    class: String,
    message: String,
    /// Rows that the server names, in order. Only where to look first: nothing is booked on its word.
    rows: Vec<usize>,
}

async fn attempt(
    connection: &mut Conn,
    way: &mut Way,
    lines: &[u8],
    rows: usize,
) -> Result<Verdict, Error> {
    match way.send(connection, lines).await {
        Ok(answer) => Ok(judge(answer, rows)),
        Err(error) => {
            let trouble = read(&error, Delivery::None);
            if trouble.reaction != Reaction::Sift {
                return Err(error);
            }
            let rows = Vec::new();
            Ok(Verdict::Undo(Changed { class: trouble.class, message: trouble.message, rows }))
        }
    }
}

/// What an answer means.
fn judge(answer: Answer, rows: usize) -> Verdict {
    let Answer { affected, warnings, is_cut } = answer;
    let (skipped, changed): (Vec<Warning>, Vec<Warning>) = warnings
        .into_iter()
        .filter(|warning| !is_beside(warning.code))
        .partition(|warning| is_skipped(warning.code));
    let is_exact = changed.is_empty() && !is_cut && affected + skipped.len() as u64 == rows as u64;
    if is_exact {
        let mut outcome = Outcome::accepted(affected);
        for warning in skipped {
            outcome.rejected.add(class(warning.code), 1, warning.message);
        }
        return Verdict::Booked(outcome);
    }
    let mut named: Vec<usize> =
        changed.iter().filter_map(|warning| warning.row).filter(|row| *row < rows).collect();
    named.sort_unstable();
    named.dedup();
    let (class, message) = changed.first().or(skipped.first()).map_or_else(
        || {
            let message = format!("the server took {affected} rows of {rows} without a word");
            ("suppressed".to_owned(), message)
        },
        |warning| (class(warning.code), warning.message.clone()),
    );
    Verdict::Undo(Changed { class, message, rows: named })
}

impl Changed {
    /// Refuses a row that stands alone; else stacks smaller pieces so that they come in order, since of two rows with
    /// one key the first stays.
    fn split(
        self: &mut Changed,
        piece: std::ops::Range<usize>,
        pieces: &mut Vec<std::ops::Range<usize>>,
        outcome: &mut Outcome,
    ) {
        if piece.len() == 1 {
            outcome.rejected.add(self.class.clone(), 1, cut(self.message.clone()));
            return;
        }
        let (first, mut cuts) = (pieces.len(), vec![piece.start]);
        for row in &self.rows {
            cuts.extend([piece.start + row, piece.start + row + 1]);
        }
        if self.rows.is_empty() {
            cuts.push(piece.start + piece.len() / 2);
        }
        cuts.push(piece.end);
        pieces
            .extend(cuts.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| pair[0]..pair[1]));
        pieces[first..].reverse();
    }
}

fn add(outcome: &mut Outcome, booked: Outcome) {
    outcome.accepted += booked.accepted;
    for refusal in booked.rejected.refusals {
        outcome.rejected.add(refusal.class, refusal.count, refusal.sample);
    }
}

/// Where each line starts, and where the last ends.
fn starts(lines: &[u8]) -> Vec<usize> {
    let ends = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(code: u16, row: Option<usize>) -> Warning {
        Warning { code, message: format!("{code}"), row }
    }

    fn judged(affected: u64, warnings: Vec<Warning>, rows: usize) -> Option<(u64, u64)> {
        match judge(Answer { affected, warnings, is_cut: false }, rows) {
            Verdict::Booked(outcome) => Some((outcome.accepted, outcome.rejected.count)),
            Verdict::Undo(_) => None,
        }
    }

    #[test]
    fn rows_left_out_are_booked_and_changed_ones_are_not() {
        assert_eq!(judged(3, vec![], 3), Some((3, 0)));
        assert_eq!(judged(2, vec![warning(1062, None)], 3), Some((2, 1)));
        assert_eq!(judged(1, vec![warning(1062, None), warning(4025, None)], 3), Some((1, 2)));
        assert_eq!(
            judged(3, vec![warning(1592, None)], 3),
            Some((3, 0)),
            "it says nothing of rows"
        );
        assert_eq!(judged(3, vec![warning(1265, Some(1))], 3), None, "a value was cut");
        assert_eq!(judged(2, vec![], 3), None, "a row is missing without a word");
        assert_eq!(judged(2, vec![warning(1062, None), warning(1062, None)], 3), None);
        assert_eq!(judged(3, vec![warning(9999, None)], 3), None, "an unknown warning is no good");
    }

    #[test]
    fn pieces_come_in_order_and_hold_every_row() {
        for (rows, wanted) in [
            (vec![], vec![10..15, 15..20]),
            (vec![0], vec![10..11, 11..20]),
            (vec![3, 4, 9], vec![10..13, 13..14, 14..15, 15..19, 19..20]),
        ] {
            let mut changed = Changed { class: String::new(), message: String::new(), rows };
            let (mut pieces, mut outcome) = (vec![0..1, 1..2], Outcome::default());
            changed.split(10..20, &mut pieces, &mut outcome);
            let popped: Vec<_> = std::iter::from_fn(|| pieces.pop()).collect();
            assert_eq!(popped[..popped.len() - 2], wanted);
            assert_eq!(outcome, Outcome::default());
        }
    }
}
