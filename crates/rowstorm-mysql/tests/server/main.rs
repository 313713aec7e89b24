//! What MySQL and MariaDB alone know: warnings that hide changed values, refusals by code, tables of others, connections
//! that break in mid-write.
//!
//! Each case runs on each of the two, and counts in the database over a connection of its own.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on fails")]

mod bed;
mod between;
mod cdc;
mod changes;
mod refusals;
mod tables;
mod together;
mod trouble;
mod undone;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use bed::Bed;

const SERVERS: [(&str, &str); 2] =
    [("mariadb", "ROWSTORM_TEST_MARIADB"), ("mysql", "ROWSTORM_TEST_MYSQL")];

type Case = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// A case by its name, for one server.
macro_rules! case {
    ($server:expr, $module:ident :: $name:ident) => {
        trial($server, stringify!($name), |bed| Box::pin($module::$name(bed)))
    };
}

fn main() -> ExitCode {
    let each = |server: (&'static str, &'static str)| {
        vec![
            case!(server, refusals::rows_that_cannot_go_are_counted_by_code),
            case!(server, refusals::rows_at_fault_among_many_are_counted_exactly),
            case!(server, refusals::values_that_the_server_would_change_are_refused),
            case!(server, refusals::more_refusals_than_the_server_lists_are_counted),
            case!(server, refusals::a_replay_confirms_what_stands_there_beside_refusals),
            case!(server, refusals::a_trigger_that_objects_refuses_its_row_alone),
            case!(server, refusals::a_read_only_user_is_refused_every_row),
            case!(server, tables::texts_that_differ_are_different_keys),
            case!(server, tables::texts_that_a_row_has_no_room_for_keep_their_bound),
            case!(server, tables::a_uuid_may_be_sixteen_bytes),
            case!(server, tables::an_engine_without_transactions_is_refused),
            case!(server, tables::a_key_without_an_index_is_not_believed),
            case!(server, tables::columns_that_would_round_are_named),
            case!(server, tables::the_server_says_what_it_is),
            case!(server, changes::changes_by_several_connections_leave_what_must_be_there),
            case!(server, cdc::the_log_has_an_event_for_every_row_that_was_acknowledged),
            case!(server, cdc::a_place_that_is_not_in_the_log_is_no_place_to_go_on),
            case!(server, undone::a_refused_row_undoes_its_transaction_and_the_next_goes_on),
            case!(server, undone::what_would_be_left_out_with_a_note_is_refused),
            case!(server, undone::a_lock_that_is_not_given_leaves_nothing_of_a_transaction),
            case!(server, undone::connections_are_opened_while_a_table_is_altered),
            case!(server, undone::a_transaction_that_is_cut_is_in_doubt_where_its_commit_was_sent),
            case!(server, undone::a_held_transaction_shows_when_it_ends),
            case!(server, undone::a_replay_of_a_row_that_came_and_got_another_key_leaves_it_once),
            case!(server, together::updates_together_store_what_each_alone_stores),
            case!(server, together::each_update_of_several_is_committed_as_the_server_comes_to_it),
            case!(server, together::of_several_updates_the_missing_and_the_refused_are_told),
            case!(server, together::a_warning_that_comes_too_late_ends_the_run),
            case!(server, trouble::a_connection_that_is_cut_in_mid_write_is_lost_and_opened_again),
            case!(
                server,
                trouble::a_load_whose_server_is_gone_without_a_word_is_lost_and_goes_again
            ),
            case!(server, trouble::a_load_that_stands_still_goes_on_while_the_server_knows_it),
            case!(server, trouble::a_lock_that_is_not_given_is_busy),
            case!(server, trouble::tls_is_as_the_url_says),
            case!(server, trouble::a_missing_database_is_fatal_and_says_what_to_do),
            case!(server, trouble::nobody_there_is_a_connection_lost),
            case!(server, trouble::small_loads_do_not_wait_for_a_delayed_acknowledgement),
        ]
    };
    let trials = SERVERS.into_iter().flat_map(each).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Without the server, a case shows as ignored; where `ROWSTORM_REQUIRE` names it, it fails.
fn trial((server, variable): (&'static str, &str), name: &str, run: fn(Bed) -> Case) -> Trial {
    let required = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|name| name.trim() == server);
    let url = std::env::var(variable);
    let ignored = url.is_err() && !required;
    let trial = Trial::test(name, move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build()?;
        let bed = Bed { url: url?, is_mariadb: server == "mariadb" };
        runtime.block_on(run(bed));
        Ok(())
    });
    trial.with_kind(server).with_ignored_flag(ignored)
}
