//! What an error means for the rows of a payload: the server's codes and labels to what can be done.

use std::collections::HashSet;

use mongodb::error::{CommandError, Error, ErrorKind};
use rowstorm_sink::{Delivery, Reaction, SinkError, SinkErrorKind, Trouble, cut};

/// The command did not run at all: it may be sent again as it is.
const NOTHING_RAN: [&str; 2] = ["RetryableError", "NoWritesPerformed"];

const TLS: &str = "tls";
pub(crate) const BUSY: SinkErrorKind = SinkErrorKind::Busy { retry_after: None };

/// Reads an error of the driver's; `delivery` is what holds for the rows if nobody can say more.
pub(crate) fn read(error: &Error, delivery: Delivery) -> Trouble {
    let lost = |delivery| Reaction::Fail(SinkErrorKind::Lost(delivery));
    let fatal = Reaction::Fail(SinkErrorKind::Fatal);
    let (reaction, class) = match &*error.kind {
        ErrorKind::Command(error_of) => return command(error_of, error.labels(), delivery),
        ErrorKind::Authentication { .. } => (fatal, "18 AuthenticationFailed"),
        ErrorKind::InvalidTlsConfig { .. } => (fatal, TLS),
        ErrorKind::InvalidArgument { .. }
        | ErrorKind::BsonSerialization(_)
        | ErrorKind::IncompatibleServer { .. } => (fatal, "driver"),
        // No server was found, so nothing was sent.
        ErrorKind::ServerSelection { .. } | ErrorKind::DnsResolve { .. } => {
            (lost(Delivery::None), "connection")
        }
        _ => (lost(delivery), "connection"),
    };
    Trouble { reaction, class: class.to_owned(), message: cut(brief(error.kind.to_string())) }
}

/// A server that cannot be reached is told with the whole of its last error, raw bytes included: only what it says.
fn brief(mut message: String) -> String {
    if let Some(end) = message.find(", labels: {") {
        message.truncate(end);
    }
    message
}

fn command(error: &CommandError, labels: &HashSet<String>, delivery: Delivery) -> Trouble {
    let nothing_ran = NOTHING_RAN.iter().any(|label| labels.contains(*label));
    let delivery = if nothing_ran { Delivery::None } else { delivery };
    let overloaded = labels.contains("SystemOverloadedError");
    let mut reaction = react(error.code, overloaded, delivery);
    if let Reaction::Fail(SinkErrorKind::Busy { retry_after }) = &mut reaction {
        *retry_after = error.base_backoff;
    }
    let name = if error.code_name.is_empty() { name(error.code) } else { &error.code_name };
    Trouble { reaction, class: class(error.code, name), message: cut(error.message.clone()) }
}

/// As the runner wants it, with what would help.
pub(crate) fn into_error(trouble: Trouble) -> SinkError {
    let code = trouble.class.split(' ').next().unwrap_or_default();
    let hint = match code.parse() {
        Ok(code) => hint(code),
        Err(_) if code == TLS => {
            "; `?tls=` and `?tlsCAFile=` in the URL say whether TLS is wanted and what is checked"
        }
        Err(_) => "",
    };
    trouble.into_error("MongoDB", hint)
}

/// What to do about a code, for people.
pub(crate) fn hint(code: i32) -> &'static str {
    match code {
        13 => "; grant the user `readWrite` on the database, or connect as another",
        18 | 8000 => {
            "; set ROWSTORM_USERNAME and ROWSTORM_PASSWORD, or name both in the URL; `?authSource=` says which database \
             knows the user"
        }
        79 | 100 => "; `?w=` in the URL asks for servers that are not there",
        _ => "",
    }
}

/// A whole command's code to what can be done: <https://www.mongodb.com/docs/manual/reference/error-codes/>.
///
/// Documents are inserted one after another, and an interruption fails the whole command when some are in already: such
/// an error leaves the rows in doubt, unless the server's label says that nothing was written.
fn react(code: i32, overloaded: bool, delivery: Delivery) -> Reaction {
    let waits = match delivery {
        Delivery::None => BUSY,
        Delivery::InDoubt => SinkErrorKind::Lost(Delivery::InDoubt),
    };
    Reaction::Fail(match code {
        // IngressRequestRateLimitExceeded: refused at the door.
        462 => BUSY,
        // Out of disk, no privilege, a view: the rows are refused and counted.
        13 | 166 | 14031 => return Reaction::Refuse,
        // The server that answered is going away, or writes no more: another has to be found.
        _ if is_leaving(code) => SinkErrorKind::Lost(delivery),
        _ if overloaded || is_passing(code) => waits,
        // InvalidLength, BSONObjectTooLarge, and the same of older servers.
        16 | 10334 | 17280 | 17419 | 17420 => SinkErrorKind::TooLarge,
        _ => SinkErrorKind::Fatal,
    })
}

/// Whether a server says that it stops or steps down.
pub(crate) fn is_leaving(code: i32) -> bool {
    matches!(code, 91 | 189 | 10058 | 10107 | 11600 | 11602 | 13435 | 13436)
}

/// Whether a code says that the same may succeed in a while.
pub(crate) fn is_passing(code: i32) -> bool {
    matches!(
        code,
        6 | 7
            | 24
            | 46
            | 50
            | 89
            | 112
            | 134
            | 175
            | 202
            | 237
            | 262
            | 279
            | 317
            | 462
            | 9001
            | 11601
            | 16500
            | 46841
    )
}

/// "11000 DuplicateKey"
pub(crate) fn class(code: i32, name: &str) -> String {
    if name.is_empty() { code.to_string() } else { format!("{code} {name}") }
}

/// The name of a code that a load meets, as the server's `error_codes.yml` has it: answers about single rows hold none.
pub(crate) fn name(code: i32) -> &'static str {
    match code {
        2 => "BadValue",
        13 => "Unauthorized",
        16 => "InvalidLength",
        18 => "AuthenticationFailed",
        24 => "LockTimeout",
        26 => "NamespaceNotFound",
        46 => "LockBusy",
        48 => "NamespaceExists",
        50 => "MaxTimeMSExpired",
        52 => "DollarPrefixedFieldName",
        53 => "InvalidIdField",
        64 => "WriteConcernTimeout",
        73 => "InvalidNamespace",
        91 => "ShutdownInProgress",
        100 => "UnsatisfiableWriteConcern",
        112 => "WriteConflict",
        121 => "DocumentValidationFailure",
        166 => "CommandNotSupportedOnView",
        189 => "PrimarySteppedDown",
        262 => "ExceededTimeLimit",
        462 => "IngressRequestRateLimitExceeded",
        10107 => "NotWritablePrimary",
        10334 => "BSONObjectTooLarge",
        11000 => "DuplicateKey",
        11600 => "InterruptedAtShutdown",
        11601 => "Interrupted",
        11602 => "InterruptedDueToReplStateChange",
        13435 => "NotPrimaryNoSecondaryOk",
        14031 => "OutOfDiskSpace",
        16500 => "TooManyRequests",
        17280 => "KeyTooLong",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_reaction_that_helps() {
        let fail = Reaction::Fail;
        let lost = |delivery| fail(SinkErrorKind::Lost(delivery));
        let (none, doubt) = (Delivery::None, Delivery::InDoubt);
        for (code, overloaded, delivery, reaction) in [
            (462, false, doubt, fail(BUSY)),
            (13, false, doubt, Reaction::Refuse),
            (14031, false, doubt, Reaction::Refuse),
            (11600, false, doubt, lost(doubt)),
            (91, false, none, lost(none)),
            (10107, false, doubt, lost(doubt)),
            // Some documents may be in: only the server's label makes sure.
            (50, false, doubt, lost(doubt)),
            (50, false, none, fail(BUSY)),
            (16500, false, doubt, lost(doubt)),
            (1, true, doubt, lost(doubt)),
            (1, true, none, fail(BUSY)),
            (10334, false, doubt, fail(SinkErrorKind::TooLarge)),
            (18, false, none, fail(SinkErrorKind::Fatal)),
            (73, false, doubt, fail(SinkErrorKind::Fatal)),
        ] {
            assert_eq!(react(code, overloaded, delivery), reaction, "{code}");
        }
        assert_eq!(class(11000, name(11000)), "11000 DuplicateKey");
        assert_eq!(class(4711, name(4711)), "4711");
    }
}
