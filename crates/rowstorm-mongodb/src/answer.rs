//! What the server answered to an `insert`: how many rows, which ones not, and whether that will last.

use mongodb::bson::{Bson, Document};
use rowstorm_sink::{Delivery, Reaction, SinkError, SinkErrorKind, Trouble, cut};

use crate::error::{BUSY, class, hint, into_error, is_leaving, is_passing, name};

/// An answer that accounts for every row.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Rows that were inserted.
    pub(crate) accepted: u64,
    /// The others, in the payload's order.
    pub(crate) refused: Vec<RefusedRow>,
}

/// A row that was not inserted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefusedRow {
    /// Its place in the payload.
    pub(crate) place: usize,
    /// 0 if its whole command was refused.
    pub(crate) code: i32,
    /// "11000 DuplicateKey"
    pub(crate) class: String,
    pub(crate) message: String,
}

/// An equal key stands there already.
pub(crate) const DUPLICATE_KEY: i32 = 11000;

impl Answer {
    /// Reads the answer to an unordered insert of `rows` documents.
    pub(crate) fn read(answer: &Document, rows: u64) -> Result<Answer, SinkError> {
        let read = Answer::found(answer)?;
        if read.accepted + read.refused.len() as u64 == rows {
            return Ok(read);
        }
        let text = format!(
            "the server took {} documents and refused {}, of {rows}",
            read.accepted,
            read.refused.len()
        );
        Err(SinkError::new(SinkErrorKind::Lost(Delivery::InDoubt), "accounting", text))
    }

    /// A command that was refused with all of its rows.
    pub(crate) fn refused(trouble: Trouble, rows: u64) -> Result<Answer, SinkError> {
        if let Reaction::Fail(_) = trouble.reaction {
            return Err(into_error(trouble));
        }
        let Trouble { class, message, .. } = trouble;
        let row =
            |place| RefusedRow { place, code: 0, class: class.clone(), message: message.clone() };
        Ok(Answer { accepted: 0, refused: (0..rows as usize).map(row).collect() })
    }

    /// Adds the answer to a later command, whose first row has this place in the payload.
    pub(crate) fn add(&mut self, later: Answer, first: u64) {
        self.accepted += later.accepted;
        let placed = |row: RefusedRow| RefusedRow { place: row.place + first as usize, ..row };
        self.refused.extend(later.refused.into_iter().map(placed));
    }

    /// Reads the answer to unordered updates or deletes: what was not found is in no count.
    pub(crate) fn found(answer: &Document) -> Result<Answer, SinkError> {
        let accepted = number(answer.get("n")).unwrap_or_default().unsigned_abs();
        let empty = Vec::new();
        let errors = answer.get_array("writeErrors").unwrap_or(&empty);
        let refused = errors.iter().filter_map(refused).collect::<Vec<_>>();
        if let Some(error) = passing(accepted, &refused) {
            return Err(error);
        }
        if let Ok(concern) = answer.get_document("writeConcernError") {
            return Err(unsure(concern));
        }
        Ok(Answer { accepted, refused })
    }
}

/// A row that was refused for no fault of its own may be taken later, and it is the runner who sends again.
fn passing(accepted: u64, refused: &[RefusedRow]) -> Option<SinkError> {
    let passes = |row: &&RefusedRow| is_leaving(row.code) || is_passing(row.code);
    let cause = refused.iter().find(passes)?;
    let nothing = accepted == 0 && refused.iter().all(|row| passes(&row));
    let kind = match (nothing, is_leaving(cause.code)) {
        (true, true) => SinkErrorKind::Lost(Delivery::None),
        (true, false) => BUSY,
        // Some are in: sent again as a replay, each row finds out for itself.
        (false, _) => SinkErrorKind::Lost(Delivery::InDoubt),
    };
    let message = format!("MongoDB: {}; {accepted} rows of the payload were taken", cause.message);
    Some(SinkError::new(kind, cause.class.clone(), message))
}

/// The rows are there, but not as safe as was asked for: they may be rolled back.
fn unsure(concern: &Document) -> SinkError {
    let code = number(concern.get("code")).unwrap_or_default() as i32;
    let named = concern.get_str("codeName").unwrap_or(name(code));
    let message = concern.get_str("errmsg").unwrap_or_default();
    let hint = hint(code);
    let message =
        format!("MongoDB: the write concern was not met: {}{hint}", cut(message.to_owned()));
    SinkError::new(SinkErrorKind::Lost(Delivery::InDoubt), class(code, named), message)
}

fn refused(error: &Bson) -> Option<RefusedRow> {
    let error = error.as_document()?;
    let place = usize::try_from(number(error.get("index"))?).ok()?;
    let code = number(error.get("code")).unwrap_or_default() as i32;
    let mut message = error.get_str("errmsg").unwrap_or_default().to_owned();
    // What a validator minds stands beside the message.
    if let Ok(details) = error.get_document("errInfo").and_then(|info| info.get_document("details"))
    {
        message = format!("{message}: {details}");
    }
    Some(RefusedRow { place, code, class: class(code, name(code)), message: cut(message) })
}

/// A number of any type, if it is whole.
pub(crate) fn number(value: Option<&Bson>) -> Option<i64> {
    match value? {
        Bson::Int32(value) => Some(i64::from(*value)),
        Bson::Int64(value) => Some(*value),
        Bson::Double(value) if value.fract() == 0.0 => Some(*value as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{bson, doc};

    use super::*;

    fn read(answer: Bson) -> Result<Answer, SinkError> {
        let Bson::Document(answer) = answer else { panic!("an answer is a document") };
        Answer::read(&answer, 3)
    }

    fn kind(answer: Bson) -> SinkErrorKind {
        read(answer).unwrap_err().kind
    }

    #[test]
    fn rows_are_counted_by_their_index() {
        let answer = read(bson!({ "n": 2, "ok": 1.0, "writeErrors": [
            { "index": 1, "code": 11000, "errmsg": "E11000" },
        ] }))
        .unwrap();
        assert_eq!((answer.accepted, answer.refused.len()), (2, 1));
        assert_eq!((answer.refused[0].place, &*answer.refused[0].class), (1, "11000 DuplicateKey"));
    }

    #[test]
    fn an_answer_that_does_not_add_up_is_not_believed() {
        assert_eq!(kind(bson!({ "n": 2, "ok": 1 })), SinkErrorKind::Lost(Delivery::InDoubt));
        assert_eq!(kind(bson!({ "ok": 1 })), SinkErrorKind::Lost(Delivery::InDoubt));
    }

    #[test]
    fn rows_that_may_pass_later_are_no_refusals() {
        let errors = |n: i32, code: i32| {
            let errors: Vec<Bson> = (n..3)
                .map(|index| Bson::from(doc! { "index": index, "code": code, "errmsg": "later" }))
                .collect();
            bson!({ "n": n, "ok": 1, "writeErrors": errors })
        };
        assert_eq!(kind(errors(0, 16500)), SinkErrorKind::Busy { retry_after: None });
        assert_eq!(kind(errors(1, 16500)), SinkErrorKind::Lost(Delivery::InDoubt));
        assert_eq!(kind(errors(0, 11600)), SinkErrorKind::Lost(Delivery::None));
        assert_eq!(kind(errors(2, 11600)), SinkErrorKind::Lost(Delivery::InDoubt));
    }

    #[test]
    fn a_write_concern_that_was_not_met_leaves_the_rows_in_doubt() {
        for code in [64, 100] {
            let failed = doc! { "code": code, "errmsg": "waiting" };
            let answer = bson!({ "n": 3, "ok": 1, "writeConcernError": failed });
            assert_eq!(kind(answer), SinkErrorKind::Lost(Delivery::InDoubt));
        }
    }
}
