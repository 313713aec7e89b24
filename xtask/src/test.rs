//! `cargo xtask test`: starts what the tests need, runs them, and stops it all again.

use std::env;

use crate::arguments::Arguments;
use crate::command::{cargo, run};
use crate::servers::{
    Durability, Guard, SERVERS, Server, drop_all, given_or_started, named, side_by_side, unasked,
};

/// Names the databases whose cases must run; a case of any other database that is not there shows as ignored.
const REQUIRE: &str = "ROWSTORM_REQUIRE";

/// Needs no server, so it is always there.
const SQLITE: &str = "sqlite";

/// Crates whose tests need no server.
const WITHOUT_SERVER: [&str; 9] = [
    "rowstorm-schema",
    "rowstorm-gen",
    "rowstorm-sink",
    "rowstorm-sqlite",
    "rowstorm-files",
    "rowstorm-control",
    "rowstorm-report",
    "rowstorm-run",
    "xtask",
];

/// Runs all tests against real servers. What is left of the arguments goes to `cargo test`.
pub(crate) fn test(mut arguments: Arguments) -> anyhow::Result<()> {
    let only = arguments.value::<String>("--only")?;
    let chosen = arguments.rest();
    let required = env::var(REQUIRE).ok();
    let servers = match only.as_ref().or(required.as_ref()) {
        Some(names) => listed(names)?,
        None => needed(&packages(&chosen), |server| server.given().is_some()),
    };
    let mut command = cargo(["test"]);
    if packages(&chosen).is_empty() {
        command.arg("--workspace");
    }
    command.args(chosen);
    let started = start(&servers)?;
    let mut names = vec![SQLITE];
    let mut guards = Vec::new();
    for (server, url, guard) in started {
        command.env(server.variable(), url);
        names.push(server.name());
        guards.extend(guard);
    }
    // Also with `--only`: what was started must be tested.
    if required.is_none() {
        command.env(REQUIRE, names.join(","));
    }
    let result = run(&mut command);
    drop_all(guards);
    result
}

type Started = (&'static dyn Server, String, Option<Guard>);

/// Finds or starts servers side by side. If one is missing, the others are stopped again and it is an error.
fn start(servers: &[&'static dyn Server]) -> anyhow::Result<Vec<Started>> {
    side_by_side(servers, |server| {
        let (url, guard) = given_or_started(server.given(), server, Durability::Volatile)?;
        Ok((server, url, guard))
    })
}

/// The servers of a list of names with commas.
fn listed(names: &str) -> anyhow::Result<Vec<&'static dyn Server>> {
    let names = names.split(',').map(str::trim);
    names.filter(|name| !name.is_empty() && *name != SQLITE).map(named).collect()
}

/// What CI requires, and what the environment names besides; only a part of it where each package that is tested is known to
/// need its own database alone, or none.
fn needed(packages: &[&str], is_given: impl Fn(&dyn Server) -> bool) -> Vec<&'static dyn Server> {
    let of_packages = |server: &&dyn Server| packages.contains(&server.adapter());
    let is_known = |package: &&str| {
        WITHOUT_SERVER.contains(package)
            || SERVERS.iter().any(|server| server.adapter() == *package)
    };
    let (mut servers, by_name) = unasked();
    servers.extend(by_name.into_iter().filter(|server| is_given(*server)));
    if !packages.is_empty() && packages.iter().all(is_known) {
        servers.retain(of_packages);
    }
    servers
}

/// The packages that the arguments of `cargo test` choose.
fn packages(arguments: &[String]) -> Vec<&str> {
    let mut packages = Vec::new();
    let mut arguments = arguments.iter().map(String::as_str).take_while(|word| *word != "--");
    while let Some(argument) = arguments.next() {
        let glued = argument.strip_prefix("--package=").or_else(|| argument.strip_prefix("-p"));
        match (argument, glued) {
            ("-p" | "--package", _) => packages.extend(arguments.next()),
            (_, Some(package)) => packages.push(package.trim_start_matches('=')),
            (_, None) => {}
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(servers: Vec<&'static dyn Server>) -> Vec<&'static str> {
        servers.into_iter().map(Server::name).collect()
    }

    #[test]
    fn packages_are_found_however_they_are_written() {
        let arguments = "-p a --package b --package=c -pd --no-fail-fast -- -p e";
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        assert_eq!(packages(&arguments), ["a", "b", "c", "d"]);
    }

    #[test]
    fn an_adapter_needs_its_own_servers_and_anything_else_all() {
        let needed = |packages: &[&str]| names(needed(packages, |_| false));
        assert_eq!(needed(&["rowstorm-mysql"]), ["mariadb", "mysql"]);
        assert_eq!(needed(&["rowstorm-mongodb", "rowstorm-postgres"]), ["postgres", "mongodb"]);
        assert_eq!(needed(&["rowstorm-postgres", "rowstorm-gen"]), ["postgres"]);
        assert!(needed(&["rowstorm-gen"]).is_empty());
        for packages in [&[][..], &["rowstorm"], &["rowstorm-mysql", "rowstorm-cli"]] {
            assert_eq!(needed(packages), ["postgres", "mariadb", "mysql", "mongodb"]);
        }
    }

    #[test]
    fn a_server_that_the_environment_names_is_needed_too() {
        let given = |server: &dyn Server| server.name() == "cratedb";
        assert_eq!(names(needed(&["rowstorm-cratedb"], given)), ["cratedb"]);
        assert_eq!(names(needed(&["rowstorm-mysql"], given)), ["mariadb", "mysql"]);
    }

    #[test]
    fn a_list_names_servers_and_an_unknown_one_is_an_error() {
        assert_eq!(names(listed("sqlite, mysql").unwrap()), ["mysql"]);
        assert!(listed("sqlite").unwrap().is_empty());
        assert!(listed("mysql,oracle").is_err());
    }
}
