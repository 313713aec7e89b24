//! What a driver's or a server's error means for the rows of a payload.

use mysql_async::{DriverError, Error, IoError};
use rowstorm_sink::{Delivery, Reaction, SinkError, SinkErrorKind, Trouble, named};

/// The database's name for people; MariaDB's own messages name it.
const DATABASE: &str = "MySQL";

/// Reads an error; `delivery` is what holds for the rows if the connection broke.
pub(crate) fn read(source: &Error, delivery: Delivery) -> Trouble {
    let lost = Reaction::Fail(SinkErrorKind::Lost(delivery));
    let fatal = Reaction::Fail(SinkErrorKind::Fatal);
    let (reaction, class) = match source {
        Error::Server(error) => {
            return Trouble {
                reaction: react(error.code, &error.state, delivery),
                class: class(error.code),
                message: error.message.clone(),
            };
        }
        Error::Io(IoError::Tls(_)) | Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            (fatal, "tls")
        }
        // What rustls makes of a certificate that it does not trust.
        Error::Io(IoError::Io(io)) if io.kind() == std::io::ErrorKind::InvalidData => {
            (fatal, "tls")
        }
        Error::Io(IoError::Io(_))
        | Error::Driver(DriverError::ConnectionClosed | DriverError::PacketOutOfOrder) => {
            (lost, "connection")
        }
        // Our own SQL, or what the server speaks, is not what the driver expects.
        Error::Driver(_) | Error::Url(_) => (fatal, "driver"),
        Error::Other(_) => (lost, "connection"),
    };
    Trouble { reaction, class: class.to_owned(), message: source.to_string() }
}

/// As the runner wants it, with a hint.
pub(crate) fn into_error(trouble: Trouble) -> SinkError {
    let hint = match trouble.class.split(' ').next().unwrap_or_default() {
        "1045" | "1698" => "; set ROWSTORM_USERNAME and ROWSTORM_PASSWORD, or name both in the URL",
        "1044" | "1142" | "1143" | "1227" => "; grant the privilege, or connect as another user",
        "1046" => "; name the database in the URL: mysql://host/DATABASE",
        "1049" => "; make the database first: CREATE DATABASE",
        "1148" | "3948" | "4166" => {
            "; SET GLOBAL local_infile = ON, or `mysql: {method: insert}` in the schema"
        }
        "tls" => "; `?ssl-mode=` in the URL says whether TLS is wanted and what is checked",
        _ => "",
    };
    trouble.into_error(DATABASE, hint)
}

/// Nothing was written by what failed here.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn failed(error: Error) -> SinkError {
    into_error(read(&error, Delivery::None))
}

/// The server's code, or where it says nothing its SQLSTATE, to what can be done. Codes:
/// <https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html>, <https://mariadb.com/kb/en/mariadb-error-code-reference/>.
fn react(code: u16, state: &str, delivery: Delivery) -> Reaction {
    let busy = Reaction::Fail(SinkErrorKind::Busy { retry_after: None });
    let fatal = Reaction::Fail(SinkErrorKind::Fatal);
    match code {
        // Lock waits, deadlocks, time limits, too many connections, and what a cluster takes back: all undone.
        1205 | 1213 | 1040 | 1203 | 1226 | 1317 | 3024 | 1969 | 1041 | 3101 | 1614 => busy,
        1153 | 1301 => Reaction::Fail(SinkErrorKind::TooLarge),
        // The server goes down, killed us, or gave up on us.
        1053
        | 1077..=1080
        | 1152
        | 1158..=1161
        | 1184
        | 1927
        | 2006
        | 2013
        | 2055
        | 3169
        | 4031 => Reaction::Fail(SinkErrorKind::Lost(delivery)),
        1044..=1046
        | 1049
        | 1054
        | 1064
        | 1130
        | 1136
        | 1146
        | 1148
        | 1227
        | 1698
        | 3948
        | 4166 => fatal,
        // No privilege, no room, read-only: it does not pass by waiting a moment; the rows are refused and counted.
        1142 | 1143 | 1370 | 1021 | 1026 | 1030 | 1114 | 1290 | 1792 | 1836 | 3989 => {
            Reaction::Refuse
        }
        // Single rows are at fault, and the state is the general one: a check, a value that is none, no default, no
        // partition, a JSON document that is none.
        1265 | 1292 | 1364 | 1366 | 1411 | 1526 | 1644 | 3140 | 3141 | 3156 | 3819 | 4025 => {
            Reaction::Sift
        }
        _ => match state.get(..2) {
            Some("21" | "22" | "23" | "44" | "45") => Reaction::Sift,
            Some("40") => busy,
            Some("08") => Reaction::Fail(SinkErrorKind::Lost(delivery)),
            Some("28" | "3D" | "42" | "0A" | "25") => fatal,
            Some(_) | None => Reaction::Refuse,
        },
    }
}

/// Rows that the server leaves out with a warning, where it is told to go on: a key that is taken, a parent that is not
/// there, a check that fails, no partition. Any other warning is of a value that was changed to fit.
pub(crate) fn is_skipped(code: u16) -> bool {
    matches!(
        code,
        1022 | 1062
            | 1169
            | 1216
            | 1217
            | 1369
            | 1451
            | 1452
            | 1526
            | 1557
            | 1586
            | 1748
            | 1761
            | 1762
            | 3819
            | 4025
    )
}

/// Warnings that say nothing of rows: a statement that is unsafe to replicate as text, words that are deprecated.
pub(crate) fn is_beside(code: u16) -> bool {
    matches!(code, 1287 | 1592 | 1681 | 3719)
}

/// A code with its name.
pub(crate) fn class(code: u16) -> String {
    named(&code.to_string(), CONDITIONS)
}

/// Whether a class is that of a key that is taken.
pub(crate) fn is_duplicate(class: &str) -> bool {
    ["1062", "1022", "1586"].iter().any(|code| class.starts_with(code))
}

/// Codes that a load meets, with their names from the servers' `errmsg` lists.
const CONDITIONS: &str = "
1021 disk_full  1022 dup_key  1030 get_errno  1040 con_count_error  1044 dbaccess_denied  1045 access_denied
1046 no_db  1048 bad_null  1049 bad_db  1053 server_shutdown  1054 bad_field  1062 dup_entry  1064 parse_error
1114 record_file_full  1136 wrong_value_count_on_row  1142 tableaccess_denied  1143 columnaccess_denied
1146 no_such_table  1148 not_allowed_command  1153 net_packet_too_large  1169 dup_unique
1203 too_many_user_connections  1205 lock_wait_timeout  1213 lock_deadlock  1216 no_referenced_row
1226 user_limit_reached  1227 specific_access_denied  1261 warn_too_few_records  1262 warn_too_many_records
1263 warn_null_to_notnull  1264 warn_data_out_of_range  1265 warn_data_truncated
1290 option_prevents_statement  1292 truncated_wrong_value  1300 invalid_character_string  1317 query_interrupted
1364 no_default_for_field  1366 truncated_wrong_value_for_field  1369 view_check_failed  1406 data_too_long
1411 wrong_value_for_type  1452 no_referenced_row_2  1526 no_partition_for_given_value
1586 dup_entry_with_key_name  1644 signal_exception  1698 access_denied_no_password
1792 cant_execute_in_read_only_transaction  1836 read_only_mode  1927 connection_killed
1969 statement_timeout  3024 query_timeout  3140 invalid_json_text  3819 check_constraint_violated
3948 client_local_files_disabled  4025 constraint_failed  4031 client_interaction_timeout";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_reaction_that_helps() {
        let busy = Reaction::Fail(SinkErrorKind::Busy { retry_after: None });
        let fatal = Reaction::Fail(SinkErrorKind::Fatal);
        let lost = Reaction::Fail(SinkErrorKind::Lost(Delivery::InDoubt));
        for (code, state, reaction) in [
            (1205, "HY000", busy),
            (1213, "40001", busy),
            (1040, "08004", busy),
            (1203, "42000", busy),
            (1153, "08S01", Reaction::Fail(SinkErrorKind::TooLarge)),
            (2006, "HY000", lost),
            (2013, "HY000", lost),
            (1927, "70100", lost),
            (1053, "08S01", lost),
            (1045, "28000", fatal),
            (1049, "42000", fatal),
            (1146, "42S02", fatal),
            (1142, "42000", Reaction::Refuse),
            (1114, "HY000", Reaction::Refuse),
            (1290, "HY000", Reaction::Refuse),
            (1062, "23000", Reaction::Sift),
            (1406, "22001", Reaction::Sift),
            (1644, "45000", Reaction::Sift),
            (3140, "22032", Reaction::Sift),
            (4025, "23000", Reaction::Sift),
        ] {
            assert_eq!(react(code, state, Delivery::InDoubt), reaction, "{code}");
        }
        assert_eq!(class(1062), "1062 dup_entry");
        assert_eq!(class(9999), "9999");
        assert!(is_duplicate(&class(1062)) && !is_duplicate(&class(1452)));
    }
}
