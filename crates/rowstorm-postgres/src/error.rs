//! What a driver's error means for the rows of a payload.

use rowstorm_sink::{Delivery, Reaction, SinkError, SinkErrorKind, Trouble, cut, named};

use crate::dialect::NAMES;

/// Reads an error; `delivery` is what holds for the rows if the connection broke.
pub(crate) fn trouble(source: &sqlx::Error, delivery: Delivery) -> Trouble {
    let Some(database) = source.as_database_error() else {
        let (reaction, class) = match source {
            sqlx::Error::Configuration(_) => {
                (Reaction::Fail(SinkErrorKind::Fatal), "configuration")
            }
            sqlx::Error::Tls(_) => (Reaction::Fail(SinkErrorKind::Fatal), "tls"),
            // What rustls makes of a certificate that it does not trust.
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => {
                (Reaction::Fail(SinkErrorKind::Fatal), "tls")
            }
            // What comes back is not what was asked for: our own SQL does not fit this server.
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::RowNotFound => (Reaction::Fail(SinkErrorKind::Fatal), "answer"),
            _ => (Reaction::Fail(SinkErrorKind::Lost(delivery)), "connection"),
        };
        let message = source.to_string();
        return Trouble { reaction, class: class.to_owned(), message };
    };
    let code = database.code().unwrap_or_default().into_owned();
    let detail = database
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .and_then(sqlx::postgres::PgDatabaseError::detail);
    let message = match detail {
        Some(detail) => format!("{}: {detail}", database.message()),
        None => database.message().to_owned(),
    };
    Trouble { reaction: react(&code, delivery), class: class(&code), message: cut(message) }
}

/// Whether an INSERT of all rows must be tried row by row: single rows are at fault, or `ON CONFLICT` itself is,
/// which refuses tables with deferrable unique constraints (55000).
pub(crate) fn is_sifted(source: &sqlx::Error) -> bool {
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "55000" || react(&code, Delivery::None) == Reaction::Sift)
}

/// As the runner wants it; a refusal of all rows, or of some, is fatal where there are no rows.
pub(crate) fn into_error(trouble: Trouble) -> SinkError {
    let hint = match trouble.class.split(' ').next().unwrap_or_default() {
        "42501" => "; grant the privilege, or connect as another user",
        "3F000" => "; make the schema first: CREATE SCHEMA",
        "2BP01" => "; other tables refer to this one: drop them first",
        "28P01" | "28000" => {
            "; set ROWSTORM_USERNAME and ROWSTORM_PASSWORD, or name both in the URL"
        }
        "3D000" => "; make the database first: CREATE DATABASE",
        "tls" => "; `?sslmode=` in the URL says whether TLS is wanted and what is checked",
        _ => "",
    };
    trouble.into_error(NAMES.database, hint)
}

/// The server's code (SQLSTATE) to what can be done:
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn react(code: &str, delivery: Delivery) -> Reaction {
    let busy = Reaction::Fail(SinkErrorKind::Busy { retry_after: None });
    let lost = |delivery| Reaction::Fail(SinkErrorKind::Lost(delivery));
    match code {
        // Out of disk and read-only do not pass by waiting a moment; the rows are refused and counted.
        "53100" | "42501" | "25006" => Reaction::Refuse,
        // A statement's time limit, a lock's, a server that starts or has no connection free: nothing was written.
        "57014" | "55P03" | "55006" | "57P03" => busy,
        "25P03" | "25P04" => lost(Delivery::None),
        "40003" | "57P01" | "57P02" | "57P04" | "57P05" => lost(delivery),
        _ => match &code[..code.len().min(2)] {
            class if SIFTED.contains(&class) => Reaction::Sift,
            "40" | "53" => busy,
            // 08P01 on a living connection: the bytes are not what the table's types read.
            "08" if code != "08P01" => lost(delivery),
            "08" | "42" | "0A" | "28" | "3D" | "3F" | "2B" | "26" | "25" => {
                Reaction::Fail(SinkErrorKind::Fatal)
            }
            _ => Reaction::Refuse,
        },
    }
}

/// Classes of errors that single rows are at fault for: data, integrity, a view's check, a size limit (an index entry
/// too long), and what a trigger raises.
pub(crate) const SIFTED: [&str; 5] = ["22", "23", "44", "54", "P0"];

/// A code with its name.
pub(crate) fn class(code: &str) -> String {
    named(code, CONDITIONS)
}

/// Codes that a load meets, with their names from the server's `errcodes.txt`.
const CONDITIONS: &str = "
08006 connection_failure  0A000 feature_not_supported  22001 string_data_right_truncation
22003 numeric_value_out_of_range  22007 invalid_datetime_format  22008 datetime_field_overflow
22021 character_not_in_repertoire  22023 invalid_parameter_value
22P02 invalid_text_representation  22P03 invalid_binary_representation
22P04 bad_copy_file_format  22P05 untranslatable_character  23001 restrict_violation
23502 not_null_violation  23503 foreign_key_violation  23505 unique_violation
23514 check_violation  23P01 exclusion_violation  25006 read_only_sql_transaction
28000 invalid_authorization_specification  28P01 invalid_password
2BP01 dependent_objects_still_exist  3D000 invalid_catalog_name  3F000 invalid_schema_name
40001 serialization_failure  40P01 deadlock_detected  42501 insufficient_privilege
42601 syntax_error  42622 name_too_long  42701 duplicate_column  42703 undefined_column
42704 undefined_object  42710 duplicate_object  42804 datatype_mismatch
42P01 undefined_table  42P07 duplicate_table
44000 with_check_option_violation  53100 disk_full  53200 out_of_memory
53300 too_many_connections  54000 program_limit_exceeded  55006 object_in_use
55P03 lock_not_available  57014 query_canceled  57P01 admin_shutdown  57P02 crash_shutdown
57P03 cannot_connect_now  58030 io_error  P0001 raise_exception  XX000 internal_error
XX001 data_corrupted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_reaction_that_helps() {
        let busy = Reaction::Fail(SinkErrorKind::Busy { retry_after: None });
        let fatal = Reaction::Fail(SinkErrorKind::Fatal);
        let lost = Reaction::Fail(SinkErrorKind::Lost(Delivery::InDoubt));
        for (code, reaction) in [
            ("23505", Reaction::Sift),
            ("22001", Reaction::Sift),
            ("54000", Reaction::Sift),
            ("P0001", Reaction::Sift),
            ("42501", Reaction::Refuse),
            ("53100", Reaction::Refuse),
            ("25006", Reaction::Refuse),
            ("XX000", Reaction::Refuse),
            ("40001", busy),
            ("40P01", busy),
            ("53300", busy),
            ("57014", busy),
            ("57P03", busy),
            ("57P01", lost),
            ("08006", lost),
            ("42P01", fatal),
            ("28P01", fatal),
            ("3D000", fatal),
        ] {
            assert_eq!(react(code, Delivery::InDoubt), reaction, "{code}");
        }
        assert_eq!(class("23505"), "23505 unique_violation");
        assert_eq!(class("99999"), "99999");
    }
}
