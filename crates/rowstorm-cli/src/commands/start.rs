//! `rowstorm` without a command: what it is, and what to type first.
//!
//! `cargo run --release` in a clone has no arguments either, and there the demo is what somebody came for. The two are
//! told apart by what cargo sets for the programs that it runs: `CARGO`, and `CARGO_MANIFEST_DIR` with the folder that
//! this very binary was built from. An installed binary sees neither and prints the page below.

use std::ffi::OsStr;

use crate::args::DemoArgs;
use crate::console;
use crate::exit::{Exit, Result};

const PAGE: &str = "\
Rowstorm fills any database with realistic rows, fast, and proves that every row arrived.

  rowstorm demo                              see it work: no server, no file, half a minute
  rowstorm init shop > shop.yaml             a schema to start from
  rowstorm sample shop.yaml                  look at its rows, without a database
  rowstorm explain shop.yaml --to URL        what a run would do; touches nothing
  rowstorm run shop.yaml --to URL            write, measure, count
  rowstorm tune shop.yaml --to URL           find the batch size and the concurrency

URL: sqlite:PATH  postgres://…  mysql://…  file:DIR  null:            More: rowstorm --help
";

pub(crate) fn start() -> Result<Exit> {
    let variable = |name| std::env::var_os(name);
    if by_cargo(variable("CARGO").as_deref(), variable("CARGO_MANIFEST_DIR").as_deref()) {
        return super::demo::demo(&DemoArgs { rows: None, seed: None });
    }
    console::data(PAGE)?;
    Ok(Exit::Done)
}

/// Whether `cargo run` of the clone that this binary was built in started it.
fn by_cargo(cargo: Option<&OsStr>, manifest: Option<&OsStr>) -> bool {
    cargo.is_some() && manifest == Some(OsStr::new(env!("CARGO_MANIFEST_DIR")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cargo_run_from_the_clone_starts_the_demo() {
        let here = OsStr::new(env!("CARGO_MANIFEST_DIR"));
        let cargo = OsStr::new("/usr/bin/cargo");
        assert!(by_cargo(Some(cargo), Some(here)));
        assert!(
            !by_cargo(Some(cargo), Some(OsStr::new("/somebody/else"))),
            "another package's run"
        );
        assert!(!by_cargo(None, Some(here)));
        assert!(!by_cargo(None, None));
    }

    #[test]
    fn the_page_has_ten_lines_and_fits_a_terminal() {
        assert!(PAGE.lines().count() <= 10);
        assert!(PAGE.lines().all(|line| line.chars().count() <= 92));
    }
}
