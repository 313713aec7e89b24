//! `cargo xtask bench`: the parts by criterion, and whole runs against a yardstick on the same machine in the same minutes.

mod changes;
mod end_to_end;
mod memory;
mod processor;
mod rowstorm;
mod surface;

use anyhow::bail;

use crate::arguments::Arguments;
use crate::command::{cargo, run};
pub(crate) use end_to_end::{Stock, stock_client};

/// Runs one benchmark.
pub(crate) fn bench(mut arguments: Arguments) -> anyhow::Result<()> {
    match arguments.next().as_deref() {
        Some("fill") => criterion("rowstorm-gen", "fill", arguments),
        Some("encode") => criterion("rowstorm-postgres", "encode", arguments),
        Some("end-to-end") => end_to_end::end_to_end(arguments),
        Some("changes") => changes::changes(arguments),
        Some("memory") => memory::memory(arguments),
        Some("controller") => controller(arguments),
        Some("surface") => surface::surface(arguments),
        _ => bail!(
            "say `bench fill`, `encode`, `end-to-end`, `changes`, `memory`, `controller` or `surface`"
        ),
    }
}

/// A benchmark of a crate. What is left of the arguments goes to it.
fn criterion(package: &str, name: &str, arguments: Arguments) -> anyhow::Result<()> {
    let mut command = cargo(["bench", "--package", package, "--bench", name, "--"]);
    run(command.args(arguments.rest()))
}

/// The controllers on simulated databases: no server, no clock. What is left of the arguments goes to it.
fn controller(arguments: Arguments) -> anyhow::Result<()> {
    let target = ["--package", "rowstorm-control", "--features", "sim", "--bench", "controller"];
    let mut command = cargo(["bench", "--quiet"]);
    run(command.args(target).arg("--").args(arguments.rest()))
}

/// The middle of some figures; the mean of the two middle ones if they are even in number.
fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 0 => f64::midpoint(figures[half - 1], figures[half]),
        _ => figures[half],
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_stands_in_the_middle() {
        for (figures, middle) in [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0], 2.5)] {
            assert!((median(figures) - middle).abs() < f64::EPSILON);
        }
        assert!(median([]).is_nan());
    }
}
