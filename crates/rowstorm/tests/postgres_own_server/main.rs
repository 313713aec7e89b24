//! What needs a PostgreSQL of the test's own: it is killed or stopped in mid-run, or takes fewer connections, and it speaks TLS with a certificate that the test
//! made.
//!
//! A server that was given by URL, or runs in a container, is not ours to kill or to configure. Where no PostgreSQL (or no
//! openssl) is installed, the cases show as ignored, by name; in CI (`CI` is set) they fail there if `ROWSTORM_REQUIRE` names
//! postgres.

mod crash;
mod refusing;
mod server;
mod tls;
mod undecoded;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use rowstorm::Error;
use server::Server;

fn main() -> ExitCode {
    let crash = !Server::can_start() && !required();
    let tls = (!Server::can_start() || !tls::can_make_certificates()) && !required();
    let trials = vec![
        trial("a_killed_server_loses_and_doubles_no_row_of_a_table_with_a_key", crash, || {
            wait(crash::a_killed_server_loses_and_doubles_no_row_of_a_table_with_a_key())
        }),
        trial("a_killed_server_leaves_a_table_without_a_key_honestly_unknown", crash, || {
            wait(crash::a_killed_server_leaves_a_table_without_a_key_honestly_unknown())
        }),
        trial("a_server_that_stands_still_for_seconds_loses_no_row", crash, || {
            wait(refusing::a_server_that_stands_still_for_seconds_loses_no_row())
        }),
        trial("a_server_that_takes_fewer_connections_in_mid_run_loses_no_row", crash, || {
            wait(refusing::a_server_that_takes_fewer_connections_in_mid_run_loses_no_row())
        }),
        trial("a_log_that_cannot_be_decoded_is_named_before_the_load", crash, || {
            wait(undecoded::a_log_that_cannot_be_decoded_is_named_before_the_load())
        }),
        trial("a_certificate_is_checked_as_far_as_was_asked", tls, || {
            wait(tls::a_certificate_is_checked_as_far_as_was_asked())
        }),
        trial("a_server_without_tls_is_refused_where_tls_was_asked_for", tls, || {
            wait(tls::a_server_without_tls_is_refused_where_tls_was_asked_for())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, ignored: bool, case: fn() -> Result<(), Failed>) -> Trial {
    Trial::test(name, case).with_kind("postgres").with_ignored_flag(ignored)
}

fn required() -> bool {
    let named = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let set = |value: String| !value.is_empty() && value != "false";
    std::env::var("CI").is_ok_and(set) && named.split(',').any(|name| name.trim() == "postgres")
}

fn wait(case: impl Future<Output = Result<(), Error>>) -> Result<(), Failed> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    Ok(runtime.worker_threads(2).enable_all().build()?.block_on(case)?)
}
