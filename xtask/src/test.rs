//! `cargo xtask test`: starts what the tests need, runs them, and stops it all again.

use std::env;

use crate::arguments::Arguments;
use crate::command::{cargo, run};
use crate::servers::{Durability, SERVERS, given_or_started};

/// Names the databases whose cases must run; a case of any other database that is not there shows as ignored.
const REQUIRE: &str = "ROWSTORM_REQUIRE";

/// Runs all tests against real servers. What is left of the arguments goes to `cargo test`.
pub(crate) fn test(arguments: Arguments) -> anyhow::Result<()> {
    let chosen = arguments.rest();
    let mut command = cargo(["test"]);
    if !chosen.iter().any(|argument| argument == "-p" || argument.starts_with("--package")) {
        command.arg("--workspace");
    }
    command.args(chosen);
    let mut required = vec!["sqlite"];
    // Dropped at the end, also of a failure: that stops the servers.
    let mut guards = Vec::new();
    for server in SERVERS {
        let given = env::var(server.variable()).ok();
        let (url, guard) = given_or_started(given, server, Durability::Volatile)?;
        command.env(server.variable(), url);
        guards.push(guard);
        required.push(server.name());
    }
    if env::var_os(REQUIRE).is_none() {
        command.env(REQUIRE, required.join(","));
    }
    let result = run(&mut command);
    drop(guards);
    result
}
