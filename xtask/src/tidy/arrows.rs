//! Rules for dependencies: arrows point downwards only, and heavy or impure crates stay where they belong.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

use super::adapters::ADAPTERS;
use crate::command::{cargo, output};

/// Our crates, and which of ours each may name. An adapter may name what [`ADAPTER_MAY`] says.
const MAY: [(&str, &[&str]); 9] = [
    ("rowstorm-schema", &[]),
    ("rowstorm-control", &[]),
    ("rowstorm-report", &[]),
    ("rowstorm-gen", &["rowstorm-schema"]),
    ("rowstorm-sink", &["rowstorm-gen", "rowstorm-schema"]),
    ("rowstorm-run", &["rowstorm-gen", "rowstorm-sink", "rowstorm-control", "rowstorm-report"]),
    ("rowstorm-cli", &["rowstorm"]),
    // Who follows the binary log is a user of the adapter itself.
    ("rowstorm-examples", &["rowstorm", "rowstorm-mysql"]),
    ("xtask", &[]),
];
const ADAPTER_MAY: [&str; 3] = ["rowstorm-sink", "rowstorm-gen", "rowstorm-schema"];

/// Crates that only some of ours may name.
const ONLY_IN: [(&str, &[&str]); 11] = [
    ("figment", &["rowstorm-cli"]),
    ("metrics-exporter-prometheus", &["rowstorm-cli"]),
    ("axum", &["rowstorm-cli"]),
    ("clap", &["rowstorm-cli"]),
    ("sqlx", &["rowstorm-postgres"]),
    ("reqwest", &["rowstorm-cratedb"]),
    ("postgres-protocol", &["rowstorm-cratedb"]),
    ("rusqlite", &["rowstorm-sqlite"]),
    ("parquet", &["rowstorm-files"]),
    ("arrow", &["rowstorm-files"]),
    ("anyhow", &["rowstorm-cli", "rowstorm-examples", "xtask"]),
];

/// Crates that must not even be reached from some of ours, tests aside.
const NEVER_REACHED: [(&str, &[&str]); 2] = [
    ("tokio", &["rowstorm-schema", "rowstorm-gen", "rowstorm-control"]),
    ("rand", &["rowstorm-schema", "rowstorm-control"]),
];

/// Whose dependency tree is empty, tests aside.
const DEPENDS_ON_NOTHING: &str = "rowstorm-control";

/// One arrow.
struct Arrow {
    to: String,
    is_for_tests: bool,
}

type Arrows = BTreeMap<String, Vec<Arrow>>;

/// Checks the arrows of the workspace.
pub(super) fn check(breaches: &mut Vec<String>) -> anyhow::Result<()> {
    let metadata = cargo(["metadata", "--format-version=1", "--all-features", "--locked"]);
    let metadata: Value = serde_json::from_str(&output(&mut { metadata })?)?;
    let named = named(&metadata).context("cargo metadata has another shape than expected")?;
    between_ours(&named, breaches);
    kept_in_their_place(&named, breaches);
    let reached = resolved(&metadata).context("cargo metadata has no resolved graph")?;
    never_reached(&reached, breaches);
    Ok(())
}

fn between_ours(named: &Arrows, breaches: &mut Vec<String>) {
    for (from, arrows) in named {
        let ours = arrows.iter().filter(|arrow| named.contains_key(&arrow.to));
        for arrow in ours.filter(|arrow| arrow.to != *from) {
            let adapter = ADAPTERS.contains(&from.as_str());
            let listed = MAY.iter().find(|(name, _)| name == from).map(|(_, may)| *may);
            let may = match (adapter, listed) {
                (true, _) => ADAPTER_MAY.contains(&arrow.to.as_str()),
                (false, Some(may)) => may.contains(&arrow.to.as_str()),
                // The facade joins everything below it.
                (false, None) if from == "rowstorm" => {
                    !["rowstorm-cli", "rowstorm-examples", "xtask"].contains(&arrow.to.as_str())
                }
                (false, None) => false,
            };
            if !may {
                breaches
                    .push(format!("crates/{from}/Cargo.toml: no arrow to {} is drawn", arrow.to));
            }
        }
        if from == DEPENDS_ON_NOTHING
            && let Some(arrow) = arrows.iter().find(|arrow| !arrow.is_for_tests)
        {
            breaches.push(format!(
                "crates/{from}/Cargo.toml: needs {}, and may need nothing",
                arrow.to
            ));
        }
    }
}

fn kept_in_their_place(named: &Arrows, breaches: &mut Vec<String>) {
    for (from, arrows) in named {
        for (library, places) in ONLY_IN {
            let names_it = |arrow: &&Arrow| arrow.to == library && !arrow.is_for_tests;
            if arrows.iter().any(|arrow| names_it(&arrow)) && !places.contains(&from.as_str()) {
                breaches.push(format!("crates/{from}/Cargo.toml: {library} belongs in {places:?}"));
            }
        }
    }
}

fn never_reached(reached: &Arrows, breaches: &mut Vec<String>) {
    for (library, ours) in NEVER_REACHED {
        for from in ours {
            if reaches(reached, from, library) {
                breaches.push(format!("crates/{from}/Cargo.toml: reaches {library}, and must not"));
            }
        }
    }
}

fn reaches(arrows: &Arrows, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(name) = waiting.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            let next = arrows.get(name).into_iter().flatten();
            waiting.extend(next.filter(|arrow| !arrow.is_for_tests).map(|arrow| arrow.to.as_str()));
        }
    }
    false
}

/// What our crates name in their manifests.
fn named(metadata: &Value) -> Option<Arrows> {
    let members = metadata["workspace_members"].as_array()?;
    let packages = metadata["packages"].as_array()?;
    let ours = packages.iter().filter(|package| members.contains(&package["id"]));
    let arrow = |dependency: &Value| {
        Some(Arrow {
            to: dependency["name"].as_str()?.to_owned(),
            is_for_tests: dependency["kind"] == "dev",
        })
    };
    let arrows = |package: &Value| {
        let arrows: Option<Vec<Arrow>> =
            package["dependencies"].as_array()?.iter().map(arrow).collect();
        Some((package["name"].as_str()?.to_owned(), arrows?))
    };
    ours.map(arrows).collect()
}

/// What is built for what, by package name.
fn resolved(metadata: &Value) -> Option<Arrows> {
    let packages = metadata["packages"].as_array()?;
    let name_of: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect::<Option<_>>()?;
    let arrow = |dependency: &Value| {
        let kinds = dependency["dep_kinds"].as_array()?;
        Some(Arrow {
            to: (*name_of.get(dependency["pkg"].as_str()?)?).to_owned(),
            is_for_tests: kinds.iter().all(|kind| kind["kind"] == "dev"),
        })
    };
    let mut arrows = Arrows::new();
    for node in metadata["resolve"]["nodes"].as_array()? {
        let name = (*name_of.get(node["id"].as_str()?)?).to_owned();
        let dependencies: Option<Vec<Arrow>> = node["deps"].as_array()?.iter().map(arrow).collect();
        // Several versions of one crate are one name here: that can only find too much, never too little.
        arrows.entry(name).or_default().extend(dependencies?);
    }
    Some(arrows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(list: &[(&str, &[&str])]) -> Arrows {
        let arrow = |to: &&str| Arrow { to: (*to).to_owned(), is_for_tests: false };
        list.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(arrow).collect())).collect()
    }

    #[test]
    fn an_arrow_between_adapters_and_one_upwards_are_found() {
        let drawn = arrows(&[
            ("rowstorm-sqlite", &["rowstorm-postgres"]),
            ("rowstorm-postgres", &["rowstorm-sink"]),
            ("rowstorm-sink", &["rowstorm-run"]),
            ("rowstorm-run", &[]),
        ]);
        let mut breaches = Vec::new();
        between_ours(&drawn, &mut breaches);
        assert_eq!(breaches.len(), 2, "{breaches:?}");
    }

    #[test]
    fn what_belongs_to_the_command_is_found_elsewhere() {
        let mut breaches = Vec::new();
        kept_in_their_place(&arrows(&[("rowstorm-run", &["figment", "tokio"])]), &mut breaches);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
    }

    #[test]
    fn a_library_is_found_through_others() {
        let drawn = arrows(&[("rowstorm-gen", &["a"]), ("a", &["b"]), ("b", &["tokio", "a"])]);
        let mut breaches = Vec::new();
        never_reached(&drawn, &mut breaches);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
    }
}
