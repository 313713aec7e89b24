//! The real binary on real servers: what hangs on several processes, on a kill, or on a server's own log.
//!
//! Each case runs on each server that can do it, in tables of its own. What is there afterwards is read by the driver alone, in text or bytes as the
//! server has them, and not by our adapters.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on fails")]

mod bed;
mod cdc;
#[allow(dead_code, reason = "it has more than is needed here")]
#[path = "../cli/common.rs"]
mod common;
mod dump;
mod killed;
mod states;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use bed::{Bed, Kind};

type Case = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// A case by its name, on one server.
macro_rules! case {
    ($kind:expr, $module:ident :: $name:ident) => {
        trial($kind, stringify!($name), |bed| Box::pin($module::$name(bed)))
    };
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres, Kind::Mariadb, Kind::Mysql, Kind::Mongodb] {
        trials.push(case!(kind, states::one_seed_ends_in_one_state_however_it_is_run));
        trials.push(case!(kind, killed::a_run_that_is_killed_ends_as_one_that_was_not));
        if kind.has_log() {
            trials.push(case!(kind, cdc::the_log_has_what_was_acknowledged_and_nothing_else));
            trials.push(case!(kind, cdc::a_change_of_somebody_else_is_named));
            trials.push(case!(kind, cdc::a_user_who_may_not_read_the_log_is_told_before_the_load));
        } else {
            trials.push(case!(kind, cdc::a_server_without_a_log_is_refused_before_the_load));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Without its server a case shows as ignored; where `ROWSTORM_REQUIRE` names it, it fails.
fn trial(kind: Kind, name: &str, run: fn(Bed) -> Case) -> Trial {
    let required = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|listed| listed.trim() == kind.name());
    let ignored = kind.url().is_none() && !required;
    let case = name.to_owned();
    let trial = Trial::test(name, move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build()?;
        runtime.block_on(run(Bed::new(kind, &case)));
        Ok(())
    });
    trial.with_kind(kind.name()).with_ignored_flag(ignored)
}
