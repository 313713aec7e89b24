//! `cargo xtask bench memory`: the largest resident set of `payload` runs, at ten times the rows and at several budgets.

use super::rowstorm::Rowstorm;
use crate::arguments::Arguments;
use crate::command::target_dir;
use crate::servers::{Durability, POSTGRES, given_or_started};

const MIB: f64 = (1 << 20) as f64;

/// What a run may use beside the budget, in MB.
const BESIDE_BUDGET_MB: f64 = 64.0;

/// Measures, prints, and fails if a run took more than its budget and 64 MB.
pub(crate) fn memory(mut arguments: Arguments) -> anyhow::Result<()> {
    let to = arguments.value::<String>("--to")?;
    let rows = arguments.value("--rows")?.unwrap_or(2_000_000_u64);
    let only_null = arguments.flag("--only-null");
    arguments.finish()?;

    let scratch = target_dir().join("bench/memory");
    std::fs::create_dir_all(&scratch)?;
    let rowstorm = Rowstorm::build(&scratch)?;
    println!("payload rows into     budget MiB   peak MB   rows/s");
    let mut over = 0;
    for (rows, budget) in [(rows, 256), (rows * 10, 256), (rows, 64), (rows, 16)] {
        over += u32::from(!measure(&rowstorm, "null:", rows, budget)?);
    }
    if !only_null {
        let (url, _guard) = given_or_started(to, POSTGRES, Durability::Volatile)?;
        for (rows, budget) in [(rows / 10, 256), (rows, 256), (rows / 10, 16)] {
            over += u32::from(!measure(&rowstorm, &url, rows, budget)?);
        }
    }
    anyhow::ensure!(over == 0, "{over} runs took more than their budget and {BESIDE_BUDGET_MB} MB");
    Ok(())
}

/// One run; whether it kept within its budget.
fn measure(rowstorm: &Rowstorm, to: &str, rows: u64, budget: u32) -> anyhow::Result<bool> {
    let (rows_text, budget_text) = (rows.to_string(), format!("{budget}MiB"));
    let mut options = vec!["--rows", &rows_text, "--max-bytes-in-flight", &budget_text];
    options.extend(["--table-mode", "recreate", "--yes"]);
    let record = rowstorm.run("payload", to, &options)?;
    let peak = record.number("/client/peak_rss_bytes")?;
    let fits = peak <= f64::from(budget) * MIB + BESIDE_BUDGET_MB * 1e6;
    let target = to.split(':').next().unwrap_or(to);
    let note = if fits { "" } else { "   too much" };
    let rate = record.number("/rows_per_second")?;
    println!("{rows:>11} {target:<10} {budget:>10} {:>9.1} {rate:>8.0}{note}", peak / 1e6);
    Ok(fits)
}
