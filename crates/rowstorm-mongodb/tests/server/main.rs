//! What MongoDB alone knows: exact refusals, faults that the server is told to make, `_id` without a key, time series.
//!
//! Each case counts in the database by the driver's own means, over a client of its own.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on fails")]

mod bed;
mod changes;
mod collections;
mod refusals;
mod trouble;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

const VARIABLE: &str = "ROWSTORM_TEST_MONGODB";

/// A case by its name.
macro_rules! case {
    ($module:ident :: $name:ident) => {
        trial(stringify!($name), || Box::pin($module::$name()))
    };
}

fn main() -> ExitCode {
    let trials = vec![
        case!(refusals::a_tenth_of_duplicates_is_counted_exactly),
        case!(refusals::refusals_of_every_command_of_a_large_payload_are_counted),
        case!(refusals::values_too_long_and_nulls_are_counted_exactly),
        case!(refusals::a_unique_column_takes_many_nulls_and_no_value_twice),
        case!(refusals::a_document_over_the_limit_is_refused_before_it_is_sent),
        case!(refusals::a_replay_without_a_key_confirms_and_another_seed_appends),
        case!(collections::a_time_series_collection_is_made_and_filled),
        case!(collections::a_view_is_not_written_to),
        case!(collections::an_unchecked_collection_has_no_validator),
        case!(collections::names_and_words_that_cannot_be_are_refused),
        case!(collections::the_server_says_what_it_is),
        case!(trouble::a_server_that_refuses_at_the_door_is_busy),
        case!(trouble::a_server_that_shuts_down_leaves_rows_in_doubt_and_a_replay_settles_them),
        case!(trouble::a_write_concern_that_is_not_met_leaves_rows_in_doubt_and_a_replay_confirms_them),
        case!(trouble::a_command_that_fails_behind_others_leaves_the_payload_in_doubt),
        case!(trouble::a_connection_that_is_cut_is_noticed_at_once),
        case!(trouble::a_dropped_write_goes_on_to_its_end),
        case!(trouble::nobody_there_is_a_connection_lost),
        case!(trouble::a_closed_sink_leaves_no_task_behind),
        case!(changes::a_transaction_that_is_cut_in_two_is_in_doubt_and_its_replay_does_the_rest),
        case!(changes::what_fails_within_a_transaction_leaves_nothing_and_may_begin_again),
        case!(changes::a_commit_without_an_answer_is_in_doubt_and_its_replay_confirms_it),
        case!(changes::nobody_else_sees_a_transaction_that_is_open),
        case!(changes::fields_whose_names_are_no_paths_are_set_and_taken_away),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Case = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Without the server, a case shows as ignored; where `ROWSTORM_REQUIRE` names it, it fails.
fn trial(name: &str, run: fn() -> Case) -> Trial {
    let required = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|server| server.trim() == "mongodb");
    let missing = std::env::var(VARIABLE).is_err();
    let trial = Trial::test(name, move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build()?.block_on(run());
        Ok(())
    });
    trial.with_kind("mongodb").with_ignored_flag(missing && !required)
}
