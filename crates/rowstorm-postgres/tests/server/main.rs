//! What PostgreSQL alone knows: refusals by code, tables of others, and connections that break in mid-write.
//!
//! Each case counts in the database, over a connection of its own.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on fails")]

mod bed;
mod cdc;
mod changes;
mod reading;
mod refusals;
mod speed;
mod tables;
mod trouble;
mod values;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

const VARIABLE: &str = "ROWSTORM_TEST_POSTGRES";

/// A case by its name.
macro_rules! case {
    ($module:ident :: $name:ident) => {
        trial(stringify!($name), || Box::pin($module::$name()))
    };
}

fn main() -> ExitCode {
    let trials = vec![
        case!(values::decimals_arrive_with_every_digit),
        case!(values::other_types_of_the_schema_are_met),
        case!(refusals::rows_that_fail_a_check_are_counted_by_code),
        case!(refusals::every_row_refused_is_no_success),
        case!(refusals::a_replay_confirms_what_stands_there_beside_refusals),
        case!(refusals::an_unknown_parent_refuses_its_rows_alone),
        case!(refusals::a_deferred_constraint_speaks_row_by_row),
        case!(refusals::rows_that_a_trigger_leaves_out_are_not_accepted),
        case!(refusals::a_read_only_user_is_refused_every_row),
        case!(refusals::a_read_only_database_is_refused_every_row),
        case!(refusals::without_temporary_tables_a_payload_is_refused_whole),
        case!(tables::columns_that_do_not_fit_are_named),
        case!(tables::a_key_without_an_index_is_not_believed),
        case!(tables::shards_prepare_at_the_same_time),
        case!(tables::unlogged_tables_and_their_indexes_are_made),
        case!(tables::a_schema_of_its_own_is_used),
        case!(tables::the_server_says_what_it_is),
        case!(trouble::a_connection_that_is_cut_in_mid_write_is_lost_and_opened_again),
        case!(trouble::a_dropped_write_leaves_its_writer_usable),
        case!(trouble::a_statement_over_its_time_limit_is_busy),
        case!(trouble::nobody_there_is_a_connection_lost),
        case!(trouble::a_missing_database_is_fatal_and_says_what_to_do),
        case!(changes::a_transaction_is_one_statement),
        case!(changes::a_statement_is_planned_once),
        case!(changes::a_read_of_many_rows_is_no_part_of_a_call),
        case!(changes::without_temporary_functions_statements_come_one_by_one),
        case!(changes::a_large_group_goes_in_pieces),
        case!(changes::a_deferred_constraint_undoes_all_at_commit),
        case!(changes::a_lock_that_is_not_to_be_had_is_busy),
        case!(changes::a_connection_that_is_cut_leaves_its_commit_in_doubt),
        case!(changes::rows_that_a_trigger_leaves_out_of_an_insert_are_refused),
        case!(changes::rows_are_found_by_the_key_however_small_the_table_was),
        case!(cdc::the_log_tells_what_was_acknowledged),
        case!(cdc::a_table_that_cannot_be_decoded_is_named),
        case!(reading::other_stored_types_are_read_as_declared),
        case!(reading::rows_that_come_while_it_reads_do_not_disturb_it),
        case!(speed::small_copies_do_not_wait_for_a_delayed_acknowledgement),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Case = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Without the server, a case shows as ignored; where `ROWSTORM_REQUIRE` names it, it fails.
fn trial(name: &str, run: fn() -> Case) -> Trial {
    let required = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|server| server.trim() == "postgres");
    let missing = std::env::var(VARIABLE).is_err();
    let trial = Trial::test(name, move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build()?.block_on(run());
        Ok(())
    });
    trial.with_kind("postgres").with_ignored_flag(missing && !required)
}
