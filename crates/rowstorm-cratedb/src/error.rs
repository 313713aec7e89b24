//! What CrateDB's errors mean for the rows of a request.

use rowstorm_sink::{Delivery, Reaction, SinkError, SinkErrorKind, Trouble, cut};
use serde::Deserialize;

use crate::connect::Reply;

/// An error as CrateDB tells it: for the whole request, or for one row of a bulk.
///
/// Codes: <https://cratedb.com/docs/crate/reference/en/latest/interfaces/http.html#error-codes>. What goes by the code
/// 5000 is told apart by the name of the exception, which stands before the message's bracket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct ServerError {
    #[serde(default)]
    pub(crate) code: u32,
    #[serde(default)]
    pub(crate) message: String,
}

/// What an error leaves of the rows that were sent with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// Certainly none of them was written.
    Nothing,
    /// Some may have been.
    Perhaps,
}

/// A relation of the same name exists already.
pub(crate) const EXISTS: u32 = 4093;
/// A document with the same primary key exists already.
pub(crate) const DUPLICATE: u32 = 4091;
/// Two writes of one document met.
pub(crate) const CONFLICT: u32 = 4092;
/// No row to change has this key.
pub(crate) const MISSING: u32 = 40_411;
/// A table that is not there, and a schema.
pub(crate) const UNKNOWN: [u32; 2] = [4041, 4045];

#[derive(Deserialize)]
struct Body {
    error: ServerError,
}

impl ServerError {
    /// Reads an answer whose status is no success. What has no JSON in it comes from the HTTP server itself, or from
    /// something in between.
    pub(crate) fn of(reply: &Reply) -> ServerError {
        if let Ok(body) = serde_json::from_slice::<Body>(&reply.body) {
            return body.error;
        }
        let text = String::from_utf8_lossy(&reply.body);
        let text = cut(text.trim().to_owned());
        let message = if text.is_empty() { format!("HTTP status {}", reply.status) } else { text };
        ServerError { code: 0, message }
    }

    /// The exception's name, which stands before the message.
    pub(crate) fn name(&self) -> &str {
        let name = self.message.split_once('[').map_or("", |(name, _)| name);
        let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if is_name { name } else { "" }
    }

    /// "4091 DuplicateKeyException"
    pub(crate) fn class(&self, status: u16) -> String {
        match (self.code, self.name()) {
            (0, _) => format!("HTTP {status}"),
            (code, "") => code.to_string(),
            (code, name) => format!("{code} {name}"),
        }
    }

    /// The server has too much to do, or too little memory for it now.
    pub(crate) fn is_overload(&self) -> bool {
        matches!(self.code, 4290 | 5030..=5039)
            || matches!(
                self.name(),
                "CircuitBreakingException"
                    | "EsRejectedExecutionException"
                    | "RejectedExecutionException"
            )
    }

    /// Whether a row of a bulk was refused for what it holds. What else befalls a row is the server's own trouble.
    pub(crate) fn is_refusal(&self) -> bool {
        !self.is_overload() && (self.code < 5000 || self.code >= 40_000 && self.code < 50_000)
    }

    /// What an answer to a whole request means.
    pub(crate) fn trouble(&self, reply: &Reply, wrote: Wrote) -> Trouble {
        Trouble {
            reaction: self.react(reply, wrote),
            class: self.class(reply.status),
            message: cut(self.message.clone()),
        }
    }

    fn react(&self, reply: &Reply, wrote: Wrote) -> Reaction {
        let fail = Reaction::Fail;
        let in_doubt = fail(SinkErrorKind::Lost(Delivery::InDoubt));
        if self.is_overload() || matches!(reply.status, 429 | 503) {
            return match wrote {
                Wrote::Nothing => fail(SinkErrorKind::Busy { retry_after: reply.retry_after }),
                Wrote::Perhaps => in_doubt,
            };
        }
        match (reply.status, self.code) {
            (413, _) => fail(SinkErrorKind::TooLarge),
            // No privilege; a table that takes no writes: closed, read-only, or its disk is full.
            (_, 4007 | 4011 | 4032..=4037) => Reaction::Refuse,
            // Invalid values, a repeated key: a bulk of one row is answered so by some versions.
            (_, 4000 | 4003 | 40_000 | DUPLICATE | CONFLICT) => Reaction::Sift,
            (400..=499, _) => fail(SinkErrorKind::Fatal),
            _ => match wrote {
                Wrote::Nothing => fail(SinkErrorKind::Fatal),
                Wrote::Perhaps => in_doubt,
            },
        }
    }
}

/// As the runner wants it where no rows were sent.
pub(crate) fn failed(error: &ServerError, reply: &Reply) -> SinkError {
    let hint = match (reply.status, error.code) {
        (401, 0 | 4010) => "; set ROWSTORM_USERNAME and ROWSTORM_PASSWORD, or name both in the URL",
        (_, 4011) => "; grant the privilege, or connect as another user",
        _ => "",
    };
    error.trouble(reply, Wrote::Nothing).into_error("CrateDB", hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaction(status: u16, body: &str, wrote: Wrote) -> (Reaction, String) {
        let reply = Reply { status, retry_after: None, body: body.as_bytes().to_vec() };
        let trouble = ServerError::of(&reply).trouble(&reply, wrote);
        (trouble.reaction, trouble.class)
    }

    #[test]
    fn every_answer_has_the_reaction_that_helps() {
        let fail = Reaction::Fail;
        let busy = fail(SinkErrorKind::Busy { retry_after: None });
        let lost = fail(SinkErrorKind::Lost(Delivery::InDoubt));
        let fatal = fail(SinkErrorKind::Fatal);
        for (status, code, message, expected, class) in [
            (
                400,
                4000,
                "SQLParseException[\"t\" must not be null]",
                Reaction::Sift,
                "4000 SQLParseException",
            ),
            (409, 4091, "DuplicateKeyException[…]", Reaction::Sift, "4091 DuplicateKeyException"),
            (
                401,
                4011,
                "MissingPrivilegeException[…]",
                Reaction::Refuse,
                "4011 MissingPrivilegeException",
            ),
            (403, 4037, "ClusterBlockException[…]", Reaction::Refuse, "4037 ClusterBlockException"),
            (
                400,
                4007,
                "OperationOnInaccessibleRelationException[…]",
                Reaction::Refuse,
                "4007 OperationOnInaccessibleRelationException",
            ),
            (401, 4010, "UnauthorizedException[…]", fatal, "4010 UnauthorizedException"),
            (403, 4030, "Forbidden", fatal, "4030"),
            (404, 4041, "RelationUnknown[…]", fatal, "4041 RelationUnknown"),
            (404, 4043, "ColumnUnknownException[…]", fatal, "4043 ColumnUnknownException"),
            (429, 4290, "slow", busy, "4290"),
            (
                500,
                5000,
                "CircuitBreakingException[Allocating…]",
                busy,
                "5000 CircuitBreakingException",
            ),
            (
                500,
                5000,
                "EsRejectedExecutionException[rejected]",
                busy,
                "5000 EsRejectedExecutionException",
            ),
            (
                503,
                5031,
                "MasterNotDiscoveredException[]",
                busy,
                "5031 MasterNotDiscoveredException",
            ),
            (500, 5000, "NullPointerException[x]", fatal, "5000 NullPointerException"),
        ] {
            let body = serde_json::json!({"error": {"message": message, "code": code}}).to_string();
            let (reaction, told) = reaction(status, &body, Wrote::Nothing);
            assert_eq!((reaction, &*told), (expected, class), "{message}");
        }
        assert_eq!(reaction(413, "", Wrote::Nothing).0, fail(SinkErrorKind::TooLarge));
        assert_eq!(reaction(503, "<html>proxy</html>", Wrote::Nothing), (busy, "HTTP 503".into()));
        assert_eq!(reaction(401, "trust authentication failed\n", Wrote::Nothing).0, fatal);
        let body = r#"{"error":{"message":"CircuitBreakingException[x]","code":5000}}"#;
        assert_eq!(reaction(500, body, Wrote::Perhaps).0, lost);
        assert_eq!(reaction(502, "", Wrote::Perhaps).0, lost);
    }

    #[test]
    fn rows_are_refused_by_codes_of_the_fours() {
        let error = |code| ServerError { code, message: "SomeException[why]".into() };
        for code in [4000, 4003, 4091, 4043, 40_000, 40_010] {
            assert!(error(code).is_refusal(), "{code}");
        }
        for code in [5000, 5002, 5030, 4290] {
            assert!(!error(code).is_refusal(), "{code}");
        }
    }
}
