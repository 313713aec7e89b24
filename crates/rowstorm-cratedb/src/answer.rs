//! What a bulk was answered, row by row.
//!
//! A million rows are a million of `{"rowcount":1}`: those are compared as bytes, and only what differs is parsed.

use serde::Deserialize;

use crate::error::{MISSING, ServerError};

/// The answer to a bulk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How many rows were answered.
    pub(crate) rows: u64,
    /// Those that were not written, in order.
    pub(crate) failed: Vec<Failed>,
}

/// A row that was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// Its place in the bulk.
    pub(crate) row: usize,
    /// What its result counts: -2, also where no row was found; 0 where none can be: its key is null.
    pub(crate) rowcount: i64,
    /// Why. CrateDB says so for the first ten rows of each shard.
    pub(crate) error: Option<ServerError>,
}

impl Failed {
    /// Whether it is told that there is no such row; `None` where it has no reason.
    pub(crate) fn is_missing(&self) -> Option<bool> {
        match &self.error {
            Some(error) => Some(error.code == MISSING),
            None if self.rowcount == 0 => Some(true),
            None => None,
        }
    }
}

/// One row's result.
#[derive(Deserialize)]
struct Item {
    rowcount: i64,
    #[serde(default)]
    error: Option<ServerError>,
    /// Before 5.0, a message alone.
    #[serde(default)]
    error_message: Option<String>,
}

/// What an answer may hold; one without results is that of a single statement.
#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    results: Option<Vec<Item>>,
    #[serde(default)]
    rowcount: Option<i64>,
}

const WRITTEN: &[u8] = br#"{"rowcount":1}"#;
const RESULTS: &[u8] = br#""results":["#;
/// What stands before the results (`cols`, which is empty, and `duration`) is shorter.
const HEAD_BYTES_MAX: usize = 128;

/// Reads the answer to a bulk; `None` if it is none.
pub(crate) fn bulk(body: &[u8]) -> Option<Answer> {
    let head = &body[..body.len().min(HEAD_BYTES_MAX)];
    let start = head.windows(RESULTS.len()).position(|window| window == RESULTS);
    match start {
        Some(start) => items(&body[start + RESULTS.len()..]),
        None => whole(body),
    }
}

/// How many rows a single statement touched.
pub(crate) fn rowcount(body: &[u8]) -> Option<u64> {
    let whole: Whole = serde_json::from_slice(body).ok()?;
    whole.rowcount.and_then(|rows| u64::try_from(rows).ok())
}

/// Reads results up to the bracket that closes them.
fn items(mut rest: &[u8]) -> Option<Answer> {
    let mut answer = Answer::default();
    if rest.first() == Some(&b']') {
        return Some(answer);
    }
    loop {
        let after = if let Some(after) = rest.strip_prefix(WRITTEN) {
            after
        } else {
            let mut parser = serde_json::Deserializer::from_slice(rest).into_iter::<Item>();
            let item = parser.next()?.ok()?;
            answer.note(item);
            &rest[parser.byte_offset()..]
        };
        answer.rows += 1;
        match after.split_first()? {
            (b',', next) => rest = next,
            (b']', _) => return Some(answer),
            _ => return None,
        }
    }
}

/// The same, whatever the order of the keys and the spaces between them.
fn whole(body: &[u8]) -> Option<Answer> {
    let whole: Whole = serde_json::from_slice(body).ok()?;
    let items = match (whole.results, whole.rowcount) {
        (Some(items), _) => items,
        // A bulk of one row, answered as a statement of its own.
        (None, Some(rowcount)) => vec![Item { rowcount, error: None, error_message: None }],
        (None, None) => return None,
    };
    let mut answer = Answer::default();
    for item in items {
        answer.note(item);
        answer.rows += 1;
    }
    Some(answer)
}

impl Answer {
    fn note(&mut self, item: Item) {
        let Item { rowcount, error, error_message } = item;
        let error = error.or(error_message.map(|message| ServerError { code: 0, message }));
        if rowcount != 1 || error.is_some() {
            self.failed.push(Failed { row: self.rows as usize, rowcount, error });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failed(answer: &Answer) -> Vec<(usize, u32)> {
        let code = |failed: &Failed| failed.error.as_ref().map_or(0, |error| error.code);
        answer.failed.iter().map(|failed| (failed.row, code(failed))).collect()
    }

    #[test]
    fn refused_rows_are_found_among_written_ones() {
        let body = br#"{"cols":[],"duration":2.195417,"results":[{"rowcount":1},{"rowcount":-2,"error":{"code":4091,
            "message":"DuplicateKeyException[A document, {\"rowcount\":1}, exists]"}},{"rowcount":-2},{"rowcount":1}]}"#;
        let answer = bulk(body).unwrap();
        assert_eq!((answer.rows, failed(&answer)), (4, vec![(1, 4091), (2, 0)]));
    }

    #[test]
    fn other_shapes_are_read_too() {
        for (body, rows, wanted) in [
            (r#"{"cols":[],"duration":0.6,"results":[]}"#, 0, vec![]),
            (r#"{ "results" : [ { "rowcount" : 1 } ] }"#, 1, vec![]),
            (
                r#"{"results":[{"error":{"message":"X[y]","code":5002},"rowcount":-2}]}"#,
                1,
                vec![(0, 5002)],
            ),
            (r#"{"results":[{"rowcount":-2,"error_message":"no"}]}"#, 1, vec![(0, 0)]),
            (r#"{"cols":[],"rows":[[]],"rowcount":1,"duration":1.5}"#, 1, vec![]),
            (r#"{"cols":[],"rows":[[]],"rowcount":0,"duration":1.5}"#, 1, vec![(0, 0)]),
        ] {
            let answer = bulk(body.as_bytes()).unwrap_or_else(|| panic!("{body}"));
            assert_eq!((answer.rows, failed(&answer)), (rows, wanted), "{body}");
        }
    }

    #[test]
    fn what_is_cut_off_is_no_answer() {
        let body = br#"{"cols":[],"duration":2.1,"results":[{"rowcount":1},{"rowcount":-2,"error":{"code":1,"message":"x"}}]}"#;
        for end in 0..body.len() - 1 {
            assert_eq!(bulk(&body[..end]), None, "{}", String::from_utf8_lossy(&body[..end]));
        }
        for body in ["", "[]", "{}", "null", r#"{"results":[1]}"#, r#"{"results":[{"rowcount":1}x"#]
        {
            assert_eq!(bulk(body.as_bytes()), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn both_readers_agree(rows in prop::collection::vec(prop::option::of(prop::option::of(".{0,20}")), 0..20)) {
            let items: Vec<serde_json::Value> = rows
                .iter()
                .map(|row| match row {
                    None => serde_json::json!({"rowcount": 1}),
                    Some(None) => serde_json::json!({"rowcount": -2}),
                    Some(Some(message)) => {
                        serde_json::json!({"rowcount": -2, "error": {"code": 4000, "message": message}})
                    }
                })
                .collect();
            let body = serde_json::json!({"cols": [], "results": items}).to_string();
            let answer = bulk(body.as_bytes()).expect("an answer");
            let slowly = whole(body.as_bytes()).expect("an answer");
            prop_assert_eq!(&answer, &slowly);
            prop_assert_eq!(answer.failed.len(), rows.iter().flatten().count());
        }
    }
}
