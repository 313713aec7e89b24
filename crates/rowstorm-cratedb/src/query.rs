//! Statements that are not the load: definitions, counts, what the catalogue says.

use rowstorm_sink::{SinkError, SinkErrorKind};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::connect::{Reply, Server};
use crate::error::{ServerError, failed};
use crate::place::Compression;

/// An answer's rows.
pub(crate) type Rows = Vec<Vec<Value>>;

/// Why a statement has no rows.
pub(crate) enum Unanswered {
    /// The server said so.
    Refused(ServerError, Reply),
    /// It said nothing.
    Lost(SinkError),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    rows: Rows,
}

impl Server {
    /// Runs a statement; its rows.
    pub(crate) async fn query(&self, statement: &str, args: &[Value]) -> Result<Rows, Unanswered> {
        let body = json!({"stmt": statement, "args": args}).to_string();
        let reply = self.post(body.into(), Compression::None).await.map_err(Unanswered::Lost)?;
        if reply.status != 200 {
            let error = ServerError::of(&reply);
            return Err(Unanswered::Refused(error, reply));
        }
        let answer: Answer = serde_json::from_slice(&reply.body).map_err(|error| {
            let message = format!("CrateDB's answer cannot be read: {error}");
            Unanswered::Lost(SinkError::fatal("answer", message))
        })?;
        Ok(answer.rows)
    }

    /// The same, for statements whose answer is read in one way.
    pub(crate) async fn rows(&self, statement: &str, args: &[Value]) -> Result<Rows, SinkError> {
        Ok(self.query(statement, args).await?)
    }
}

impl From<Unanswered> for SinkError {
    fn from(unanswered: Unanswered) -> SinkError {
        match unanswered {
            Unanswered::Refused(error, reply) => failed(&error, &reply),
            // No row was sent with it.
            Unanswered::Lost(error) => match error.kind {
                SinkErrorKind::Lost(_) => {
                    SinkError { kind: SinkErrorKind::Lost(rowstorm_sink::Delivery::None), ..error }
                }
                SinkErrorKind::Busy { .. } | SinkErrorKind::TooLarge | SinkErrorKind::Fatal => {
                    error
                }
            },
        }
    }
}

/// A cell as text.
pub(crate) fn text(row: &[Value], place: usize) -> Option<String> {
    match row.get(place)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
